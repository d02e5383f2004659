/** Two drafts of one record, or one draft in two tabs: every save that was confirmed stands. */
import { beforeEach, expect, test } from 'vitest'
import { database, type Draft } from '@/storage/database'
import { beginDraft, beginEdit, deleteDraft, restoreDraft } from '@/storage/drafts'
import { discardUnsent, finishDraft, getRecord } from '@/storage/records'
import { Door } from './replication/door'
import { AGRI, edit, emptyPhone, exchangeWith, record, signIn } from './replication/phone'

const MAI = 'person-lo.thi.mai'
let door: Door

beforeEach(async () => {
  await emptyPhone()
  door = new Door(['catalog', AGRI])
  await signIn(door)
})

async function begun(id: string): Promise<Draft> {
  const view = await getRecord(AGRI, id)
  if (view === undefined) throw new Error('no such record')
  const { rev, title, content } = view
  return beginEdit({ database: AGRI, id, person: MAI, rev, title, content })
}

/** A correction that was deleted, a new one, and the deletion undone. */
async function twoCorrections(id: string): Promise<[Draft, Draft]> {
  const first = await begun(id)
  await deleteDraft(first.id)
  const second = await begun(id)
  await restoreDraft(first.id)
  expect(second.id).not.toBe(first.id)
  return [first, second]
}

async function allAnswers(id: string): Promise<unknown[]> {
  await exchangeWith(door)
  const revisions = [...(door.databases.get(AGRI)?.revisions.get(id)?.values() ?? [])]
  return door.leaves(AGRI, id).map((rev) => revisions.find((one) => one.rev === rev)?.content['answers'])
}

test('the undo of a deleted correction beside a new one keeps both saves', async () => {
  const id = await record({ area: '1' })
  await exchangeWith(door)
  const [first, second] = await twoCorrections(id)
  const one = await finishDraft(first, { area: '2' }, {})
  const other = await finishDraft(second, { area: '3' }, {})
  expect(other).not.toBe(one)
  expect(await allAnswers(id)).toEqual(expect.arrayContaining([{ area: '2' }, { area: '3' }]))
  expect(new Set((await database.revisions.toArray()).map(({ number }) => number)).size).toBe(3)
})

test('so does one of a record that no request has carried, and both go back to what servers know', async () => {
  const id = await record({ area: '1' })
  await exchangeWith(door)
  const sent = (await getRecord(AGRI, id))?.rev
  await edit(id, { area: '2' })
  const [first, second] = await twoCorrections(id)
  await finishDraft(first, { area: '3' }, {})
  await finishDraft(second, { area: '4' }, {})
  const waiting = (await database.revisions.toArray()).filter(({ frozen }) => frozen === 0)
  expect(waiting.map(({ parent }) => parent)).toEqual([sent, sent])
  expect(await allAnswers(id)).toEqual(expect.arrayContaining([{ area: '3' }, { area: '4' }]))
})

test('a draft that is open in two tabs keeps what each of them saved, and says which revision that is', async () => {
  const draft = await beginDraft({ database: AGRI, person: MAI, form: 'f', version: '1' })
  const first = await finishDraft(draft, { area: '1' }, {})
  const second = await finishDraft(draft, { area: '2' }, {})
  expect(second).not.toBe(first)
  expect(await allAnswers(draft.record)).toEqual(expect.arrayContaining([{ area: '1' }, { area: '2' }]))
})

test('a second tap, at once or later, makes no second save', async () => {
  const id = await record({ area: '1' })
  await exchangeWith(door)
  const draft = await begun(id)
  const [one, other] = await Promise.all([finishDraft(draft, { area: '2' }, {}), finishDraft(draft, { area: '2' }, {})])
  expect(other).toBe(one)
  expect(await finishDraft(draft, { area: '2' }, {})).toBe(one)
  expect(await database.revisions.count()).toBe(2)
})

test('a correction of a correction that was not sent is still one save', async () => {
  const id = await record({ area: '1' })
  await edit(id, { area: '2' })
  await edit(id, { area: '3' })
  expect(await database.revisions.toArray()).toMatchObject([{ number: 1, parent: null }])
})

test('a correction of a save that is taken back goes on from what servers know', async () => {
  const id = await record({ area: '1' })
  await exchangeWith(door)
  const sent = (await getRecord(AGRI, id))?.rev
  const saved = await edit(id, { area: '2' })
  const draft = await begun(id)
  expect(await discardUnsent(saved)).toBe(true)
  await finishDraft(draft, { area: '3' }, {})
  expect((await getRecord(AGRI, id))?.own?.parent).toBe(sent)
})
