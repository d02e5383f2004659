// @vitest-environment jsdom
/** An author fills a form before it is live, as on a phone, and nothing of that is kept on their machine. */
import { signedIn, xformOf } from './fill/phone'
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { CheckedForm } from '@/features/forms/api/forms'
import FormPreview from '@/features/forms/components/FormPreview.vue'
import { i18n, loadDeskWords, setLocale } from '@/locales/i18n'
import { database } from '@/storage/database'
import { useSession } from '@/stores/session'
import { Microphone } from './fill/microphone'

const LIST = 'a'.repeat(64)
const CHECKED: CheckedForm = {
  id: 'candidate',
  project: 'agri',
  form: 'every_type',
  version: '1',
  title: { vi: 'Mọi kiểu', en: 'Every type' },
  languages: ['vi', 'en'],
  errors: [],
  warnings: [],
  accepted: [],
  difference: null,
  xform: xformOf('every_type'),
  lists: { 'villages.csv': LIST },
}
const wait = { timeout: 10_000 }

let shown: VueWrapper | undefined
let asked: string[]

beforeAll(async () => {
  await loadDeskWords()
  HTMLDialogElement.prototype.showModal = () => undefined
  HTMLDialogElement.prototype.close = () => undefined
  HTMLElement.prototype.scrollIntoView = () => undefined
  vi.stubGlobal('MediaRecorder', Microphone)
  vi.stubGlobal('URL', Object.assign(URL, { createObjectURL: () => 'blob:x', revokeObjectURL: () => undefined }))
  const getUserMedia = (): Promise<unknown> => Promise.resolve({ getTracks: () => [] })
  Object.defineProperty(navigator, 'mediaDevices', { configurable: true, value: { getUserMedia } })
})
beforeEach(async () => {
  setLocale('vi')
  setActivePinia(createPinia())
  await signedIn()
  asked = []
})
afterEach(() => {
  shown?.unmount()
  vi.restoreAllMocks()
})

const see = (name: string) => shown?.find(`[data-testid="${name}"]`) ?? expect.fail('nothing is shown')
const press = (name: string): Promise<void> => see(name).trigger('click')
/** How many rows this machine keeps of what is filled. */
const kept = (): Promise<number[]> =>
  Promise.all(
    [database.drafts, database.blobs, database.pieces, database.revisions, database.uploads].map((table) =>
      table.count(),
    ),
  )

async function previewed(): Promise<void> {
  vi.spyOn(useSession().api, 'send').mockImplementation((path) => {
    asked.push(path)
    return Promise.resolve(new Response('code,title\nna_vai,Na Vai\n'))
  })
  shown = mount(FormPreview, { props: { checked: CHECKED }, attachTo: document.body, global: { plugins: [i18n] } })
  await vi.waitFor(() => expect(see('form-filler').exists()).toBe(true), wait)
}

async function toTheEnd(): Promise<void> {
  for (let page = 0; page < 20 && !see('finish-page').exists(); page += 1) {
    await press('fill-next')
    await flushPromises()
  }
}

test('a form is filled to its end with sound and all, and this machine keeps nothing', async () => {
  await previewed()
  expect(see('trial-sign').text()).toBe('Dùng thử: không lưu gì')
  expect(asked).toEqual([`/api/contents/${LIST}`])
  await see('answer-name').setValue('Lò Văn Anh')
  await press('record-voice')
  await vi.waitFor(() => expect(see('stop-voice').exists()).toBe(true), wait)
  Microphone.latest?.second('xin chào')
  await press('stop-voice')
  await vi.waitFor(() => expect(see('preview-voice').exists()).toBe(true), wait)
  expect(await kept()).toEqual([0, 0, 0, 0, 0])
  await toTheEnd()
  await press('fill-finish')
  await vi.waitFor(() => expect(see('preview-done').exists()).toBe(true), wait)
  expect(await kept()).toEqual([0, 0, 0, 0, 0])
  expect(asked).toHaveLength(1)

  await press('preview-again')
  await vi.waitFor(() => expect(see('form-filler').exists()).toBe(true), wait)
  expect((see('answer-name').element as HTMLInputElement).value).toBe('')
})

test('what misses an answer is told as on a phone', async () => {
  await previewed()
  await toTheEnd()
  expect(see('finish-page').text()).toContain('Còn một câu cần xem')
  expect(see('fill-finish').exists()).toBe(false)
})

test('the form speaks each of its languages, whatever that of the screen', async () => {
  await previewed()
  expect(see('question-name').text()).toContain('Tên')
  await see('preview-en').setValue(true)
  await vi.waitFor(() => expect(see('question-name').text()).toContain('Name'), wait)
  expect(see('preview-again').text()).toBe('Làm lại từ đầu')
})
