/**
 * What an answer says about this phone's own work: tokens, acknowledgements, verdicts and numbers, in one transaction of
 * their own. They are small and come first, so that a phone without room for the server's documents still learns what
 * arrived.
 */
import {
  serverState,
  type NuongDatabase,
  type OwnRevision,
  type ServerState,
  type Session,
  type Upload,
} from '@/storage/database'
import { facing } from '@/storage/session'
import { isForOthers, isMissing, needsSending, ownRevisions, type Prepared } from './request'
import type { SyncAnswer } from './wire'

export type Received = {
  stored: number
  refused: number
  /** Whether the server was sent something that it now lacks, so that another round follows. */
  again: boolean
  /** Whether the server forgot what it had: its pages are not taken, everything is pulled from the beginning. */
  wasRestored: boolean
}

/** Whether the person and the key that a request was made for are still those before the phone. */
export function isStillFor(session: Session | undefined, { enrolment }: Prepared): boolean {
  return session?.enrolment === enrolment.id && session.person.id === enrolment.person
}

/** Write down what concerns own work. */
export async function takeReceipts(
  answer: SyncAnswer,
  sent: Prepared,
  options: { pull: boolean; now: () => number },
  store: NuongDatabase,
): Promise<Received> {
  const { revisions, servers, standings, enrolments, session, uploads, epochs } = store
  const tables = [revisions, servers, standings, enrolments, session, uploads, epochs]
  return store.transaction('rw', tables, async () => new Receipts(answer, sent, options, store).take())
}

class Receipts {
  private state!: ServerState
  private own!: OwnRevision[]
  private readonly received: Received = { stored: 0, refused: 0, again: false, wasRestored: false }

  constructor(
    private readonly answer: SyncAnswer,
    private readonly sent: Prepared,
    private readonly options: { pull: boolean; now: () => number },
    private readonly store: NuongDatabase,
  ) {}

  async take(): Promise<Received> {
    const { answer, sent, store } = this
    const servers = await store.servers.toArray()
    this.state = servers.find(({ id }) => id === answer.server) ?? serverState(answer.server)
    this.own = await ownRevisions(sent.enrolment.id, store)
    const session = await store.session.get('current')
    const isMine = isStillFor(session, sent)
    if (session !== undefined && isMine) await this.takeTokens(session)
    const isNewEpoch = await this.takeEpoch()
    const isPulled = this.options.pull && answer.server === sent.server
    this.received.wasRestored = isPulled && (isNewEpoch || this.looksRestored())
    await this.takeAcknowledgements(servers)
    await this.sendMissing()
    if (this.received.wasRestored) await this.startAgain()
    // Of a session that has ended meanwhile nothing is kept: the next person's starts from nothing.
    if (this.options.pull && !isMine) return this.received
    if (answer.carry !== null) this.takeCarry(answer.carry)
    this.state.nextSeconds = answer.next_s
    this.state.lastExchangeAt = new Date(this.options.now()).toISOString()
    await store.servers.put(this.state)
    return this.received
  }

  /** What waited for a server that takes it can go to this one in the next round, if it does from now on. */
  private takeCarry(carry: string[]): void {
    const { state, own } = this
    const isFreed = (row: OwnRevision): boolean =>
      needsSending(row, state.id) && carry.includes(row.database) && !state.carry.includes(row.database)
    if (state.carry.length > 0 && own.some(isFreed)) this.received.again = true
    state.carry = carry
  }

  private async takeTokens(before: Session): Promise<void> {
    const session = facing(before, this.answer.server)
    const { tokens } = this.answer
    // A sign-in that happened meanwhile brought newer tokens than this request's.
    if (tokens !== null && session.refreshToken === this.sent.request.refresh) {
      const accessExpiresAt = this.options.now() + tokens.expires_in * 1000
      const { access_token: accessToken, refresh_token: refreshToken } = tokens
      await this.store.session.put({ ...session, accessToken, accessExpiresAt, refreshToken, expired: 0 })
    } else if (session !== before) await this.store.session.put(session)
  }

  /**
   * Take the server's epoch; true where it is another one than before: the server was restored. What it acknowledged is
   * then sent again, of everybody who ever signed in here, files and discarded numbers too.
   */
  private async takeEpoch(): Promise<boolean> {
    const { store, answer } = this
    const { server, epoch } = answer
    const known = await store.epochs.get(server)
    if (known?.epoch === epoch) return false
    await store.epochs.put({ server, epoch })
    if (known === undefined) return false
    const others = await store.revisions.filter(({ enrolment }) => enrolment !== this.sent.enrolment.id).toArray()
    await forgetReceipts(store, server, [...this.own, ...others])
    await store.uploads.toCollection().modify((upload) => forgetSite(upload, server))
    await store.standings.filter((one) => one.server === server).modify({ discarded: [], verdicts: [] })
    for (const name of Object.keys(this.state.since)) pullAfresh(this.state, name)
    this.received.again = true
    return true
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
    const lost = this.own.filter((row) => !acknowledged.has(row.rev))
    await forgetReceipts(this.store, this.answer.server, lost)
    await this.store.standings.update([this.answer.server, this.sent.enrolment.id], { discarded: [] })
    for (const name of Object.keys(this.state.since)) pullAfresh(this.state, name)
    this.received.again = true
  }

  /**
   * Send again what the server once acknowledged and now says it lacks. Nothing else would bring back a save that a
   * restored server has lost and that a later one of the same record follows: the feed and the digest look right.
   */
  private async sendMissing(): Promise<void> {
    const acknowledged = new Set(this.answer.acks.map(({ rev }) => rev))
    const lost = this.own.filter(
      (row) =>
        !acknowledged.has(row.rev) &&
        row.receipts[this.answer.server] !== undefined &&
        isMissing(row.number, this.answer.missing ?? ''),
    )
    if (lost.length === 0) return
    await forgetReceipts(this.store, this.answer.server, lost)
    this.received.again = true
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
      const { [answer.server]: _, ...aside } = row.aside ?? {}
      await store.revisions.update(rev, { receipts: row.receipts, aside })
      if (outcome === 'refused') this.received.refused += 1
      else if (pushed.has(rev)) this.received.stored += 1
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
}

/** Have these revisions, and the files of their records, sent to a server again. */
export async function forgetReceipts(store: NuongDatabase, server: string, rows: OwnRevision[]): Promise<void> {
  for (const row of rows) {
    const { [server]: forgotten, ...others } = row.receipts
    if (forgotten === undefined) continue
    row.receipts = others
    await store.revisions.update(row.rev, { receipts: others })
    await store.uploads
      .where('record')
      .equals(row.id)
      .modify((upload) => forgetSite(upload, server))
  }
}

function forgetSite(upload: Upload, server: string): void {
  const { [server]: _, ...sites } = upload.sites
  upload.sites = sites
  upload.done = Object.values(sites).some(({ done }) => done === 1) ? 1 : 0
}

/** Have a database pulled from its beginning; what does not come again is swept at the end. */
export function pullAfresh(state: ServerState, name: string): void {
  delete state.since[name]
  state.pulls[name] = pullOf(state, name) + 1
  state.afresh[name] = 'running'
}

/** The number of a database's current pull. */
export function pullOf(state: ServerState, name: string): number {
  return state.pulls[name] ?? 1
}

/** The sequence in a checkpoint, `131-5e8f01ab`; 0 where there is none. */
function sequence(since: string): number {
  const found = Number.parseInt(since, 10)
  return Number.isNaN(found) ? 0 : found
}
