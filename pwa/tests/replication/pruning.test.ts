/** What grows on a phone goes once a server has it for good; what is shown, corrected or not everywhere yet stays. */
import { beforeEach, expect, test } from 'vitest'
import { putBlob } from '@/storage/blobs'
import { database } from '@/storage/database'
import { beginEdit } from '@/storage/drafts'
import { getRecord } from '@/storage/records'
import { readWorklist } from '@/storage/worklist'
import { Door } from './door'
import { AGRI, edit, emptyPhone, exchangeWith, record, runWith, signIn } from './phone'

const MAI = 'person-lo.thi.mai'
let door: Door

beforeEach(async () => {
  await emptyPhone()
  door = new Door(['catalog', AGRI])
  door.time = new Date().toISOString()
  await signIn(door)
})

/** Days go by at the servers. */
function wait(days: number, ...doors: Door[]): void {
  for (const one of doors) one.time = new Date(Date.parse(one.time) + days * 86_400_000).toISOString()
}

async function numbers(): Promise<number[]> {
  return (await database.revisions.orderBy('[enrolment+number]').toArray()).map(({ number }) => number)
}

async function three(): Promise<string[]> {
  return [await record({ n: '1' }), await record({ n: '2' }), await record({ n: '3' })]
}

test('saves that a server has for good go after a month, and are shown as before', async () => {
  const [first = ''] = await three()
  await edit(first, { n: '1b' })
  await exchangeWith(door)
  const shown = JSON.stringify(await readWorklist(MAI))
  wait(29, door)
  await exchangeWith(door)
  expect(await numbers()).toEqual([1, 2, 3])
  wait(2, door)
  await exchangeWith(door)
  // The highest number tells whether a server has forgotten some.
  expect(await numbers()).toEqual([3])
  expect(JSON.stringify(await readWorklist(MAI))).toBe(shown)
  expect((await getRecord(AGRI, first))?.content['answers']).toEqual({ n: '1b' })
})

test('a correction of what went goes on from it', async () => {
  const [first = ''] = await three()
  await exchangeWith(door)
  wait(31, door)
  await exchangeWith(door)
  await edit(first, { n: '1b' })
  await exchangeWith(door)
  expect(door.winner(AGRI, first)?.content['answers']).toEqual({ n: '1b' })
  expect(door.leaves(AGRI, first)).toHaveLength(1)
})

test('what others corrected meanwhile is still among what its person has sent', async () => {
  const [first = ''] = await three()
  await exchangeWith(door)
  const rev = door.winner(AGRI, first)?.rev ?? ''
  await door.write(AGRI, first, { type: 'record', form: 'household_crop', form_version: '1', answers: { n: 'x' } }, rev)
  wait(31, door)
  await exchangeWith(door)
  expect(await numbers()).toEqual([3])
  expect((await readWorklist(MAI)).sent.map(({ id }) => id)).toContain(first)
})

test('photos go with the last save that names them', async () => {
  const photo = await putBlob(new Blob(['photo'], { type: 'image/jpeg' }))
  const id = await record({ photo: 'a.jpg' }, { 'a.jpg': photo })
  await record({ n: '2' })
  await runWith(door)
  await database.blobs.toCollection().modify({ addedAt: '2026-01-01T00:00:00Z' })
  wait(31, door)
  await runWith(door)
  expect([await numbers(), await database.blobs.count(), await database.uploads.count()]).toEqual([[2], 0, 0])
  expect(door.files.get(photo.sha256)?.data.length).toBe(5)
  expect((await getRecord(AGRI, id))?.content['media']).toEqual({ 'a.jpg': photo })
})

test('what no backup covers, what is held for a person and what is being corrected stays', async () => {
  const ids = [...(await three()), await record({ n: '4' }), await record({ n: '5' })]
  door.quarantine.add(ids[0] ?? '')
  door.covered = 3
  await exchangeWith(door)
  const view = await getRecord(AGRI, ids[1] ?? '')
  if (view === undefined) throw new Error('no such record')
  await beginEdit({ database: AGRI, id: view.id, person: MAI, rev: view.rev, title: '', content: view.content })
  wait(31, door)
  await exchangeWith(door)
  expect(await numbers()).toEqual([1, 2, 3, 4, 5])
  door.covered = 4
  wait(2, door)
  await exchangeWith(door)
  expect(await numbers()).toEqual([1, 2, 4, 5])
})

test('a photo that did not arrive keeps its save', async () => {
  const photo = await putBlob(new Blob(['photo'], { type: 'image/jpeg' }))
  await record({ photo: 'a.jpg' }, { 'a.jpg': photo })
  await record({ n: '2' })
  await exchangeWith(door)
  wait(31, door)
  await exchangeWith(door)
  expect(await numbers()).toEqual([1, 2])
  expect(await database.blobs.count()).toBe(1)
})

test('what another server is still to be sent stays, as long as that one is met', async () => {
  const hub = new Door(['catalog', AGRI], 'hub')
  hub.time = door.time
  hub.keys = door.keys
  await signIn(hub)
  await exchangeWith(hub)
  await three()
  await exchangeWith(door)
  wait(31, door)
  await database.servers.update('hub', { lastExchangeAt: door.time })
  await exchangeWith(door)
  expect(await numbers()).toEqual([1, 2, 3])
  wait(31, door)
  await exchangeWith(door)
  expect(await numbers()).toEqual([3])
})

test('of a record that is edited for years a phone remembers the latest revisions alone', async () => {
  const hub = new Door(['catalog', AGRI], 'hub')
  const revs = [await door.write(AGRI, 'r1', { type: 'record', form: 'f', answers: {} })]
  await exchangeWith(door)
  await hub.take(door)
  await signIn(hub)
  await exchangeWith(hub)
  for (let year = 0; year < 30; year += 1) {
    const content = { type: 'record', form: 'f', answers: { year: String(year) } }
    revs.push(await door.write(AGRI, 'r1', content, revs.at(-1) ?? null))
    await exchangeWith(door)
  }
  const copy = await database.copies.get([door.id, AGRI, 'r1'])
  // Of the others the one that the hub still holds: without it, what was deleted here would live on there.
  expect(copy?.past).toEqual([...revs.slice(0, 1), ...revs.slice(-21, -1)])
  expect((await getRecord(AGRI, 'r1'))?.rev).toBe(revs.at(-1))
})
