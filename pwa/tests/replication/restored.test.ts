/** A server that was restored says so by another epoch: whatever it may have lost is sent again, of everybody. */
import { beforeEach, expect, test } from 'vitest'
import { putBlob } from '@/storage/blobs'
import { database } from '@/storage/database'
import { discardUnsent } from '@/storage/records'
import { storeSignOut } from '@/storage/session'
import { Door } from './door'
import { AGRI, emptyPhone, exchangeWith, record, runWith, signIn } from './phone'

let door: Door

beforeEach(async () => {
  await emptyPhone()
  door = new Door(['catalog', AGRI])
  await signIn(door)
})

/** Go back to a snapshot, as `nuong restore` does. */
function restored(back: () => void): void {
  back()
  door.epoch = 'epoch-2'
}

test('saves of a person who is signed out are sent again, also where nobody’s feed has gone backwards', async () => {
  const back = door.snapshot()
  const id = await record({ n: 'of Mai' })
  await exchangeWith(door)
  await storeSignOut()
  await signIn(door, 'vang.a.sung')
  await exchangeWith(door)
  restored(back)
  for (let n = 0; n < 5; n += 1) await door.write(AGRI, `other${String(n)}`, { type: 'record', form: 'f', answers: {} })
  await exchangeWith(door)
  expect(door.winner(AGRI, id)?.content['answers']).toEqual({ n: 'of Mai' })
  await exchangeWith(door)
  expect((await database.servers.get(door.id))?.digests[AGRI]).toBe(await door.digest(AGRI))
})

test('a photo whose record is in the backup and whose file is not is sent again', async () => {
  const photo = await putBlob(new Blob([new Uint8Array(200_000).fill(7)], { type: 'image/jpeg' }))
  await record({ photo: 'a.jpg' }, { 'a.jpg': photo })
  await runWith(door)
  door.files.clear()
  restored(door.snapshot())
  await runWith(door)
  expect(door.files.get(photo.sha256)?.data.length).toBe(200_000)
  const [upload] = await database.uploads.toArray()
  expect(upload?.sites[door.id]?.done).toBe(1)
})

test('numbers once told as discarded are told again', async () => {
  const back = door.snapshot()
  await record({ n: 'taken back' })
  const [own] = await database.revisions.toArray()
  await discardUnsent(own?.rev ?? '')
  await record({ n: 'kept' })
  await exchangeWith(door)
  restored(back)
  await exchangeWith(door)
  expect(door.requests.at(-1)?.holding.discarded).toEqual(['1'])
  await exchangeWith(door)
  expect(door.requests.at(-1)?.holding.discarded).toEqual([])
  const [numbers] = door.numbers.values()
  expect([...(numbers?.received ?? []), ...(numbers?.discarded ?? [])].sort()).toEqual([1, 2])
})

test('the first epoch that a phone hears of, and the same one again, send nothing twice', async () => {
  await record({ n: '1' })
  await exchangeWith(door)
  await database.epochs.clear()
  await exchangeWith(door)
  await exchangeWith(door)
  expect(door.requests.flatMap(({ push }) => push)).toHaveLength(1)
})

test('one server’s restore makes nothing doubtful at another', async () => {
  const hub = new Door(['catalog', AGRI], 'hub')
  await signIn(hub)
  const id = await record({ n: '1' })
  await exchangeWith(hub)
  await signIn(door)
  await exchangeWith(door)
  restored(door.snapshot())
  await exchangeWith(door)
  const [own] = await database.revisions.where('id').equals(id).toArray()
  expect(own?.receipts['hub']?.outcome).toBe('stored')
  expect(own?.receipts[door.id]?.outcome).toBe('duplicate')
})
