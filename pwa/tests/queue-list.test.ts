// @vitest-environment jsdom
/** A shown queue looks for what is new by itself, and knows whether a person is at it. */
import { mount } from '@vue/test-utils'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import QueueList from '@/features/desk/components/QueueList.vue'
import { AT_REST_MS, LOOK_MS } from '@/features/desk/composables/useLook'
import { i18n, loadDeskWords } from '@/locales/i18n'
import type { Freshness } from '@/features/desk/pages'

const FRESH: Freshness = { at: new Date(2026, 10, 22, 14, 5), trouble: null, added: 0 }
let shown: ReturnType<typeof mounted>

function mounted() {
  return mount(QueueList, {
    attachTo: document.body,
    props: {
      name: 'queue',
      state: { kind: 'ready' },
      freshness: FRESH,
      count: 2,
      hasMore: false,
      more: '',
      emptyTitle: '',
      emptyHint: '',
    },
    slots: { default: '<li><a href="#a">a</a></li><li><a href="#b">b</a></li>' },
    global: { plugins: [i18n] },
  })
}

/** Whether a row might be moved now, as the last look was told. */
function mayMove(): boolean {
  const [ask] = shown.emitted<[() => boolean]>('look')?.at(-1) ?? []
  if (ask === undefined) throw new Error('nobody looked')
  return ask()
}

beforeAll(loadDeskWords)
beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  shown.unmount()
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('a shown queue', () => {
  test('looks every half minute while its page is seen, and at once on coming back to it', () => {
    shown = mounted()
    vi.advanceTimersByTime(2 * LOOK_MS)
    expect(shown.emitted('look')).toHaveLength(2)
    const visibility = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden')
    document.dispatchEvent(new Event('visibilitychange'))
    vi.advanceTimersByTime(4 * LOOK_MS)
    expect(shown.emitted('look')).toHaveLength(2)
    visibility.mockReturnValue('visible')
    document.dispatchEvent(new Event('visibilitychange'))
    expect(shown.emitted('look')).toHaveLength(3)
  })

  test('may be put in order only when nobody has touched anything for a while', () => {
    shown = mounted()
    vi.advanceTimersByTime(LOOK_MS)
    expect(mayMove()).toBe(true)
    globalThis.dispatchEvent(new Event('pointerdown'))
    expect(mayMove()).toBe(false)
    vi.advanceTimersByTime(AT_REST_MS)
    expect(mayMove()).toBe(true)
  })

  test('is left as it is while the focus is on a row', () => {
    shown = mounted()
    shown.get('a').element.focus()
    vi.advanceTimersByTime(LOOK_MS)
    expect(mayMove()).toBe(false)
    shown.get('a').element.blur()
    expect(mayMove()).toBe(true)
  })

  test('says of when it is, what stands at its end, and quietly why it is not newer', async () => {
    shown = mounted()
    const line = shown.get('[data-testid="queue-fresh"]')
    expect(line.text()).toContain('14:05')
    expect(shown.find('[data-testid="queue-sort"]').exists()).toBe(false)
    await shown.setProps({ freshness: { ...FRESH, added: 2 } })
    expect(line.text()).toContain('2 mục mới')
    await shown.get('[data-testid="queue-sort"]').trigger('click')
    expect(shown.emitted('again')).toHaveLength(1)
    await shown.setProps({ freshness: { ...FRESH, trouble: { code: 'offline', params: {} } } })
    expect(line.text()).toContain('14:05')
    expect(line.text()).toContain('Chưa cập nhật được')
    expect(shown.find('[role="alert"]').exists()).toBe(false)
    expect(shown.findAll('li')).toHaveLength(2)
  })
})
