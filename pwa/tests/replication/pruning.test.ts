/** What grows on a phone goes once a server has it for good; what is shown, corrected or not everywhere yet stays. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { getBlob, putBlob } from '@/storage/blobs'
import type { Answers, Media } from '@/domain/record'
import { prune } from '@/replication/pruning'
import { database } from '@/storage/database'
import { beginEdit } from '@/storage/drafts'
import { finishDraft, getRecord } from '@/storage/records'
import { storeSignOut } from '@/storage/session'
import { readWorklist } from '@/storage/worklist'
import { Door } from './door'
import { AGRI, edit, emptyPhone, exchangeWith, record, remove, runWith, signIn } from './phone'

const MAI = 'person-lo.thi.mai'
let door: Door

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  await emptyPhone()
  door = new Door(['catalog', AGRI])
  door.time = new Date().toISOString()
  await signIn(door)
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

/** Days go by, at the servers and here. */
function wait(days: number, ...doors: Door[]): void {
  vi.setSystemTime(Date.now() + days * 86_400_000)
  for (const one of doors) one.time = new Date(Date.parse(one.time) + days * 86_400_000).toISOString()
}

/** A hub beside the province, that this phone has met. */
async function metHub(): Promise<Door> {
  const hub = new Door(['catalog', AGRI], 'hub')
  hub.time = door.time
  hub.keys = door.keys
  await signIn(hub)
  await exchangeWith(hub)
  return hub
}

async function photoOf(text: string): ReturnType<typeof putBlob> {
  return putBlob(new Blob([text], { type: 'image/jpeg' }))
}

async function correct(id: string, answers: Answers, media: Media): Promise<void> {
  const view = await getRecord(AGRI, id)
  if (view === undefined) throw new Error('no such record')
  const { rev, title, content } = view
  await finishDraft(await beginEdit({ database: AGRI, id, person: MAI, rev, title, content }), answers, media)
}

async function numbers(): Promise<number[]> {
  return (await database.revisions.orderBy('[enrolment+number]').toArray()).map(({ number }) => number)
}

async function three(): Promise<string[]> {
  const ids: string[] = []
  for (const n of ['1', '2', '3']) {
    ids.push(await record({ n }))
    vi.setSystemTime(Date.now() + 1000)
  }
  return ids
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
  await metHub()
  await three()
  await exchangeWith(door)
  wait(31, door)
  await database.servers.update('hub', { lastExchangeAt: new Date().toISOString() })
  await exchangeWith(door)
  expect(await numbers()).toEqual([1, 2, 3])
  wait(31, door)
  await exchangeWith(door)
  expect(await numbers()).toEqual([3])
})

test('what another server is still to be sent stays, also when its person has signed out meanwhile', async () => {
  const hub = await metHub()
  await three()
  await exchangeWith(door)
  await storeSignOut()
  await signIn(door)
  await exchangeWith(door)
  wait(31, door)
  await exchangeWith(door)
  expect(await numbers()).toEqual([1, 2, 3])
  await signIn(hub)
  await exchangeWith(hub)
  await exchangeWith(door)
  wait(2, door)
  await exchangeWith(door)
  expect(await numbers()).toEqual([3])
})

test('a server whose clock was behind when it took a save makes it no older', async () => {
  const today = door.time
  await three()
  door.time = '2019-01-01T00:00:00Z'
  await exchangeWith(door)
  door.time = today
  wait(1, door)
  await exchangeWith(door)
  expect(await numbers()).toEqual([1, 2, 3])
})

test('one answer from a clock that is ahead drops nothing', async () => {
  await three()
  await exchangeWith(door)
  door.time = '2036-01-01T00:00:00Z'
  await exchangeWith(door)
  expect(await numbers()).toEqual([1, 2, 3])
})

test('a phone whose clock is years behind keeps what a hub is still to be sent', async () => {
  vi.setSystemTime('2015-01-01T00:00:00Z')
  await metHub()
  await three()
  await exchangeWith(door)
  door.time = new Date(Date.parse(door.time) + 31 * 86_400_000).toISOString()
  await exchangeWith(door)
  expect(await numbers()).toEqual([1, 2, 3])
})

test('a photo that a correction has replaced leaves nothing behind that waits for it', async () => {
  const [first, second] = [await photoOf('first'), await photoOf('second')]
  const id = await record({ photo: 'a.jpg' }, { 'a.jpg': first })
  await record({ n: '2' })
  await runWith(door)
  wait(20, door)
  await correct(id, { photo: 'b.jpg' }, { 'b.jpg': second })
  await runWith(door)
  wait(11, door)
  await runWith(door)
  expect([await numbers(), await getBlob(first.sha256)]).toEqual([[3], undefined])
  door.epoch = 'epoch-2'
  await runWith(door)
  const uploads = await database.uploads.toArray()
  expect(uploads.map(({ sha256 }) => sha256)).toEqual([second.sha256])
  expect(uploads[0]?.sites[door.id]).toMatchObject({ done: 1, problem: null })
})

test('a photo that is at another server alone keeps its save', async () => {
  const hub = await metHub()
  const photo = await photoOf('photo')
  await record({ photo: 'a.jpg' }, { 'a.jpg': photo })
  await record({ n: '2' })
  await runWith(hub)
  await exchangeWith(door)
  wait(31, door)
  await exchangeWith(door)
  expect(await numbers()).toEqual([1, 2])
  expect([await database.uploads.count(), await database.blobs.count()]).toEqual([1, 1])
})

test('what is shown of an area that its person is taken from stays', async () => {
  await three()
  await exchangeWith(door)
  const shown = JSON.stringify(await readWorklist(MAI))
  door.carry = ['catalog']
  await exchangeWith(door)
  wait(31, door)
  await exchangeWith(door)
  expect(JSON.stringify(await readWorklist(MAI))).toBe(shown)
})

test('a deletion stays as long as a save that it deletes', async () => {
  const [first = ''] = await three()
  door.quarantine.add(first)
  await exchangeWith(door)
  door.quarantine.clear()
  await remove(first)
  await record({ n: '5' })
  await exchangeWith(door)
  wait(31, door)
  await exchangeWith(door)
  expect(await numbers()).toEqual([1, 4, 5])
  expect((await getRecord(AGRI, first))?.deleted).toBe(true)
})

test('a file that nothing names, because its person may still undo that, is not taken along', async () => {
  const [named, givenUp] = [await photoOf('named'), await photoOf('given up')]
  await record({ photo: 'a.jpg' }, { 'a.jpg': named })
  await record({ n: '2' })
  await runWith(door)
  wait(31, door)
  await runWith(door)
  expect(await numbers()).toEqual([2])
  expect(await getBlob(named.sha256)).toBeUndefined()
  expect(await getBlob(givenUp.sha256)).toBeDefined()
})

test('many go in turn, so that a form that is being filled need not wait for all', async () => {
  await three()
  await exchangeWith(door)
  const rows = await database.revisions.toArray()
  for (const row of rows) row.receipts = { [door.id]: { outcome: 'stored', reason: null, at: door.time } }
  const many = Array.from({ length: 450 }, (_, index) => {
    const n = index + 4
    return { ...rows[0], rev: `1-${String(n)}`, id: `r${String(n)}`, number: n } as (typeof rows)[number]
  })
  await database.revisions.bulkPut([...rows, ...many])
  await database.standings.toCollection().modify({ safe: 453 })
  await database.documents.bulkPut(
    (await database.documents.toArray()).flatMap((one) => many.map(({ id, rev }) => ({ ...one, id, rev }))),
  )
  const transactions = vi.spyOn(database, 'transaction')
  wait(31, door)
  const gone = await prune(door.id, door.time, Date.now(), database)
  expect([gone, await numbers()]).toEqual([452, [453]])
  expect(transactions).toHaveBeenCalledTimes(3)
})

test('each server is asked for what it has made needless', async () => {
  const hub = await metHub()
  await three()
  await exchangeWith(hub)
  wait(31, hub, door)
  await exchangeWith(door)
  expect(await numbers()).toEqual([1, 2, 3])
  await exchangeWith(hub)
  expect(await numbers()).toEqual([3])
})

test('an exchange goes on where the phone can drop nothing', async () => {
  await three()
  const broken = vi.spyOn(database.settings, 'get').mockRejectedValue(new Error('broken'))
  await exchangeWith(door)
  broken.mockRestore()
  expect((await database.revisions.toArray()).every((row) => row.receipts[door.id] !== undefined)).toBe(true)
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
