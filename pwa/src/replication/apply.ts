/**
 * An answer written into the phone's store: pulled documents, checkpoints, acknowledgements and tokens in ONE strict
 * transaction, so that a phone that dies here has either all of it or none, and a checkpoint is never ahead of what it
 * stands for (I7). Losing the whole answer costs a repeat and nothing else.
 */
import { EMPTY_DIGEST, counts, mark, minus, plus } from '@/domain/digest'
import { contentOf, wins } from '@/domain/revision'
import type { Document } from '@/domain/record'
import { database, serverState, type NuongDatabase, type OwnRevision, type ServerState } from '@/storage/database'
import { listed } from '@/storage/listing'
import { needsSending, ownRevisions, type Prepared } from './request'
import type { DatabaseChanges, SyncAnswer } from './wire'

export type Applied = {
  /** Documents that arrived, and own revisions that the server has now taken. */
  received: number
  stored: number
  refused: number
  /** Whether another round has something to do. */
  again: boolean
  /** Databases whose digest still differed after they were pulled afresh. */
  broken: string[]
}

export async function apply(
  answer: SyncAnswer,
  sent: Prepared,
  options: { pull: boolean; now: () => number },
  store: NuongDatabase = database,
): Promise<Applied> {
  const marks = await marksOf(answer, sent)
  const tables = [
    store.documents,
    store.bodies,
    store.revisions,
    store.servers,
    store.standings,
    store.enrolments,
    store.session,
    store.drafts,
    store.uploads,
  ]
  return store.transaction('rw', tables, async () => {
    const work = new Application(answer, sent, marks, options, store)
    return work.run()
  })
}

/** Every mark that the transaction will need: hashing is asynchronous, and a transaction does not wait for it. */
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

class Application {
  private state!: ServerState
  private own!: OwnRevision[]
  private readonly result: Applied = { received: 0, stored: 0, refused: 0, again: false, broken: [] }

  constructor(
    private readonly answer: SyncAnswer,
    private readonly sent: Prepared,
    private readonly marks: Map<string, string>,
    private readonly options: { pull: boolean; now: () => number },
    private readonly store: NuongDatabase,
  ) {}

  async run(): Promise<Applied> {
    const { answer, sent, store } = this
    this.state = (await store.servers.get(answer.server)) ?? serverState(answer.server)
    this.own = await ownRevisions(sent.enrolment.id, store)
    const wasRestored = this.options.pull && this.looksRestored()
    await this.takeTokens()
    await this.takeAcknowledgements()
    if (wasRestored) await this.startAgain()
    else if (this.options.pull) await this.takeChanges()
    await this.placeOwn()
    await this.takeCarry()
    this.state.nextSeconds = answer.next_s
    this.state.lastExchangeAt = new Date(this.options.now()).toISOString()
    this.result.again ||= sent.left > 0
    if (this.options.pull && !this.result.again) this.state.complete = 1
    await store.servers.put(this.state)
    return this.result
  }

  /**
   * Whether the server has forgotten what it acknowledged (restored from a backup, or replaced by an older copy): it
   * knows lower numbers than it confirmed, or a feed has gone backwards.
   */
  private looksRestored(): boolean {
    const confirmed = this.own.filter((row) => row.receipts[this.answer.server] !== undefined)
    const highest = confirmed.reduce((most, row) => Math.max(most, row.number), 0)
    if (Number(this.answer.highest_number) < highest) return true
    return Object.entries(this.answer.changes).some(
      ([name, { since }]) => sequence(since) < sequence(this.state.since[name] ?? ''),
    )
  }

  /** Pull everything afresh and send again what this phone wrote: a repeat is harmless, a loss is not. */
  private async startAgain(): Promise<void> {
    const acknowledged = new Set(this.answer.acks.map(({ rev }) => rev))
    await this.forgetReceipts((row) => !acknowledged.has(row.rev))
    for (const name of Object.keys(this.state.since)) this.pullAfresh(name)
    this.result.again = true
  }

  private async forgetReceipts(which: (row: OwnRevision) => boolean): Promise<void> {
    for (const row of this.own.filter(which)) {
      const { [this.answer.server]: forgotten, ...others } = row.receipts
      if (forgotten === undefined) continue
      row.receipts = others
      await this.store.revisions.update(row.rev, { receipts: others })
      await this.store.uploads.where('record').equals(row.id).modify({ done: 0, url: null, offset: 0 })
    }
  }

  private pullAfresh(name: string): void {
    delete this.state.since[name]
    this.state.pulls[name] = this.pullOf(name) + 1
    this.state.afresh[name] = 'running'
  }

  private pullOf(name: string): number {
    return this.state.pulls[name] ?? 1
  }

  private async takeTokens(): Promise<void> {
    const session = await this.store.session.get('current')
    if (session === undefined || session.enrolment !== this.sent.enrolment.id) return
    if (session.server !== this.answer.server)
      await this.store.session.update('current', { server: this.answer.server })
    const { tokens } = this.answer
    // A sign-in that happened meanwhile brought newer tokens than this request's.
    if (tokens === null || session.refreshToken !== this.sent.request.refresh) return
    await this.store.session.update('current', {
      accessToken: tokens.access_token,
      accessExpiresAt: this.options.now() + tokens.expires_in * 1000,
      refreshToken: tokens.refresh_token,
      expired: 0,
    })
  }

  private async takeAcknowledgements(): Promise<void> {
    const { answer, sent, store } = this
    const pushed = new Set(sent.request.push.map(({ doc }) => doc._rev))
    const confirmed = new Set(sent.request.verdicts.map(Number))
    const standing = await store.standings.get([answer.server, sent.enrolment.id])
    const verdicts = new Set((standing?.verdicts ?? []).filter((number) => !confirmed.has(number)))
    const at = answer.server_time
    for (const { rev, number, outcome, reason } of answer.acks) {
      if (number !== null && !pushed.has(rev)) verdicts.add(Number(number))
      const row = this.own.find((own) => own.rev === rev)
      if (row === undefined) continue
      row.receipts = { ...row.receipts, [answer.server]: { outcome, reason, at } }
      await store.revisions.update(rev, { receipts: row.receipts })
      if (outcome === 'refused') this.result.refused += 1
      else if (pushed.has(rev)) this.result.stored += 1
    }
    await store.standings.put({
      server: answer.server,
      enrolment: sent.enrolment.id,
      safe: Number(answer.safe),
      verdicts: [...verdicts],
    })
    const told = new Set(sent.request.holding.discarded.map(Number))
    const enrolment = await store.enrolments.get(sent.enrolment.id)
    await store.enrolments.update(sent.enrolment.id, {
      highestNumber: Math.max(enrolment?.highestNumber ?? 0, Number(answer.highest_number)),
      discarded: (enrolment?.discarded ?? []).filter((number) => !told.has(number)),
    })
  }

  private async takeChanges(): Promise<void> {
    for (const [name, changes] of Object.entries(this.answer.changes)) {
      // Another answer was applied since this request was made: what it brought stands, this page comes again.
      if (this.state.since[name] !== this.sent.request.since[name]) continue
      for (const document of changes.docs) await this.take(name, document)
      this.state.since[name] = changes.since
      this.result.received += changes.docs.length
      if (changes.more) this.result.again = true
      else await this.close(name, changes)
    }
  }

  private async take(name: string, document: Document): Promise<void> {
    const { store } = this
    const old = await store.documents.get([name, document._id])
    const content = contentOf(document)
    const part = this.marks.get(`${document._id} ${document._rev}`) ?? ''
    let digest = this.state.digests[name] ?? EMPTY_DIGEST
    if (old !== undefined && old.mark !== '') digest = minus(digest, old.mark)
    if (part !== '') digest = plus(digest, part)
    this.state.digests[name] = digest
    const revision = { id: document._id, rev: document._rev, deleted: document._deleted === true ? 1 : 0 } as const
    await store.documents.put({ ...listed(name, revision, content), mark: part, pull: this.pullOf(name) })
    await store.bodies.put({ database: name, id: document._id, content })
    if (content['erased'] === true) await this.erase(document._id)
  }

  /** A recorded erasure empties this phone's own copies too; nothing of the record is sent any more. */
  private async erase(id: string): Promise<void> {
    await this.store.revisions.where('id').equals(id).delete()
    await this.store.drafts.delete(id)
    await this.store.uploads.where('record').equals(id).delete()
    this.own = this.own.filter((row) => row.id !== id)
  }

  /** At the end of a feed: sweep what an afresh pull did not bring again, then compare holdings with the server. */
  private async close(name: string, changes: DatabaseChanges): Promise<void> {
    const { store, state } = this
    if (state.afresh[name] === 'running') {
      const gone = await store.documents
        .where('database')
        .equals(name)
        .filter((row) => row.pull < this.pullOf(name))
        .toArray()
      for (const row of gone) {
        if (row.mark !== '') state.digests[name] = minus(state.digests[name] ?? EMPTY_DIGEST, row.mark)
        await store.documents.delete([name, row.id])
        await store.bodies.delete([name, row.id])
      }
    }
    if (typeof changes.digest !== 'string') {
      if (state.afresh[name] === 'running') state.afresh[name] = 'done'
      return
    }
    // The page leaves out what this very request pushed; those are placed first.
    await this.placeOwn(name)
    if ((state.digests[name] ?? EMPTY_DIGEST) === changes.digest) {
      delete state.afresh[name]
    } else if (state.afresh[name] === undefined || state.afresh[name] === 'done') {
      this.pullAfresh(name)
      await this.forgetReceipts((row) => row.database === name && !this.isPushed(row.rev))
      this.result.again = true
    } else {
      state.afresh[name] = 'failed'
      this.result.broken.push(name)
    }
  }

  private isPushed(rev: string): boolean {
    return this.sent.request.push.some(({ doc }) => doc._rev === rev)
  }

  /**
   * A pushed revision that was taken, and that the answer does not mention, is the server's winner unless a better one
   * stands: the server never echoes what the request itself brought.
   */
  private async placeOwn(only?: string): Promise<void> {
    if (this.answer.carry === null) return
    const taken = new Map(this.answer.acks.map((ack) => [ack.rev, ack.outcome]))
    for (const { db, doc } of this.sent.request.push) {
      const outcome = taken.get(doc._rev)
      if ((only !== undefined && db !== only) || (outcome !== 'stored' && outcome !== 'duplicate')) continue
      if (!this.answer.carry.includes(db)) continue
      if (this.answer.changes[db]?.docs.some(({ _id }) => _id === doc._id) === true) continue
      const standing = await this.store.documents.get([db, doc._id])
      const pushed = { rev: doc._rev, deleted: doc._deleted === true }
      if (standing !== undefined && !wins(pushed, { rev: standing.rev, deleted: standing.deleted === 1 })) {
        if (standing.rev === doc._rev && standing.pull < this.pullOf(db)) {
          await this.store.documents.update([db, doc._id], { pull: this.pullOf(db) })
        }
        continue
      }
      await this.take(db, doc)
    }
  }

  /** Databases that are no longer assigned go, once everything that was written for them is with the server. */
  private async takeCarry(): Promise<void> {
    const { carry, server } = this.answer
    if (carry === null) return
    this.state.carry = carry
    const known = new Set([...Object.keys(this.state.since), ...Object.keys(this.state.digests)])
    for (const name of known) {
      if (carry.includes(name)) continue
      const isUnsent = (row: OwnRevision): boolean => row.database === name && needsSending(row, server)
      const unsent = await this.store.revisions.filter(isUnsent).count()
      const files = await this.store.uploads
        .where('database')
        .equals(name)
        .filter(({ done }) => done === 0)
        .count()
      if (unsent + files > 0) continue
      await this.store.documents.where('database').equals(name).delete()
      await this.store.bodies.where('database').equals(name).delete()
      for (const part of [this.state.since, this.state.digests, this.state.pulls, this.state.afresh]) delete part[name]
    }
  }
}

/** The sequence in a checkpoint, `131-5e8f01ab`; 0 where there is none. */
function sequence(since: string): number {
  const found = Number.parseInt(since, 10)
  return Number.isNaN(found) ? 0 : found
}
