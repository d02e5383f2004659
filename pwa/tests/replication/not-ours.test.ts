/** What is not our server's word decides nothing; and what it says is taken within bounds. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createPinia, setActivePinia } from 'pinia'
import { ApiClient, type Fetch } from '@/api/client'
import { Problem } from '@/api/problem'
import { Sender, retryDelay } from '@/replication/sender'
import { sessionTokens } from '@/replication/tokens'
import { putBlob } from '@/storage/blobs'
import { database } from '@/storage/database'
import { StorageFull, guarded } from '@/domain/storage-full'
import { storeSignOut } from '@/storage/session'
import { useSession } from '@/stores/session'
import { Door } from './door'
import { AGRI, emptyPhone, exchangeWith, record, runWith, signIn } from './phone'

let door: Door

beforeEach(async () => {
  await emptyPhone()
  door = new Door(['catalog', AGRI])
  await signIn(door)
})

afterEach(() => vi.unstubAllGlobals())

/** A captive portal that answers everything in the same way. */
function portal(status: number, body: string): Fetch {
  return () => Promise.resolve(new Response(body, { status, headers: { 'Content-Type': 'application/json' } }))
}

const session = (): Promise<unknown> => database.session.get('current')

test.each([200, 204, 302, 400, 401, 403, 404, 408, 413, 511])('a portal’s %i changes nothing', async (status) => {
  await record({ n: '1' })
  const before = await session()
  const answer = status === 204 ? null : '{"code":"not_signed_in","protocol":9,"access_token":"x","refresh_token":"y"}'
  const network: Fetch = () => Promise.resolve(new Response(answer, { status }))
  await expect(exchangeWith(door, network)).rejects.toMatchObject({ isPassing: true })
  expect(await session()).toEqual(before)
  const [own] = await database.revisions.toArray()
  expect([own?.receipts, own?.aside]).toEqual([{}, undefined])
})

test('a portal’s JSON gives no tokens, and its 401 takes none', async () => {
  const before = await session()
  const tokens = sessionTokens(portal(200, '{"access_token":"theirs"}'))
  await expect(tokens.renew((await tokens.access()) ?? '')).rejects.toMatchObject({ code: 'not_our_server' })
  const refusing = sessionTokens(portal(401, '{}'))
  await expect(refusing.renew((await refusing.access()) ?? '')).rejects.toMatchObject({ code: 'not_our_server' })
  await expect(new ApiClient(refusing, portal(401, '{}')).json('/api/x')).rejects.toBeInstanceOf(Problem)
  expect(await session()).toEqual(before)
})

test.each([403, 404, 408, 413])('a momentary %i page marks no photo as never to be tried again', async (status) => {
  const photo = await putBlob(new Blob(['photo'], { type: 'image/jpeg' }))
  await record({ photo: 'a.jpg' }, { 'a.jpg': photo })
  const page: Fetch = (path, init) =>
    path.startsWith('/api/media') ? portal(status, '<html>')(path, init) : door.fetch(path, init)
  await expect(runWith(door, page)).rejects.toBeInstanceOf(Problem)
  expect((await database.uploads.toArray())[0]?.sites[door.id]?.problem ?? null).toBeNull()
  await runWith(door)
  expect(door.files.get(photo.sha256)?.data.length).toBe(5)
})

test('a full disk is told as one, however deep the error lies', async () => {
  const quota = new DOMException('no room', 'QuotaExceededError')
  const bulk = Object.assign(new Error('documents.bulkPut(): 1 of 9 failed'), { name: 'BulkError', failures: [quota] })
  const aborted = Object.assign(new Error('aborted'), { name: 'AbortError', inner: bulk })
  for (const error of [quota, bulk, aborted, new Error('outer', { cause: aborted })]) {
    await expect(guarded(() => Promise.reject(error))).rejects.toBeInstanceOf(StorageFull)
  }
  const other = Object.assign(new Error('x'), { name: 'BulkError', failures: [new Error('no quota')] })
  await expect(guarded(() => Promise.reject(other))).rejects.toBe(other)
})

/** Our server refuses a key for good. */
const revoked: Fetch = () =>
  Promise.resolve(
    new Response('{"code":"enrolment_revoked","params":{}}', { status: 403, headers: { 'Nuong-Server': door.id } }),
  )

test('a revoked key of somebody who is signed out is not offered again until a person asks', async () => {
  const id = await record({ n: '1' })
  await storeSignOut()
  await expect(exchangeWith(door, revoked)).resolves.toBeDefined()
  let requests = 0
  const counting: Fetch = (path, init) => {
    requests += 1
    return door.fetch(path, init)
  }
  await exchangeWith(door, counting)
  expect(requests).toBe(0)
  await exchangeWith(door, counting, true)
  expect(door.winner(AGRI, id)).toBeDefined()
})

test('signing in where the key was revoked makes another one', async () => {
  setActivePinia(createPinia())
  const offered: unknown[] = []
  vi.stubGlobal('navigator', { userAgent: 'test' })
  vi.stubGlobal('fetch', (_: string, init: RequestInit) => {
    const { enrolment } = JSON.parse(init.body as string) as { enrolment: { jwk: JsonWebKey } }
    offered.push(enrolment.jwk.x)
    if (offered.length === 1) return revoked('', init)
    const answer = {
      access_token: 'a',
      expires_in: 900,
      refresh_token: 'r',
      person: { id: 'person-lo.thi.mai', username: 'lo.thi.mai', name: 'Mai', locale: 'vi', grants: [] },
      enrolment: null,
      server: door.id,
    }
    return Promise.resolve(new Response(JSON.stringify(answer), { headers: { 'Nuong-Server': door.id } }))
  })
  const before = (await database.session.get('current'))?.enrolment
  await useSession().signIn('lo.thi.mai', 'password')
  expect(new Set(offered).size).toBe(2)
  expect((await database.session.get('current'))?.enrolment).not.toBe(before)
})

test('a sign-in page of a portal signs nobody in', async () => {
  setActivePinia(createPinia())
  vi.stubGlobal('navigator', { userAgent: 'test' })
  vi.stubGlobal('fetch', portal(200, '{"access_token":"theirs","person":{"id":"p"}}'))
  const before = await session()
  await expect(useSession().signIn('lo.thi.mai', 'password')).rejects.toMatchObject({ code: 'not_our_server' })
  expect(await session()).toEqual(before)
})

test('whatever a server says about waiting, a phone waits a second at least and an hour at most', async () => {
  expect(retryDelay(1, () => 0.5, 3_000_000)).toBe(3_600)
  for (const [seconds, expected] of [
    ['3000000', 3_600],
    ['1e300', 3_600],
    ['-5', 5],
    ['Wed, 21 Oct 2037 07:28:00 GMT', 5],
  ] as const) {
    vi.stubGlobal('navigator', { onLine: true })
    const headers = { 'Retry-After': seconds, 'Nuong-Server': door.id }
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('{"code":"internal"}', { status: 503, headers })))
    const sender = new Sender(undefined, () => 0.5)
    await sender.wake('start')
    sender.stop()
    sender.status.close()
    vi.unstubAllGlobals()
    expect(sender.status.current).toMatchObject({ phase: 'failed', retryInSeconds: expected })
  }
})
