// @vitest-environment jsdom
/** Forms that are published are retired, brought back and downloaded by who publishes there, each after one more question. */
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { Problem } from '@/api/problem'
import type { PublishedVersion } from '@/features/forms/api/forms'
import PublishedForms from '@/features/forms/components/PublishedForms.vue'
import { i18n, loadDeskWords, setLocale } from '@/locales/i18n'
import { useSession } from '@/stores/session'

const NEW: PublishedVersion = {
  form: 'tea',
  version: '2',
  project: 'agri',
  title: { vi: 'Chè', en: 'Tea' },
  languages: ['vi', 'en'],
  status: 'live',
  loaded_in_browser: true,
  published_at: '2026-11-22T08:00:00Z',
  xform: '',
  lists: {},
}
const OLD: PublishedVersion = { ...NEW, version: '1', status: 'retired' }
const FOREIGN: PublishedVersion = { ...NEW, form: 'homestay', project: 'tourism' }

let shown: VueWrapper | undefined
let standing: PublishedVersion[]
let failing: Problem | null
let sent: [string, unknown][]

beforeAll(loadDeskWords)
beforeEach(() => {
  // jsdom has dialogs without their methods.
  HTMLDialogElement.prototype.showModal = () => undefined
  HTMLDialogElement.prototype.close = () => undefined
  setLocale('vi')
  setActivePinia(createPinia())
  standing = [NEW, OLD, FOREIGN]
  failing = null
  sent = []
})
afterEach(() => {
  shown?.unmount()
  vi.restoreAllMocks()
})

async function listed(): Promise<VueWrapper> {
  const { api } = useSession()
  vi.spyOn(api, 'json').mockImplementation((path, request = {}) => {
    if (request.method === undefined) return Promise.resolve({ forms: standing })
    if (failing !== null) return Promise.reject(failing)
    sent.push([path, request.json])
    const { status } = request.json as Pick<PublishedVersion, 'status'>
    const version = path.split('/').at(-2)
    standing = standing.map((each) => {
      if (each.form !== 'tea') return each
      if (each.version === version) return { ...each, status }
      return status === 'live' ? { ...each, status: 'retired' as const } : each
    })
    return Promise.resolve(standing[0])
  })
  shown = mount(PublishedForms, {
    attachTo: document.body,
    props: {
      projects: ['agri'],
      projectName: (id: string) => id,
      titleOf: (title: Record<string, string>) => title['vi'] ?? '',
    },
    global: { plugins: [i18n] },
  })
  await flushPromises()
  return shown
}

const card = (view: VueWrapper, version: string) => view.get(`[data-form=tea][data-version="${version}"]`)

async function answer(view: VueWrapper, word: 'yes' | 'no'): Promise<void> {
  await view.get(`[data-testid=dialog-${word}]`).trigger('click')
  await flushPromises()
}

test('old versions are shown when asked for, and forms of other projects without what only their authors do', async () => {
  const view = await listed()
  expect(view.findAll('li').map((each) => each.attributes('data-form'))).toEqual(['tea', 'homestay'])
  expect(view.get('[data-form=homestay]').find('button').exists()).toBe(false)
  await view.get('[data-testid=forms-all]').setValue(true)
  expect(view.findAll('li')).toHaveLength(3)
})

test('a form is retired after a question that says what becomes of records, and stays in view to be brought back', async () => {
  const view = await listed()
  await card(view, '2').get('[data-testid=form-status]').trigger('click')
  expect(view.get('dialog').text()).toContain('bản nháp đã có vẫn gửi được')
  await answer(view, 'no')
  expect(sent).toEqual([])
  await card(view, '2').get('[data-testid=form-status]').trigger('click')
  await answer(view, 'yes')
  expect(sent).toEqual([['/api/forms/tea/2/status', { status: 'retired' }]])
  expect(card(view, '2').get('[data-testid=form-status]').text()).toBe('Dùng lại')
})

test('bringing an old version back names the one whose place it takes', async () => {
  const view = await listed()
  await view.get('[data-testid=forms-all]').setValue(true)
  await card(view, '1').get('[data-testid=form-status]').trigger('click')
  expect(view.get('dialog').text()).toContain('thay phiên bản 2')
  await answer(view, 'yes')
  expect(sent).toEqual([['/api/forms/tea/1/status', { status: 'live' }]])
  expect(card(view, '1').text()).toContain('Đang dùng')
  expect(card(view, '2').text()).toContain('Phiên bản cũ')
})

test('what fails is said, and the form stands as it was', async () => {
  failing = new Problem('hub_only_reads', 409, { province: 'https://tinh.example.vn' })
  const view = await listed()
  await card(view, '2').get('[data-testid=form-status]').trigger('click')
  await answer(view, 'yes')
  expect(view.get('[role=alert]').text()).toContain('máy chủ tỉnh')
  expect(card(view, '2').text()).toContain('Đang dùng')
})

test('the spreadsheet is downloaded under the name of its version', async () => {
  const view = await listed()
  const blob = new Blob(['x'], { type: 'application/vnd.ms-excel' })
  const fetched = vi.spyOn(useSession().api, 'blob').mockResolvedValue(blob)
  Object.assign(URL, { createObjectURL: () => 'blob:x', revokeObjectURL: () => undefined })
  const kept: string[] = []
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    kept.push(this.download)
  })
  await card(view, '2').get('[data-testid=form-source]').trigger('click')
  await flushPromises()
  expect(fetched).toHaveBeenCalledWith('/api/forms/tea/2/source')
  expect(kept).toEqual(['tea-2.xls'])
})
