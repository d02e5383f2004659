/** The code of sending comes after the first screen; where it could not be had, it is asked for again. */
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { useSending } from '@/stores/sending'
import { Door } from './replication/door'
import { AGRI, emptyPhone, record, signIn } from './replication/phone'

let door: Door

beforeEach(async () => {
  setActivePinia(createPinia())
  await emptyPhone()
  door = new Door(['catalog', AGRI])
  await signIn(door)
  await record({ n: '1' })
  vi.stubGlobal('navigator', { onLine: true })
  vi.stubGlobal('fetch', door.fetch)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.doUnmock('@/replication/sender')
})

async function wokenWithoutItsCode(): Promise<ReturnType<typeof useSending>> {
  vi.doMock('@/replication/sender', () => {
    throw new Error('no network')
  })
  const sending = useSending()
  await sending.wake('saved')
  expect(sending.status).toMatchObject({ phase: 'failed', code: 'offline', retryInSeconds: 10 })
  expect(sending.isBusy).toBe(false)
  vi.doUnmock('@/replication/sender')
  return sending
}

test('a network that comes back sends what waits, although the code of sending could not be had before', async () => {
  const sending = await wokenWithoutItsCode()
  await sending.wake('online')
  expect(door.requests).toHaveLength(1)
  expect(sending.status).toEqual({ phase: 'idle' })
  await vi.advanceTimersByTimeAsync(11_000)
  expect(door.requests).toHaveLength(1)
})

test('nobody has to ask: the code of sending is asked for again by itself', async () => {
  const sending = await wokenWithoutItsCode()
  await vi.advanceTimersByTimeAsync(10_000)
  await vi.waitFor(() => expect(door.requests).toHaveLength(1))
  await vi.waitFor(() => expect(sending.status).toEqual({ phase: 'idle' }))
})
