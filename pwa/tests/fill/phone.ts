/** A phone with a signed-in person and the seven forms, over the real store. */
import './browser'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { effectScope, ref, type EffectScope, type Ref } from 'vue'
import { formContents } from '@/features/answers/form-contents'
import { useForm, type FillForm, type FillState, type FormRecorder } from '@/features/capture/composables/useForm'
import { toAnswers } from '@/domain/answers'
import { cleanText } from '@/domain/lexical'
import type { Answers, FormDocument } from '@/domain/record'
import { database, type Draft, type OwnRevision } from '@/storage/database'
import { beginDraft, getDraft, saveDraft } from '@/storage/drafts'
import { listed } from '@/storage/listing'
import { finishDraft } from '@/storage/records'
import { storeSignIn } from '@/storage/session'
import { questions } from './answering'

export const FORMS = [
  'household_crop',
  'forest_plot',
  'rubber_contribution',
  'shan_tea_tree',
  'disease_report',
  'homestay_ocop',
  'heritage_site',
] as const

const vectors = resolve(import.meta.dirname, '../../../tests/vectors/forms')
export const PERSON = 'person-1'
export const SCOPE = 'agri-03226-2025'

export function xformOf(form: string): string {
  return readFileSync(resolve(vectors, `${form}.xml`), 'utf8')
}

export function versionOf(xform: string): string {
  return /<(?:\w+:)?\w+ id="[^"]+" version="([^"]+)"/u.exec(xform)?.[1] ?? ''
}

/** Put a form where the catalog would have brought it, with the lists beside it and what its labels show. */
export async function carry(
  form: string,
  xform: string,
  lists: Readonly<Record<string, string>> = {},
  media: Readonly<Record<string, Blob>> = {},
): Promise<string> {
  const version = versionOf(xform)
  const content: FormDocument = {
    type: 'form',
    form,
    version,
    project: 'agri',
    title: { vi: form, en: form },
    languages: ['vi', 'en'],
    status: 'live',
    xform: `sha-${form}`,
    lists: Object.fromEntries(Object.keys(lists).map((file) => [file, `sha-${file}`])),
    media: Object.fromEntries(Object.keys(media).map((file) => [file, `sha-${file}`])),
  }
  const revision = { id: `form:${form}:${version}`, rev: '1-0', deleted: 0 } as const
  await database.documents.put({ ...listed('catalog', revision, { ...content }), past: [] })
  await database.bodies.put({ database: 'catalog', id: revision.id, rev: revision.rev, content })
  await database.contents.put({ sha256: `sha-${form}`, text: xform })
  for (const [file, blob] of Object.entries(media))
    await database.contents.put({ sha256: `sha-${file}`, text: '', blob })
  for (const [file, text] of Object.entries(lists)) await database.contents.put({ sha256: `sha-${file}`, text })
  return version
}

export async function signedIn(): Promise<void> {
  await Promise.all(database.tables.map((table) => table.clear()))
  const username = 'lo.anh'
  await storeSignIn({
    person: { id: PERSON, username, name: 'Lò Văn Anh', locale: 'vi', grants: [] },
    server: 'province',
    accessToken: '',
    accessExpiresAt: 0,
    refreshToken: '',
    enrolment: { id: 'enrolment-1', username, key: {} as CryptoKey, jwk: {}, label: 'phone', highestNumber: 0 },
  })
}

export async function begin(form: string): Promise<Draft> {
  const version = await carry(form, xformOf(form))
  return beginDraft({ database: SCOPE, person: PERSON, form, version })
}

export type OpenDraft = {
  readonly form: FillForm
  readonly locale: Ref<string>
  readonly kill: () => void
  readonly scope: EffectScope
}

/** Open a draft as the screen does. `kill` ends it without a last word, as a battery does. */
export async function openDraft(draftId: string, recorders?: () => readonly FormRecorder[]): Promise<OpenDraft> {
  const locale = ref('vi')
  const scope = effectScope()
  let isDead = false
  const form = scope.run(() =>
    useForm(
      draftId,
      {
        getDraft,
        saveDraft: (id, change) => (isDead ? Promise.resolve(true) : saveDraft(id, change)),
        finishDraft,
        contents: formContents,
      },
      { locale, debounceMs: 5, recorders: recorders?.() ?? [] },
    ),
  )
  if (form === undefined) throw new Error('no scope')
  await form.open()
  return {
    form,
    locale,
    scope,
    kill: () => {
      isDead = true
      scope.stop()
    },
  }
}

export function opened(form: FillForm): Extract<FillState, { kind: 'open' }> {
  if (form.state.value.kind !== 'open') throw new Error(`the form is ${JSON.stringify(form.state.value)}`)
  return form.state.value
}

/** The answers as they would be saved. */
export function answersOf({ form }: OpenDraft): Answers {
  const { root, schema } = opened(form)
  return toAnswers(schema, cleanText(root.instanceState.instanceXML))
}

/** Types into a question at the top of the form. */
export function typeInto(open: OpenDraft, name: string, value: string): void {
  const node = questions(opened(open.form).root).find((each) => each.currentState.reference === `/data/${name}`)
  if (node?.nodeType !== 'input') throw new Error(`no question ${name}`)
  ;(node.setValue as (text: string) => void)(value)
}

export async function latest(id: string): Promise<OwnRevision> {
  const own = await database.revisions.where('id').equals(id).toArray()
  const last = own.sort((one, other) => one.number - other.number).at(-1)
  if (last === undefined) throw new Error('nothing was saved')
  return last
}
