/**
 * A spreadsheet on its way to the phones: checked by the server, then loaded by this browser with the very engine that phones use, in
 * every language, and only then published. Each step says what it found; nothing goes live before the last.
 */
import { shallowRef, type ShallowRef } from 'vue'
import { asProblem, Problem } from '@/api/problem'
import { checkForm, publishForm, type CheckedForm, type PublishedVersion } from '@/features/forms/api/forms'
import { contentsOf, type LoadableForm } from '@/features/forms/composables/checked-contents'
import type { Api } from '@/api/client'
import { languageCode } from '@/domain/form-schema'

export type UploadState =
  | { readonly kind: 'idle' }
  /** `checked` is what stood before, so that an author who accepted something keeps their place. */
  | { readonly kind: 'checking'; readonly checked: CheckedForm | null }
  /** The server found errors: they are in `checked`. */
  | { readonly kind: 'refused'; readonly checked: CheckedForm }
  | { readonly kind: 'loading'; readonly checked: CheckedForm }
  /** The engine of the phones does not take it; `words` are its own. */
  | { readonly kind: 'broken'; readonly checked: CheckedForm; readonly words: string }
  | Ready
  | { readonly kind: 'publishing'; readonly checked: CheckedForm }
  | { readonly kind: 'published'; readonly version: PublishedVersion }
  /** `again` does once more what failed; null where that cannot help. */
  | {
      readonly kind: 'failed'
      readonly code: string
      readonly params: Record<string, unknown>
      readonly again: (() => Promise<void>) | null
    }

/** Nothing stands between the form and the phones but its author's word. */
type Ready = BrowserCheck & { readonly kind: 'ready'; readonly checked: CheckedForm }

/** What the browser found when it loaded a form. */
export type BrowserCheck = { readonly languages: readonly string[]; readonly questions: number }

export type Loader = (checked: CheckedForm, api: Api) => Promise<BrowserCheck>

export type FormUpload = {
  readonly state: ShallowRef<UploadState>
  readonly check: (project: string, file: File, lists: readonly File[]) => Promise<void>
  /** Check the same file again with these proposals accepted, besides those accepted before. */
  readonly accept: (keys: readonly string[]) => Promise<void>
  readonly publish: () => Promise<void>
  readonly reset: () => void
}

export function useFormUpload(api: Api, load: Loader = loadInBrowser): FormUpload {
  const state = shallowRef<UploadState>({ kind: 'idle' })
  let last: { readonly project: string; readonly file: File; readonly lists: readonly File[] } | null = null
  const accepted = new Set<string>()
  /** Grows with each check and reset: what an earlier one finds out is no longer about what is on the screen. */
  let turn = 0

  async function check(project: string, file: File, lists: readonly File[]): Promise<void> {
    reset()
    last = { project, file, lists }
    await checkLast()
  }

  async function accept(keys: readonly string[]): Promise<void> {
    for (const key of keys) accepted.add(key)
    await checkLast()
  }

  async function checkLast(): Promise<void> {
    if (last === null) return
    const mine = ++turn
    const show = (next: UploadState): void => {
      if (mine === turn) state.value = next
    }
    show({ kind: 'checking', checked: 'checked' in state.value ? state.value.checked : null })
    let checked: CheckedForm
    try {
      await Promise.all([last.file, ...last.lists].map(readable))
      checked = await checkForm(api, last.project, last.file, last.lists, [...accepted])
    } catch (error) {
      show(failed(error, checkLast))
      return
    }
    if (checked.id === null || checked.xform === null) {
      show({ kind: 'refused', checked })
      return
    }
    show({ kind: 'loading', checked })
    try {
      show({ kind: 'ready', checked, ...(await load(checked, api)) })
    } catch (error) {
      // What the network did says nothing about the form.
      if (error instanceof Problem) show(failed(error, checkLast))
      else show({ kind: 'broken', checked, words: error instanceof Error ? error.message : String(error) })
    }
  }

  async function publish(): Promise<void> {
    if (state.value.kind === 'ready') await publishReady(state.value)
  }

  async function publishReady(ready: Ready): Promise<void> {
    const { checked, languages } = ready
    if (checked.id === null) return
    state.value = { kind: 'publishing', checked }
    try {
      state.value = { kind: 'published', version: await publishForm(api, checked.id, languages) }
    } catch (error) {
      // The server answers the same for a candidate that went live while its answer got lost.
      state.value = failed(error, () => publishReady(ready))
    }
  }

  function reset(): void {
    turn += 1
    last = null
    accepted.clear()
    state.value = { kind: 'idle' }
  }

  return { state, check, accept, publish, reset }
}

function failed(error: unknown, again: () => Promise<void>): UploadState {
  const { code, params, isPassing } = asProblem(error)
  // A phone would send what is too large in smaller parts, and says so.
  return {
    kind: 'failed',
    code: code === 'too_large' ? 'upload_too_large' : code,
    params,
    again: isPassing ? again : null,
  }
}

/** Throws `file_changed` for a file that was saved anew or moved since it was chosen: a browser no longer reads it then. */
async function readable(file: File): Promise<void> {
  try {
    await file.slice(0, 1).arrayBuffer()
  } catch {
    throw new Problem('file_changed', 422)
  }
}

/** Load the form as a phone would, begin a record, and let it speak each of its languages; throws what the engine throws. */
export async function loadInBrowser(checked: LoadableForm, api: Api): Promise<BrowserCheck> {
  // The engine is a large file that only an author's desk needs.
  const { failing, forgetFailing, loadEngineForm, speak } = await import('@/features/answers/form-engine')
  const loaded = await loadEngineForm(contentsOf(checked, api))
  forgetFailing()
  const root = loaded.create()
  // A phone leaves it blank and goes on; its author should hear of it before.
  if (failing.value.size > 0) throw new Error([...failing.value].join('\n'))
  const languages: string[] = []
  for (const language of root.languages) {
    // A form without translations has one language that the engine makes up; it is the form's own.
    const code = language.isSyntheticDefault === true ? (checked.languages[0] ?? '') : languageCode(language.language)
    speak(root, code)
    languages.push(code)
  }
  return { languages, questions: root.currentState.children.length }
}
