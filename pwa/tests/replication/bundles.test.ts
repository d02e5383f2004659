/** Small files go together. */
import { beforeEach, expect, test } from 'vitest'
import { sha256 } from '@/domain/canonical'
import type { Fetch } from '@/api/client'
import { putBlob } from '@/storage/blobs'
import { database } from '@/storage/database'
import { Door } from './door'
import { AGRI, emptyPhone, record, runWith, signIn } from './phone'

const CONTENTS = ['one', 'two', 'three', 'four']

beforeEach(async () => {
  await emptyPhone()
})

async function withFiles(door: Door): Promise<string[]> {
  await signIn(door)
  const files = await Promise.all(CONTENTS.map((text) => putBlob(new Blob([text], { type: 'image/webp' }))))
  for (const file of files) await record({ photo: 'a.webp' }, { 'a.webp': file })
  return files.map((file) => file.sha256)
}

async function waiting(): Promise<number> {
  return database.uploads.filter(({ done }) => done === 0).count()
}

test('a bundle that broke off goes on where it was, whatever was saved since, and holds what it says', async () => {
  const door = new Door([AGRI])
  const hashes = await withFiles(door)
  let sent = 0
  let breaks = true
  const network: Fetch = async (path, init) => {
    if (init?.method !== 'PATCH') return door.fetch(path, init)
    const body = init.body as Blob
    const part = breaks ? body.slice(0, 60) : body
    sent += part.size
    const answer = await door.fetch(path, { ...init, body: part })
    if (!breaks) return answer
    breaks = false
    throw new TypeError('the link broke')
  }
  await expect(runWith(door, network)).rejects.toMatchObject({ code: 'offline' })
  expect(await waiting()).toBe(4)
  const later = await putBlob(new Blob(['five'], { type: 'image/webp' }))
  await record({ photo: 'a.webp' }, { 'a.webp': later })
  await runWith(door, network)
  expect(await waiting()).toBe(0)
  // What came later goes by itself: one is no bundle.
  expect([...door.files.keys()].filter((hash) => hash === later.sha256)).toEqual([later.sha256])
  const [bundle] = [...door.files.values()]
  expect(sent).toBe((bundle?.data.length ?? 0) + 4)
  const unpacked = new Blob([bundle?.data as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('gzip'))
  const [head = '', text = ''] = (await new Response(unpacked).text()).split('\n')
  const files = JSON.parse(head) as { db: string; name: string; type: string; bytes: number }[]
  expect(files.every(({ db, name, type }) => db === AGRI && name === 'a.webp' && type === 'image/webp')).toBe(true)
  let at = 0
  const held = files.map(({ bytes }) => text.slice(at, (at += bytes)))
  expect((await Promise.all(held.map((each) => sha256(each)))).sort()).toEqual(hashes.sort())
})

test('a server of before is sent them one by one, and is asked once', async () => {
  const door = new Door([AGRI], 'server-of-before')
  const hashes = await withFiles(door)
  const network: Fetch = async (path, init) => {
    if (path !== '/api/media/bundles') return door.fetch(path, init)
    await door.fetch('/api/nothing')
    const headers = { 'Nuong-Server': door.id, 'Content-Type': 'application/problem+json' }
    return new Response('{"code":"method_not_allowed","params":{}}', { status: 405, headers })
  }
  await runWith(door, network)
  await runWith(door, network)
  expect([...door.files.keys()].sort()).toEqual(hashes.sort())
  expect(await waiting()).toBe(0)
  expect(door.paths.filter((path) => path === 'GET /api/nothing')).toHaveLength(1)
})
