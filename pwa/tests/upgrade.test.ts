/** An app that is updated in the field keeps what its person made, and pulls again what servers hold. */
import Dexie from 'dexie'
import { expect, test } from 'vitest'
import { NuongDatabase } from '@/storage/database'

test('the first store becomes the present one: drafts, saves, files and who is signed in stay', async () => {
  const first = new Dexie('updated')
  first.version(1).stores({
    drafts: 'id, person, [database+id]',
    revisions: 'rev, [database+id], [enrolment+number], person, id',
    documents: '[database+id], database, type, about',
    bodies: '[database+id], database',
    blobs: 'sha256',
    uploads: '[sha256+record], done, database, record',
    servers: 'id',
    standings: '[server+enrolment]',
    session: 'id',
  })
  await first.open()
  await first.table('drafts').put({ id: 'd', person: 'p', database: 'a' })
  await first
    .table('revisions')
    .put({ rev: '1-a', database: 'a', id: 'r', enrolment: 'e', number: 1, person: 'p', content: {} })
  await first.table('documents').put({ database: 'a', id: 'r', rev: '1-a', type: 'record', about: '' })
  await first.table('bodies').put({ database: 'a', id: 'r', content: {} })
  await first.table('uploads').put({ sha256: 's', record: 'r', database: 'a', done: 1, url: '/x', offset: 3 })
  await first.table('blobs').put({ sha256: 's', blob: new Blob(['abc']), type: 'image/jpeg', bytes: 3, addedAt: '' })
  await first.table('servers').put({ id: 'province', since: { a: '4-x' } })
  await first.table('standings').put({ server: 'province', enrolment: 'e', safe: 1, verdicts: [2] })
  await first.table('session').put({ id: 'current', server: 'province', accessToken: 't', expired: 0 })
  first.close()

  const now = new NuongDatabase('updated')
  await now.open()

  expect(await now.drafts.toArray()).toMatchObject([{ id: 'd', record: 'd', person: 'p' }])
  expect(await now.revisions.get('1-a')).toMatchObject({ number: 1 })
  expect(await now.session.get('current')).toMatchObject({ accessToken: 't', expired: 0, elsewhere: {} })
  expect(await now.standings.toArray()).toMatchObject([{ safe: 1, verdicts: [2], discarded: [] }])
  expect(await now.uploads.toArray()).toMatchObject([{ sha256: 's', sites: {}, done: 0 }])
  // Nothing is known of any server: the next exchange begins at the beginning.
  expect(await now.servers.count()).toBe(0)
  expect(await now.documents.count()).toBe(0)
  expect(await now.bodies.count()).toBe(0)
  expect(await now.pieces.count()).toBe(0)
  now.close()
})

test('an answer that was being written is still there', async () => {
  const third = new Dexie('answering')
  third.version(3).stores({ drafts: 'id', replyDrafts: 'question, person' })
  await third.open()
  await third.table('replyDrafts').put({ question: 'q', person: 'p', choice: null, text: 'Đo lại' })
  third.close()

  const now = new NuongDatabase('answering')
  expect(await now.begunReplies.toArray()).toEqual([{ question: 'q', person: 'p', choice: null, text: 'Đo lại' }])
  now.close()
})
