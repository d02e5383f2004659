/**
 * A spreadsheet on its way to the phones: checked by the server, then loaded by this browser with the very engine that phones use, in
 * every language, and only then published. Each step says what it found; nothing goes live before the last.
 */
import { shallowRef, type ShallowRef } from 'vue'
import { asProblem } from '@/api/problem'
import {
  checkForm,
  fetchContent,
  publishForm,
  type CheckedForm,
  type PublishedVersion,
} from '@/features/forms/api/forms'
import type { Api } from '@/api/client'
import { languageCode } from '@/domain/form-schema'

export type UploadState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'checking' }
  /** The server found errors: they are in `checked`. */
  | { readonly kind: 'refused'; readonly checked: CheckedForm }
  | { readonly kind: 'loading'; readonly checked: CheckedForm }
  /** The engine of the phones does not take it; `words` are its own. */
  | { readonly kind: 'broken'; readonly checked: CheckedForm; readonly words: string }
  | {
      readonly kind: 'ready'
      readonly checked: CheckedForm
      readonly languages: readonly string[]
      readonly questions: number
    }
  | { readonly kind: 'publishing'; readonly checked: CheckedForm }
  | { readonly kind: 'published'; readonly version: PublishedVersion }
  | { readonly kind: 'failed'; readonly code: string; readonly params: Record<string, unknown> }

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

  async function check(project: string, file: File, lists: readonly File[]): Promise<void> {
    last = { project, file, lists }
    accepted.clear()
    await checkLast()
  }

  async function accept(keys: readonly string[]): Promise<void> {
    for (const key of keys) accepted.add(key)
    await checkLast()
  }

  async function checkLast(): Promise<void> {
    if (last === null) return
    state.value = { kind: 'checking' }
    let checked: CheckedForm
    try {
      checked = await checkForm(api, last.project, last.file, last.lists, [...accepted])
    } catch (error) {
      fail(error)
      return
    }
    if (checked.id === null || checked.xform === null) {
      state.value = { kind: 'refused', checked }
      return
    }
    state.value = { kind: 'loading', checked }
    try {
      state.value = { kind: 'ready', checked, ...(await load(checked, api)) }
    } catch (error) {
      state.value = { kind: 'broken', checked, words: error instanceof Error ? error.message : String(error) }
    }
  }

  async function publish(): Promise<void> {
    if (state.value.kind !== 'ready' || state.value.checked.id === null) return
    const { checked, languages } = state.value
    const candidate = state.value.checked.id
    state.value = { kind: 'publishing', checked }
    try {
      state.value = { kind: 'published', version: await publishForm(api, candidate, languages) }
    } catch (error) {
      fail(error)
    }
  }

  function fail(error: unknown): void {
    const { code, params } = asProblem(error)
    state.value = { kind: 'failed', code, params }
  }

  return {
    state,
    check,
    accept,
    publish,
    reset: () => {
      last = null
      accepted.clear()
      state.value = { kind: 'idle' }
    },
  }
}

/** Load the form as a phone would, begin a record, and let it speak each of its languages; throws what the engine throws. */
export async function loadInBrowser(checked: CheckedForm, api: Api): Promise<BrowserCheck> {
  // The engine is a large file that only an author's desk needs.
  const { failing, forgetFailing, loadEngineForm, speak } = await import('@/features/answers/form-engine')
  const list = async (file: string): Promise<string | undefined> => {
    const sha256 = checked.lists[file]
    return sha256 === undefined ? undefined : fetchContent(api, sha256)
  }
  const [form, version] = [checked.form ?? '', checked.version ?? '']
  const loaded = await loadEngineForm({ form, version, titles: checked.title, xform: checked.xform ?? '', list })
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
