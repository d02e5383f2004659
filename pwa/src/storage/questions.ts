/**
 * What managers ask this person, and the person's answers: a card on the phone, answered without a network, blocking
 * nothing. A question stands as long as its field is open; what was decided meanwhile needs no answer any more.
 *
 * An answer is a document of its own, numbered, frozen, sealed and sent like a record's save. It is said once: while it is
 * being written it is a draft, saved on every key, and from then on it is never changed.
 */
import type { Json, JsonObject } from '@/domain/record'
import { revisionId } from '@/domain/revision'
import { uuid7 } from '@/domain/uuid7'
import { database, type OwnRevision, type ReplyDraft } from './database'
import { guarded } from '@/domain/storage-full'
import { openAmong } from './open'
import { isStoredAnywhere } from './outcomes'
import { enrolmentOf } from './records'

/** One of the values between which people disagree; without a value the question doesn't apply, or the row is not there. */
export type Candidate = { rev: string; name: string; isMine: boolean; value: Json | undefined }

/** What the person answered, and where the answer is. */
export type Reply = { candidate: Candidate | null; text: string; at: string; state: 'waiting' | 'sent' | 'refused' }

export type Question = {
  id: string
  database: string
  record: string
  /** The record's name, form and version. */
  title: string
  form: string
  version: string
  /** The field, as a JSON Pointer. */
  path: string
  label: Record<string, string>
  candidates: Candidate[]
  text: string
  askedBy: string
  at: string
  /** Whether the field still waits to be settled. */
  isOpen: boolean
  reply: Reply | null
  draft: ReplyDraft | null
}

/** The questions that were put to this person, the latest first. */
export async function readQuestions(person: string): Promise<Question[]> {
  const { documents, bodies, revisions, enrolments, begunReplies } = database
  const found = await database.transaction('r', [documents, bodies, revisions, enrolments, begunReplies], async () => {
    const rows = (await documents.where('type').anyOf('question', 'reply').toArray()).filter((row) => row.deleted === 0)
    const told = await bodies.bulkGet(rows.map(({ database: name, id, rev }): Key => [name, id, rev]))
    const about = [...new Map(rows.map((row) => [`${row.database} ${row.about}`, row])).values()]
    const records = await documents.bulkGet(about.map((row): [string, string] => [row.database, row.about]))
    const standing = records.flatMap((row) => (row === undefined || row.deleted === 1 ? [] : [row]))
    const open = await openAmong(standing.map(({ database: name, id }) => [name, id]))
    const own = await revisions.where('person').equals(person).toArray()
    const keys = await enrolments.where('person').equals(person).primaryKeys()
    const drafts = await begunReplies.where('person').equals(person).toArray()
    return { rows, told, standing, open, own, keys, drafts }
  })
  const replies = repliesOf(found.own)
  const records = new Map(found.standing.map((row, index) => [`${row.database} ${row.id}`, { row, index }]))
  found.rows.forEach((row, index) => {
    const content = found.told[index]?.content ?? {}
    // Another phone of this person may have answered.
    if (row.type !== 'reply' || !found.keys.includes(row.by) || replies.has(text(content['question']))) return
    replies.set(text(content['question']), { content, at: row.savedAt, state: 'sent' })
  })
  const questions = found.rows.flatMap((row, index): Question[] => {
    const content = found.told[index]?.content ?? {}
    if (row.type !== 'question' || !texts(content['to']).includes(person)) return []
    const record = records.get(`${row.database} ${row.about}`)
    const path = text(content['path'])
    const candidates = candidatesOf(content, person)
    const said = replies.get(row.id)
    return [
      {
        id: row.id,
        database: row.database,
        record: row.about,
        title: record?.row.title ?? '',
        form: record?.row.form ?? '',
        version: record?.row.version ?? '',
        path,
        label: labelsOf(content),
        candidates,
        text: text(content['text']),
        askedBy: text(content['by_name']),
        at: text(content['at']),
        isOpen: record !== undefined && found.open[record.index]?.includes(path) === true,
        reply: said === undefined ? null : replyOf(said, candidates),
        draft: found.drafts.find((draft) => draft.question === row.id) ?? null,
      },
    ]
  })
  return questions.sort((left, right) => right.at.localeCompare(left.at))
}

/** Keep what the person has chosen and written so far. Throws `StorageFull`. */
export async function saveReplyDraft(draft: Omit<ReplyDraft, 'updatedAt'>): Promise<void> {
  await guarded(() => database.begunReplies.put({ ...draft, updatedAt: new Date().toISOString() }))
}

/**
 * Make a draft the person's answer, in one transaction that also takes its number and removes the draft. Called twice, the
 * second call changes nothing. Throws `StorageFull`, the draft still standing.
 */
export async function sendReply(question: Question, person: string): Promise<void> {
  for (;;) {
    const draft = await database.begunReplies.get([person, question.id])
    if (draft === undefined) return
    const enrolment = await enrolmentOf(person)
    const number = enrolment.highestNumber + 1
    const saved = { by: enrolment.id, number: String(number), at: new Date().toISOString() }
    const chosen = question.candidates.find(({ rev }) => rev === draft.choice)
    const content: JsonObject = {
      type: 'reply',
      record: question.record,
      question: question.id,
      ...(chosen?.value === undefined ? {} : { value: chosen.value }),
      ...(chosen === undefined ? {} : { candidate: chosen.rev }),
      text: draft.text.trim(),
      saved,
    }
    const id = `reply:${question.record}:${uuid7()}`
    const rev = await revisionId(id, { deleted: false, parent: null, content })
    const place = { database: question.database, id, parent: null, deleted: 0, title: question.title } as const
    const row: OwnRevision = {
      ...place,
      rev,
      content,
      number,
      enrolment: enrolment.id,
      person,
      frozen: 0,
      savedAt: saved.at,
      receipts: {},
    }
    if (await committed(row, [person, question.id])) return
  }
}

type Key = [string, string, string]
type Said = { content: JsonObject; at: string; state: Reply['state'] }

/** False when another save took the number in between: then it is made anew. */
async function committed(row: OwnRevision, draft: [string, string]): Promise<boolean> {
  const { revisions, enrolments, begunReplies } = database
  return guarded(() =>
    database.transaction('rw', [revisions, enrolments, begunReplies], async () => {
      // A second tap: what the first made stands.
      if ((await begunReplies.get(draft)) === undefined) return true
      const enrolment = await enrolments.get(row.enrolment)
      if (enrolment?.highestNumber !== row.number - 1) return false
      await revisions.put(row)
      await enrolments.update(row.enrolment, { highestNumber: row.number })
      await begunReplies.delete(draft)
      return true
    }),
  )
}

function repliesOf(own: OwnRevision[]): Map<string, Said> {
  const replies = own.filter(({ content }) => content['type'] === 'reply')
  return new Map(
    replies.map((row) => [
      text(row.content['question']),
      { content: row.content, at: row.savedAt, state: stateOf(row) },
    ]),
  )
}

function stateOf(row: OwnRevision): Reply['state'] {
  if (isStoredAnywhere(row)) return 'sent'
  const outcomes = Object.values(row.receipts).map(({ outcome }) => outcome)
  // What a server keeps for a person to look at has arrived.
  if (outcomes.includes('quarantined')) return 'sent'
  return outcomes.includes('refused') ? 'refused' : 'waiting'
}

function replyOf({ content, at, state }: Said, candidates: Candidate[]): Reply {
  const candidate = candidates.find(({ rev }) => rev === content['candidate']) ?? null
  return { candidate, text: text(content['text']), at, state }
}

function candidatesOf(content: JsonObject, person: string): Candidate[] {
  const candidates = content['candidates']
  if (!Array.isArray(candidates)) return []
  return candidates.flatMap((each): Candidate[] => {
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return []
    return [
      { rev: text(each['rev']), name: text(each['by_name']), isMine: each['by'] === person, value: each['value'] },
    ]
  })
}

function labelsOf(content: JsonObject): Record<string, string> {
  const label = content['label']
  if (typeof label !== 'object' || label === null || Array.isArray(label)) return {}
  return Object.fromEntries(Object.entries(label).map(([code, value]) => [code, text(value)]))
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
