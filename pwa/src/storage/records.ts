/**
 * The person's own revisions over what servers hold. A save makes a revision; further saves collapse into it until a
 * request first carries it. From then on it is frozen, and the next save is its child.
 */
import { canonical } from '@/domain/canonical'
import { SERVERS_PARTS } from '@/domain/contract'
import { withoutLog } from '@/domain/recorded'
import { contentOf, revisionId, wins } from '@/domain/revision'
import type { Answers, Json, JsonObject, Media, Saved } from '@/domain/record'
import type { EntitySave } from '@/domain/entities'
import { database, type Contribution, type Draft, type OwnRevision } from './database'
import type { SaveMissed, ServerDocument } from './database'
import { entityContent, plannedEntities, type EntityPlan, type Standing } from './entities'
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
export async function finishDraft(
  draft: Draft,
  answers: Answers,
  media: Media,
  saves: readonly EntitySave[] = [],
): Promise<string> {
  for (;;) {
    const plan = await planned(draft, saves)
    if (plan.made !== null && isSame(plan.made, answers, media)) return plan.made.rev
    const base = plan.draft.base?.content
    const saved = savedBy(plan.enrolment, plan.number)
    const content: JsonObject = {
      ...(base === undefined ? { type: 'record' } : withoutServersParts(base)),
      form: plan.draft.form,
      form_version: plan.draft.version,
      answers,
      media,
      saved,
    }
    const rev = await revisionId(plan.draft.record, { deleted: false, parent: plan.parent, content })
    const title = titleOf(answers) || plan.draft.title
    const { database: where, record: id } = plan.draft
    const made: Made[] = [{ ...placeOf(plan), database: where, id, rev, content, media, title }]
    for (const entity of plan.entities) {
      const told = entityContent(
        entity,
        plan.draft,
        media,
        savedBy(plan.enrolment, entity.number),
        withoutServersParts(entity.base ?? {}),
      )
      if (told === null) continue
      const own = await revisionId(entity.id, { deleted: false, parent: entity.parent, content: told.content })
      const called = titleOf(told.answers) || (entity.saves[0]?.title ?? '')
      const { database: there, id: record } = entity
      made.push({ ...placeOf(entity), ...told, database: there, id: record, rev: own, title: called })
    }
    const standing = await guarded(() => committed(plan, saves, made))
    if (standing !== null) return standing
  }
}

type Plan = Standing & {
  draft: Draft
  enrolment: string
  /** The person's latest save of the record, where the draft is gone: perhaps it is what the draft became. */
  made: OwnRevision | null
  /** The records that it saves to. */
  entities: EntityPlan[]
  missed: SaveMissed[]
}

/** A revision that is about to be written. */
type Made = Standing & Pick<OwnRevision, 'database' | 'id' | 'rev' | 'content' | 'title'> & { media: Media }

function placeOf({ parent, number, replaces }: Standing): Standing {
  return { parent, number, replaces }
}

function savedBy(enrolment: string, number: number): Saved {
  return { by: enrolment, number: String(number), at: new Date().toISOString() }
}

/** Where the revisions will stand. Their ids take hashes, and IndexedDB transactions don't wait for hashes: hence two steps. */
async function planned(opened: Draft, saves: readonly EntitySave[]): Promise<Plan> {
  const { drafts, revisions, enrolments, session, documents, bodies } = database
  return database.transaction('r', [drafts, revisions, enrolments, session, documents, bodies], async () => {
    const kept = await drafts.get(opened.id)
    const draft = kept ?? opened
    const enrolment = await enrolmentOf(draft.person)
    const open = await latestOwn(draft.record, draft.person)
    const made = kept === undefined ? (open ?? null) : null
    const parent = await standingBase(draft)
    let next = enrolment.highestNumber + 1
    let standing: Standing = { parent, number: next, replaces: null }
    if (open !== undefined && open.rev === parent && open.frozen === 0 && open.enrolment === enrolment.id) {
      standing = { parent: open.parent, number: open.number, replaces: open.rev }
    } else next += 1
    const { plans, missed } = await plannedEntities(draft, saves, enrolment.id, next, (name, id) =>
      viewOf(name, id, draft.person),
    )
    return { ...standing, draft, enrolment: enrolment.id, made, entities: plans, missed }
  })
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
 * Write what was planned and return the revision that stands; null when a request froze a revision, or another save took a number, in
 * between: then it is planned anew.
 */
async function committed(plan: Plan, saves: readonly EntitySave[], made: Made[]): Promise<string | null> {
  const { drafts, revisions, enrolments, session, documents, bodies, uploads, blobs, pieces } = database
  const tables = [drafts, revisions, enrolments, session, documents, bodies, uploads, blobs, pieces]
  return database.transaction('rw', tables, async () => {
    const again = await planned(plan.draft, saves)
    // The same draft was finished a moment ago, by a second tap or in another tab.
    if (!isSamePlan(again, plan) || again.made?.rev !== plan.made?.rev) return null
    for (const each of made) await put(plan, each)
    const [first] = made
    if (first !== undefined && plan.missed.length > 0) await revisions.update(first.rev, { missed: plan.missed })
    const highest = Math.max(...made.filter(({ replaces }) => replaces === null).map(({ number }) => number))
    if (highest > 0) await enrolments.update(plan.enrolment, { highestNumber: highest })
    await pieces.where('draft').equals(plan.draft.id).delete()
    await drafts.delete(plan.draft.id)
    return first?.rev ?? null
  })
}

function isSamePlan(left: Plan, right: Plan): boolean {
  const places = ({ entities, ...plan }: Plan): string =>
    JSON.stringify([placeOf(plan), entities.map((each) => [each.database, each.id, placeOf(each)])])
  return places(left) === places(right)
}

/** Write one revision, and queue its files. */
async function put(plan: Plan, made: Made): Promise<void> {
  const { draft } = plan
  const before = made.replaces === null ? undefined : await database.revisions.get(made.replaces)
  if (before !== undefined) await database.revisions.delete(before.rev)
  await database.revisions.put({
    rev: made.rev,
    database: made.database,
    id: made.id,
    parent: made.parent,
    deleted: 0,
    content: made.content,
    number: made.number,
    enrolment: plan.enrolment,
    person: draft.person,
    frozen: 0,
    title: made.title,
    savedAt: (made.content['saved'] as Saved).at,
    receipts: {},
    ...(before === undefined ? {} : { replaced: [...(before.replaced ?? []), before.rev] }),
  })
  const inherited = hashesIn(draft.base?.content['media'])
  for (const { base, id } of plan.entities) {
    if (id === made.id) for (const hash of hashesIn(base?.['media'])) inherited.add(hash)
  }
  for (const [name, ref] of Object.entries(made.media)) {
    if ((await database.uploads.get([ref.sha256, made.id])) !== undefined) continue
    // Whoever took it sends it: on a correction of somebody else's record it was never on this phone.
    if (inherited.has(ref.sha256) && (await database.blobs.get(ref.sha256)) === undefined) continue
    const file = { sha256: ref.sha256, type: ref.type, bytes: Number(ref.bytes) }
    await database.uploads.add({ ...file, database: made.database, record: made.id, name, sites: {}, done: 0 })
  }
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
    return viewOf(databaseName, id, (await database.session.get('current'))?.person.id)
  })
}

async function viewOf(databaseName: string, id: string, person: string | undefined): Promise<RecordView | undefined> {
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
}

/** Whether the person's save is what to show: rule 3 of `copies.ts`. */
export function ownIsAhead(own: OwnRevision, server: ServerDocument | null): boolean {
  if (server === null) return true
  if (own.rev === server.rev) return false
  if (!isStoredAnywhere(own)) return true
  if (server.past.includes(own.rev)) return false
  return wins({ rev: own.rev, deleted: own.deleted === 1 }, { rev: server.rev, deleted: server.deleted === 1 })
}

/**
 * Take back a save that no request has carried, and what it saved to other records: they go back to what they were, their numbers are
 * told as discarded.
 */
export async function discardUnsent(rev: string): Promise<boolean> {
  const tables = [database.revisions, database.enrolments, database.uploads, database.drafts]
  return database.transaction('rw', tables, async () => {
    const own = await database.revisions.get(rev)
    if (own === undefined || own.frozen === 1) return false
    const beside = await database.revisions
      .filter((each) => each.frozen === 0 && each.person === own.person && savedFrom(each) === own.id)
      .toArray()
    for (const each of [own, ...beside]) await discard(each)
    return true
  })
}

/** The record that saved a revision to another one; undefined for what its person saved themselves. */
export function savedFrom({ content }: OwnRevision): string | undefined {
  return (content['saved'] as Saved | undefined)?.from?.record
}

async function discard(own: OwnRevision): Promise<void> {
  // A correction of it that was begun goes on from what it was a correction of.
  await database.drafts
    .filter(({ base }) => base !== null && [own.rev, ...(own.replaced ?? [])].includes(base.rev))
    .modify((draft) => {
      if (draft.base !== null) draft.base = own.parent === null ? null : { ...draft.base, rev: own.parent }
    })
  const enrolment = await database.enrolments.get(own.enrolment)
  await database.enrolments.update(own.enrolment, { discarded: [...(enrolment?.discarded ?? []), own.number] })
  await database.revisions.delete(own.rev)
  if ((await database.revisions.where('id').equals(own.id).count()) === 0) {
    await database.uploads
      .where('record')
      .equals(own.id)
      .and((upload) => upload.done === 0)
      .delete()
  }
}

/** A record's title as its form made it (`instance_name`); '' where the form makes none. */
export function titleOf(answers: Answers): string {
  const meta = answers['meta']
  if (typeof meta !== 'object' || meta === null || Array.isArray(meta)) return ''
  const name = meta['instanceName']
  return typeof name === 'string' ? name : ''
}
