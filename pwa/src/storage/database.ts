/**
 * The phone's store: one IndexedDB for everything that must outlive a dead battery. Every transaction is written with
 * strict durability, because Chrome's default lets the last answers vanish when power goes.
 *
 * What servers hold (`copies`, `bodies`, and `documents` made from them) stands apart from the person's own work (`drafts`,
 * `revisions`, `blobs`): a pull never touches what somebody typed, and what somebody typed never changes what a server was
 * last known to hold. Each server is known for itself, because a phone meets the commune's hub one day and the province
 * the next, and neither knows what the other has said: `copies.ts` says what is shown of it all.
 */
import Dexie, { type EntityTable, type Table, type Transaction } from 'dexie'
import type { Schemas } from '@/api/schema'
import type { BegunAnswers } from '@/domain/begun'
import type { LogEvent } from '@/domain/fill-log'
import type { Answers, Json, JsonObject, Media, RecordContent } from '@/domain/record'

/**
 * A record being filled; nobody but its person sees it and no server has heard of it. Two people who share a phone may each
 * have one of the same record.
 */
export type Draft = {
  id: string
  /** The record that it will be, or that it corrects. */
  record: string
  database: string
  person: string
  form: string
  version: string
  /** The form instance as last saved; null until the form was first opened (then start from `answers`, if any). */
  xml: string | null
  /** What an edit of a record starts from; null for a new record. */
  answers: Answers | null
  /** Answers that are begun, and that the instance can't hold yet; absent while there were never any. */
  begun?: BegunAnswers
  media: Media
  title: string
  /** The revision that this draft corrects; null for a new record. */
  base: { rev: string; content: JsonObject } | null
  /** Where in the form the person was. */
  step: string | null
  /** What was done when, where the form asks for that; absent while there is nothing. */
  log?: readonly LogEvent[]
  /** Sound in the background, where the form asks for that and its person agreed. */
  sound?: DraftSound
  createdAt: string
  updatedAt: string
  /** Set while a deletion can still be undone: such a draft shows in no list. */
  deletedAt?: string
}

/** The recordings whose pieces are stored, a sitting each; ended is what its person stopped for this record. */
export type DraftSound = {
  readonly recordings: readonly { readonly recording: string; readonly type: string }[]
  readonly isEnded: boolean
}

export type Outcome = Schemas['Ack']['outcome']
export type Receipt = { outcome: Outcome; reason: string | null; at: string }

/** What a server could not take, why, when it was last tried (in milliseconds), and how often. */
export type SetAside = { reason: string; at: number; tries: number }

/** One of this phone's own revisions. Frozen since a request first carried it: from then on it is repeated byte for byte. */
export type OwnRevision = {
  rev: string
  database: string
  id: string
  parent: string | null
  deleted: 0 | 1
  content: JsonObject
  number: number
  enrolment: string
  person: string
  frozen: 0 | 1
  title: string
  savedAt: string
  /** What each server answered, by the server's id. */
  receipts: Record<string, Receipt>
  /** Where a server failed on it alone, by the server's id. */
  aside?: Record<string, SetAside>
  /** Revisions that this one replaced before any request carried them: drafts may have been begun from those. */
  replaced?: string[]
  /** What this record says to save to others and could not be: it stands in its answers alone. */
  missed?: SaveMissed[]
}

/** A record of another form that a save did not reach, and why. */
export type SaveMissed = {
  form: string
  id: string
  title: string
  why: 'no_id' | 'not_here' | 'deleted' | 'other_form' | 'exists'
}

/** A record that a person has written on this phone, whose saves the phone need not keep any more. */
export type Authored = { person: string; database: string; id: string }

/** What one server was last known to hold of a document: its winner there. */
export type Copy = {
  server: string
  database: string
  id: string
  rev: string
  deleted: 0 | 1
  /** This document's part of the server's digest of its database; '' where it has none. */
  mark: string
  /** The pull that brought it: what an afresh pull did not bring again is gone from the server. */
  pull: number
  /** Other revisions that the server has, and holds this one over; not all of them, the latest last. */
  past: string[]
}

/** What is shown of a document out of all servers' copies, without its content, small enough to list thousands. */
export type ServerDocument = {
  database: string
  id: string
  rev: string
  deleted: 0 | 1
  type: string
  form: string
  version: string
  title: string
  folded: string
  /** The enrolment that saved this revision, or '' where none did. */
  by: string
  savedAt: string
  /** The record that a review, question, reply or task is about; '' otherwise. */
  about: string
  /** How many of its fields wait for a person to settle them. */
  open: number
  /** Other revisions that servers have, and hold something else over. */
  past: string[]
}

/** The content of a revision that some server holds, and what others did to the record since this person's last edit. */
export type Body = { database: string; id: string; rev: string; content: JsonObject; by?: Contribution[] }

/** What somebody did to a record: edited it, or decided about the fields in `decided`. */
export type Contribution = Required<Schemas['Contribution']>

/** An answer to a manager's question that is being written; nobody but its person sees it. */
export type ReplyDraft = {
  /** The question's id. */
  question: string
  person: string
  /** Which of the values is right, by the revision that has it; 'none' of them; null while nothing was chosen. */
  choice: string | null
  text: string
  updatedAt: string
}

export type StoredBlob = { sha256: string; blob: Blob; type: string; bytes: number; addedAt: string }
/** What a form is made of: a text, or a picture, sound or film, whose `text` is empty. */
export type Content = { sha256: string; text: string; blob?: Blob }
/** The beginning of a content that has not arrived whole. */
export type PartialContent = { sha256: string; bytes: Uint8Array<ArrayBuffer> }
/** About a second of a recording that goes on, or was broken off. */
export type Piece = {
  recording: string
  number: number
  draft: string
  bytes: Uint8Array<ArrayBuffer>
  addedAt: string
}
/** The epoch that a server last told: another one says that it was restored. */
export type ServerEpoch = { server: string; epoch: string }

/** A file on its way: known from the first save of the revision that names it, done when the server checked its hash. */
export type Upload = {
  sha256: string
  database: string
  record: string
  name: string
  type: string
  bytes: number
  /** How far it has come at each server, by the server's id. */
  sites: Record<string, UploadSite>
  /** Whether it is at one of them. */
  done: 0 | 1
}

export type UploadSite = {
  /** Where the server takes its pieces, once it was asked; and how many bytes it is known to have. */
  url: string | null
  offset: number
  done: 0 | 1
  /** Why the last attempt failed, as a problem code; null when none failed. */
  problem: string | null
  /** Where the attempt may succeed later without anybody doing anything. */
  aside?: SetAside
}

/** What this phone knows of one server: how far it pulled, and what it was told. */
export type ServerState = {
  id: string
  since: Record<string, string>
  digests: Record<string, string>
  /** Number of the current pull of each database; raised when it is pulled afresh. */
  pulls: Record<string, number>
  /** Databases being pulled afresh after a digest did not match, or a restore: swept at the end. */
  afresh: Record<string, 'running' | 'done' | 'failed'>
  carry: string[]
  maxBytes: number
  nextSeconds: number
  lastExchangeAt: string | null
  /** Whether every carried database came to its end at least once. */
  complete: 0 | 1
}

/** What one server said about one enrolment. */
export type Standing = {
  server: string
  enrolment: string
  safe: number
  /** Outcomes that came after the request which carried the revision, to be confirmed as stored. */
  verdicts: number[]
  /** Discarded numbers that the server has heard of. */
  discarded: number[]
}

/** A person on this device: a key that cannot leave it, and the count of that person's saves. */
export type Enrolment = {
  id: string
  person: string
  username: string
  key: CryptoKey
  jwk: JsonWebKey
  label: string
  highestNumber: number
  /** Whether a server trusts its key no more; it is not offered again, and the next sign-in makes another. */
  isRevoked?: boolean
  /** The number of the last request that was made for it; absent before the first. */
  exchange?: number
  /** Numbers whose saves are no more: taken back before any request carried them, or erased. Each server hears of them. */
  discarded: number[]
}

export type Grant = { role: string; project: string; unit: string; unit_name?: string }
export type Person = { id: string; username: string; name: string; locale: string; grants: Grant[] }

/** What one server lets in. `expired` means: everything still works, but sending needs the password again. */
export type Credentials = { accessToken: string; accessExpiresAt: number; refreshToken: string; expired: 0 | 1 }

/** Who is signed in, with the server that was last met and what it lets in. */
export type Session = Credentials & {
  id: 'current'
  person: Person
  enrolment: string
  server: string
  /** What other servers let in, by the server's id. */
  elsewhere: Record<string, Credentials>
}

export type Setting = { key: string; value: Json }

export class NuongDatabase extends Dexie {
  drafts!: EntityTable<Draft, 'id'>
  revisions!: EntityTable<OwnRevision, 'rev'>
  authored!: Table<Authored, [string, string, string]>
  copies!: Table<Copy, [string, string, string]>
  documents!: Table<ServerDocument, [string, string]>
  bodies!: Table<Body, [string, string, string]>
  begunReplies!: Table<ReplyDraft, [string, string]>
  blobs!: EntityTable<StoredBlob, 'sha256'>
  contents!: EntityTable<Content, 'sha256'>
  partials!: EntityTable<PartialContent, 'sha256'>
  pieces!: Table<Piece, [string, number]>
  epochs!: EntityTable<ServerEpoch, 'server'>
  uploads!: Table<Upload, [string, string]>
  servers!: EntityTable<ServerState, 'id'>
  standings!: Table<Standing, [string, string]>
  enrolments!: EntityTable<Enrolment, 'id'>
  session!: EntityTable<Session, 'id'>
  settings!: EntityTable<Setting, 'key'>

  constructor(name = 'nuong') {
    super(name, { chromeTransactionDurability: 'strict' })
    this.version(1).stores({
      drafts: 'id, person, [database+id]',
      revisions: 'rev, [database+id], [enrolment+number], person, id',
      documents: '[database+id], database, type, about',
      bodies: '[database+id], database',
      blobs: 'sha256',
      contents: 'sha256',
      uploads: '[sha256+record], done, database, record',
      servers: 'id',
      standings: '[server+enrolment]',
      enrolments: 'id, person, username',
      session: 'id',
      settings: 'key',
    })
    // A table's key cannot be changed, so what servers hold is dropped and pulled again.
    this.version(2).stores({ documents: null, bodies: null }).upgrade(forgetServers)
    this.version(3).stores({
      copies: '[server+database+id], [server+database]',
      documents: '[database+id], database, type, about',
      bodies: '[database+id+rev], [database+id]',
      replyDrafts: 'question, person',
    })
    this.version(4).stores({ begunReplies: '[person+question], person' }).upgrade(tellPeopleApart)
    this.version(5).stores({ replyDrafts: null })
    this.version(6).stores({}).upgrade(dropOthersFiles)
    this.version(7).stores({ partials: 'sha256', epochs: 'server' })
    this.version(8).stores({ pieces: '[recording+number], draft' })
    this.version(9).stores({ authored: '[person+database+id], person' })
  }
}

/** Keep the person's own work, and who is signed in. */
async function forgetServers(transaction: Transaction): Promise<void> {
  await transaction.table('servers').clear()
  await transaction.table('standings').toCollection().modify({ discarded: [] })
  await transaction.table('session').toCollection().modify({ elsewhere: {} })
  await transaction
    .table('uploads')
    .toCollection()
    .modify((upload: Upload) => {
      upload.sites = {}
      upload.done = 0
    })
}

/** Drafts had the ids of their records and questions, so that people who share a phone had one between them. */
async function tellPeopleApart(transaction: Transaction): Promise<void> {
  await transaction.table('begunReplies').bulkAdd(await transaction.table('replyDrafts').toArray())
  await transaction
    .table('drafts')
    .toCollection()
    .modify((draft: Draft) => {
      draft.record = draft.id
    })
}

/**
 * Corrections once queued every photo of the record, also those that another phone took and sent: they are not here, so
 * that their person was told to take them again. A file that an own revision brought in stays queued, whatever became of it.
 */
async function dropOthersFiles(transaction: Transaction): Promise<void> {
  const waiting = (await transaction.table<Upload>('uploads').toArray()).filter(({ done }) => done === 0)
  const own = await transaction.table<OwnRevision>('revisions').toArray()
  const names = (content: JsonObject | undefined, sha256: string): boolean =>
    Object.values((content?.['media'] ?? {}) as Media).some((ref) => ref.sha256 === sha256)
  for (const { sha256, record, database: name } of waiting) {
    if ((await transaction.table('blobs').get(sha256)) !== undefined) continue
    let isMadeHere = false
    for (const { parent } of own.filter((row) => row.id === record && names(row.content, sha256))) {
      const before =
        parent === null
          ? {}
          : (own.find(({ rev }) => rev === parent)?.content ??
            (await transaction.table<Body>('bodies').get([name, record, parent]))?.content)
      if (before !== undefined && !names(before, sha256)) isMadeHere = true
    }
    if (!isMadeHere) await transaction.table('uploads').delete([sha256, record])
  }
}

export const database = new NuongDatabase()

/** How far a file has come at a server. */
export function siteOf(upload: Upload, server: string): UploadSite {
  return upload.sites[server] ?? { url: null, offset: 0, done: 0, problem: null }
}

export function serverState(id: string): ServerState {
  return {
    id,
    since: {},
    digests: {},
    pulls: {},
    afresh: {},
    carry: [],
    maxBytes: 250_000,
    nextSeconds: 300,
    lastExchangeAt: null,
    complete: 0,
  }
}

/** A record's content, where a document's content is one; null for every other type. */
export function asRecord(content: JsonObject): RecordContent | null {
  return content['type'] === 'record' && typeof content['form'] === 'string'
    ? (content as unknown as RecordContent)
    : null
}
