/**
 * An answer written into the phone's store: pulled documents, checkpoints, acknowledgements and tokens in ONE strict
 * transaction, so that a phone that dies here has either all of it or none, and a checkpoint is never ahead of what it
 * stands for (I7). Losing the whole answer costs a repeat and nothing else.
 *
 * Everything is written down as what THIS server said: its checkpoints, its copies, its digests, its receipts. Where
 * another server answered than the request was made for, its acknowledgements are taken and the request is made anew.
 */
import { EMPTY_DIGEST, counts, mark, minus, plus } from '@/domain/digest'
import { contentOf, generationOf, wins } from '@/domain/revision'
import type { Document } from '@/domain/record'
import { dropCopies, emptyBodies, keepCopies } from '@/storage/copies'
import {
  database,
  serverState,
  type Copy,
  type NuongDatabase,
  type OwnRevision,
  type ServerState,
} from '@/storage/database'
import { facing } from '@/storage/session'
import { isForOthers, isMissing, needsSending, ownRevisions, type Prepared } from './request'
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
    store.copies,
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
    const servers = await store.servers.toArray()
    this.state = servers.find(({ id }) => id === answer.server) ?? serverState(answer.server)
    this.own = await ownRevisions(sent.enrolment.id, store)
    const isAsked = answer.server === sent.server
    const isPulled = this.options.pull && isAsked
    const wasRestored = isPulled && this.looksRestored()
    await this.takeTokens()
    await this.takeAcknowledgements(servers)
    await this.sendMissing()
    if (wasRestored) await this.startAgain()
    else if (isPulled) await this.takeChanges()
    await this.placeOwn()
    await this.takeCarry()
    this.state.nextSeconds = answer.next_s
    this.state.lastExchangeAt = new Date(this.options.now()).toISOString()
    this.result.again ||= sent.left > 0 || !isAsked
    if (isPulled && !this.result.again) this.state.complete = 1
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
    await this.store.standings.update([this.answer.server, this.sent.enrolment.id], { discarded: [] })
    for (const name of Object.keys(this.state.since)) this.pullAfresh(name)
    this.result.again = true
  }

  private async forgetReceipts(which: (row: OwnRevision) => boolean): Promise<void> {
    for (const row of this.own.filter(which)) {
      const { [this.answer.server]: forgotten, ...others } = row.receipts
      if (forgotten === undefined) continue
      row.receipts = others
      await this.store.revisions.update(row.rev, { receipts: others })
      await this.store.uploads
        .where('record')
        .equals(row.id)
        .modify((upload) => {
          const { [this.answer.server]: _, ...sites } = upload.sites
          upload.sites = sites
          upload.done = Object.values(sites).some(({ done }) => done === 1) ? 1 : 0
        })
    }
  }

  /**
   * Send again what the server once acknowledged and now says it lacks. Nothing else would bring back a save that a
   * restored server has lost and that a later one of the same record follows: the feed and the digest look right.
   */
  private async sendMissing(): Promise<void> {
    const acknowledged = new Set(this.answer.acks.map(({ rev }) => rev))
    const isLost = (row: OwnRevision): boolean =>
      !acknowledged.has(row.rev) &&
      row.receipts[this.answer.server] !== undefined &&
      isMissing(row.number, this.answer.missing ?? '')
    if (!this.own.some(isLost)) return
    await this.forgetReceipts(isLost)
    this.result.again = true
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
    const before = await this.store.session.get('current')
    if (before === undefined || before.enrolment !== this.sent.enrolment.id) return
    const session = facing(before, this.answer.server)
    const { tokens } = this.answer
    // A sign-in that happened meanwhile brought newer tokens than this request's.
    if (tokens !== null && session.refreshToken === this.sent.request.refresh) {
      const accessExpiresAt = this.options.now() + tokens.expires_in * 1000
      const { access_token: accessToken, refresh_token: refreshToken } = tokens
      await this.store.session.put({ ...session, accessToken, accessExpiresAt, refreshToken, expired: 0 })
    } else if (session !== before) await this.store.session.put(session)
  }

  private async takeAcknowledgements(servers: ServerState[]): Promise<void> {
    const { answer, sent, store } = this
    const pushed = new Set(sent.request.push.map(({ doc }) => doc._rev))
    const confirmed = new Set(sent.request.verdicts.map(Number))
    const standing = await store.standings.get([answer.server, sent.enrolment.id])
    const verdicts = new Set((standing?.verdicts ?? []).filter((number) => !confirmed.has(number)))
    const at = answer.server_time
    const carry = answer.carry ?? this.state.carry
    const others = servers.filter(({ id }) => id !== answer.server)
    for (const { rev, number, outcome, reason } of answer.acks) {
      if (number !== null && !pushed.has(rev)) verdicts.add(Number(number))
      const row = this.own.find((own) => own.rev === rev)
      if (row === undefined) continue
      // A hub refuses what belongs to another commune; that is no word about it, the province still takes it.
      if (outcome === 'refused' && isForOthers(row.database, carry, others)) continue
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
      discarded: [...new Set([...(standing?.discarded ?? []), ...sent.request.holding.discarded.map(Number)])],
    })
    const enrolment = await store.enrolments.get(sent.enrolment.id)
    await store.enrolments.update(sent.enrolment.id, {
      highestNumber: Math.max(enrolment?.highestNumber ?? 0, Number(answer.highest_number)),
    })
  }

  private async takeChanges(): Promise<void> {
    const taken = this.takenHere()
    for (const [name, changes] of Object.entries(this.answer.changes)) {
      // Another answer was applied since this request was made: what it brought stands, this page comes again.
      if (this.state.since[name] !== this.sent.request.since[name]) continue
      await this.take(name, changes.docs, (id) => taken.get(id) ?? [], changes.by)
      this.state.since[name] = changes.since
      this.result.received += changes.docs.length
      if (changes.more) this.result.again = true
      else await this.close(name, changes)
    }
  }

  /** Write down a server's winners; `known` are other revisions of each document that the server has. */
  private async take(
    name: string,
    documents: Document[],
    known: (id: string) => string[],
    by: DatabaseChanges['by'] = {},
  ): Promise<void> {
    // The feed moves while it is read: of a document that came twice, the last word counts.
    const latest = [...new Map(documents.map((document) => [document._id, document])).values()]
    const told = latest.map((document) => {
      const { _id: id, _rev: rev } = document
      const deleted = document._deleted === true ? (1 as const) : (0 as const)
      const part = this.marks.get(`${id} ${rev}`) ?? ''
      const content = contentOf(document)
      const did = (by[id] ?? []).map((one) => ({ decided: [], comment: '', ...one }))
      return { id, rev, deleted, content, by: did, mark: part, pull: this.pullOf(name), has: known(id) }
    })
    const before = await keepCopies(this.store, this.state.id, name, told)
    let digest = this.state.digests[name] ?? EMPTY_DIGEST
    for (const part of before) if (part !== '') digest = minus(digest, part)
    for (const { mark: part } of told) if (part !== '') digest = plus(digest, part)
    this.state.digests[name] = digest
    for (const { id, content } of told) if (content['erased'] === true) await this.erase(name, id)
  }

  /** This phone's own revisions that the server has said it has, by document. */
  private takenHere(): Map<string, string[]> {
    const taken = new Map<string, string[]>()
    for (const { id, rev, receipts } of this.own) {
      const outcome = receipts[this.answer.server]?.outcome
      if (outcome !== 'stored' && outcome !== 'duplicate') continue
      taken.set(id, [...(taken.get(id) ?? []), rev])
    }
    return taken
  }

  /** A recorded erasure empties this phone's own copies too; nothing of the record is sent any more. */
  private async erase(name: string, id: string): Promise<void> {
    const { store } = this
    await emptyBodies(store, name, id)
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
  private async close(name: string, changes: DatabaseChanges): Promise<void> {
    const { state } = this
    if (state.afresh[name] === 'running') await this.sweep(name, (pull) => pull < this.pullOf(name))
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

  private async sweep(name: string, isGone: (pull: number) => boolean): Promise<void> {
    const { store, state } = this
    const copies = await store.copies.where('[server+database]').equals([state.id, name]).toArray()
    const gone = copies.filter(({ pull }) => isGone(pull))
    for (const { mark: part } of gone) {
      if (part !== '') state.digests[name] = minus(state.digests[name] ?? EMPTY_DIGEST, part)
    }
    const ids = gone.map(({ id }) => id)
    await dropCopies(store, state.id, name, ids)
  }

  private isPushed(rev: string): boolean {
    return this.sent.request.push.some(({ doc }) => doc._rev === rev)
  }

  /**
   * A pushed revision that was taken, and that the answer does not mention, is the server's winner unless a better one
   * stands: the server never echoes what the request itself brought. It stands over whatever it descends from, a deletion
   * too, though nothing that lives is less than a tombstone. What a deletion descends from may be known to another server
   * alone; but had it not become the winner, a page that goes to the end would have named what is.
   */
  private async placeOwn(only?: string): Promise<void> {
    if (this.answer.carry === null) return
    const taken = new Map(this.answer.acks.map((ack) => [ack.rev, ack.outcome]))
    for (const { db, doc, ancestors } of this.sent.request.push) {
      const outcome = taken.get(doc._rev)
      if ((only !== undefined && db !== only) || (outcome !== 'stored' && outcome !== 'duplicate')) continue
      if (!this.answer.carry.includes(db)) continue
      if (this.answer.changes[db]?.docs.some(({ _id }) => _id === doc._id) === true) continue
      const standing = await this.store.copies.get([this.state.id, db, doc._id])
      const changes = this.answer.changes[db]
      const isWhole = changes?.more === false && (outcome === 'stored' || this.sent.request.since[db] === undefined)
      if (standing === undefined || this.isLess(standing, doc, ancestors, { name: db, isWhole }))
        await this.take(db, [doc], () => ancestors)
    }
  }

  private isLess(
    standing: Copy,
    doc: Document,
    ancestors: string[],
    page: { name: string; isWhole: boolean },
  ): boolean {
    if (standing.rev === doc._rev) return standing.pull < this.pullOf(page.name)
    if (standing.past.includes(doc._rev)) return false
    if (ancestors.includes(standing.rev)) return true
    const isDeleted = doc._deleted === true
    if (isDeleted && page.isWhole && generationOf(doc._rev) > generationOf(standing.rev)) return true
    return wins({ rev: doc._rev, deleted: isDeleted }, { rev: standing.rev, deleted: standing.deleted === 1 })
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
      await this.sweep(name, () => true)
      for (const part of [this.state.since, this.state.digests, this.state.pulls, this.state.afresh]) delete part[name]
    }
  }
}

/** The sequence in a checkpoint, `131-5e8f01ab`; 0 where there is none. */
function sequence(since: string): number {
  const found = Number.parseInt(since, 10)
  return Number.isNaN(found) ? 0 : found
}
