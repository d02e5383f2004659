/** What every file of tests stands on; what it put in the place of something else ends with it. */
// Dexie looks for it when it is first imported.
import 'fake-indexeddb/auto'
import type * as Engine from '@getodk/xforms-engine'
import { afterAll, vi } from 'vitest'

vi.mock('@getodk/xforms-engine', async (original) => {
  const engine = await original<typeof Engine>()
  const { parsedOnce } = await import('./fill/parsed-once')
  return { ...engine, loadForm: parsedOnce(engine.loadForm) }
})

if (typeof document !== 'undefined') await import('./node-blobs')

afterAll(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  vi.unstubAllEnvs()
  if (typeof document !== 'undefined') document.body.replaceChildren()
})
