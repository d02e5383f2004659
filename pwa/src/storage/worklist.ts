/**
 * Everything that the phone's lists show, read in one go: own work over the server's copies, with what supervisors
 * decided. Bodies are read only where a decision or a task needs them, so that thousands of records stay quick.
 */
import { decisionOf, review, type Decision, type ReviewState } from '@/domain/review'
import { folded } from '@/domain/folding'
import type { JsonObject, ReviewDocument } from '@/domain/record'
import { database, type Draft, type OwnRevision, type Receipt, type ServerDocument, type Upload } from './database'
import { isStored } from './outcomes'
import { latestById, ownIsAhead } from './records'

/** Where a record stands, as its person should understand it. */
export type RecordState =
  | { kind: 'draft' }
  | { kind: 'waiting' }
  | { kind: 'refused'; reason: string | null }
  /** A server fails on it, though it takes others: it is tried again by itself, or when a person asks. */
  | { kind: 'aside'; reason: string }
  | { kind: 'held' }
  | { kind: ReviewState | 'corrected' }

export type WorkItem = {
  key: string
  database: string
  id: string
  form: string
  version: string
  title: string
  folded: string
  at: string
  state: RecordState
  isMine: boolean
  /** The draft that it is, or of a correction that was begun; null where there is none. */
  draft: string | null
  /** Files of the record that have not arrived yet. */
  filesWaiting: number
  /** Whether people disagree about some of its fields. */
  isOpen: boolean
  /** What the supervisor or the person who gave the task wrote. */
  comment: string
}

export type Worklist = {
  drafts: WorkItem[]
  waiting: WorkItem[]
  fix: WorkItem[]
  sent: WorkItem[]
  assigned: WorkItem[]
  /** All records of the areas that this phone carries. */
  all: WorkItem[]
}

export const EMPTY_WORKLIST: Worklist = { drafts: [], waiting: [], fix: [], sent: [], assigned: [], all: [] }

/**
 * Everything is read at the start of one transaction and worked out after it: a transaction that waits for anything else
 * in between is ended by the browser.
 */
export async function readWorklist(person: string): Promise<Worklist> {
  const {
    documents,
    bodies,
    revisions,
    authored,
    drafts: draftTable,
    uploads: uploadTable,
    enrolments: keys,
  } = database
  const tables = [documents, bodies, revisions, authored, draftTable, uploadTable, keys]
  const [about, records, beside, contents, ownRows, written, draftRows, uploads, enrolments] =
    await database.transaction('r', tables, async () => {
      const small = await documents.where('type').anyOf('review', 'task').toArray()
      const rest = await Promise.all([
        documents.where('type').equals('record').toArray(),
        documents.where('type').equals('open').toArray(),
        bodies.bulkGet(small.map(({ database: name, id, rev }): [string, string, string] => [name, id, rev])),
        revisions.where('person').equals(person).toArray(),
        authored.where('person').equals(person).toArray(),
        draftTable.where('person').equals(person).toArray(),
        uploadTable.where('done').equals(0).toArray(),
        keys.where('person').equals(person).primaryKeys(),
      ])
      return [small, ...rest] as const
    })
  const told = about.flatMap((row, index) => {
    const content = contents[index]?.content
    return row.deleted === 1 || content === undefined ? [] : [{ id: row.id, type: row.type, content }]
  })
  told.sort((left, right) => left.id.localeCompare(right.id))
  const drafts = draftRows.filter((row) => row.deletedAt === undefined)
  const all = itemsOf(records, {
    reviews: reviewsByRecord(told.filter(({ type }) => type === 'review')),
    // Answers to questions are own revisions too, of documents that are no records.
    own: latestById(ownRows.filter(({ content }) => content['type'] === 'record')),
    authored: new Set(written.map(({ database: name, id }) => `${name} ${id}`)),
    drafts: new Map(drafts.map((row) => [row.record, row])),
    open: new Map(beside.filter(({ deleted }) => deleted === 0).map((row) => [row.about, row.open])),
    uploads,
    enrolments: new Set(enrolments),
  })
  return {
    drafts: latestFirst(drafts.map(draftItem)),
    waiting: all.filter(({ state }) => state.kind === 'waiting'),
    fix: all.filter(needsFixing).sort((left, right) => Number(right.isMine) - Number(left.isMine)),
    sent: all.filter((item) => item.isMine && !needsFixing(item) && item.state.kind !== 'waiting'),
    assigned: tasksOf(
      person,
      told.filter(({ type }) => type === 'task'),
      new Map(all.map((item) => [item.id, item])),
    ),
    all,
  }
}

type Told = { id: string; content: JsonObject }

type World = {
  reviews: Map<string, { decisions: Decision[]; documents: (ReviewDocument & { id: string })[] }>
  own: Map<string, OwnRevision>
  /** Records, by their keys, of which this phone need not keep the saves any more. */
  authored: Set<string>
  drafts: Map<string, Draft>
  /** How many fields of a record wait for a person, where a server tells it beside the record. */
  open: Map<string, number>
  uploads: Upload[]
  enrolments: Set<string>
}

function itemsOf(records: ServerDocument[], world: World): WorkItem[] {
  const items: WorkItem[] = []
  const seen = new Set<string>()
  for (const record of records) {
    seen.add(record.id)
    // An erased record has no form any more, and a deleted one nothing to do.
    if (record.deleted === 0 && record.form !== '') items.push(itemOf(record, world.own.get(record.id), world))
  }
  for (const own of world.own.values()) {
    if (!seen.has(own.id) && own.deleted === 0) items.push(itemOf(null, own, world))
  }
  return latestFirst(items)
}

function itemOf(record: ServerDocument | null, own: OwnRevision | undefined, world: World): WorkItem {
  const isAhead = own !== undefined && ownIsAhead(own, record)
  const shown = isAhead || record === null ? ownListed(own as OwnRevision) : record
  const reviewed = world.reviews.get(shown.id)
  const state = stateOf(shown.rev, own, isAhead, reviewed?.decisions ?? [])
  const decision = reviewed?.documents.filter(({ rev }) => rev === shown.rev).at(-1)
  const key = `${shown.database} ${shown.id}`
  const isMine = own !== undefined || world.enrolments.has(record?.by ?? '') || world.authored.has(key)
  return {
    key,
    database: shown.database,
    id: shown.id,
    form: shown.form,
    version: shown.version,
    title: shown.title,
    folded: folded(shown.title),
    at: shown.savedAt,
    state,
    isMine,
    draft: world.drafts.get(shown.id)?.id ?? null,
    // On a phone that people share, those of another leave when that person is signed in.
    filesWaiting: isMine ? world.uploads.filter((upload) => upload.record === shown.id).length : 0,
    isOpen: (world.open.get(shown.id) ?? record?.open ?? 0) > 0,
    comment: state.kind === 'returned' || state.kind === 'rejected' ? (decision?.comment ?? '') : '',
  }
}

/** What servers answered about a save: the best that any of them said, as each hands on to the others what it has. */
export function receiptOf(own: OwnRevision): Receipt | undefined {
  const receipts = Object.values(own.receipts).sort((one, other) => one.at.localeCompare(other.at))
  const stored = receipts.find(({ outcome }) => isStored(outcome))
  return stored ?? receipts.find(({ outcome }) => outcome === 'quarantined') ?? receipts.at(-1)
}

/** Why the last server that was tried could not take a revision; undefined when none failed on it. */
function reasonAside({ aside }: OwnRevision): string | undefined {
  return Object.values(aside ?? {}).sort((one, other) => other.at - one.at)[0]?.reason
}

/** The state of the revision that is shown, from what servers answered about it and what people decided. */
export function stateOf(
  rev: string,
  own: OwnRevision | undefined,
  isAhead: boolean,
  decisions: Decision[],
): RecordState {
  const receipt = own === undefined ? undefined : receiptOf(own)
  if (isAhead && receipt === undefined) {
    const reason = own === undefined ? undefined : reasonAside(own)
    return reason === undefined ? { kind: 'waiting' } : { kind: 'aside', reason }
  }
  if (isAhead && receipt?.outcome === 'refused') return { kind: 'refused', reason: receipt.reason }
  if (isAhead && receipt?.outcome === 'quarantined') return { kind: 'held' }
  const reviewed = review(rev, decisions)
  return { kind: reviewed.isCorrected && reviewed.state === 'received' ? 'corrected' : reviewed.state }
}

function needsFixing({ state }: WorkItem): boolean {
  return state.kind === 'returned' || state.kind === 'refused' || state.kind === 'aside'
}

function ownListed(
  own: OwnRevision,
): Pick<ServerDocument, 'database' | 'id' | 'rev' | 'form' | 'version' | 'title' | 'savedAt'> {
  const { database: name, id, rev, title, savedAt, content } = own
  return {
    database: name,
    id,
    rev,
    title,
    savedAt,
    form: text(content['form']),
    version: text(content['form_version']),
  }
}

function draftItem(draft: Draft): WorkItem {
  const { database: name, id, record, form, version, title, updatedAt } = draft
  const place = {
    key: `draft ${id}`,
    database: name,
    id: record,
    form,
    version,
    title,
    folded: folded(title),
    at: updatedAt,
  }
  return {
    ...place,
    state: { kind: 'draft' },
    isMine: true,
    draft: id,
    filesWaiting: 0,
    isOpen: false,
    comment: '',
  }
}

/** Tasks are documents about a record; one that names somebody else is not this person's. */
function tasksOf(person: string, told: Told[], items: Map<string, WorkItem>): WorkItem[] {
  return told.flatMap(({ content }) => {
    const item = items.get(text(content['record']))
    const to = text(content['to'])
    if (item === undefined || (to !== '' && to !== person) || content['done'] === true) return []
    return [{ ...item, key: `task ${item.key}`, comment: text(content['note']) }]
  })
}

function reviewsByRecord(told: Told[]): World['reviews'] {
  const reviews: World['reviews'] = new Map()
  for (const { id, content } of told) {
    const decision = decisionOf(id, content)
    const about = text(content['record'])
    if (decision === null) continue
    const known = reviews.get(about) ?? { decisions: [], documents: [] }
    known.decisions.push(decision)
    known.documents.push({ ...(content as unknown as ReviewDocument), id })
    reviews.set(about, known)
  }
  return reviews
}

/** What supervisors wrote about a record, the latest last. */
export async function reviewsOf(databaseName: string, id: string): Promise<(ReviewDocument & { id: string })[]> {
  const rows = await database.documents.where('about').equals(id).toArray()
  const keys = rows
    .filter((row) => row.database === databaseName && row.type === 'review' && row.deleted === 0)
    .map((row): [string, string, string] => [row.database, row.id, row.rev])
  const bodies = await database.bodies.bulkGet(keys)
  return bodies
    .flatMap((body) => (body === undefined ? [] : [{ ...(body.content as unknown as ReviewDocument), id: body.id }]))
    .sort((left, right) => left.id.localeCompare(right.id))
}

function latestFirst(items: WorkItem[]): WorkItem[] {
  return items.sort((left, right) => right.at.localeCompare(left.at))
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
