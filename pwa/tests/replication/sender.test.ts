import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Problem } from '@/api/problem'
import { Machine } from '@/replication/machine'
import { atStart } from '@/replication/memory'
import { runOnce } from '@/replication/run'
import { Sender, retryDelay } from '@/replication/sender'
import { withFreeLock, withLock } from '@/replication/locks'
import type { SendingStatus } from '@/replication/status'
import { database } from '@/storage/database'
import { Door } from './door'
import { AGRI, edit, emptyPhone, record, signIn } from './phone'

let door: Door
let sender: Sender
let isOnline = true

beforeEach(async () => {
  await emptyPhone()
  door = new Door(['catalog', AGRI])
  await signIn(door)
  sender = new Sender(undefined, () => 0.5)
  isOnline = true
  vi.stubGlobal('navigator', {
    get onLine() {
      return isOnline
    },
  })
  vi.stubGlobal('fetch', door.fetch)
})

afterEach(() => {
  sender.stop()
  sender.status.close()
  vi.unstubAllGlobals()
})

describe('waiting after failures', () => {
  test('doubles up to ten minutes, is spread, and never less than the server asked for', () => {
    expect([1, 2, 3, 4].map((failures) => retryDelay(failures, () => 0.5))).toEqual([5, 10, 20, 40])
    expect(retryDelay(30, () => 0.5)).toBe(600)
    expect(retryDelay(1, () => 0)).toBeLessThan(retryDelay(1, () => 1))
    expect(retryDelay(1, () => 0.5, 90)).toBe(90)
  })

  test('a save does not start another attempt meanwhile, a person does', async () => {
    await record({ n: '1' })
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no network')))
    await sender.wake('start')
    expect(sender.status.current).toMatchObject({ phase: 'failed', code: 'offline', retryInSeconds: 5 })
    vi.stubGlobal('fetch', door.fetch)
    await sender.wake('saved')
    expect(door.requests).toHaveLength(0)
    await sender.wake('person')
    expect(door.requests).toHaveLength(1)
    expect(sender.status.current).toEqual({ phase: 'idle' })
  })
})

describe('without a network', () => {
  test('nothing is frozen, so that later corrections stay one save', async () => {
    isOnline = false
    const id = await record({ n: '1' })
    await sender.wake('saved')
    await edit(id, { n: '2' })
    expect(await database.revisions.toArray()).toMatchObject([{ number: 1, frozen: 0 }])
    isOnline = true
    await sender.wake('online')
    expect(door.winner(AGRI, id)?.content['answers']).toEqual({ n: '2' })
  })
})

test('what is asked for during a run is done right after it', async () => {
  await record({ n: '1' })
  const first = sender.wake('start')
  await record({ n: '2' })
  await Promise.all([first, sender.wake('saved')])
  const own = await database.revisions.toArray()
  expect(own.every((row) => row.receipts[door.id]?.outcome === 'stored')).toBe(true)
})

test.each(['signed-in', 'online'] as const)(
  'a run that ends for want of a password is followed by another for %s, whatever comes after that',
  async (reason) => {
    await record({ n: '1' })
    await database.session.toCollection().modify({ expired: 1 })
    let isFirst = true
    vi.stubGlobal('fetch', async (path: string, init?: RequestInit) => {
      if (!isFirst) return door.fetch(path, init)
      isFirst = false
      await signIn(door)
      void sender.wake(reason)
      void sender.wake('saved')
      void sender.wake('visible')
      const body = JSON.stringify({ code: 'not_signed_in', params: {} })
      return new Response(body, { status: 401, headers: { 'Nuong-Server': door.id } })
    })
    await sender.wake('start')
    expect(door.requests).toHaveLength(1)
    expect(sender.status.current).toEqual({ phase: 'idle' })
  },
)

test('a fault in the sending of files ends the run, as any other does', async () => {
  const machine = new Machine({ state: 'sending_files', memory: atStart() })
  await expect(runOnce(sender.status, { again: false, machine })).rejects.toThrow('nobody is signed in')
  expect(machine.at.state).toBe('concluding')
})

test('the screens are told what sending does, from records to rest', async () => {
  const phases: SendingStatus['phase'][] = []
  sender.status.listen(({ phase }) => phases.push(phase))
  await record({ n: '1' })
  await sender.wake('start')
  expect(phases[0]).toBe('records')
  expect(phases.at(-1)).toBe('idle')
})

test('a server that is full is named, and everything stays', async () => {
  await record({ n: '1' })
  const full = { code: 'disk_full', params: {} }
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(full), { status: 507 })))
  await sender.wake('start')
  expect(sender.status.current).toMatchObject({ phase: 'failed', code: 'disk_full' })
  expect(await database.revisions.count()).toBe(1)
})

describe('one at a time', () => {
  test('a second run waits for the first, and leaves at once where it need not wait', async () => {
    const order: string[] = []
    const slow = withLock('test', async () => {
      await Promise.resolve()
      order.push('first')
    })
    await Promise.all([slow, withLock('test', () => Promise.resolve(order.push('second')))])
    expect(order).toEqual(['first', 'second'])
    expect(await withFreeLock('test', () => Promise.resolve('ran'))).toBe('ran')
  })

  test('a failed run frees the lock', async () => {
    const failing = withLock('test', () => Promise.reject(new Problem('offline')))
    await expect(failing).rejects.toThrow(Problem)
    expect(await withLock('test', () => Promise.resolve(1))).toBe(1)
  })
})
