// @vitest-environment jsdom
/** A supervisor decides about what is on the screen: while the record is read, no button does anything. */
import './fill/browser'
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { ReviewPage } from '@/features/review/api/review'
import { Problem } from '@/api/problem'
import { i18n, loadDeskWords, loadFormWords } from '@/locales/i18n'
import { useQueue } from '@/features/review/queue'
import { useSession } from '@/stores/session'
import ReviewRecordView from '@/features/review/views/ReviewRecordView.vue'
import { signedIn, versionOf, xformOf } from './fill/phone'

const xform = xformOf('every_type')
const page = {
  database: 'agri-1',
  id: 'r',
  rev: '1-a',
  form: 'every_type',
  form_version: versionOf(xform),
  title: 'Nhà ông Lò',
  state: 'received',
  by_name: 'Lò Văn Ban',
  recorded_at: '2026-11-21T08:00:00Z',
  received_at: '2026-11-21T08:00:00Z',
  sent_at: '2026-11-21T08:00:00Z',
  unit: '03226-2025',
  unit_name: 'Sín Chải',
  project: 'agri',
  flags: [],
  is_corrected: false,
  is_deleted: false,
  doc: { _id: 'r', _rev: '1-a', answers: { name: 'Lò Văn Ánh' }, media: {} },
  published_rev: null,
  area: null,
  history: [],
  reviews: [],
  branches: [],
  returned: null,
  may_decide: true,
  may_approve: true,
  why_not: null,
} as unknown as ReviewPage

beforeAll(async () => {
  await Promise.all([loadDeskWords(), loadFormWords()])
  HTMLDialogElement.prototype.showModal = function show(): void {
    this.open = true
  }
  HTMLDialogElement.prototype.close = function close(): void {
    this.open = false
  }
})
beforeEach(async () => {
  setActivePinia(createPinia())
  await signedIn()
})

const WORDS = 'Giang vừa trả lại phiếu này'

test('approve, return and reject wait for the record to be read, and a decision of a moment ago is told', async () => {
  const session = useSession()
  const decisions: unknown[] = []
  vi.spyOn(useQueue(), 'load').mockResolvedValue(undefined)
  vi.spyOn(session.api, 'json').mockImplementation((path, request) => {
    if (!path.endsWith('/decisions')) return Promise.resolve(page)
    decisions.push(request?.json)
    const said = { id: 'review:r:1', decision: 'returned', by_name: 'Giang', at: '2026-11-21T08:30:00Z' }
    return Promise.reject(new Problem('decided_meanwhile', 409, said))
  })
  const arrivals: ((response: Response) => void)[] = []
  vi.spyOn(session.api, 'send').mockImplementation(() => new Promise((resolve) => arrivals.push(resolve)))
  const named = (name: string, path: string): { name: string; path: string; component: object } => ({
    name,
    path,
    component: {},
  })
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [named('home', '/'), named('desk-review', '/desk'), named('desk-review-record', '/desk/:database/:id')],
  })
  const view = mount(ReviewRecordView, {
    props: { database: 'agri-1', id: 'r' },
    global: { plugins: [i18n, router] },
    attachTo: document.body,
  })
  const button = (name: string): HTMLButtonElement => view.find<HTMLButtonElement>(`[data-testid="${name}"]`).element
  await vi.waitFor(() => expect(view.find('[data-testid="approve"]').exists()).toBe(true))
  await vi.waitFor(() => expect(arrivals.length).toBeGreaterThan(0))

  expect(view.find('[data-testid="not-read"]').exists()).toBe(true)
  for (const name of ['approve', 'return', 'reject']) expect(button(name).disabled, name).toBe(true)
  button('approve').click()
  await flushPromises()
  expect(decisions).toEqual([])

  for (const arrive of arrivals) arrive(new Response(xform))
  await vi.waitFor(() => expect(button('approve').disabled).toBe(false), { timeout: 20_000 })
  expect(view.text()).toContain('Lò Văn Ánh')
  for (const name of ['return', 'reject']) expect(button(name).disabled, name).toBe(false)

  button('approve').click()
  await vi.waitFor(() => expect(view.find('[data-testid="decided-meanwhile"]').text()).toContain(WORDS))
  expect(decisions).toHaveLength(1)
  view.unmount()
})
