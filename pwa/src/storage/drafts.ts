/**
 * Drafts: saved on every answer, kept until finished or deleted by their person. A deletion hides the draft first and
 * empties it only after the time to undo has passed.
 */
import { withBegun, type BegunChanges } from '@/domain/begun'
import { uuid7 } from '@/domain/uuid7'
import type { Answers, JsonObject, Media } from '@/domain/record'
import { database, type Draft } from './database'
import { guarded } from '@/domain/storage-full'

/** What the form engine may change; everything else is fixed when the draft is begun. */
export type DraftChange = Partial<Pick<Draft, 'xml' | 'media' | 'title' | 'step' | 'log' | 'sound'>> & {
  /** Only what changed: the form may be open in another tab, too. */
  readonly begun?: BegunChanges
}

/** What every draft says of itself; the others begin with nothing. */
type DraftStart = Pick<Draft, 'id' | 'record' | 'database' | 'person' | 'form' | 'version'> & Partial<Draft>

/** A draft of which nothing is stored yet. */
export function newDraft(start: DraftStart): Draft {
  const now = new Date().toISOString()
  const nothing = { xml: null, answers: null, media: {}, title: '', base: null, step: null }
  return { ...nothing, createdAt: now, updatedAt: now, ...start }
}

/** Begin a new record of a form in a scope's database. */
export async function beginDraft(start: {
  database: string
  person: string
  form: string
  version: string
}): Promise<Draft> {
  const id = uuid7()
  const draft = newDraft({ ...start, id, record: id })
  await guarded(() => database.drafts.add(draft))
  return draft
}

/** Begin to correct a record, or go on with the correction that this person began before. */
export async function beginEdit(start: {
  database: string
  id: string
  person: string
  rev: string
  title: string
  content: JsonObject
}): Promise<Draft> {
  return guarded(() =>
    database.transaction('rw', database.drafts, async () => {
      const begun = await database.drafts.where('person').equals(start.person).toArray()
      const existing = begun.find(({ record, deletedAt }) => record === start.id && deletedAt === undefined)
      if (existing !== undefined) return existing
      const draft = newDraft({
        id: uuid7(),
        record: start.id,
        database: start.database,
        person: start.person,
        form: text(start.content['form']),
        version: text(start.content['form_version']),
        answers: (start.content['answers'] ?? {}) as Answers,
        media: (start.content['media'] ?? {}) as Media,
        title: start.title,
        base: { rev: start.rev, content: start.content },
      })
      await database.drafts.add(draft)
      return draft
    }),
  )
}

/** Save what changed; false when the draft is gone (finished or deleted elsewhere). Throws `StorageFull`. */
export async function saveDraft(id: string, change: DraftChange): Promise<boolean> {
  const { begun, ...others } = change
  const updatedAt = new Date().toISOString()
  return guarded(() =>
    database.transaction('rw', database.drafts, async () => {
      const draft = await database.drafts.get(id)
      if (draft === undefined) return false
      const all = begun === undefined ? {} : { begun: withBegun(draft.begun ?? {}, begun) }
      return (await database.drafts.update(id, { ...others, ...all, updatedAt })) > 0
    }),
  )
}

/** A draft of whoever is signed in; undefined where it is gone or another person's. */
export async function getDraft(id: string): Promise<Draft | undefined> {
  const [draft, session] = await Promise.all([database.drafts.get(id), database.session.get('current')])
  return draft?.person === session?.person.id ? draft : undefined
}

/** Hide a draft; `restoreDraft` brings it back until `emptyDeletedDrafts` runs. */
export async function deleteDraft(id: string): Promise<void> {
  await guarded(() => database.drafts.update(id, { deletedAt: new Date().toISOString() }))
}

export async function restoreDraft(id: string): Promise<void> {
  await database.drafts
    .where('id')
    .equals(id)
    .modify((draft) => {
      delete draft.deletedAt
    })
}

/** Really delete drafts that were hidden before this moment. */
export async function emptyDeletedDrafts(before: string): Promise<void> {
  await database.transaction('rw', [database.drafts, database.pieces], async () => {
    const gone = database.drafts.filter((draft) => draft.deletedAt !== undefined && draft.deletedAt < before)
    const ids = await gone.primaryKeys()
    await database.pieces.where('draft').anyOf(ids).delete()
    await database.drafts.bulkDelete(ids)
  })
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
