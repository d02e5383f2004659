/** The disk fills up: every save fails whole, says so, and what was there before stands. */
import Dexie, { type DBCore, type DBCoreMutateRequest, type Middleware } from 'dexie'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { asProblem } from '@/api/problem'
import { database, serverState } from '@/storage/database'
import { collectBlobs, getBlob, putBlob } from '@/storage/blobs'
import { beginDraft, saveDraft } from '@/storage/drafts'
import { StorageFull } from '@/domain/storage-full'
import { finishDraft } from '@/storage/records'
import { Door } from './replication/door'
import { AGRI, emptyPhone, exchangeWith, record, signIn } from './replication/phone'

let isFull = false
/** Whether there is room for what is small, and none for what servers hold. */
let isNearlyFull = false
/** Text that is too long for the disk. */
let noRoomFor = ''

function isRefused(table: string, request: DBCoreMutateRequest): boolean {
  if (isFull || (isNearlyFull && table === 'bodies')) return true
  return noRoomFor !== '' && 'values' in request && JSON.stringify(request.values).includes(noRoomFor)
}

const disk: Middleware<DBCore> = {
  stack: 'dbcore',
  name: 'disk',
  create: (core) => ({
    ...core,
    table: (name) => {
      const table = core.table(name)
      return {
        ...table,
        mutate: (request) =>
          isRefused(name, request) && request.type !== 'delete'
            ? Dexie.Promise.reject(new DOMException('no room', 'QuotaExceededError'))
            : table.mutate(request),
      }
    },
  }),
}

beforeEach(async () => {
  isFull = false
  isNearlyFull = false
  noRoomFor = ''
  database.close()
  database.use(disk)
  await database.open()
  await emptyPhone()
})

afterEach(() => {
  isFull = false
  isNearlyFull = false
})
afterAll(() => {
  database.close()
  database.unuse({ stack: 'dbcore', name: 'disk' })
})

test('a draft keeps its last saved answers, and saves again after room was made', async () => {
  await signIn(new Door(['catalog', AGRI]))
  const draft = await beginDraft({ database: AGRI, person: 'person-lo.thi.mai', form: 'f', version: '1' })
  await saveDraft(draft.id, { xml: '<one/>' })
  isFull = true
  await expect(saveDraft(draft.id, { xml: '<two/>' })).rejects.toThrow(StorageFull)
  expect((await database.drafts.get(draft.id))?.xml).toBe('<one/>')
  isFull = false
  expect(await saveDraft(draft.id, { xml: '<two/>' })).toBe(true)
})

test('finishing leaves the draft where it was, with no number taken', async () => {
  const enrolment = await signIn(new Door(['catalog', AGRI]))
  const draft = await beginDraft({ database: AGRI, person: 'person-lo.thi.mai', form: 'f', version: '1' })
  isFull = true
  const failure = await finishDraft(draft, { a: '1' }, {}).catch(asProblem)
  expect(failure).toMatchObject({ code: 'storage_full' })
  expect(await database.drafts.get(draft.id)).toBeDefined()
  expect(await database.revisions.count()).toBe(0)
  expect((await database.enrolments.get(enrolment))?.highestNumber).toBe(0)
})

test('a photo that finds no room is told, not lost silently', async () => {
  isFull = true
  await expect(putBlob(new Blob(['x']))).rejects.toThrow(StorageFull)
})

test('an exchange that cannot be written is as if it had not been: the next one brings it again', async () => {
  const door = new Door(['catalog', AGRI])
  await signIn(door)
  const id = await record({ a: '1' })
  await door.write(AGRI, 'theirs', { type: 'record', form: 'f', answers: {} })
  isFull = true
  await expect(exchangeWith(door)).rejects.toMatchObject({ code: 'storage_full' })
  isFull = false
  await exchangeWith(door)
  expect(door.leaves(AGRI, id)).toHaveLength(1)
  expect(await database.documents.where('database').equals(AGRI).count()).toBe(2)
})

test(
  'a full phone learns that what it pushed arrived, all of it, and takes the rest when there is room',
  { tags: ['slow'] },
  async () => {
    const door = new Door(['catalog', AGRI])
    await signIn(door)
    for (let n = 0; n < 60; n += 1) await record({ n: String(n) })
    await database.servers.put({ ...serverState(door.id), maxBytes: 16_000 })
    await door.write(AGRI, 'theirs', { type: 'record', form: 'f', answers: {} })
    isNearlyFull = true
    await expect(exchangeWith(door)).rejects.toMatchObject({ code: 'storage_full' })
    const outcomes = (await database.revisions.toArray()).map(({ receipts }) => receipts[door.id]?.outcome)
    expect(outcomes).toEqual(Array.from({ length: 60 }, () => 'stored'))
    expect((await database.servers.get(door.id))?.since).toEqual({})
    isNearlyFull = false
    const sent = door.requests.length
    await exchangeWith(door)
    expect(door.requests.slice(sent).flatMap(({ push }) => push)).toEqual([])
    expect(await database.documents.where('database').equals(AGRI).count()).toBe(61)
    expect((await database.servers.get(door.id))?.digests[AGRI]).toBe(await door.digest(AGRI))
  },
)

test('one database that finds no room leaves the others their page', async () => {
  const door = new Door([AGRI, 'agri-03227-2025'])
  await signIn(door)
  const long = 'x'.repeat(2_000)
  await door.write(AGRI, 'large', { type: 'record', form: 'f', answers: { long } })
  await door.write('agri-03227-2025', 'small', { type: 'record', form: 'f', answers: {} })
  noRoomFor = long
  await expect(exchangeWith(door)).rejects.toMatchObject({ code: 'storage_full' })
  expect(await database.documents.toCollection().primaryKeys()).toEqual([['agri-03227-2025', 'small']])
  noRoomFor = ''
  await exchangeWith(door)
  expect(await database.documents.count()).toBe(2)
})

test('only files that nothing names are collected, and none of today', async () => {
  const door = new Door(['catalog', AGRI])
  await signIn(door)
  const kept = await putBlob(new Blob(['kept'], { type: 'image/jpeg' }))
  const loose = await putBlob(new Blob(['loose'], { type: 'audio/webm;codecs=opus' }))
  expect(loose.type).toBe('audio/webm')
  await record({ photo: 'a.jpg' }, { 'a.jpg': kept })
  expect(await collectBlobs()).toBe(0)
  expect(await collectBlobs(Date.now() + 2 * 86_400_000)).toBe(1)
  expect(await getBlob(kept.sha256)).toBeDefined()
  expect(await getBlob(loose.sha256)).toBeUndefined()
})
