// @vitest-environment jsdom
/** What was said of a pair can be taken back; where that fails, the pair's page says why. */
import './fill/browser'
import { flushPromises, mount, RouterLinkStub, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { PairPage } from '@/features/duplicates/api/pairs'
import { Problem } from '@/api/problem'
import PairDesk from '@/features/duplicates/components/PairDesk.vue'
import { i18n, loadDeskWords } from '@/locales/i18n'
import { nameOf, usePairs } from '@/features/duplicates/pairs'
import { useSession } from '@/stores/session'
import { useUndo } from '@/stores/undo'

const KEY = { database: 'agri-03226', one: 'a', other: 'b' }
const UNDONE = '2026-11-22T08:00:00Z'
let sent: { path: string; json: unknown }[]
/** What the door does about taking back: nothing, or it throws. */
let door: () => void

const nothing = { template: '<div />' }
const routes = [
  { path: '/', name: 'desk-pairs', component: nothing },
  { path: '/:database/:one/:other', name: 'desk-pair', component: nothing },
  { path: '/:database/:id', name: 'desk-review-record', component: nothing },
]

function pageOf(verdict: PairPage['verdict']): PairPage {
  const records = ['a', 'b'].map((record) => ({ record, rev: `1-${record}`, title: record, by_name: 'Lò Thị Hoa' }))
  const received = { received_at: UNDONE, state: 'received', is_published: false }
  return {
    ...KEY,
    form: 'f',
    form_title: {},
    project: 'agri',
    unit: '03226',
    unit_name: 'Sín Chải',
    score: 9,
    verdict,
    survivor: verdict === 'same' ? 'a' : null,
    by_name: '',
    at: verdict === 'open' ? null : UNDONE,
    comment: '',
    agreements: [],
    records: records.map((each) => ({ ...each, ...received })),
    may_decide: true,
    suggested: 'a',
    can_join: true,
    fields: [],
    docs: { a: { _id: 'a', _rev: '1-a' }, b: { _id: 'b', _rev: '1-b' } },
    media: {},
  }
}

beforeAll(loadDeskWords)
beforeEach(() => {
  setActivePinia(createPinia())
  sent = []
  door = () => undefined
  vi.spyOn(useSession().api, 'json').mockImplementation((path: string, options?: { json?: unknown }) => {
    if (options?.json === undefined) {
      return Promise.resolve(path.includes('?') ? { pairs: [], next: null, counts: {} } : pageOf('open'))
    }
    const said = (options.json as { verdict?: PairPage['verdict'] }).verdict ?? 'open'
    sent.push({ path: path.split('/').at(-1) ?? '', json: options.json })
    return new Promise((resolve) => {
      if (said === 'open') door()
      resolve(pageOf(said))
    })
  })
})

async function shown(): Promise<VueWrapper> {
  const router = createRouter({ history: createMemoryHistory(), routes })
  const wrapper = mount(PairDesk, {
    props: { pairKey: KEY },
    global: { plugins: [i18n, router], stubs: { RouterLink: RouterLinkStub, PairFields: true } },
  })
  await flushPromises()
  return wrapper
}

test.each(['same', 'different'] as const)('what was said is taken back as it was seen: %s', async (verdict) => {
  const page = await shown()
  await page.get(`[data-testid="pair-${verdict}"]`).trigger('click')
  await flushPromises()
  expect(usePairs().settled.has(nameOf(KEY))).toBe(true)
  await useUndo().undo()
  const back = { revs: { a: '1-a', b: '1-b' }, comment: '' }
  expect(sent.at(-1)).toEqual(
    verdict === 'same'
      ? { path: 'part', json: back }
      : { path: 'decide', json: { ...back, verdict: 'open', saw: UNDONE } },
  )
  expect(usePairs().settled.has(nameOf(KEY))).toBe(false)
  expect(page.find('[data-testid="pair-not-undone"]').exists()).toBe(false)
})

test.each(['same', 'different'] as const)(
  'where that fails the page says why, and the pair stays settled: %s',
  async (verdict) => {
    const page = await shown()
    await page.get(`[data-testid="pair-${verdict}"]`).trigger('click')
    await flushPromises()
    door = () => {
      throw new Problem('offline')
    }
    await useUndo().undo()
    await flushPromises()
    expect(usePairs().settled.has(nameOf(KEY))).toBe(true)
    expect(page.get('[data-testid="pair-not-undone"]').text()).toContain('Chưa hoàn lại được.')
    door = () => undefined
    await page.get('[data-testid="pair-unsure"]').trigger('click')
    await flushPromises()
    expect(usePairs().notUndone).toBeNull()
  },
)
