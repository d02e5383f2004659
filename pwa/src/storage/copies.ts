/**
 * What each server holds, and which revision of a document is shown out of it all.
 *
 * A phone meets the commune's hub one day and the province the next, and neither knows what the other has said. So each
 * server's winner of each document is kept for itself (`copies`), with its part of that server's digest; an exchange with
 * one server never touches what another was last known to hold. Bodies are shared: mostly both hold the same revision.
 *
 * The screens show one revision of each document:
 *
 * 1. Of what the servers hold, the greatest by (not deleted, generation, hash): what they will hold once they have met.
 * 2. Left out is what another server has and holds something else over (`past`): that one knows both and has chosen.
 *    Without this, a record deleted at the province would live on here until the hub has heard of it, as whatever lives
 *    is greater than any tombstone.
 * 3. Over that stands the person's own latest save, until a server has taken it; from then on only while it is greater
 *    and no server holds something else over it (`ownIsAhead` in `records.ts`).
 *
 * `past` knows what a server held before, what it took of this phone's own, and the ancestors of both as far as this phone
 * knows them. It is never wrong about a server and seldom complete: what is missing shows an older state until the servers
 * have met, and never changes what is sent. A pull from the beginning empties it, as a restored server may have forgotten.
 * It keeps the latest few, and those that another server holds now: a record that is edited for years must not carry them all.
 */
import { wins } from '@/domain/revision'
import type { JsonObject } from '@/domain/record'
import type { Body, Contribution, Copy, NuongDatabase, ServerDocument } from './database'
import { listed } from './listing'

/**
 * A winner that a server told: its content, who has carried the record on, and other revisions of the document that the
 * server is known to have.
 */
export type Told = Omit<Copy, 'server' | 'database' | 'past'> & {
  content: JsonObject
  by: Contribution[]
  has: string[]
}

/** Write down what a server holds; returns the marks of what it held before, in order, '' where it held nothing. */
export async function keepCopies(
  store: NuongDatabase,
  server: string,
  database: string,
  told: Told[],
): Promise<string[]> {
  const ids = told.map(({ id }) => id)
  const before = await store.copies.bulkGet(ids.map((id): Key => [server, database, id]))
  const erased = await erasedAmong(store, database, ids)
  const elsewhere = await heldElsewhere(store, server, database, ids)
  await store.copies.bulkPut(
    told.map(({ content: _, by: _by, has, ...copy }, index) => ({
      server,
      database,
      ...copy,
      past: past(copy, has, before[index], elsewhere),
    })),
  )
  const known = await store.bodies.bulkGet(told.map(({ id, rev }): Key => [database, id, rev]))
  await store.bodies.bulkPut(
    told.map(({ id, rev, content, by }, index): Body => {
      // A server that is read from the beginning says nothing of who did what; what another one said stands.
      const contributions = by.length > 0 ? by : (known[index]?.by ?? [])
      // What was erased once stays empty, whichever server still tells it.
      if (erased.has(id)) return { database, id, rev, content: ERASED }
      const body = { database, id, rev, content }
      return contributions.length > 0 ? { ...body, by: contributions } : body
    }),
  )
  const changed = ids.map((id, index) => ({ id, left: before[index]?.rev ?? null }))
  await showAnew(store, server, database, changed)
  return before.map((copy) => copy?.mark ?? '')
}

/** A server holds nothing of these documents any more. */
export async function dropCopies(store: NuongDatabase, server: string, database: string, ids: string[]): Promise<void> {
  const keys = ids.map((id): Key => [server, database, id])
  const before = await store.copies.bulkGet(keys)
  await store.copies.bulkDelete(keys)
  const changed = ids.map((id, index) => ({ id, left: before[index]?.rev ?? null }))
  await showAnew(store, server, database, changed)
}

/** Whether a server's content is a recorded erasure: it says nothing else of the record. */
export function isErasure(content: JsonObject): boolean {
  return content['erased'] === true && !('form' in content) && !('answers' in content)
}

/** Empty every body of a document: a recorded erasure reaches also what other servers still hold. */
export async function emptyBodies(store: NuongDatabase, database: string, id: string): Promise<void> {
  await store.bodies
    .where('[database+id]')
    .equals([database, id])
    .modify((body) => {
      body.content = ERASED
      delete body.by
    })
}

/** The copy to show: rules 1 and 2 above. */
export function shownOf(copies: Copy[]): Copy | undefined {
  const isLeft = (copy: Copy): boolean =>
    copies.some((other) => other.rev !== copy.rev && other.past.includes(copy.rev))
  const standing = copies.filter((copy) => !isLeft(copy))
  // Two servers that each left the other's for their own: one of them was restored meanwhile. Better shown than hidden.
  const among = standing.length > 0 ? standing : copies
  return among.reduce<Copy | undefined>(
    (best, copy) => (best === undefined || wins(asRevision(copy), asRevision(best)) ? copy : best),
    undefined,
  )
}

type Key = [string, string, string]
const ERASED: JsonObject = { type: 'record', erased: true }

const MOST_PAST = 20

function past(
  told: Pick<Told, 'rev' | 'pull'>,
  has: string[],
  before: Copy | undefined,
  elsewhere: ReadonlySet<string>,
): string[] {
  const known = before !== undefined && before.pull === told.pull ? [...before.past, before.rev] : []
  // What this phone itself wrote and still has is told again each time, and so stays.
  const latest = [...new Set([...known, ...has].reverse())].reverse().filter((rev) => rev !== told.rev)
  return latest.filter((rev, index) => index >= latest.length - MOST_PAST || elsewhere.has(rev))
}

/** Revisions of these documents that other servers are known to hold. */
async function heldElsewhere(
  store: NuongDatabase,
  server: string,
  database: string,
  ids: string[],
): Promise<ReadonlySet<string>> {
  const revs = new Set<string>()
  for (const other of await store.servers.toCollection().primaryKeys()) {
    if (other === server) continue
    const copies = await store.copies.bulkGet(ids.map((id): Key => [other, database, id]))
    for (const copy of copies) if (copy !== undefined) revs.add(copy.rev)
  }
  return revs
}

async function erasedAmong(store: NuongDatabase, database: string, ids: string[]): Promise<Set<string>> {
  const shown = await store.documents.bulkGet(ids.map((id): [string, string] => [database, id]))
  const bare = shown.filter((row) => row?.type === 'record' && row.form === '' && row.deleted === 0)
  const rows = bare.flatMap((row) => (row === undefined ? [] : [row]))
  const bodies = await store.bodies.bulkGet(rows.map(({ id, rev }): Key => [database, id, rev]))
  return new Set(bodies.flatMap((body) => (body !== undefined && isErasure(body.content) ? [body.id] : [])))
}

/** Work out what is shown of documents whose copy at `server` has changed, and drop the bodies that nobody holds. */
async function showAnew(
  store: NuongDatabase,
  server: string,
  database: string,
  changed: { id: string; left: string | null }[],
): Promise<void> {
  const servers = new Set([server, ...(await store.servers.toCollection().primaryKeys())])
  const held = new Map<string, Copy[]>(changed.map(({ id }) => [id, []]))
  for (const each of servers) {
    for (const copy of await store.copies.bulkGet(changed.map(({ id }): Key => [each, database, id]))) {
      if (copy !== undefined) held.get(copy.id)?.push(copy)
    }
  }
  const shown = [...held.values()].flatMap((copies) => shownOf(copies) ?? [])
  const bodies = await store.bodies.bulkGet(shown.map(({ id, rev }): Key => [database, id, rev]))
  const documents = shown.map((copy, index): ServerDocument => {
    const all = new Set(held.get(copy.id)?.flatMap((one) => one.past))
    all.delete(copy.rev)
    const { id, rev, deleted } = copy
    return { ...listed(database, { id, rev, deleted }, bodies[index]?.content ?? {}), past: [...all] }
  })
  await store.documents.bulkPut(documents)
  const gone = changed.filter(({ id }) => held.get(id)?.length === 0)
  await store.documents.bulkDelete(gone.map(({ id }): [string, string] => [database, id]))
  const loose = changed.flatMap(({ id, left }): Key[] =>
    left !== null && held.get(id)?.some(({ rev }) => rev === left) !== true ? [[database, id, left]] : [],
  )
  await store.bodies.bulkDelete(loose)
}

function asRevision({ rev, deleted }: Copy): { rev: string; deleted: boolean } {
  return { rev, deleted: deleted === 1 }
}
