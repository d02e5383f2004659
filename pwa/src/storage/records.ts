/**
 * The person's own revisions over what servers hold. A save makes a revision; further saves collapse into it until a
 * request first carries it. From then on it is frozen, and the next save is its child.
 */
import { canonical } from '@/domain/canonical'
import { SERVERS_PARTS } from '@/domain/contract'
import { withoutLog } from '@/domain/recorded'
import { contentOf, revisionId, wins } from '@/domain/revision'
import type { Answers, Json, JsonObject, Media, Saved } from '@/domain/record'
import { database, type Contribution, type Draft, type OwnRevision, type ServerDocument } from './database'
import { isStoredAnywhere } from './outcomes'
import { guarded } from '@/domain/storage-full'

/** What a screen shows of a record: the person's own latest save where it is ahead of the server, else the server's copy. */
export type RecordView = {
  database: string
  id: string
  rev: string
  deleted: boolean
  content: JsonObject
  title: string
  own: OwnRevision | null
  server: ServerDocument | null
  /** What others did to it since this person's last edit, as far as servers told. */
  by: Contribution[]
}

/**
 * Turn a draft into the person's revision, in one transaction that also takes its number, queues its files and removes
 * the draft. Called twice, the second call changes nothing. Throws `StorageFull`, the draft still standing.
 *
 * A save replaces an earlier one only if its draft was begun from that one. Any other draft of the record (a deletion
 * that was undone, a second tab) becomes a branch of its own, which the server brings together as it does two people's.
 */
export async function finishDraft(draft: Draft, answers: Answers, media: Media): Promise<string> {
  for (;;) {
    const plan = await planned(draft)
    if (plan.made !== null && isSame(plan.made, answers, media)) return plan.made.rev
    const saved: Saved = { by: plan.enrolment, number: String(plan.number), at: new Date().toISOString() }
    const content: JsonObject = {
      ...plan.base,
      form: plan.draft.form,
      form_version: plan.draft.version,
      answers,
      media,
      saved,
    }
    const rev = await revisionId(plan.draft.record, { deleted: false, parent: plan.parent, content })
    const title = titleOf(answers) || plan.draft.title
    const standing = await guarded(() => committed(plan, { rev, content, saved, media, title }))
    if (standing !== null) return standing
  }
}

type Plan = {
  draft: Draft
  base: JsonObject
  parent: string | null
  number: number
  enrolment: string
  /** The unfrozen revision that this save replaces; null when it makes a new one. */
  replaces: string | null
  /** The person's latest save of the record, where the draft is gone: perhaps it is what the draft became. */
  made: OwnRevision | null
}

/** Where the revision will stand. Its id takes a hash, and IndexedDB transactions don't wait for hashes: hence two steps. */
async function planned(opened: Draft): Promise<Plan> {
  return database.transaction(
    'r',
    [database.drafts, database.revisions, database.enrolments, database.session],
    async () => {
      const kept = await database.drafts.get(opened.id)
      const draft = kept ?? opened
      const enrolment = await enrolmentOf(draft.person)
      const base: JsonObject = { type: 'record' }
      if (draft.base !== null) Object.assign(base, withoutServersParts(draft.base.content))
      const open = await latestOwn(draft.record, draft.person)
      const made = kept === undefined ? (open ?? null) : null
      const parent = await standingBase(draft)
      if (open !== undefined && open.rev === parent && open.frozen === 0 && open.enrolment === enrolment.id) {
        const { parent: before, number, rev: replaces } = open
        return { draft, base, parent: before, number, enrolment: enrolment.id, replaces, made }
      }
      const number = enrolment.highestNumber + 1
      return { draft, base, parent, number, enrolment: enrolment.id, replaces: null, made }
    },
  )
}

/** The revision that a draft was begun from; where another save has replaced that one, what both go back to. */
async function standingBase({ base, record }: Draft): Promise<string | null> {
  if (base === null) return null
  const own = await database.revisions.where('id').equals(record).toArray()
  const instead = own.find(({ replaced }) => replaced?.includes(base.rev) === true)
  return instead === undefined ? base.rev : instead.parent
}

function isSame({ content }: OwnRevision, answers: Answers, media: Media): boolean {
  return canonical(withoutLog(content['answers'], content['media'])) === canonical(withoutLog(answers, media))
}

/**
 * Write what was planned and return the revision that stands; null when a request froze the revision, or another save took
 * the number, in between: then it is planned anew.
 */
async function committed(
  plan: Plan,
  made: { rev: string; content: JsonObject; saved: Saved; media: Media; title: string },
): Promise<string | null> {
  const { drafts, revisions, enrolments, session, uploads, blobs, pieces } = database
  return database.transaction('rw', [drafts, revisions, enrolments, session, uploads, blobs, pieces], async () => {
    const again = await planned(plan.draft)
    const isMoved = again.number !== plan.number || again.parent !== plan.parent || again.replaces !== plan.replaces
    // The same draft was finished a moment ago, by a second tap or in another tab.
    if (isMoved || again.made?.rev !== plan.made?.rev) return null
    const before = plan.replaces === null ? undefined : await database.revisions.get(plan.replaces)
    if (before !== undefined) await database.revisions.delete(before.rev)
    const { draft } = plan
    await database.revisions.put({
      rev: made.rev,
      database: draft.database,
      id: draft.record,
      parent: plan.parent,
      deleted: 0,
      content: made.content,
      number: plan.number,
      enrolment: plan.enrolment,
      person: draft.person,
      frozen: 0,
      title: made.title,
      savedAt: made.saved.at,
      receipts: {},
      ...(before === undefined ? {} : { replaced: [...(before.replaced ?? []), before.rev] }),
    })
    if (plan.replaces === null) await database.enrolments.update(plan.enrolment, { highestNumber: plan.number })
    const inherited = hashesIn(draft.base?.content['media'])
    for (const [name, ref] of Object.entries(made.media)) {
      if ((await database.uploads.get([ref.sha256, draft.record])) !== undefined) continue
      // Whoever took it sends it: on a correction of somebody else's record it was never on this phone.
      if (inherited.has(ref.sha256) && (await database.blobs.get(ref.sha256)) === undefined) continue
      const file = { sha256: ref.sha256, type: ref.type, bytes: Number(ref.bytes) }
      const place = { database: draft.database, record: draft.record, name }
      await database.uploads.add({ ...file, ...place, sites: {}, done: 0 })
    }
    await database.pieces.where('draft').equals(draft.id).delete()
    await database.drafts.delete(draft.id)
    return made.rev
  })
}

function hashesIn(media: Json | undefined): Set<string> {
  return new Set(Object.values((media ?? {}) as Media).map(({ sha256 }) => sha256))
}

export async function enrolmentOf(person: string): Promise<{ id: string; highestNumber: number }> {
  const session = await database.session.get('current')
  const enrolment =
    session?.person.id === person
      ? await database.enrolments.get(session.enrolment)
      : await database.enrolments.where('person').equals(person).last()
  if (enrolment === undefined) throw new Error('no enrolment to save under')
  return enrolment
}

/** Phones never write what only servers may: merges, open questions, decisions and why they were made, where an edit came over from. */
function withoutServersParts(content: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(contentOf(content)).filter(([name]) => !SERVERS_PARTS.has(name)))
}

/** The person's latest revision of a record on this phone; whoever shares it has others. */
async function latestOwn(id: string, person: string): Promise<OwnRevision | undefined> {
  const rows = await database.revisions.where('id').equals(id).toArray()
  return latestById(rows.filter((row) => row.person === person)).get(id)
}

/**
 * The latest revision of each record among one person's. Numbers count the saves of one enrolment; where a person has had
 * several here, the clock says which one was used last.
 */
export function latestById(own: OwnRevision[]): Map<string, OwnRevision> {
  const latest = new Map<string, OwnRevision>()
  for (const row of own) {
    const known = latest.get(row.id)
    if (known === undefined || isLater(row, known)) latest.set(row.id, row)
  }
  return latest
}

function isLater(row: OwnRevision, known: OwnRevision): boolean {
  return row.enrolment === known.enrolment ? row.number > known.number : row.savedAt > known.savedAt
}

/** The record as whoever is signed in should see it now; undefined when this phone knows nothing of it. */
export async function getRecord(databaseName: string, id: string): Promise<RecordView | undefined> {
  const tables = [database.revisions, database.documents, database.bodies, database.session]
  return database.transaction('r', tables, async () => {
    const person = (await database.session.get('current'))?.person.id
    const server = (await database.documents.get([databaseName, id])) ?? null
    const body = server === null ? undefined : await database.bodies.get([databaseName, id, server.rev])
    const own = (person === undefined ? undefined : await latestOwn(id, person)) ?? null
    if (own !== null && ownIsAhead(own, server)) {
      const { rev, content, title } = own
      return { database: databaseName, id, rev, deleted: own.deleted === 1, content, title, own, server, by: [] }
    }
    if (server === null || body === undefined) return undefined
    const { rev, title } = server
    const { content, by = [] } = body
    return { database: databaseName, id, rev, deleted: server.deleted === 1, content, title, own, server, by }
  })
}

/** Whether the person's save is what to show: rule 3 of `copies.ts`. */
export function ownIsAhead(own: OwnRevision, server: ServerDocument | null): boolean {
  if (server === null) return true
  if (own.rev === server.rev) return false
  if (!isStoredAnywhere(own)) return true
  if (server.past.includes(own.rev)) return false
  return wins({ rev: own.rev, deleted: own.deleted === 1 }, { rev: server.rev, deleted: server.deleted === 1 })
}

/** Take back a save that no request has carried: the record goes back to what it was, its number is told as discarded. */
export async function discardUnsent(rev: string): Promise<boolean> {
  const tables = [database.revisions, database.enrolments, database.uploads, database.drafts]
  return database.transaction('rw', tables, async () => {
    const own = await database.revisions.get(rev)
    if (own === undefined || own.frozen === 1) return false
    // A correction of it that was begun goes on from what it was a correction of.
    await database.drafts
      .filter(({ base }) => base !== null && [rev, ...(own.replaced ?? [])].includes(base.rev))
      .modify((draft) => {
        if (draft.base !== null) draft.base = own.parent === null ? null : { ...draft.base, rev: own.parent }
      })
    const enrolment = await database.enrolments.get(own.enrolment)
    await database.enrolments.update(own.enrolment, { discarded: [...(enrolment?.discarded ?? []), own.number] })
    await database.revisions.delete(rev)
    if ((await database.revisions.where('id').equals(own.id).count()) === 0) {
      await database.uploads
        .where('record')
        .equals(own.id)
        .and((upload) => upload.done === 0)
        .delete()
    }
    return true
  })
}

/** A record's title as its form made it (`instance_name`); '' where the form makes none. */
export function titleOf(answers: Answers): string {
  const meta = answers['meta']
  if (typeof meta !== 'object' || meta === null || Array.isArray(meta)) return ''
  const name = meta['instanceName']
  return typeof name === 'string' ? name : ''
}
