import { beforeEach, expect, test } from 'vitest'
import { database } from '@/storage/database'
import { getRecord } from '@/storage/records'
import { openAmong } from '@/storage/open'
import { readQuestions, saveReplyDraft, sendReply, type Question } from '@/storage/questions'
import { readWorklist } from '@/storage/worklist'
import { Door } from './replication/door'
import { AGRI, edit, emptyPhone, exchangeWith, record, signIn } from './replication/phone'

const MAI = 'person-lo.thi.mai'
const PATH = '/answers/area'
const ASKED = 'question:r:0192f000-0000-7000-8000-000000000001'
let door: Door
let id: string
let mine: string

/** The person's record, merged with somebody else's save: one field is open, and a manager has asked about it. */
beforeEach(async () => {
  await emptyPhone()
  door = new Door(['catalog', AGRI])
  await signIn(door)
  id = await record({ area: '1.2' })
  await exchangeWith(door)
  mine = door.winner(AGRI, id)?.rev ?? ''
  await merge({ [PATH]: [mine, '2-b'] })
  await ask()
  await exchangeWith(door)
})

async function merge(open: Record<string, string[]>): Promise<void> {
  const content = { type: 'record', form: 'f', form_version: '1', answers: { area: '0.8' }, merged: ['2-b'] }
  await door.write(AGRI, id, { ...content, ...(Object.keys(open).length > 0 ? { open } : {}) }, mine)
}

async function ask(to = [MAI], name = ASKED): Promise<void> {
  const candidates = [
    { rev: mine, by: MAI, by_name: 'Lò Thị Mai', value: '1.2' },
    { rev: '2-b', by: 'p2', by_name: 'Lò Thị Hoa', value: '0.8' },
  ]
  const content = { type: 'question', record: id, path: PATH, rev: '3-x', candidates, text: '', to }
  const label = { vi: 'Diện tích', en: 'Area' }
  await door.write(AGRI, name, { ...content, label, by: 'p3', by_name: 'Bình', at: '2026-11-21T08:00:00Z' })
}

async function only(): Promise<Question> {
  const [question] = await readQuestions(MAI)
  if (question === undefined) throw new Error('nothing is asked')
  return question
}

test('a question shows what each has said, and stands as long as its field is open', async () => {
  const question = await only()
  expect(question).toMatchObject({ record: id, label: { vi: 'Diện tích' }, askedBy: 'Bình', isOpen: true, reply: null })
  expect(question.candidates.map(({ name, isMine, value }) => [name, isMine, value])).toEqual([
    ['Lò Thị Mai', true, '1.2'],
    ['Lò Thị Hoa', false, '0.8'],
  ])
  const content = { type: 'record', form: 'f', form_version: '1', answers: { area: '0.8' }, decided: [PATH] }
  await door.write(AGRI, id, content, (await getRecord(AGRI, id))?.rev ?? null)
  await exchangeWith(door)
  expect((await only()).isOpen).toBe(false)
})

async function tellOpen(...paths: string[]): Promise<void> {
  const told = door.winner(AGRI, `open:${id}`)?.rev ?? null
  await door.write(AGRI, `open:${id}`, { type: 'open', record: id, paths }, told)
}

test('a question and the mark stand whatever plain edits come in between, until the field is no longer open', async () => {
  await tellOpen(PATH)
  const plain = { type: 'record', form: 'f', form_version: '1', answers: { area: '0.8', crop: 'rice' } }
  await door.write(AGRI, id, plain, (await getRecord(AGRI, id))?.rev ?? null)
  await exchangeWith(door)
  expect((await getRecord(AGRI, id))?.content).not.toHaveProperty('open')
  expect((await only()).isOpen).toBe(true)
  expect(await openAmong([[AGRI, id]])).toEqual([[PATH]])
  expect((await readWorklist(MAI)).all).toMatchObject([{ id, isOpen: true }])
  await edit(id, { area: '0.8', crop: 'maize' })
  expect((await only()).isOpen).toBe(true)
  expect(await openAmong([[AGRI, id]])).toEqual([[PATH]])
  expect((await readWorklist(MAI)).all).toMatchObject([{ id, isOpen: true }])
  await exchangeWith(door)
  const decided = { ...plain, decided: [PATH] }
  await door.write(AGRI, id, decided, (await getRecord(AGRI, id))?.rev ?? null)
  await exchangeWith(door)
  // Fetched before the server has told it beside the record.
  expect((await only()).isOpen).toBe(false)
  await tellOpen()
  await exchangeWith(door)
  expect((await only()).isOpen).toBe(false)
  expect(await openAmong([[AGRI, id]])).toEqual([[]])
  expect((await readWorklist(MAI)).all).toMatchObject([{ id, isOpen: false }])
})

test('a question to somebody else is not shown', async () => {
  await ask(['p2'], 'question:r:0192f000-0000-7000-8000-000000000002')
  await exchangeWith(door)
  expect(await readQuestions(MAI)).toHaveLength(1)
})

test('an answer is kept while it is written, waits without a network, and is sent once like a save', async () => {
  const question = await only()
  await saveReplyDraft({ question: question.id, person: MAI, choice: mine, text: ' Đo lại ' })
  expect((await only()).draft).toMatchObject({ choice: mine, text: ' Đo lại ' })
  await Promise.all([sendReply(question, MAI), sendReply(question, MAI)])
  expect(await only()).toMatchObject({
    draft: null,
    reply: { state: 'waiting', text: 'Đo lại', candidate: { rev: mine } },
  })
  const before = (await readWorklist(MAI)).all
  expect(before.map((item) => item.id)).toEqual([id])
  await exchangeWith(door)
  expect((await only()).reply?.state).toBe('sent')
  const sent = door.requests.at(-1)?.push.map(({ doc }) => doc) ?? []
  expect(sent).toMatchObject([{ type: 'reply', record: id, question: ASKED, value: '1.2', saved: { number: '2' } }])
  expect(sent[0]?._id.startsWith(`reply:${id}:`)).toBe(true)
  expect(await database.revisions.count()).toBe(2)
})

test('where neither is right, the words alone are the answer', async () => {
  const question = await only()
  await saveReplyDraft({ question: question.id, person: MAI, choice: 'none', text: 'Bán một nửa rồi' })
  await sendReply(question, MAI)
  const [, reply] = await database.revisions.orderBy('[enrolment+number]').toArray()
  expect(reply?.content).not.toHaveProperty('value')
  expect(await only()).toMatchObject({ reply: { candidate: null, text: 'Bán một nửa rồi' } })
})

test('an answer from another phone of the same person counts', async () => {
  const key = (await database.enrolments.toArray())[0]
  const content = {
    type: 'reply',
    record: id,
    question: ASKED,
    text: 'Đúng là 1,2',
    saved: { by: key?.id ?? '', at: '' },
  }
  await door.write(AGRI, `reply:${id}:0192f000-0000-7000-8000-000000000009`, content)
  await exchangeWith(door)
  expect((await only()).reply).toMatchObject({ state: 'sent', text: 'Đúng là 1,2' })
})

test('a record about which people disagree says so in the lists', async () => {
  expect((await readWorklist(MAI)).sent).toMatchObject([{ id, isOpen: true }])
})

test('who carried a record on is kept with it, whichever server is met next', async () => {
  door.by = { [id]: [{ name: 'Lò Thị Hoa' }, { name: 'Bình', decided: [PATH], comment: 'Đã đo lại' }] }
  const decided = { type: 'record', form: 'f', form_version: '1', answers: { area: '0.8' }, decided: [PATH] }
  await door.write(AGRI, id, decided, (await getRecord(AGRI, id))?.rev ?? null)
  await exchangeWith(door)
  const told = [
    { name: 'Lò Thị Hoa', decided: [], comment: '' },
    { name: 'Bình', decided: [PATH], comment: 'Đã đo lại' },
  ]
  expect((await getRecord(AGRI, id))?.by).toEqual(told)
  const hub = new Door(['catalog', AGRI], 'hub')
  hub.keys = door.keys
  await hub.take(door)
  await signIn(hub)
  await exchangeWith(hub)
  expect((await getRecord(AGRI, id))?.by).toEqual(told)
})
