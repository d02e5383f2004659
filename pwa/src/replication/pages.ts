/**
 * One database's part of an answer: its documents, its checkpoint and its digest in ONE strict transaction, so that a
 * phone that dies here has either all of it or none, and a checkpoint is never ahead of what it stands for (I7). Losing
 * a page costs a repeat and nothing else.
 *
 * Person and key are compared inside the transaction: an answer that comes after somebody else signed in is dropped.
 */
import { EMPTY_DIGEST, minus, plus } from '@/domain/digest'
import { contentOf, generationOf, wins } from '@/domain/revision'
import type { Document } from '@/domain/record'
import { dropCopies, emptyBodies, isErasure, keepCopies } from '@/storage/copies'
import { serverState, type Copy, type NuongDatabase, type OwnRevision, type ServerState } from '@/storage/database'
import { isStored, isStoredAt } from '@/storage/outcomes'
import { forgetReceipts, isStillFor, pullAfresh, pullOf } from './receipts'
import { ownRevisions, type Prepared } from './request'
import type { DatabaseChanges, SyncAnswer } from './wire'

/** An answer, the request that it answers, the marks of all documents in both, and whether to take what it brings. */
export type Answered = { answer: SyncAnswer; sent: Prepared; marks: Map<string, string>; isPulled: boolean }

export type TakenPage = {
  received: number
  /** Whether another round has something to do. */
  again: boolean
  /** Whether the digest still differed after the database was pulled afresh. */
  isBroken: boolean
  /** Whether the session that asked has ended: nothing was taken. */
  isOver: boolean
}

/** Write one database's part of an answer, and what this very request pushed to it. */
export async function takePage(name: string, answered: Answered, store: NuongDatabase): Promise<TakenPage> {
  const tables = [
    store.copies,
    store.documents,
    store.bodies,
    store.revisions,
    store.servers,
    store.enrolments,
    store.session,
    store.drafts,
    store.uploads,
  ]
  return store.transaction('rw', tables, async () => new PageWork(name, answered, store).run())
}

/** Drop what a server held of a database and that `isGone` picks by its pull. */
export async function sweep(
  store: NuongDatabase,
  state: ServerState,
  name: string,
  isGone: (pull: number) => boolean,
): Promise<void> {
  const copies = await store.copies.where('[server+database]').equals([state.id, name]).toArray()
  const gone = copies.filter(({ pull }) => isGone(pull))
  for (const { mark: part } of gone) {
    if (part !== '') state.digests[name] = minus(state.digests[name] ?? EMPTY_DIGEST, part)
  }
  const ids = gone.map(({ id }) => id)
  await dropCopies(store, state.id, name, ids)
}

class PageWork {
  private state!: ServerState
  private own!: OwnRevision[]
  private readonly taken: TakenPage = { received: 0, again: false, isBroken: false, isOver: false }

  constructor(
    private readonly name: string,
    private readonly answered: Answered,
    private readonly store: NuongDatabase,
  ) {}

  async run(): Promise<TakenPage> {
    const { store, name, taken } = this
    const { answer, sent, isPulled } = this.answered
    if (!isStillFor(await store.session.get('current'), sent)) return { ...taken, isOver: true }
    this.state = (await store.servers.get(answer.server)) ?? serverState(answer.server)
    this.own = await ownRevisions(sent.enrolment.id, store)
    const changes = answer.changes[name]
    // Another answer was applied since this request was made: what it brought stands, this page comes again.
    const isNext = this.state.since[name] === sent.request.since[name]
    if (changes !== undefined && isPulled && isNext) await this.takeChanges(changes)
    await this.placeOwn()
    await store.servers.put(this.state)
    return taken
  }

  private async takeChanges(changes: DatabaseChanges): Promise<void> {
    const known = this.takenHere()
    await this.take(changes.docs, (id) => known.get(id) ?? [], changes.by)
    this.state.since[this.name] = changes.since
    this.taken.received += changes.docs.length
    if (changes.more) this.taken.again = true
    else await this.close(changes)
  }

  /** Write down a server's winners; `known` are other revisions of each document that the server has. */
  private async take(
    documents: Document[],
    known: (id: string) => string[],
    by: DatabaseChanges['by'] = {},
  ): Promise<void> {
    const { name, state } = this
    // The feed moves while it is read: of a document that came twice, the last word counts.
    const latest = [...new Map(documents.map((document) => [document._id, document])).values()]
    const told = latest.map((document) => {
      const { _id: id, _rev: rev } = document
      const deleted = document._deleted === true ? (1 as const) : (0 as const)
      const part = this.answered.marks.get(`${id} ${rev}`) ?? ''
      const content = contentOf(document)
      const did = (by[id] ?? []).map((one) => ({ decided: [], comment: '', ...one }))
      return { id, rev, deleted, content, by: did, mark: part, pull: pullOf(state, name), has: known(id) }
    })
    const before = await keepCopies(this.store, state.id, name, told)
    let digest = state.digests[name] ?? EMPTY_DIGEST
    for (const part of before) if (part !== '') digest = minus(digest, part)
    for (const { mark: part } of told) if (part !== '') digest = plus(digest, part)
    state.digests[name] = digest
    for (const { id, content } of told) if (isErasure(content)) await this.erase(id)
  }

  /** This phone's own revisions that the server has said it has, by document. */
  private takenHere(): Map<string, string[]> {
    const taken = new Map<string, string[]>()
    for (const own of this.own) {
      if (isStoredAt(own, this.answered.answer.server)) taken.set(own.id, [...(taken.get(own.id) ?? []), own.rev])
    }
    return taken
  }

  /** A recorded erasure empties this phone's own copies too; nothing of the record is sent any more. */
  private async erase(id: string): Promise<void> {
    const { store } = this
    await emptyBodies(store, this.name, id)
    const rows = await store.revisions.where('id').equals(id).toArray()
    await store.revisions.bulkDelete(rows.map(({ rev }) => rev))
    for (const { enrolment, number } of rows) {
      // A server that has not received it would count it as lost (I10).
      await store.enrolments
        .where('id')
        .equals(enrolment)
        .modify((row) => {
          if (!row.discarded.includes(number)) row.discarded = [...row.discarded, number]
        })
    }
    await store.drafts.filter(({ record }) => record === id).delete()
    await store.uploads.where('record').equals(id).delete()
    this.own = this.own.filter((row) => row.id !== id)
  }

  /** At the end of a feed: sweep what an afresh pull did not bring again, then compare holdings with the server. */
  private async close(changes: DatabaseChanges): Promise<void> {
    const { name, state } = this
    if (state.afresh[name] === 'running') await sweep(this.store, state, name, (pull) => pull < pullOf(state, name))
    if (typeof changes.digest !== 'string') {
      if (state.afresh[name] === 'running') state.afresh[name] = 'done'
      return
    }
    // The page leaves out what this very request pushed; those are placed first.
    await this.placeOwn()
    if ((state.digests[name] ?? EMPTY_DIGEST) === changes.digest) {
      delete state.afresh[name]
    } else if (state.afresh[name] === undefined || state.afresh[name] === 'done') {
      pullAfresh(state, name)
      const doubtful = this.own.filter((row) => row.database === name && !this.isPushed(row.rev))
      await forgetReceipts(this.store, state.id, doubtful)
      this.taken.again = true
    } else {
      state.afresh[name] = 'failed'
      this.taken.isBroken = true
    }
  }

  private isPushed(rev: string): boolean {
    return this.answered.sent.request.push.some(({ doc }) => doc._rev === rev)
  }

  /**
   * A pushed revision that was taken, and that the answer does not mention, is the server's winner unless a better one
   * stands: the server never echoes what the request itself brought. It stands over whatever it descends from, a deletion
   * too, though nothing that lives is less than a tombstone. What a deletion descends from may be known to another server
   * alone; but had it not become the winner, a page that goes to the end would have named what is.
   */
  private async placeOwn(): Promise<void> {
    const { name } = this
    const { answer, sent } = this.answered
    if (answer.carry?.includes(name) !== true) return
    const taken = new Map(answer.acks.map((ack) => [ack.rev, ack.outcome]))
    const changes = answer.changes[name]
    for (const { db, doc, ancestors } of sent.request.push) {
      const outcome = taken.get(doc._rev)
      if (db !== name || !isStored(outcome)) continue
      if (changes?.docs.some(({ _id }) => _id === doc._id) === true) continue
      const standing = await this.store.copies.get([this.state.id, db, doc._id])
      const isWhole = changes?.more === false && (outcome === 'stored' || sent.request.since[db] === undefined)
      if (standing === undefined || this.isLess(standing, doc, ancestors, isWhole))
        await this.take([doc], () => ancestors)
    }
  }

  private isLess(standing: Copy, doc: Document, ancestors: string[], isWhole: boolean): boolean {
    if (standing.rev === doc._rev) return standing.pull < pullOf(this.state, this.name)
    if (standing.past.includes(doc._rev)) return false
    if (ancestors.includes(standing.rev)) return true
    const isDeleted = doc._deleted === true
    if (isDeleted && isWhole && generationOf(doc._rev) > generationOf(standing.rev)) return true
    return wins({ rev: doc._rev, deleted: isDeleted }, { rev: standing.rev, deleted: standing.deleted === 1 })
  }
}
