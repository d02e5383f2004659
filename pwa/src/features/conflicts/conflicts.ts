/**
 * The conflict queue as it was last loaded: the list shows it, the page of one record knows from it what comes next and how far the person
 * is. What was decided stays in its place, marked, until the list is loaded anew. Choices that were
 * made and not yet saved are kept by record, so that going to the next one loses none.
 */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import {
  fetchConflicts,
  type ConflictFilters,
  type ConflictGroup,
  type ConflictLine,
  type ConflictPages,
  type KindCounts,
} from '@/features/conflicts/api/conflicts'
import type { Choices } from '@/domain/choosing'
import { usePages } from '@/features/desk/pages'
import { useSession } from '@/stores/session'
import { useWaitingConflicts } from './waiting-conflicts'

export const EVERYTHING: ConflictFilters = {
  kind: '',
  unit: '',
  project: '',
  form: '',
  person: '',
  path: '',
  waitingDays: '',
  text: '',
  order: 'oldest',
}

/** Chosen and said, but not saved. */
export type Pending = { readonly choices: Choices; readonly comment: string }
export type Place = { readonly database: string; readonly record: string }

export const useConflicts = defineStore('conflicts', () => {
  const session = useSession()
  const filters = ref<ConflictFilters>({ ...EVERYTHING })
  const groups = shallowRef<readonly ConflictGroup[]>([])
  const counts = shallowRef<KindCounts>({})
  const total = ref(0)
  const everywhere = useWaitingConflicts()
  const settled = shallowRef<ReadonlySet<string>>(new Set())
  const pending = new Map<string, Pending>()

  const isUnfiltered = computed(() =>
    Object.entries(filters.value).every(([name, value]) => name === 'order' || value === ''),
  )
  const { rows: lines, ...pages } = usePages<ConflictPages, ConflictLine>({
    fetch: (before, signal) => fetchConflicts(session.api, filters.value, before, signal),
    rowsOf: (page) => page.conflicts,
    keyOf,
    show: (page, { isMore, isLook }) => {
      counts.value = page.counts
      if (isMore) return
      groups.value = page.groups
      total.value = page.total
      if (!isLook) settled.value = new Set()
      if (isUnfiltered.value) everywhere.waiting = page.total
    },
  })

  function settle(place: Place): void {
    if (settled.value.has(keyOf(place))) return
    settled.value = new Set([...settled.value, keyOf(place)])
    pending.delete(keyOf(place))
    everywhere.add(-1)
  }

  /** A decision was taken back: it waits again. */
  function reopen(place: Place): void {
    if (!settled.value.has(keyOf(place))) return
    settled.value = new Set([...settled.value].filter((key) => key !== keyOf(place)))
    everywhere.add(1)
  }

  /** The next record after this one that still waits, asking for more of the list where it ends; from the top after the last. */
  async function after(place: Place): Promise<ConflictLine | null> {
    const found = afterHere(place)
    const isLast = found === null || indexOf(found) <= indexOf(place)
    if (!isLast || pages.next.value === null) return found
    await pages.loadMore()
    return afterHere(place)
  }

  function afterHere(place: Place): ConflictLine | null {
    const at = indexOf(place)
    const round = [...lines.value.slice(at + 1), ...lines.value.slice(0, Math.max(at, 0))]
    return round.find((line) => !settled.value.has(keyOf(line)) && keyOf(line) !== keyOf(place)) ?? null
  }

  function indexOf(place: Place): number {
    return lines.value.findIndex((line) => keyOf(line) === keyOf(place))
  }

  /** Which of how many a record is in the list; null where it isn't in it. */
  function positionOf(place: Place): { at: number; of: number } | null {
    const at = indexOf(place)
    return at < 0 ? null : { at: at + 1, of: Math.max(total.value, lines.value.length) }
  }

  function keep(place: Place, chosen: Pending): void {
    if (Object.keys(chosen.choices).length === 0 && chosen.comment === '') pending.delete(keyOf(place))
    else pending.set(keyOf(place), chosen)
  }

  function kept(place: Place): Pending {
    return pending.get(keyOf(place)) ?? { choices: {}, comment: '' }
  }

  return {
    filters,
    lines,
    groups,
    counts,
    total,
    settled,
    ...pages,
    settle,
    reopen,
    after,
    positionOf,
    keep,
    kept,
  }
})

export function keyOf({ database, record }: Place): string {
  return `${database}/${record}`
}
