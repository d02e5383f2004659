// @vitest-environment jsdom
/** The phone says that it is ready for the field only when the app itself would open there. */
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import FirstFetch from '@/features/records/components/FirstFetch.vue'
import { APP_PROGRESS } from '@/domain/app-progress'
import { i18n } from '@/locales/i18n'
import { useInstallation } from '@/stores/installation'

/** A service worker in the state that a test gives it. */
class Worker extends EventTarget {
  state: ServiceWorkerState = 'installing'
  become(state: ServiceWorkerState): void {
    this.state = state
    this.dispatchEvent(new Event('statechange'))
  }
}

type Registering = () => Promise<unknown>

function browserWith(register: Registering | null, isSecure = true): void {
  const serviceWorker =
    register === null ? undefined : { controller: null, register, addEventListener: () => undefined }
  Object.defineProperty(navigator, 'serviceWorker', { value: serviceWorker, configurable: true })
  vi.stubGlobal('isSecureContext', isSecure)
}

function registered(worker: Worker): Registering {
  return () => Promise.resolve({ active: null, waiting: null, installing: worker, addEventListener: () => undefined })
}

async function shown(): Promise<VueWrapper> {
  await useInstallation().install()
  await flushPromises()
  return mount(FirstFetch, { props: { hasData: true }, global: { plugins: [i18n] } })
}

beforeEach(() => {
  setActivePinia(createPinia())
  vi.stubEnv('DEV', false)
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

describe('the app on the phone', () => {
  test('is a step of its own until its service worker is active', async () => {
    const worker = new Worker()
    browserWith(registered(worker))
    const fetching = await shown()
    expect(fetching.find('[data-testid="data-done"]').exists()).toBe(true)
    expect(fetching.find('[data-testid="app-coming"]').exists()).toBe(true)
    for (const state of ['installed', 'activating'] as const) {
      worker.become(state)
      expect(useInstallation().state.kind).toBe('coming')
    }
    worker.become('activated')
    await flushPromises()
    expect(useInstallation().state.kind).toBe('kept')
    expect(fetching.find('[data-testid="app-done"]').exists()).toBe(true)
  })

  test('is there at once where an earlier visit brought it', async () => {
    const active = new Worker()
    active.state = 'activated'
    browserWith(() => Promise.resolve({ active, waiting: null, installing: new Worker(), addEventListener: vi.fn() }))
    await shown()
    expect(useInstallation().state.kind).toBe('kept')
  })

  test('stays there when a newer version takes over', async () => {
    const worker = new Worker()
    browserWith(registered(worker))
    await shown()
    worker.become('activated')
    worker.become('redundant')
    expect(useInstallation().state.kind).toBe('kept')
  })

  test('says how many of its bytes have come', async () => {
    browserWith(registered(new Worker()))
    const fetching = await shown()
    const worker = new BroadcastChannel(APP_PROGRESS)
    worker.postMessage({ done: 12_400, all: 60_300 })
    await vi.waitFor(() => expect(fetching.get('[data-testid="app-coming"]').text()).toContain('12/60 KB'))
    expect(fetching.get('progress').attributes()).toMatchObject({ value: '12400', max: '60300' })
    worker.close()
  })

  test('that did not come whole is asked for again, by the person or when the network is back', async () => {
    const [first, second, third] = [new Worker(), new Worker(), new Worker()]
    const workers = [first, second, third]
    browserWith(() => registered(workers.shift()!)())
    const fetching = await shown()
    first.become('redundant')
    await flushPromises()
    expect(fetching.find('[data-testid="app-failed"]').exists()).toBe(true)
    await fetching.get('[data-testid="app-again"]').trigger('click')
    await flushPromises()
    expect(useInstallation().state.kind).toBe('coming')
    second.become('redundant')
    dispatchEvent(new Event('online'))
    await flushPromises()
    third.become('activated')
    expect(useInstallation().state.kind).toBe('kept')
  })

  test('is tried again by itself after a failure on the way', async () => {
    vi.useFakeTimers()
    const register = vi.fn<Registering>().mockRejectedValue(new TypeError('no network'))
    browserWith(register)
    await useInstallation().install()
    expect(useInstallation().state.kind).toBe('failed')
    await vi.advanceTimersByTimeAsync(30_000)
    expect(register).toHaveBeenCalledTimes(2)
  })

  test.each([
    ['an address without https', null, false, 'https'],
    ['a browser that keeps no apps', null, true, 'Chrome'],
    ['a private window', () => Promise.reject(new DOMException('refused', 'SecurityError')), true, 'ẩn danh'],
  ] as const)('is not waited for at %s: what to do is said instead', async (_, register, isSecure, word) => {
    browserWith(register, isSecure)
    const fetching = await shown()
    expect(fetching.get('[data-testid="app-impossible"]').text()).toContain(word)
    expect(fetching.find('progress').exists()).toBe(false)
    expect(fetching.find('button').exists()).toBe(false)
  })
})
