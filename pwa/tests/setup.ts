/**
 * What every file of tests stands on. Files share a worker, its globals and the app's modules: what one puts in the place of
 * something else, shows or stores ends with it.
 */
// Dexie looks for it when it is first imported.
import 'fake-indexeddb/auto'
import type * as Engine from '@getodk/xforms-engine'
import { afterAll, vi } from 'vitest'
import { database } from '@/storage/database'

vi.mock('@getodk/xforms-engine', async (original) => {
  const engine = await original<typeof Engine>()
  const { parsedOnce } = await import('./fill/parsed-once')
  return { ...engine, loadForm: parsedOnce(engine.loadForm) }
})

// On a busy machine a second is over before a form is saved.
const { waitFor } = vi
vi.waitFor = (callback, options) => waitFor(callback, options ?? { timeout: 20_000 })

// Hooks run after those of the file itself, and what stands last here first.
afterAll(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  vi.unstubAllEnvs()
  vi.waitFor = waitFor
  await database.open()
  await Promise.all(database.tables.map((table) => table.clear()))
})

if (typeof document !== 'undefined') {
  await import('./node-blobs')
  const { disableAutoUnmount, enableAutoUnmount } = await import('@vue/test-utils')
  const { setLocale } = await import('@/locales/i18n')
  const { properties, putBack } = await import('./tidy')
  const before = properties()
  afterAll(() => {
    putBack(before)
    document.body.replaceChildren()
    localStorage.clear()
    sessionStorage.clear()
    setLocale('vi')
  })
  // It is on still where a file could not even be read.
  disableAutoUnmount()
  enableAutoUnmount(afterAll)
}
