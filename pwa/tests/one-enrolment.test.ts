/** One person is one enrolment on a phone, whatever their keyboard makes of the name. */
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { putBlob } from '@/storage/blobs'
import { database } from '@/storage/database'
import { keyFor, storeSignOut } from '@/storage/session'
import { useSession } from '@/stores/session'
import { Door } from './replication/door'
import { AGRI, emptyPhone, record, runWith, signIn } from './replication/phone'

const keys: unknown[] = []

beforeEach(async () => {
  await emptyPhone()
  keys.length = 0
  setActivePinia(createPinia())
  vi.stubGlobal('navigator', { userAgent: 'test' })
  vi.stubGlobal('fetch', (_: string, init: RequestInit) => {
    const { username, enrolment } = JSON.parse(init.body as string) as {
      username: string
      enrolment: { jwk: JsonWebKey }
    }
    keys.push(enrolment.jwk.x)
    // As the server keeps it.
    const kept = username.normalize('NFC').toLowerCase()
    const person = { id: `person-${kept}`, username: kept, name: kept, locale: 'vi', grants: [] }
    const tokens = { access_token: 'a', expires_in: 900, refresh_token: 'r', enrolment: null }
    const answer = JSON.stringify({ ...tokens, person, server: 'province' })
    return Promise.resolve(new Response(answer, { headers: { 'Nuong-Server': 'province' } }))
  })
})
afterEach(() => vi.unstubAllGlobals())

test.each([
  ['capitals', 'Hoàng.Thị.Yến'],
  ['decomposed letters', 'hoàng.thị.yến'.normalize('NFD')],
  ['blanks around it', ' hoàng.thị.yến '],
])('a name typed with %s is the enrolment that it was', async (_, typed) => {
  await useSession().signIn('hoàng.thị.yến', 'password')
  await database.enrolments.toCollection().modify({ highestNumber: 7 })
  await storeSignOut()
  await useSession().signIn(typed, 'password')
  expect(new Set(keys).size).toBe(1)
  expect(await database.enrolments.toArray()).toMatchObject([{ username: 'hoàng.thị.yến', highestNumber: 7 }])
})

test('a key that was made under another spelling is found again, and other people have their own', async () => {
  await useSession().signIn('hoàng.thị.yến', 'password')
  await database.enrolments.toCollection().modify({ username: 'HOÀNG.THỊ.YẾN' })
  await useSession().signIn('hoàng.thị.yến', 'password')
  await useSession().signIn('hoàng.thị.yên', 'password')
  expect(keys[1]).toBe(keys[0])
  expect(keys[2]).not.toBe(keys[0])
  expect(await database.enrolments.count()).toBe(2)
})

test('a person who was two enrolments here sends what was saved under both, and goes on with the one that is spelt so', async () => {
  const door = new Door(['catalog', AGRI])
  const photos = [new Blob(['first']), new Blob(['second'])]
  const hashes: string[] = []
  for (const [index, spelling] of ['Lan', 'lan'].entries()) {
    const photo = await putBlob(photos[index] ?? new Blob())
    hashes.push(photo.sha256)
    // As it was before names were folded: another spelling found no key.
    await database.enrolments.toCollection().modify({ isRevoked: true })
    await signIn(door, 'lan')
    await record({ photo: 'a.jpg' }, { 'a.jpg': photo }, 'person-lan')
    await database.enrolments.toCollection().modify((one) => {
      if (one.isRevoked !== true) one.username = spelling
      delete one.isRevoked
    })
    await storeSignOut()
  }
  const both = await database.enrolments.toArray()
  expect(both.map(({ username }) => username).sort()).toEqual(['Lan', 'lan'])
  for (const { username, id } of both) expect((await keyFor(username)).id).toBe(id)
  await signIn(door, 'lan')
  await runWith(door)
  expect([...door.files.keys()].sort()).toEqual(hashes.sort())
})
