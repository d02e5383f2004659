/**
 * Two records that may be of one household, as a person decides about them: which one stays, which answers come over from the other, and
 * what is made of the pair. What was chosen is still there when the page has to be read anew because a record changed.
 */
import { computed, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import type { Api } from '@/api/client'
import {
  decidePair,
  fetchPair,
  partPair,
  type PairField,
  type PairKey,
  type PairPage,
  type Verdict,
} from '@/features/duplicates/api/pairs'
import { asProblem } from '@/api/problem'

export type PairState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'open'; readonly page: PairPage }
  | { readonly kind: 'failed'; readonly code: string; readonly params: Record<string, unknown> }

export type PairSave =
  | { readonly kind: 'idle' }
  | { readonly kind: 'sending' }
  | { readonly kind: 'failed'; readonly code: string; readonly params: Record<string, unknown> }

export type PairWork = {
  readonly state: ShallowRef<PairState>
  readonly page: ComputedRef<PairPage | null>
  readonly save: ShallowRef<PairSave>
  readonly survivor: ComputedRef<string>
  readonly comment: Ref<string>
  /** Whether a field comes from the record that goes. */
  readonly isTaken: (field: PairField) => boolean
  readonly load: () => Promise<void>
  readonly stay: (record: string) => void
  readonly take: (field: PairField, isTaken: boolean) => void
  readonly decide: (verdict: Verdict) => Promise<boolean>
  readonly part: () => Promise<boolean>
}

export function usePair(api: Api, key: PairKey): PairWork {
  const state = shallowRef<PairState>({ kind: 'loading' })
  const save = shallowRef<PairSave>({ kind: 'idle' })
  const comment = ref('')
  const chosen = ref<string | null>(null)
  /** The record whose answer is wanted, by path: so that it stays when the person changes which record stays. */
  const wanted = shallowRef<Readonly<Record<string, string>>>({})
  const page = computed(() => (state.value.kind === 'open' ? state.value.page : null))
  const survivor = computed(() => chosen.value ?? page.value?.suggested ?? key.one)

  async function load(): Promise<void> {
    try {
      state.value = { kind: 'open', page: await fetchPair(api, key) }
    } catch (error) {
      const { code, params } = asProblem(error)
      state.value = { kind: 'failed', code, params }
    }
  }

  function isTaken(field: PairField): boolean {
    const record = wanted.value[field.path]
    if (record !== undefined) return record !== survivor.value
    // The server proposes for the record that it suggests; for the other one what that lacks comes over.
    if (survivor.value === page.value?.suggested) return field.is_taken
    return isBlank(field, survivor.value) && !isBlank(field, otherOf(survivor.value))
  }

  function otherOf(record: string): string {
    return record === key.one ? key.other : key.one
  }

  function take(field: PairField, isFromOther: boolean): void {
    const record = isFromOther ? otherOf(survivor.value) : survivor.value
    wanted.value = { ...wanted.value, [field.path]: record }
  }

  async function attempt(work: (revs: Record<string, string>, open: PairPage) => Promise<PairPage>): Promise<boolean> {
    const { value: open } = page
    if (open === null) return false
    save.value = { kind: 'sending' }
    try {
      const revs = Object.fromEntries(Object.entries(open.docs).map(([record, doc]) => [record, doc._rev]))
      state.value = { kind: 'open', page: await work(revs, open) }
      save.value = { kind: 'idle' }
      comment.value = ''
      return true
    } catch (error) {
      const { code, params } = asProblem(error)
      save.value = { kind: 'failed', code, params }
      if (code === 'record_moved_on' || code === 'pair_said') await load()
      return false
    }
  }

  return {
    state,
    page,
    save,
    survivor,
    comment,
    isTaken,
    load,
    stay: (record) => (chosen.value = record),
    take,
    decide: (verdict) =>
      attempt((revs, open) => {
        const said = { verdict, revs, saw: open.at, comment: comment.value.trim() }
        if (verdict !== 'same') return decidePair(api, key, said)
        const paths = open.fields.filter((field) => !field.is_same && isTaken(field)).map(({ path }) => path)
        return decidePair(api, key, { ...said, survivor: survivor.value, take: paths })
      }),
    part: () => attempt((revs) => partPair(api, key, { revs, comment: comment.value.trim() })),
  }
}

function isBlank(field: PairField, record: string): boolean {
  const value = field.values[record]
  return value === undefined || value.is_absent || value.value === null
}
