/** Answers that come after somebody else signed in, or after the address led to another server, change nothing there. */
import { beforeEach, expect, test } from 'vitest'
import { ApiClient, type Fetch } from '@/api/client'
import { fetchContents } from '@/replication/contents'
import { runOnce } from '@/replication/run'
import { StatusChannel } from '@/replication/status'
import { sessionTokens } from '@/replication/tokens'
import { sha256 } from '@/domain/canonical'
import { putBlob } from '@/storage/blobs'
import { database } from '@/storage/database'
import { facing, storeSignOut } from '@/storage/session'
import { Door } from './door'
import { AGRI, emptyPhone, exchangeWith, record, signIn } from './phone'

let door: Door

beforeEach(async () => {
  await emptyPhone()
  door = new Door(['catalog', AGRI])
  await signIn(door)
})

/** A network in which something happens on the phone between the server's work and the arrival of one answer. */
function meanwhile(path: string, happens: () => Promise<unknown>, fetch: Fetch = door.fetch): Fetch {
  let isDone = false
  return async (url, init) => {
    const response = await fetch(url, init)
    if (!isDone && `${init?.method ?? 'GET'} ${url}`.startsWith(path)) {
      isDone = true
      await happens()
    }
    return response
  }
}

const run = (fetch: Fetch): Promise<unknown> => {
  const status = new StatusChannel()
  return runOnce(status, { again: false, fetch }).finally(() => status.close())
}

/** A server that renews tokens when it is asked to, and takes only the newest. */
function renewing(): Fetch {
  return (url, init) => {
    if (url !== '/api/auth/refresh') return door.fetch(url, init)
    const renewed = { access_token: 'renewed-of-mai', expires_in: 900, refresh_token: 'renewed-refresh-of-mai' }
    return Promise.resolve(new Response(JSON.stringify(renewed), { headers: { 'Nuong-Server': door.id } }))
  }
}

test('a renewal that ends after another person signed in leaves that person their own token', async () => {
  const asked: (string | null)[] = []
  const network = meanwhile('POST /api/auth/refresh', () => signIn(door, 'vang.a.sung'), renewing())
  const api = new ApiClient(sessionTokens(network), (_, init) => {
    asked.push(new Headers(init?.headers).get('Authorization'))
    return Promise.resolve(
      new Response('{"code":"not_signed_in"}', { status: 401, headers: { 'Nuong-Server': door.id } }),
    )
  })
  await expect(api.json('/api/decisions', { method: 'POST', json: { by: 'Mai' } })).rejects.toMatchObject({
    status: 401,
  })
  const session = await database.session.get('current')
  expect(session).toMatchObject({ person: { username: 'vang.a.sung' }, accessToken: door.access, expired: 0 })
  // What Mai decided is not said once more in Sùng's name.
  expect(asked).toHaveLength(1)
})

test('a renewal that was refused does not sign out who signed in meanwhile', async () => {
  const refusing: Fetch = () =>
    Promise.resolve(new Response('{"code":"not_signed_in"}', { status: 401, headers: { 'Nuong-Server': door.id } }))
  const tokens = sessionTokens(meanwhile('POST', () => signIn(door, 'vang.a.sung'), refusing))
  expect(await tokens.renew((await tokens.access()) ?? '')).toBe(false)
  expect(await database.session.get('current')).toMatchObject({ person: { username: 'vang.a.sung' }, expired: 0 })
})

test('tokens of a renewal are kept for the server that gave them', async () => {
  const session = await database.session.get('current')
  if (session === undefined) throw new Error('nobody is signed in')
  const turned = meanwhile('POST', () => database.session.put(facing(session, 'hub')), renewing())
  const tokens = sessionTokens(turned)
  expect(await tokens.renew((await tokens.access()) ?? '')).toBe(true)
  expect(await database.session.get('current')).toMatchObject({
    server: 'hub',
    accessToken: '',
    elsewhere: { [door.id]: { accessToken: 'renewed-of-mai' } },
  })
})

test('signing out in the middle of a first exchange leaves nothing of that person to the next', async () => {
  await door.write(AGRI, 'of-mai', { type: 'record', form: 'f', answers: { name: 'Mai' } })
  const id = await record({ n: '1' })
  await exchangeWith(door, meanwhile('POST /api/sync', storeSignOut))
  expect(await database.documents.count()).toBe(0)
  expect(await database.bodies.count()).toBe(0)
  expect(await database.servers.count()).toBe(0)
  // That it arrived is known all the same.
  const [own] = await database.revisions.where('id').equals(id).toArray()
  expect(own?.receipts[door.id]?.outcome).toBe('stored')
})

test('another person who signs in during an exchange sees nothing of it', async () => {
  await door.write(AGRI, 'of-mai', { type: 'record', form: 'f', answers: { name: 'Mai' } })
  await exchangeWith(
    door,
    meanwhile('POST /api/sync', () => signIn(door, 'vang.a.sung')),
  )
  expect(await database.documents.count()).toBe(0)
  expect((await database.servers.get(door.id))?.since ?? {}).toEqual({})
})

test('a form that arrives after its person signed out is not kept', async () => {
  const form = '{"secret":true}'
  const hash = await sha256(form)
  door.contents.set(hash, form)
  const about = { type: 'form', form: 'f', version: '1', project: 'agri', xform: hash, lists: {} }
  await door.write('catalog', 'form:f:1', about)
  await exchangeWith(door)
  const api = new ApiClient(sessionTokens(), meanwhile('GET /api/contents', storeSignOut))
  await expect(fetchContents(api, () => undefined)).rejects.toMatchObject({ code: 'session_changed' })
  expect(await database.contents.count()).toBe(0)
})

test('a photo whose address leads to the hub meanwhile does not count as sent to the province', async () => {
  const ref = await putBlob(new Blob([new Uint8Array(200_000).fill(7)], { type: 'image/jpeg' }))
  await record({ photo: 'a.jpg' }, { 'a.jpg': ref })
  await run(
    meanwhile('PATCH /api/media', async () => {
      const session = await database.session.get('current')
      if (session !== undefined) await database.session.put(facing(session, 'hub'))
    }),
  )
  const [upload] = await database.uploads.toArray()
  expect(upload).toMatchObject({ done: 0 })
  expect(upload?.sites[door.id]?.offset ?? 0).toBe(0)
})
