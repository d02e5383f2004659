/** Two people with one phone, one after the other: each sees and continues their own work, and nobody else's. */
import { beforeEach, expect, test } from 'vitest'
import type { Fetch } from '@/api/client'
import { database } from '@/storage/database'
import { beginEdit, getDraft, saveDraft } from '@/storage/drafts'
import { readQuestions, saveReplyDraft, sendReply } from '@/storage/questions'
import { getRecord } from '@/storage/records'
import { readWorklist } from '@/storage/worklist'
import { Door } from './door'
import { AGRI, edit, emptyPhone, exchangeWith, record, signIn } from './phone'

const MAI = 'person-lo.thi.mai'
const SUNG = 'person-vang.a.sung'
let door: Door

beforeEach(async () => {
  await emptyPhone()
  door = new Door(['catalog', AGRI])
  await signIn(door)
})

const answersOf = async (id: string): Promise<unknown> => (await getRecord(AGRI, id))?.content['answers']

test('a save is shown to whoever made it, also where the other one has saved more often', async () => {
  const id = await record({ area: '1' })
  await edit(id, { area: '2' })
  await exchangeWith(door)
  await signIn(door, 'vang.a.sung')
  await exchangeWith(door)
  const theirs = await edit(id, { area: '3' }, SUNG)
  expect(await answersOf(id)).toEqual({ area: '3' })
  const again = await edit(id, { area: '4' }, SUNG)
  expect(await answersOf(id)).toEqual({ area: '4' })
  // The second save stands for the first, which no request had carried: there is one branch, not two.
  expect(await database.revisions.get(theirs)).toBeUndefined()
  await exchangeWith(door)
  expect(door.leaves(AGRI, id)).toEqual([again])
})

test('what one has not sent yet is neither shown to the other nor continued by the other', async () => {
  const id = await record({ area: '1' })
  await exchangeWith(door)
  await edit(id, { area: 'not sent' })
  await signIn(door, 'vang.a.sung')
  // The network goes after what Sùng pulls and before what Mai has left here.
  let requests = 0
  const once: Fetch = (url, init) =>
    (requests += 1) > 1 ? Promise.reject(new TypeError('no network')) : door.fetch(url, init)
  await expect(exchangeWith(door, once)).rejects.toThrow()
  expect(await answersOf(id)).toEqual({ area: '1' })
  await edit(id, { area: '2' }, SUNG)
  await exchangeWith(door)
  expect(door.leaves(AGRI, id)).toHaveLength(2)
})

test('each has a correction of their own of the same record', async () => {
  const id = await record({ area: '1' })
  await exchangeWith(door)
  const mine = await begun(id, MAI)
  await saveDraft(mine, { xml: '<mine/>' })
  await signIn(door, 'vang.a.sung')
  await exchangeWith(door)
  expect(await getDraft(mine)).toBeUndefined()
  const theirs = await begun(id, SUNG)
  expect(await getDraft(theirs)).toMatchObject({ person: SUNG, record: id, xml: null })
  expect((await readWorklist(SUNG)).drafts.map(({ draft }) => draft)).toEqual([theirs])
  await signIn(door)
  expect(await begun(id, MAI)).toBe(mine)
  expect(await getDraft(mine)).toMatchObject({ xml: '<mine/>' })
})

test('each writes an answer of their own to a question that both are asked', async () => {
  await door.write(AGRI, 'r1', { type: 'record', form: 'f', form_version: '1', answers: {} })
  const question = { type: 'question', record: 'r1', path: '/answers/area', to: [MAI, SUNG], text: '?', candidates: [] }
  await door.write(AGRI, 'question:r1:1', question)
  await exchangeWith(door)
  await saveReplyDraft({ question: 'question:r1:1', person: MAI, choice: 'none', text: 'Mai' })
  await saveReplyDraft({ question: 'question:r1:1', person: SUNG, choice: 'none', text: 'Sùng' })
  await signIn(door, 'vang.a.sung')
  await exchangeWith(door)
  const [asked] = await readQuestions(SUNG)
  if (asked === undefined) throw new Error('no question')
  expect(asked.draft?.text).toBe('Sùng')
  await sendReply(asked, SUNG)
  expect((await database.revisions.toArray()).map(({ person, content }) => [person, content['text']])).toEqual([
    [SUNG, 'Sùng'],
  ])
  expect((await readQuestions(MAI))[0]?.draft?.text).toBe('Mai')
})

/** Begin to correct a record as its list would, or go on; returns the draft. */
async function begun(id: string, person: string): Promise<string> {
  const view = await getRecord(AGRI, id)
  if (view === undefined) throw new Error('no such record')
  const { rev, title, content } = view
  return (await beginEdit({ database: AGRI, id, person, rev, title, content })).id
}
