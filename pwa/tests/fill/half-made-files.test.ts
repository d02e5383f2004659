// @vitest-environment jsdom
/** A recording and a photo are in the phone's store while they are made: a killed browser leaves them to be kept or given up. */
import './browser'
import type { Table } from 'dexie'
import { mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import FormFiller from '@/features/capture/components/FormFiller.vue'
import { i18n, loadFormWords } from '@/locales/i18n'
import { collectBlobs, getBlob, putBlob } from '@/storage/blobs'
import { database } from '@/storage/database'
import { deleteDraft, emptyDeletedDrafts, saveDraft } from '@/storage/drafts'
import { finishDraft } from '@/storage/records'
import { putPieces } from '@/storage/pieces'
import { useUndo } from '@/stores/undo'
import { Microphone } from './microphone'
import { begin, signedIn } from './phone'

type Filler = Pick<VueWrapper, 'find' | 'findAll' | 'unmount' | 'text'>

const open: Filler[] = []

beforeAll(async () => {
  await loadFormWords()
  HTMLDialogElement.prototype.showModal = () => undefined
  HTMLElement.prototype.scrollIntoView = () => undefined
  vi.stubGlobal('scrollTo', () => undefined)
  vi.stubGlobal('MediaRecorder', Microphone)
  vi.stubGlobal('URL', Object.assign(URL, { createObjectURL: () => 'blob:x', revokeObjectURL: () => undefined }))
  const getUserMedia = (): Promise<unknown> => Promise.resolve({ getTracks: () => [] })
  Object.defineProperty(navigator, 'mediaDevices', { configurable: true, value: { getUserMedia } })
})
beforeEach(async () => {
  setActivePinia(createPinia())
  await signedIn()
})
afterEach(() => {
  for (const filler of open.splice(0)) filler.unmount()
})

async function opened(id: string): Promise<Filler> {
  const filler = mount(FormFiller, { props: { draftId: id }, global: { plugins: [i18n] }, attachTo: document.body })
  await vi.waitFor(() => expect(filler.find('[data-testid="form-filler"]').exists(), filler.text()).toBe(true), {
    timeout: 20_000,
  })
  open.push(filler)
  return filler
}

/** The same draft on a browser that was ended without a last word: it has what the store had. */
async function afterAKill(id: string): Promise<Filler> {
  const tables: Table[] = [database.drafts, database.pieces, database.blobs]
  const stored = await Promise.all(tables.map((table) => table.toArray()))
  open.pop()?.unmount()
  await new Promise((resolve) => setTimeout(resolve, 100))
  for (const [index, table] of tables.entries()) {
    await table.clear()
    await table.bulkPut(stored[index] ?? [])
  }
  return opened(id)
}

const see = (filler: Filler, name: string): ReturnType<Filler['find']> => filler.find(`[data-testid="${name}"]`)
const press = (filler: Filler, name: string): Promise<void> => see(filler, name).trigger('click')
const wait = { timeout: 20_000 }

async function recorded(): Promise<{ filler: Filler; id: string }> {
  const { id } = await begin('every_type')
  const filler = await opened(id)
  await press(filler, 'record-voice')
  await vi.waitFor(() => expect(see(filler, 'stop-voice').exists()).toBe(true), wait)
  Microphone.latest?.second('xin ')
  Microphone.latest?.second('chào')
  await vi.waitFor(async () => expect(await database.pieces.count()).toBe(2), wait)
  await vi.waitFor(async () => expect((await database.drafts.get(id))?.begun).toBeDefined(), wait)
  return { filler, id }
}

async function kept(id: string, name: string): Promise<string> {
  let text = ''
  await vi.waitFor(async () => {
    const draft = await database.drafts.get(id)
    const [, file = ''] = new RegExp(`<${name}[^>]*>([^<]+)</`, 'u').exec(draft?.xml ?? '') ?? []
    const stored = await getBlob(draft?.media[file]?.sha256 ?? '')
    expect(draft?.begun).toEqual({})
    text = (await stored?.blob.text()) ?? ''
    expect(text).not.toBe('')
  }, wait)
  return text
}

test('a recording that a killed browser broke off is kept as far as it was said', { tags: ['slow'] }, async () => {
  const { id } = await recorded()
  const again = await afterAKill(id)
  await vi.waitFor(() => expect(see(again, 'broken-voice').text()).toContain('còn giữ được 2 giây'), wait)
  await press(again, 'keep-voice')
  expect(await kept(id, 'voice')).toBe('xin chào')
  await vi.waitFor(async () => expect(await database.pieces.count()).toBe(0), wait)
})

test(
  'a recording that was broken off is asked about before finishing, and comes back after it was given up',
  { tags: ['slow'] },
  async () => {
    const { id } = await recorded()
    const again = await afterAKill(id)
    await vi.waitFor(() => expect(see(again, 'broken-voice').exists()).toBe(true), wait)
    while (see(again, 'fill-next').exists()) await press(again, 'fill-next')
    const missing = again.findAll('[data-kind="missing"]').filter((item) => item.text().includes('Ghi âm bị ngắt'))
    expect(missing).toHaveLength(1)
    await missing[0]?.trigger('click')
    await vi.waitFor(() => expect(see(again, 'cancel-voice').exists()).toBe(true), wait)
    await press(again, 'cancel-voice')
    expect(see(again, 'record-voice').exists()).toBe(true)
    await useUndo().undo()
    await vi.waitFor(() => expect(see(again, 'broken-voice').text()).toContain('2 giây'), wait)
    await press(again, 'cancel-voice')
    await useUndo().settle()
    expect(await database.pieces.count()).toBe(0)
  },
)

test('a recording that is stopped is the answer, and its pieces go', async () => {
  const { filler, id } = await recorded()
  await press(filler, 'stop-voice')
  expect(await kept(id, 'voice')).toBe('xin chào')
  await vi.waitFor(async () => expect(await database.pieces.count()).toBe(0), wait)
})

test(
  'a photo is in the store before it is made small, and is kept after the browser was killed meanwhile',
  { tags: ['slow'] },
  async () => {
    const { id } = await begin('every_type')
    const filler = await opened(id)
    vi.stubGlobal('createImageBitmap', () => new Promise(() => undefined))
    const input = see(filler, 'answer-photo').element as HTMLInputElement
    const photo = new File(['as it came'], 'IMG_1.heic', { type: 'image/heic' })
    Object.defineProperty(input, 'files', { configurable: true, value: [photo] })
    await see(filler, 'answer-photo').trigger('change')
    await vi.waitFor(async () => expect(await database.blobs.count()).toBe(1), wait)
    await vi.waitFor(async () => expect((await database.drafts.get(id))?.begun).toBeDefined(), wait)
    const again = await afterAKill(id)
    await vi.waitFor(() => expect(see(again, 'broken-photo').exists()).toBe(true), wait)
    expect(await collectBlobs(Date.now() + 2 * 86_400_000)).toBe(0)
    // A phone that can't read it keeps it as it is.
    vi.stubGlobal('createImageBitmap', () => Promise.reject(new Error('unreadable')))
    await press(again, 'keep-photo')
    expect(await kept(id, 'photo')).toBe('as it came')
  },
)

test('pieces of a recording go with their draft, finished or deleted, and when no draft has begun them', async () => {
  const { id } = await begin('every_type')
  const other = await begin('every_type')
  const third = await begin('every_type')
  const piece = (recording: string, draft: string, addedAt = new Date().toISOString()): Promise<void> =>
    putPieces([{ recording, number: 0, draft, bytes: new Uint8Array(1), addedAt }])
  await Promise.all([piece('a', id), piece('b', other.id), piece('c', third.id, '2020'), piece('d', third.id, '2020')])
  const sound = { kind: 'sound', recording: 'c', type: 'audio/webm', reason: null } as const
  await saveDraft(third.id, { begun: { '/answers/voice': sound } })
  const draft = await database.drafts.get(id)
  if (draft === undefined) throw new Error('no draft')
  await finishDraft(draft, { name: 'x' }, {})
  await deleteDraft(other.id)
  await emptyDeletedDrafts('9999')
  await putBlob(new Blob(['young']))
  await collectBlobs()
  expect((await database.pieces.toArray()).map(({ recording }) => recording)).toEqual(['c'])
})
