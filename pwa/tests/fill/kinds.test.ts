// @vitest-environment jsdom
/** Kinds of questions that authors bring from elsewhere, answered on the screen and kept as the server knows them. */
import './browser'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { answerText } from '@/features/answers/components/answer-text'
import FormFiller from '@/features/capture/components/FormFiller.vue'
import { listLabels, formContents, schemaOf } from '@/features/answers/form-contents'
import type { Answers } from '@/domain/record'
import { i18n, loadFormWords } from '@/locales/i18n'
import { database } from '@/storage/database'
import { beginDraft } from '@/storage/drafts'
import { carry, latest, PERSON, SCOPE, signedIn, xformOf } from './phone'

type Filler = Pick<VueWrapper, 'find' | 'findAll' | 'unmount' | 'text'>

const { lists } = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../../tests/vectors/evaluate.json'), 'utf8'),
) as { lists: Record<string, string> }
let open: Filler | null = null
let id = ''

beforeAll(async () => {
  await loadFormWords()
  // jsdom has no modal dialogs and does not scroll.
  HTMLDialogElement.prototype.showModal = () => undefined
  HTMLElement.prototype.scrollIntoView = () => undefined
  vi.stubGlobal('scrollTo', () => undefined)
  const context = new Proxy({}, { get: () => () => undefined, set: () => true })
  HTMLCanvasElement.prototype.getContext = (() => context) as never
  HTMLCanvasElement.prototype.toBlob = (done: BlobCallback, type) => done(new Blob(['drawn'], { type: type ?? '' }))
  HTMLCanvasElement.prototype.setPointerCapture = () => undefined
  Object.assign(globalThis, {
    createImageBitmap: () => Promise.resolve({ width: 10, height: 10, close: () => undefined }),
  })
})
beforeEach(async () => {
  setActivePinia(createPinia())
  await signedIn()
})
afterEach(() => {
  open?.unmount()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

async function opened(): Promise<Filler> {
  const media = { 'thẻ.png': new Blob(['png'], { type: 'image/png' }) }
  const version = await carry('kinds', xformOf('kinds'), { 'stations.geojson': lists['stations.geojson'] ?? '' }, media)
  id = (await beginDraft({ database: SCOPE, person: PERSON, form: 'kinds', version })).id
  const filler = mount(FormFiller, { props: { draftId: id }, global: { plugins: [i18n] }, attachTo: document.body })
  await vi.waitFor(() => expect(filler.find('[data-testid="form-filler"]').exists()).toBe(true), { timeout: 10_000 })
  open = filler
  return filler
}

const see = (filler: Filler, name: string): ReturnType<Filler['find']> => filler.find(`[data-testid="${name}"]`)
const press = (filler: Filler, name: string): Promise<void> => see(filler, name).trigger('click')

async function answer(filler: Filler, name: string, value: string): Promise<void> {
  const input = see(filler, `answer-${name}`)
  await input.setValue(value)
  await input.trigger('blur')
}

async function choose(filler: Filler, name: string, value: string): Promise<void> {
  await see(filler, `choice-${name}-${value}`).setValue()
}

/** A stroke, and its picture kept; jsdom has no canvas. */
async function draw(filler: Filler, name: string): Promise<void> {
  const sheet = see(filler, `draw-${name}`)
  expect(see(filler, `keep-${name}`).attributes('disabled')).toBeDefined()
  await sheet.trigger('pointerdown', { pointerId: 1, offsetX: 10, offsetY: 10 })
  await sheet.trigger('pointermove', { pointerId: 1, offsetX: 90, offsetY: 40 })
  await sheet.trigger('pointerup')
  await press(filler, `keep-${name}`)
  await vi.waitFor(() => expect(see(filler, `remove-${name}`).exists()).toBe(true), { timeout: 5000 })
}

async function finished(filler: Filler): Promise<Answers> {
  while (see(filler, 'fill-next').exists()) await press(filler, 'fill-next')
  await press(filler, 'fill-finish')
  await vi.waitFor(async () => expect(await database.drafts.get(id)).toBeUndefined(), { timeout: 5000 })
  return (await latest(id)).content['answers'] as Answers
}

test('each kind is answered on the screen and kept as the server knows it', async () => {
  const filler = await opened()
  await answer(filler, 'tag', 'AB-0001')
  await answer(filler, 'planted', '2024-03')
  await answer(filler, 'built', '1999')
  expect(see(filler, 'question-planted').text()).toContain('tháng 3 năm 2024')
  await press(filler, 'fill-next')
  await choose(filler, 'noise', 'low')
  await press(filler, 'fill-next')
  // The head of a table names its choices and asks nothing.
  expect(see(filler, 'question-levels').text()).toBe('Câu levels')
  expect(see(filler, 'question-heat').text()).toContain('Thấp')
  await press(filler, 'fill-next')
  await choose(filler, 'kind_of', 'high')
  expect(see(filler, 'choice-village-hau_chua').exists()).toBe(false)
  await choose(filler, 'village', 'na_vai')
  await choose(filler, 'station', '7')
  await choose(filler, 'rain', '7')
  await draw(filler, 'sign')
  expect(await finished(filler)).toMatchObject({
    tag: 'AB-0001',
    planted: '2024-03-01',
    since: '03/2024',
    built: '1999-01-01',
    built_year: '1999',
    table: { noise: 'low', dust: null },
    head: { levels: null, heat: null },
    village: 'na_vai',
    station: '7',
    rain: ['7'],
    sign: expect.stringMatching(/^sign-.*\.png$/u) as string,
    sketch: null,
    height: '1800',
    station_title: 'Trạm Mường Phăng',
  })
})

test('a label shows the picture that came with the form, and goes without what did not', async () => {
  const show = vi.spyOn(URL, 'createObjectURL').mockReturnValue('blob:picture')
  const filler = await opened()
  const shown = see(filler, 'question-tag')
  await vi.waitFor(() => expect(shown.find('img').attributes('src')).toBe('blob:picture'))
  expect(shown.find('audio').exists()).toBe(false)
  expect(shown.find('label').text()).toBe('Câu tag')
  expect(show).toHaveBeenCalledTimes(1)
})

test('a record reads a month, a year and the place of a map in words', async () => {
  const version = await carry('kinds', xformOf('kinds'), { 'stations.geojson': lists['stations.geojson'] ?? '' })
  const contents = await formContents('kinds', version)
  if (contents === null) throw new Error('no form')
  const { byPath } = schemaOf(contents)
  const list = byPath.get('/station')?.list
  const labels = new Map(list ? [[list.file, await listLabels(contents, list)]] : [])
  const reading = { t: i18n.global.t as never, language: 'vi', lists: labels }
  const read = (path: string, value: string): string => {
    const field = byPath.get(path)
    return field === undefined ? '' : answerText(field, value, reading)
  }
  expect([read('/planted', '2024-03-01'), read('/built', '1999-01-01')]).toEqual(['tháng 3 năm 2024', '1999'])
  expect([read('/station', '7'), read('/station', 'pa_khoang')]).toEqual(['Trạm Mường Phăng', 'Hồ Pá Khoang'])
})

test('a barcode is read from a photo where the browser can, and typed where nothing is found', async () => {
  const found = vi.fn(() => Promise.resolve([{ rawValue: 'AB-0042' }]))
  vi.stubGlobal('createImageBitmap', () => Promise.resolve({ close: () => undefined }))
  vi.stubGlobal(
    'BarcodeDetector',
    class {
      readonly detect = found
    },
  )
  const filler = await opened()
  const photo = see(filler, 'photo-of-tag')
  const take = async (): Promise<void> => {
    Object.defineProperty(photo.element, 'files', { configurable: true, value: [new File(['x'], 'a.jpg')] })
    await photo.trigger('change')
  }
  await take()
  const typed = (): string => (see(filler, 'answer-tag').element as HTMLInputElement).value
  await vi.waitFor(() => expect(typed()).toBe('AB-0042'))
  found.mockResolvedValueOnce([])
  await take()
  await vi.waitFor(() => expect(see(filler, 'question-tag').text()).toContain('Không đọc được mã'))
  expect(typed()).toBe('AB-0042')
})
