/** Photos that came with a record are their own phone's to send: a correction asks nobody to take them again. */
import Dexie from 'dexie'
import { beforeEach, expect, test } from 'vitest'
import type { Media } from '@/domain/record'
import { putBlob } from '@/storage/blobs'
import { database, NuongDatabase } from '@/storage/database'
import { beginEdit } from '@/storage/drafts'
import { discardUnsent, finishDraft, getRecord } from '@/storage/records'
import { readWorklist } from '@/storage/worklist'
import { Door } from './replication/door'
import { AGRI, emptyPhone, exchangeWith, record, signIn } from './replication/phone'

const MAI = 'person-lo.thi.mai'
const elsewhere: Media = { 'theirs.jpg': { sha256: 'a'.repeat(64), bytes: '3', type: 'image/jpeg' } }
let door: Door

beforeEach(async () => {
  await emptyPhone()
  door = new Door(['catalog', AGRI])
  await signIn(door)
})

async function correct(id: string, added: Media = {}): Promise<string> {
  const view = await getRecord(AGRI, id)
  if (view === undefined) throw new Error('no such record')
  const { rev, title, content } = view
  const draft = await beginEdit({ database: AGRI, id, person: MAI, rev, title, content })
  return finishDraft(draft, { photo: 'theirs.jpg' }, { ...draft.media, ...added })
}

test('correcting a record of the commune queues no photo that another phone took', async () => {
  await door.write(AGRI, 'theirs', { type: 'record', form: 'f', answers: { photo: 'theirs.jpg' }, media: elsewhere })
  await exchangeWith(door)
  const own = await putBlob(new Blob(['own'], { type: 'image/jpeg' }))
  await correct('theirs', { 'own.jpg': own })
  expect((await database.uploads.toArray()).map(({ name }) => name)).toEqual(['own.jpg'])
  expect((await readWorklist(MAI)).all.map(({ filesWaiting }) => filesWaiting)).toEqual([1])
  // The record still names both.
  const [revision] = await database.revisions.toArray()
  expect(Object.keys(revision?.content['media'] ?? {})).toEqual(['theirs.jpg', 'own.jpg'])
})

test('a photo of this phone is queued again where its first save was taken back under the correction', async () => {
  const own = await putBlob(new Blob(['own'], { type: 'image/jpeg' }))
  const id = await record({ photo: 'own.jpg' }, { 'own.jpg': own })
  const view = await getRecord(AGRI, id)
  if (view === undefined) throw new Error('no such record')
  const { rev, title, content } = view
  const draft = await beginEdit({ database: AGRI, id, person: MAI, rev, title, content })
  await discardUnsent(rev)
  expect(await database.uploads.count()).toBe(0)
  await finishDraft(draft, { photo: 'own.jpg' }, draft.media)
  expect((await database.uploads.toArray()).map(({ name }) => name)).toEqual(['own.jpg'])
})

test('a phone that already asks for photos of others stops asking when the app is updated', async () => {
  const before = new Dexie('asking')
  before.version(5).stores({
    revisions: 'rev, [database+id], [enrolment+number], person, id',
    bodies: '[database+id+rev], [database+id]',
    blobs: 'sha256',
    uploads: '[sha256+record], done, database, record',
  })
  const upload = (sha256: string, id: string): object => ({ sha256, record: id, database: AGRI, sites: {}, done: 0 })
  const save = (rev: string, id: string, parent: string | null, ...files: string[]): object => {
    const media = Object.fromEntries(
      files.map((sha256) => [`${sha256}.jpg`, { sha256, bytes: '1', type: 'image/jpeg' }]),
    )
    return {
      rev,
      id,
      database: AGRI,
      parent,
      content: { type: 'record', media },
      enrolment: 'e',
      number: 1,
      person: MAI,
    }
  }
  await before.table('bodies').put({ database: AGRI, id: 'known', rev: '1-t', content: { media: {} } })
  await before
    .table('revisions')
    .bulkPut([
      save('2-a', 'theirs', '1-t', 'inherited', 'held'),
      save('1-b', 'mine', null, 'lost'),
      save('2-b', 'mine', '1-b', 'lost'),
      save('2-c', 'known', '1-t', 'added'),
    ])
  await before.table('blobs').put({ sha256: 'held', blob: new Blob(['x']), type: '', bytes: 1, addedAt: '' })
  await before
    .table('uploads')
    .bulkPut([
      upload('inherited', 'theirs'),
      upload('held', 'theirs'),
      upload('lost', 'mine'),
      upload('added', 'known'),
    ])
  before.close()

  const now = new NuongDatabase('asking')
  // What was taken here stays, also where its bytes are gone: only its person can take it again.
  expect((await now.uploads.toArray()).map(({ sha256 }) => sha256).sort()).toEqual(['added', 'held', 'lost'])
  now.close()
})
