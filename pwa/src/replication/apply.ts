/**
 * An answer written into the phone's store, in steps that each stand alone: first what it says about own work, then one
 * database after the other, each in a transaction of its own. A step that fails (a full disk, a damaged page) costs a
 * repeat of that step and undoes nothing before it.
 *
 * Everything is written down as what THIS server said: its checkpoints, its copies, its digests, its receipts. Where
 * another server answered than the request was made for, its acknowledgements are taken and the request is made anew.
 */
import { counts, mark } from '@/domain/digest'
import { database, type NuongDatabase, type OwnRevision } from '@/storage/database'
import { sweep, takePage, type Answered } from './pages'
import { isStillFor, takeReceipts } from './receipts'
import { needsSending, type Prepared } from './request'
import type { SyncAnswer } from './wire'

export type Applied = {
  /** Documents that arrived, and own revisions that the server has now taken. */
  received: number
  stored: number
  refused: number
  /** Whether another round has something to do. */
  again: boolean
  /** Revisions that wait for a further request. */
  left: number
  /** Databases whose digest still differed after they were pulled afresh. */
  broken: string[]
  /** Why a database's part could not be written; undefined when all were. */
  failure: Error | undefined
  /** Whether the server had forgotten what it had, and everything is pulled from the beginning. */
  wasRestored: boolean
  /** Whether the session that asked has ended: nothing more was taken. */
  isOver: boolean
}

export async function apply(
  answer: SyncAnswer,
  sent: Prepared,
  options: { pull: boolean; now: () => number; isWhole?: boolean },
  store: NuongDatabase = database,
): Promise<Applied> {
  const { isWhole = true } = options
  const marks = await marksOf(answer, sent)
  const receipts = await takeReceipts(answer, sent, options, store)
  const isAsked = answer.server === sent.server
  const applied: Applied = { received: 0, ...receipts, left: sent.left, broken: [], failure: undefined, isOver: false }
  applied.again ||= sent.left > 0 || !isAsked
  if (!options.pull) return applied
  // Of a database in which the answer broke off nothing is known, nor what it holds of this very request.
  const pushedTo = isWhole ? sent.request.push.map(({ db }) => db) : []
  const names = new Set([...Object.keys(answer.changes), ...pushedTo])
  await takePages(names, { answer, sent, marks, isPulled: isAsked && !applied.wasRestored }, applied, store)
  if (isWhole && applied.failure === undefined) await dropUnassigned(answer, sent, isAsked && !applied.again, store)
  return applied
}

/** Every mark that the transactions will need: hashing is asynchronous, and a transaction does not wait for it. */
async function marksOf(answer: SyncAnswer, sent: Prepared): Promise<Map<string, string>> {
  const documents = [
    ...Object.values(answer.changes).flatMap(({ docs }) => docs),
    ...sent.request.push.map(({ doc }) => doc),
  ]
  const live = documents.filter((doc) => doc._deleted !== true && counts(doc._id))
  return new Map(
    await Promise.all(live.map(async ({ _id, _rev }) => [`${_id} ${_rev}`, await mark(_id, _rev)] as const)),
  )
}

async function takePages(
  names: Set<string>,
  answered: Answered,
  applied: Applied,
  store: NuongDatabase,
): Promise<void> {
  for (const name of names) {
    try {
      const page = await takePage(name, answered, store)
      // Whoever asked has signed out: nothing more is for this phone, or for this person.
      if (page.isOver) {
        applied.isOver = true
        return
      }
      applied.received += page.received
      applied.again ||= page.again
      if (page.isBroken) applied.broken.push(name)
    } catch (error) {
      applied.failure ??= error instanceof Error ? error : new Error(String(error))
    }
  }
}

/** Databases that are no longer assigned go, once everything that was written for them is with the server. */
async function dropUnassigned(
  answer: SyncAnswer,
  sent: Prepared,
  isComplete: boolean,
  store: NuongDatabase,
): Promise<void> {
  const { carry, server } = answer
  if (carry === null) return
  const tables = [
    store.copies,
    store.documents,
    store.bodies,
    store.revisions,
    store.servers,
    store.session,
    store.uploads,
  ]
  await store.transaction('rw', tables, async () => {
    const state = await store.servers.get(server)
    if (state === undefined || !isStillFor(await store.session.get('current'), sent)) return
    if (isComplete) state.complete = 1
    const known = new Set([...Object.keys(state.since), ...Object.keys(state.digests)])
    for (const name of known) {
      if (carry.includes(name)) continue
      const isUnsent = (row: OwnRevision): boolean => row.database === name && needsSending(row, server)
      const unsent = await store.revisions.filter(isUnsent).count()
      const files = await store.uploads
        .where('database')
        .equals(name)
        .filter(({ done }) => done === 0)
        .count()
      if (unsent + files > 0) continue
      await sweep(store, state, name, () => true)
      for (const part of [state.since, state.digests, state.pulls, state.afresh]) delete part[name]
    }
    await store.servers.put(state)
  })
}
