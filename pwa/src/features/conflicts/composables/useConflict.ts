/**
 * One record whose questions a person settles: loaded, chosen on, tried, saved once, taken back. Who else looks at it is told while the
 * page is open. When somebody else was quicker, the fresh page stands on the screen and every choice and every change in the form is
 * still there: in its place where nobody else has touched it, handed back where somebody has.
 */
import { computed, onScopeDispose, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import type { Api } from '@/api/client'
import {
  askAbout,
  claimConflict,
  fetchConflict,
  sendChoices,
  undoDecision,
  type Claim,
  type ConflictPage,
  type Decided,
  type SentChoice,
  type SentDecision,
  type Value,
  type Warning,
} from '@/features/conflicts/api/conflicts'
import { asProblem, type Problem } from '@/api/problem'
import { carriedEdits, isWithin, withValue, type FormEdits } from '@/domain/carrying-edits'
import { allSent, carriedOver, valueOf, type Choice, type Choices, type FieldChoice } from '@/domain/choosing'
import { valueAt } from '@/domain/pointers'
import type { Pending } from '@/features/conflicts/conflicts'

export type ConflictState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'open'; readonly page: ConflictPage }
  | { readonly kind: 'failed'; readonly code: string; readonly params: Record<string, unknown> }

/** A choice whose question somebody else settled, or a change in the form to what somebody else touched. */
export type Overtaken = {
  readonly path: string
  /** Null where the choice is none of a value: `choice` says which. */
  readonly value: Value | null
  readonly choice: Choice | null
  /** Whether it can be put in the place of what stands now. */
  readonly mayInsist: boolean
}

export type SaveState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'sending' }
  /** What would be saved breaks what the form asks for; saving once more saves it all the same. */
  | { readonly kind: 'warned'; readonly warnings: readonly Warning[] }
  | { readonly kind: 'saved'; readonly rev: string | null }
  | { readonly kind: 'undone' }
  | {
      readonly kind: 'moved'
      readonly names: readonly string[]
      readonly changed: readonly string[]
      readonly overtaken: readonly Overtaken[]
    }
  | { readonly kind: 'failed'; readonly code: string; readonly params: Record<string, unknown> }

export type Conflict = {
  readonly state: ShallowRef<ConflictState>
  readonly page: ComputedRef<ConflictPage | null>
  readonly save: ShallowRef<SaveState>
  readonly choices: ShallowRef<Choices>
  readonly comment: Ref<string>
  readonly edits: ShallowRef<FormEdits | null>
  readonly others: ComputedRef<readonly Claim[]>
  /** How many open questions have a choice. */
  readonly chosen: ComputedRef<number>
  readonly canSave: ComputedRef<boolean>
  readonly load: () => Promise<void>
  readonly choose: (path: string, choice: Choice | null) => void
  readonly insist: (overtaken: Overtaken) => void
  /** Fields whose own value is saved although somebody else settled them. */
  readonly insisted: ComputedRef<ReadonlySet<string>>
  /** The record as it would stand by the choices so far; null where that can't be known, and `save` says why. */
  readonly tryOut: () => Promise<ConflictPage | null>
  readonly edit: (edits: FormEdits | null) => void
  readonly submit: (isWarned?: boolean) => Promise<boolean>
  readonly undo: (decision: string) => Promise<boolean>
  readonly ask: (path: string, text: string, to: readonly string[]) => Promise<Problem | null>
}

const CLAIM_EVERY_MS = 60_000

export function useConflict(api: Api, database: string, record: string, pending: Pending): Conflict {
  const state = shallowRef<ConflictState>({ kind: 'loading' })
  const save = shallowRef<SaveState>({ kind: 'idle' })
  const choices = shallowRef<Choices>(pending.choices)
  const comment = ref(pending.comment)
  const edits = shallowRef<FormEdits | null>(null)
  /** Values that the person insists on although their question was settled meanwhile. */
  const insisted = shallowRef<readonly SentChoice[]>([])
  const claims = shallowRef<readonly Claim[]>([])
  const page = computed(() => (state.value.kind === 'open' ? state.value.page : null))
  const questions = computed(() => page.value?.questions ?? [])
  const chosen = computed(
    () =>
      questions.value.filter(
        ({ path }) =>
          choices.value[path] !== undefined || edits.value?.changes.some((change) => isWithin(path, change.path)),
      ).length,
  )
  const canSave = computed(
    () =>
      page.value?.may_decide === true &&
      save.value.kind !== 'sending' &&
      (chosen.value > 0 || insisted.value.length > 0 || edits.value !== null),
  )
  const others = computed(() => claims.value.filter((claim) => !claim.is_me))

  async function load(): Promise<void> {
    try {
      show(await fetchConflict(api, database, record))
      choices.value = carriedOver([], questions.value, choices.value).choices
      void claim()
    } catch (error) {
      const { code, params } = asProblem(error)
      state.value = { kind: 'failed', code, params }
    }
  }

  function show(fresh: ConflictPage): void {
    state.value = { kind: 'open', page: fresh }
    claims.value = fresh.claims
  }

  async function claim(leave = false): Promise<void> {
    if (page.value?.may_decide !== true) return
    try {
      const answer = await claimConflict(api, database, record, leave)
      if (!leave) claims.value = answer.claims
    } catch {
      // Who else looks is good to know and never needed.
    }
  }
  const timer = setInterval(() => void claim(), CLAIM_EVERY_MS)
  onScopeDispose(() => {
    clearInterval(timer)
    void claim(true)
  })

  function choose(path: string, choice: Choice | null): void {
    const others = Object.fromEntries(Object.entries(choices.value).filter(([each]) => each !== path))
    choices.value = choice === null ? others : { ...others, [path]: choice }
    const question = questions.value.find((each) => each.path === path)
    if (choice !== null && edits.value !== null) {
      edits.value = without(edits.value, path, question === undefined ? null : valueOf(question, choice))
    }
    if (save.value.kind !== 'moved') save.value = { kind: 'idle' }
  }

  function insist({ path, value }: Overtaken): void {
    if (value === null) return
    const one: SentChoice = value.is_absent ? { path, remove: true } : { path, value: value.value }
    insisted.value = [...insisted.value.filter((each) => each.path !== path), one]
    const { whole } = edits.value ?? {}
    if (edits.value !== null && whole) {
      edits.value = { ...edits.value, whole: { ...whole, answers: withValue(whole.answers, path, value) } }
    }
  }

  function edit(made: FormEdits | null): void {
    edits.value = made
    if (made === null) return
    // What the form changed is its answer now; every other choice stands.
    for (const path of Object.keys(choices.value)) {
      if (made.changes.some((change) => isWithin(path, change.path))) choose(path, null)
    }
  }

  function decision({ rev, leaves, elsewhere }: ConflictPage, isDry: boolean): SentDecision {
    const { changes, whole } = edits.value ?? { changes: [], whole: null }
    const form = whole === null ? {} : { answers: whole.answers, form_version: whole.version }
    const chosenHere = [...allSent(questions.value, choices.value), ...(whole === null ? changes : [])]
    const paths = new Set(chosenHere.map(({ path }) => path))
    const all = [...chosenHere, ...insisted.value.filter(({ path }) => !paths.has(path))]
    const seen = elsewhere.map((each) => ({ database: each.database, rev: each.rev, leaves: each.leaves }))
    return { rev, leaves, elsewhere: seen, choices: all, ...form, comment: comment.value.trim(), dry_run: isDry }
  }

  async function tryOut(): Promise<ConflictPage | null> {
    if (page.value === null) return null
    const wanted = decision(page.value, true)
    if (wanted.choices.length === 0 && wanted.answers === undefined) return page.value
    return (await send(wanted))?.page ?? null
  }

  async function submit(isWarned = false): Promise<boolean> {
    if (page.value === null || !canSave.value) return false
    const { value: seen } = page
    if (!isWarned) {
      const tried = await send(decision(seen, true))
      if (tried === null) return false
      if (tried.warnings.length > 0) {
        save.value = { kind: 'warned', warnings: tried.warnings }
        return false
      }
    }
    const decided = await send(decision(seen, false))
    if (decided === null) return false
    forget()
    show(decided.page)
    save.value = { kind: 'saved', rev: decided.rev }
    return true
  }

  function forget(): void {
    choices.value = {}
    comment.value = ''
    edits.value = null
    insisted.value = []
  }

  async function send(wanted: SentDecision): Promise<Decided | null> {
    return attempt(() => sendChoices(api, database, record, wanted))
  }

  async function attempt(work: () => Promise<Decided>): Promise<Decided | null> {
    save.value = { kind: 'sending' }
    try {
      const answer = await work()
      save.value = { kind: 'idle' }
      return answer
    } catch (error) {
      fail(asProblem(error))
      return null
    }
  }

  function fail({ code, params }: Problem): void {
    const fresh = params['page'] as ConflictPage | undefined
    if (code !== 'conflict_moved' || fresh === undefined) {
      save.value = { kind: 'failed', code, params }
      return
    }
    const changed = textsIn(params['changed'])
    const carried = carriedOver(questions.value, fresh.questions, choices.value)
    const inForm = carriedEdits(edits.value, page.value?.doc ?? fresh.doc, fresh.doc, changed)
    const lost = [
      ...carried.lost,
      ...inForm.lost.map((change) => ({ path: change.path, value: known(change), choice: null })),
    ]
    const overtaken = lost.map((each) => ({
      ...each,
      mayInsist: each.value !== null && !valueAt(fresh.doc, each.path.slice(0, each.path.lastIndexOf('/'))).is_absent,
    }))
    show(fresh)
    choices.value = carried.choices
    edits.value = inForm.edits
    // In whole answers a choice stands as well.
    for (const [path, choice] of Object.entries(carried.choices)) choose(path, choice)
    save.value = { kind: 'moved', names: textsIn(params['by_names']), changed, overtaken }
  }

  async function undo(revision: string): Promise<boolean> {
    if (page.value === null) return false
    const { rev, leaves } = page.value
    const answer = await attempt(() => undoDecision(api, database, record, { rev, leaves, decision: revision }))
    if (answer === null) return false
    show(answer.page)
    save.value = { kind: 'undone' }
    return true
  }

  async function ask(path: string, text: string, to: readonly string[]): Promise<Problem | null> {
    try {
      show((await askAbout(api, database, record, { path, text, to: [...to] })).page)
      return null
    } catch (error) {
      return asProblem(error)
    }
  }

  return {
    state,
    page,
    save,
    choices,
    comment,
    edits,
    others,
    chosen,
    canSave,
    load,
    choose,
    insist,
    insisted: computed(() => new Set(insisted.value.map(({ path }) => path))),
    tryOut,
    edit,
    submit,
    undo,
    ask,
  }
}

/** Edits without what a later choice at `path` is about; in whole answers what was chosen stands there. */
function without(edits: FormEdits, path: string, value: Value | null): FormEdits | null {
  const changes = edits.changes.filter((change) => !isWithin(path, change.path))
  const { whole } = edits
  if (whole === null) return changes.length === 0 ? null : { changes, whole: null }
  return { changes, whole: value === null ? whole : { ...whole, answers: withValue(whole.answers, path, value) } }
}

function known(change: FieldChoice): Value {
  return 'value' in change ? { value: change.value, is_absent: false } : { value: null, is_absent: true }
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}
