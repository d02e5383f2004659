/**
 * One draft, open in the form engine: filled, saved on every answer, and finished into the person's own revision.
 *
 * Guarantees: what the screen calls saved is in the phone's store; saves happen in order and the newest wins; a draft that the engine
 * can't read stays as it is and is told so; finishing is one transaction of `storage/records`. Nothing here asks the network.
 */
import type { RootNode } from '@getodk/xforms-engine'
import { computed, onScopeDispose, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import { mentionedMedia } from '@/domain/mentioned-media'
import type { FormSchema } from '@/domain/form-schema'
import { begunChanges, type Begun, type BegunAnswers } from '@/domain/begun'
import { entitySaves, type EntitySave } from '@/domain/entities'
import { cleanText } from '@/domain/lexical'
import type { Answers, Media, MediaRef } from '@/domain/record'
import type { Draft } from '@/storage/database'
import type { DraftChange } from '@/storage/drafts'
import { asProblem } from '@/api/problem'
import { schemaOf, type FormContents } from '@/features/answers/form-contents'
import {
  failing,
  forgetFailing,
  FormBroken,
  loadEngineForm,
  speak,
  type EngineOptions,
  type LoadedForm,
} from '@/features/answers/form-engine'
import { answersOf, instance, titleIn } from './draft-instance'
import { isAnswerable, pagesOf, pointerOf, questionsIn, type QuestionNode } from '@/features/answers/form-nodes'

export type FillFailure = 'draft_missing' | 'form_missing' | 'form_broken' | 'draft_unreadable'

export type FillState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'open'; readonly root: RootNode; readonly draft: Draft; readonly schema: FormSchema }
  | { readonly kind: 'failed'; readonly reason: FillFailure; readonly detail: string; readonly draft: Draft | null }
  | { readonly kind: 'finished'; readonly database: string; readonly record: string; readonly rev: string }

/** `problem` is a code with a sentence; what was typed is still on the screen and is saved again at the next answer. */
export type SaveState =
  | { readonly kind: 'saved'; readonly at: Date | null }
  | { readonly kind: 'saving' }
  | { readonly kind: 'failed'; readonly problem: string }

/** A question that a person sees with an answer that is only begun. */
export type HalfMade = { readonly node: QuestionNode; readonly begun: Begun }

/** Stopping resolves once the sound is handed on; full is one that the phone takes no more of. */
export type Recording = { readonly stop: () => Promise<void>; readonly isFull: () => boolean }

/** Sound that is whole in memory alone. */
export type Held = { readonly file: File; readonly seconds: number | null }

export type FillPorts = {
  getDraft(id: string): Promise<Draft | undefined>
  saveDraft(id: string, change: DraftChange): Promise<boolean>
  finishDraft(draft: Draft, answers: Answers, media: Media, saves: readonly EntitySave[]): Promise<string>
  contents(form: string, version: string): Promise<FormContents | null>
}

/** Something that the phone records by itself while the form is open. */
export type FormRecorder = {
  begin(draft: Draft, schema: FormSchema): void
  /** Whether the store lacks some of it. */
  isUnsaved(): boolean
  /** What of it goes into the store with the next save. */
  change(): DraftChange
  /** Give the record what was recorded: a file, and its name as an answer. Throws `StorageFull`. */
  finished(content: FilledContent): Promise<FilledContent>
}

export type FilledContent = { readonly answers: Answers; readonly media: Media }

export type FillOptions = EngineOptions & {
  readonly locale: Readonly<Ref<string>>
  readonly debounceMs?: number
  readonly recorders?: readonly FormRecorder[]
}

export type FillForm = {
  readonly state: ShallowRef<FillState>
  readonly saving: Ref<SaveState>
  /** Answers that the record can't hold yet, by their question's pointer. */
  readonly begun: ShallowRef<BegunAnswers>
  /** Those of them that a person sees, in the form's order: while there is one, nothing is finished. */
  readonly halfMade: ComputedRef<readonly HalfMade[]>
  readonly media: ComputedRef<Media>
  /** Expressions of the form that could not be computed: what they would say is blank. */
  readonly failing: ShallowRef<ReadonlySet<string>>
  /** A picture, sound or film that a label shows; undefined where it is not here. */
  labelFile(file: string): Promise<Blob | undefined>
  open(): Promise<void>
  /** Save what stands now; resolves when it is in the store, or the attempt failed and `saving` says why. */
  save(): Promise<void>
  /** Remember what is begun at a question; null when it is complete or given up. */
  setBegun(pointer: string, value: Begun | null): void
  /** Pointers of questions whose file is being kept: nothing is finished before it is. */
  readonly keeping: ShallowRef<ReadonlyMap<string, Promise<void>>>
  whileKeeping(pointer: string, work: () => Promise<void>): Promise<void>
  /** What records now: it is in here until its sound was handed to `whileKeeping`. */
  readonly recordings: Set<Recording>
  /** Stop what records, but for what the phone has no room for, and wait until every file is kept or failed to be. */
  settleFiles(): Promise<void>
  /** Recordings that could not be kept, until they are. */
  readonly held: Map<string, Held>
  /** Whether sound is lost when the form goes now: it is in memory alone. */
  isHolding(): boolean
  /** Remember a file under the name that an answer is about to bear. */
  keepMedia(name: string, file: MediaRef): Promise<boolean>
  /** Where the person is, so that a draft reopens there. */
  setStep(step: string): void
  /** Change the instance's XML where the engine offers no call for it, and go on with the result. */
  rework(change: (instance: Document) => void): Promise<void>
  /** What stands now, complete or not; null while no form is open. Throws where answers can't carry it. */
  answers(): Promise<Answers | null>
  /** Make the draft the person's revision; nothing happens while a question is open, which the last page lists. */
  finish(): Promise<void>
}

export function useForm(draftId: string, ports: FillPorts, options: FillOptions): FillForm {
  const state = shallowRef<FillState>({ kind: 'loading' })
  const saving = ref<SaveState>({ kind: 'saved', at: null })
  const begun = shallowRef<BegunAnswers>({})
  const keeping = shallowRef<ReadonlyMap<string, Promise<void>>>(new Map())
  const media = shallowRef<Media>({})
  let form: LoadedForm | null = null
  let labelFile: FormContents['labelFile']
  let step: string | null = null
  let isFinishing = false
  const { recorders = [] } = options

  const root = computed(() => (state.value.kind === 'open' ? state.value.root : null))
  const halfMade = computed<HalfMade[]>(() => {
    if (root.value === null || Object.keys(begun.value).length === 0) return []
    return questionsIn(pagesOf(root.value).flatMap(({ nodes }) => nodes)).flatMap((node) => {
      const half = begun.value[pointerOf(node)]
      // What turned read-only meanwhile can be neither completed nor given up.
      return half === undefined || !isAnswerable(node) ? [] : [{ node, begun: half }]
    })
  })

  async function open(): Promise<void> {
    state.value = { kind: 'loading' }
    forgetFailing()
    const draft = await ports.getDraft(draftId)
    if (draft === undefined) {
      fail('draft_missing', '', null)
      return
    }
    const contents = await ports.contents(draft.form, draft.version)
    if (contents === null) {
      fail('form_missing', '', draft)
      return
    }
    labelFile = contents.labelFile
    let schema: FormSchema
    try {
      schema = schemaOf(contents)
      form = await loadEngineForm(contents, options)
    } catch (error) {
      fail('form_broken', words(error), draft)
      return
    }
    try {
      show(await instance(form, schema, draft), draft, schema)
    } catch (error) {
      // Its XML stays in the store untouched: a later version of the app may read it.
      fail(draft.xml === null && draft.answers === null ? 'form_broken' : 'draft_unreadable', words(error), draft)
    }
  }

  function show(opened: RootNode, draft: Draft, schema: FormSchema): void {
    speak(opened, options.locale.value)
    media.value = draft.media
    begun.value = lastBegun = draft.begun ?? {}
    step = draft.step
    lastSaved = draft.xml
    savedAt = draft.xml === null ? null : new Date(draft.updatedAt)
    saving.value = { kind: 'saved', at: savedAt }
    state.value = { kind: 'open', root: opened, draft, schema }
    for (const recorder of recorders) recorder.begin(draft, schema)
  }

  function fail(reason: FillFailure, detail: string, draft: Draft | null): void {
    state.value = { kind: 'failed', reason, detail, draft }
  }

  // Saving: one chain, so that an older instance never lands on a newer one.
  let lastSaved: string | null = null
  let lastBegun: BegunAnswers = begun.value
  let lastStep: string | null = null
  let savedAt: Date | null = null
  let chain: Promise<void> = Promise.resolve()
  let timer: ReturnType<typeof setTimeout> | null = null

  function save(): Promise<void> {
    if (timer !== null) clearTimeout(timer)
    timer = null
    chain = chain.then(saveNow, saveNow)
    return chain
  }

  async function saveNow(): Promise<void> {
    if (root.value === null || isFinishing) return
    const xml = cleanText(root.value.instanceState.instanceXML)
    // What changes while this save is under way is left to the next one.
    const begunNow = begun.value
    const stepNow = step
    const isUnsaved = recorders.some((recorder) => recorder.isUnsaved())
    if (xml === lastSaved && stepNow === lastStep && begunNow === lastBegun && !isUnsaved) {
      // What failed was taken back on the screen: all that stands there is in the store.
      if (saving.value.kind === 'failed') saving.value = { kind: 'saved', at: savedAt }
      return
    }
    saving.value = { kind: 'saving' }
    try {
      const own: DraftChange = {
        xml,
        begun: begunChanges(lastBegun, begunNow),
        media: media.value,
        title: titleIn(xml),
        step: stepNow,
      }
      const change = recorders.reduce((all, recorder) => ({ ...all, ...recorder.change() }), own)
      const isKept = await ports.saveDraft(draftId, change)
      if (!isKept) {
        fail('draft_missing', '', null)
        return
      }
      lastSaved = xml
      lastBegun = begunNow
      lastStep = stepNow
      savedAt = new Date()
      saving.value = { kind: 'saved', at: savedAt }
    } catch (error) {
      saving.value = { kind: 'failed', problem: asProblem(error).code }
    }
  }

  watch([() => root.value?.instanceState.instanceXML, begun] as const, ([xml], [before]) => {
    if (xml === undefined || before === undefined || (xml === lastSaved && begun.value === lastBegun)) return
    if (timer !== null) clearTimeout(timer)
    timer = setTimeout(() => void save(), options.debounceMs ?? 250)
  })
  watch(options.locale, (locale) => {
    if (root.value !== null) speak(root.value, locale)
  })

  const leave = (): void => {
    if (document.visibilityState === 'hidden') void save()
  }
  const hide = (): void => void save()
  if (typeof document !== 'undefined') {
    document.addEventListener('visibilitychange', leave)
    globalThis.addEventListener('pagehide', hide)
  }
  onScopeDispose(() => {
    document.removeEventListener('visibilitychange', leave)
    globalThis.removeEventListener('pagehide', hide)
    void save()
  })

  function setBegun(pointer: string, value: Begun | null): void {
    const { [pointer]: before, ...others } = begun.value
    if (value !== null) begun.value = { ...others, [pointer]: value }
    else if (before !== undefined) begun.value = others
  }

  async function whileKeeping(pointer: string, work: () => Promise<void>): Promise<void> {
    const kept = work()
    keeping.value = new Map([...keeping.value, [pointer, kept]])
    try {
      await kept
    } finally {
      keeping.value = new Map([...keeping.value].filter(([, other]) => other !== kept))
    }
  }

  const recordings = new Set<Recording>()

  async function settleFiles(): Promise<void> {
    await Promise.all([...recordings].filter((each) => !each.isFull()).map((recording) => recording.stop()))
    await Promise.allSettled(keeping.value.values())
  }

  const held = new Map<string, Held>()

  function isHolding(): boolean {
    if ([...recordings].some((recording) => recording.isFull())) return true
    return Object.values(begun.value).some((half) => half.kind === 'sound' && held.has(half.recording))
  }

  async function keepMedia(name: string, file: MediaRef): Promise<boolean> {
    media.value = { ...media.value, [name]: file }
    try {
      return await ports.saveDraft(draftId, { media: media.value })
    } catch (error) {
      saving.value = { kind: 'failed', problem: asProblem(error).code }
      return false
    }
  }

  function setStep(next: string): void {
    step = next
    void save()
  }

  async function rework(change: (instance: Document) => void): Promise<void> {
    if (state.value.kind !== 'open' || form === null) return
    const { draft, schema } = state.value
    const instanceXml = new DOMParser().parseFromString(state.value.root.instanceState.instanceXML, 'text/xml')
    change(instanceXml)
    const restored = await form.restore(new XMLSerializer().serializeToString(instanceXml))
    speak(restored, options.locale.value)
    state.value = { kind: 'open', root: restored, draft, schema }
    await save()
  }

  async function answers(): Promise<Answers | null> {
    if (state.value.kind !== 'open' || form === null) return null
    const { draft, schema, root: filled } = state.value
    return answersOf(form, schema, draft, filled)
  }

  let finishing: Promise<void> | null = null

  /** A second tap waits for the first. */
  function finish(): Promise<void> {
    finishing ??= finishOnce().finally(() => (finishing = null))
    return finishing
  }

  async function finishOnce(): Promise<void> {
    await settleFiles()
    if (state.value.kind !== 'open' || form === null) return
    const { draft, schema, root: filled } = state.value
    await save()
    if (saving.value.kind === 'failed') return
    // Last checks that the form keeps for the end run here too.
    const payload = await filled.prepareInstancePayload({ payloadType: 'monolithic' })
    if (payload.status !== 'ready' || halfMade.value.length > 0) return
    isFinishing = true
    try {
      let content: FilledContent = { answers: await answersOf(form, schema, draft, filled), media: media.value }
      for (const recorder of recorders) content = await recorder.finished(content)
      const named = mentionedMedia(schema, content.answers, content.media)
      const saves = entitySaves(schema, content.answers, draft.answers)
      const rev = await ports.finishDraft(draft, content.answers, named, saves)
      state.value = { kind: 'finished', database: draft.database, record: draft.record, rev }
    } catch (error) {
      saving.value = { kind: 'failed', problem: asProblem(error).code }
    } finally {
      isFinishing = false
    }
  }

  return {
    labelFile: async (file) => labelFile?.(file),
    state,
    saving,
    begun,
    halfMade,
    media: computed(() => media.value),
    failing,
    open,
    save,
    setBegun,
    keeping,
    whileKeeping,
    recordings,
    settleFiles,
    held,
    isHolding,
    keepMedia,
    setStep,
    rework,
    answers,
    finish,
  }
}

function words(error: unknown): string {
  if (error instanceof FormBroken) return error.message
  return error instanceof Error ? error.message : String(error)
}
