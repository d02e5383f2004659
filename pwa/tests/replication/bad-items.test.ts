/** One item that a server can't take is set aside with its reason; everything behind it goes on. */
import { beforeEach, expect, test } from 'vitest'
import type { Fetch } from '@/api/client'
import { sha256 } from '@/domain/canonical'
import { defaultContext, exchange } from '@/replication/exchange'
import { runOnce } from '@/replication/run'
import { StatusChannel } from '@/replication/status'
import { putBlob } from '@/storage/blobs'
import { database } from '@/storage/database'
import { storeSignOut } from '@/storage/session'
import { readWorklist } from '@/storage/worklist'
import { Door } from './door'
import { AGRI, edit, emptyPhone, exchangeWith, record, signIn } from './phone'

const MAI = 'person-lo.thi.mai'
let door: Door

beforeEach(async () => {
  await emptyPhone()
  door = new Door(['catalog', AGRI])
  await signIn(door)
})

/** The server fails on every request that brings one of these records. */
function failingOn(ids: string[], status: number, code: string): Fetch {
  return async (path, init) => {
    if (path !== '/api/sync') return door.fetch(path, init)
    const stream = new Blob([init?.body as Uint8Array<ArrayBuffer>]).stream()
    const text = await new Response(stream.pipeThrough(new DecompressionStream('gzip'))).text()
    return ids.some((id) => text.includes(`"_id":"${id}"`)) ? failure(status, code) : door.fetch(path, init)
  }
}

function failure(status: number, code: string): Response {
  const headers = { 'Content-Type': 'application/problem+json', 'Nuong-Server': door.id }
  return new Response(JSON.stringify({ code, params: {} }), { status, headers })
}

async function many(count: number): Promise<string[]> {
  const ids: string[] = []
  for (let n = 0; n < count; n += 1) ids.push(await record({ n: String(n) }))
  return ids
}

async function unsent(): Promise<string[]> {
  const own = await database.revisions.orderBy('[enrolment+number]').toArray()
  return own.filter(({ receipts }) => receipts[door.id] === undefined).map(({ id }) => id)
}

test.each([
  [500, 'internal', 'internal'],
  [413, 'body_bomb', 'record_too_large'],
  [400, 'malformed_json', 'malformed_json'],
])('a record that always gets %i is set aside, and all others arrive', async (status, code, reason) => {
  const ids = await many(20)
  const bad = ids[7] ?? ''
  await exchangeWith(door, failingOn([bad], status, code))
  expect(await unsent()).toEqual([bad])
  const { waiting, fix } = await readWorklist(MAI)
  expect(waiting).toEqual([])
  expect(fix.map(({ id, state }) => [id, state])).toEqual([[bad, { kind: 'aside', reason }]])
  // It says so to the server, and does not trouble the next exchange.
  expect(door.requests.at(-1)?.holding.unsent).toEqual(['8'])
  const before = door.requests.length
  await exchangeWith(door, failingOn([bad], status, code))
  expect(door.requests.length).toBe(before + 1)
})

test('it goes again when a person asks, and by itself after a while', async () => {
  const [bad = '', ...others] = await many(3)
  await exchangeWith(door, failingOn([bad], 500, 'internal'))
  expect(await unsent()).toEqual([bad])
  await exchangeWith(door)
  expect(await unsent()).toEqual([bad])
  await exchange(defaultContext({ fetch: door.fetch, now: () => Date.now() + 16 * 60_000 }))
  expect(await unsent()).toEqual([])
  const own = await database.revisions.toArray()
  expect(own.every(({ aside }) => Object.keys(aside ?? {}).length === 0)).toBe(true)
  expect(others.every((id) => door.winner(AGRI, id) !== undefined)).toBe(true)
  const asked = await record({ n: 'asked' })
  await exchangeWith(door, failingOn([asked], 500, 'internal'))
  await exchangeWith(door, door.fetch, true)
  expect(await unsent()).toEqual([])
})

test('many bad records in a row hide none that is good', async () => {
  const ids = await many(12)
  const bad = ids.slice(0, 6)
  await exchangeWith(door, failingOn(bad, 500, 'internal'))
  expect(await unsent()).toEqual(bad)
})

test('a correction of a record that was set aside goes without it', async () => {
  const [bad = ''] = await many(1)
  await exchangeWith(door, failingOn([bad], 500, 'internal'))
  await edit(bad, { n: 'shorter' })
  await exchangeWith(door)
  expect(door.winner(AGRI, bad)?.content['answers']).toEqual({ n: 'shorter' })
})

test('a server that fails on everything sets nothing aside', async () => {
  await many(5)
  const failing: Fetch = () => Promise.resolve(failure(500, 'internal'))
  await expect(exchangeWith(door, failing)).rejects.toMatchObject({ code: 'internal' })
  expect((await database.revisions.toArray()).every(({ aside }) => aside === undefined)).toBe(true)
})

test('what a person left who is signed out goes too, but for the bad one', async () => {
  const ids = await many(6)
  await storeSignOut()
  await signIn(door, 'vang.a.sung')
  await exchangeWith(door, failingOn([ids[0] ?? ''], 500, 'internal'))
  expect(await unsent()).toEqual([ids[0]])
})

test('one photo and one form on which the server fails stop no others', async () => {
  const photos = await Promise.all(
    [100, 200, 300].map((bytes) => putBlob(new Blob([new Uint8Array(bytes).fill(7)], { type: 'image/jpeg' }))),
  )
  for (const photo of photos) await record({ photo: 'a.jpg' }, { 'a.jpg': photo })
  const forms = ['<one/>', '<two/>', '<three/>']
  const hashes = await Promise.all(forms.map((form) => sha256(form)))
  hashes.forEach((hash, index) => door.contents.set(hash, forms[index] ?? ''))
  const [xform = '', a = '', b = ''] = hashes
  await door.write('catalog', 'form:f:1', {
    type: 'form',
    form: 'f',
    version: '1',
    project: 'agri',
    xform,
    lists: { a, b },
  })
  const small = photos[0]?.sha256 ?? ''
  let isFailing = true
  const network: Fetch = (path, init) => {
    // It fails on what holds it together with others as well.
    const isBad = path.endsWith('/bundles') || (init?.method === 'PATCH' && path.endsWith(small))
    return isFailing && (isBad || path.endsWith(xform))
      ? Promise.resolve(failure(500, 'internal'))
      : door.fetch(path, init)
  }
  await run(network)
  expect((await database.contents.toCollection().primaryKeys()).sort()).toEqual([a, b].sort())
  const waiting = await database.uploads.filter(({ done }) => done === 0).toArray()
  expect(waiting.map(({ sha256: hash, sites }) => [hash, sites[door.id]?.problem])).toEqual([[small, 'internal']])
  isFailing = false
  await run(network, true)
  expect(await database.contents.count()).toBe(3)
  expect(await database.uploads.filter(({ done }) => done === 0).count()).toBe(0)
})

test('photos leave a phone that has no room for what the server holds', async () => {
  const photo = await putBlob(new Blob(['photo'], { type: 'image/jpeg' }))
  await record({ photo: 'a.jpg' }, { 'a.jpg': photo })
  await door.write(AGRI, 'theirs', { type: 'record', form: 'f', answers: {} })
  const full = (): never => {
    throw new DOMException('no room', 'QuotaExceededError')
  }
  database.bodies.hook('creating', full)
  try {
    await expect(run(door.fetch)).rejects.toMatchObject({ code: 'storage_full' })
  } finally {
    database.bodies.hook('creating').unsubscribe(full)
  }
  expect(door.files.get(photo.sha256)?.data.length).toBe(5)
})

test('a full phone hands over what a signed-out person left', async () => {
  const theirs = await many(2)
  await storeSignOut()
  await signIn(door, 'vang.a.sung')
  await record({ n: 'mine' }, {}, 'person-vang.a.sung')
  await door.write(AGRI, 'theirs', { type: 'record', form: 'f', answers: {} })
  const full = (): never => {
    throw new DOMException('no room', 'QuotaExceededError')
  }
  database.bodies.hook('creating', full)
  try {
    await expect(exchangeWith(door)).rejects.toMatchObject({ code: 'storage_full' })
  } finally {
    database.bodies.hook('creating').unsubscribe(full)
  }
  expect(await unsent()).toEqual([])
  expect(theirs.every((id) => door.winner(AGRI, id) !== undefined)).toBe(true)
})

function run(fetch: Fetch, again = false): Promise<unknown> {
  const status = new StatusChannel()
  return runOnce(status, { again, fetch }).finally(() => status.close())
}
