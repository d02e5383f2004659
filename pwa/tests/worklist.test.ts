import { beforeEach, expect, test } from 'vitest'
import { putBlob } from '@/storage/blobs'
import { database } from '@/storage/database'
import { beginDraft, deleteDraft, restoreDraft } from '@/storage/drafts'
import { getRecord } from '@/storage/records'
import { readWorklist, reviewsOf } from '@/storage/worklist'
import { Door } from './replication/door'
import { AGRI, edit, emptyPhone, exchangeWith, record, signIn } from './replication/phone'

const MAI = 'person-lo.thi.mai'
let door: Door

beforeEach(async () => {
  await emptyPhone()
  door = new Door(['catalog', AGRI])
  await signIn(door)
})

const named = (name: string): { meta: { instanceName: string } } => ({ meta: { instanceName: name } })
const lists = (): ReturnType<typeof readWorklist> => readWorklist(MAI)

async function decide(id: string, rev: string, decision: string, comment = ''): Promise<void> {
  const content = {
    type: 'review',
    record: id,
    rev,
    decision,
    comment,
    comments: {},
    by: 'p',
    by_name: 'Vàng A Sử',
    at: '2026-11-21T08:00:00Z',
    follows: [],
  }
  await door.write(AGRI, `review:${id}:${decision}`, content)
}

test('a save waits, and is on the server after the exchange', async () => {
  const id = await record(named('Lò Thị Mai'))
  expect((await lists()).waiting.map((item) => [item.id, item.title, item.state.kind])).toEqual([
    [id, 'Lò Thị Mai', 'waiting'],
  ])
  await exchangeWith(door)
  const after = await lists()
  expect(after.waiting).toEqual([])
  expect(after.sent.map(({ state }) => state.kind)).toEqual(['received'])
})

test('on a shared phone, a photo still to send is its person’s: another cannot send it', async () => {
  const photo = await putBlob(new Blob(['x'], { type: 'image/jpeg' }))
  await record({ photo: 'a.jpg' }, { 'a.jpg': photo })
  await exchangeWith(door)
  const filesOf = async (person: string): Promise<number[]> =>
    (await readWorklist(person)).all.map(({ filesWaiting }) => filesWaiting)
  expect(await filesOf(MAI)).toEqual([1])
  expect(await filesOf('person-of-the-same-phone')).toEqual([0])
})

test('a return stands in the list to correct with its comment, until the correction is sent', async () => {
  const id = await record(named('a'))
  await exchangeWith(door)
  await decide(id, door.winner(AGRI, id)?.rev ?? '', 'returned', 'Thiếu diện tích')
  await exchangeWith(door)
  expect((await lists()).fix).toMatchObject([
    { id, state: { kind: 'returned' }, comment: 'Thiếu diện tích', isMine: true },
  ])
  expect(await reviewsOf(AGRI, id)).toHaveLength(1)
  await edit(id, named('b'))
  expect((await lists()).waiting).toMatchObject([{ id, state: { kind: 'waiting' } }])
  await exchangeWith(door)
  expect((await lists()).sent).toMatchObject([{ id, state: { kind: 'corrected' } }])
})

test('an approved record says so, and another person’s shows only among those of the commune', async () => {
  const rev = await door.write(AGRI, 'r1', {
    type: 'record',
    form: 'f',
    form_version: '1',
    answers: named('của người khác'),
  })
  await decide('r1', rev, 'approved')
  await exchangeWith(door)
  const found = await lists()
  expect(found.all).toMatchObject([{ id: 'r1', state: { kind: 'approved' }, isMine: false }])
  expect(found.sent).toEqual([])
  expect(found.all[0]?.folded).toBe('cua nguoi khac')
})

test('what the server refused is to be corrected, with its reason; what it keeps in quarantine is said to be kept', async () => {
  const refused = await record(named('x'))
  door.refuse.add(refused)
  const held = await record(named('y'))
  door.quarantine.add(held)
  await exchangeWith(door)
  const found = await lists()
  expect(found.fix).toMatchObject([{ id: refused, state: { kind: 'refused', reason: 'not_allowed' } }])
  expect(found.sent).toMatchObject([{ id: held, state: { kind: 'held' } }])
})

test('a deleted draft is in no list and comes back whole', async () => {
  const draft = await beginDraft({ database: AGRI, person: MAI, form: 'f', version: '1' })
  expect((await lists()).drafts).toHaveLength(1)
  await deleteDraft(draft.id)
  expect((await lists()).drafts).toEqual([])
  await restoreDraft(draft.id)
  expect(await database.drafts.get(draft.id)).toEqual(draft)
})

test('a deleted record is in no list', async () => {
  const rev = await door.write(AGRI, 'r1', { type: 'record', form: 'f', form_version: '1', answers: {} })
  await exchangeWith(door)
  await door.write(AGRI, 'r1', { type: 'record', form: 'f' }, rev, true)
  await exchangeWith(door)
  expect((await lists()).all).toEqual([])
  expect((await getRecord(AGRI, 'r1'))?.deleted).toBe(true)
})
