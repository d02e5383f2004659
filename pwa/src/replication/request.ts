/**
 * A request made from what the phone holds. The one transaction that chooses revisions also freezes them: from then on
 * they are repeated byte for byte, whether or not the request ever arrived. It also counts the request: what a request
 * says of this phone counts at a server once, and never after a later one.
 */
import type { Document } from '@/domain/record'
import {
  database,
  serverState,
  siteOf,
  type Enrolment,
  type NuongDatabase,
  type OwnRevision,
  type ServerState,
} from '@/storage/database'
import { isStoredAt } from '@/storage/outcomes'
import { savedFrom } from '@/storage/records'
import { isResting } from './asides'
import { PROTOCOL, type Push, type SyncRequest } from './wire'

/** Records in one request, at the starting budget of a link; fewer where the link proved poor. */
const BYTES_A_RECORD = 500
const MOST_RECORDS = 500
const MOST_CHARACTERS = 3_000_000

export type Prepared = {
  request: SyncRequest
  enrolment: Enrolment
  server: string
  /** Revisions that wait for a further request. */
  left: number
}

export type RequestOptions = {
  pull: boolean
  /** Whether to send once more what was refused or set aside: a person asked. */
  again: boolean
  /** At most so many revisions. */
  most?: number | undefined
  /** Revisions to leave out. */
  skip?: ReadonlySet<string>
  now?: number
}

/** Whether a server still needs to be sent this revision; one that it refused goes again only when a person asks. */
export function needsSending(own: OwnRevision, server: string, again = false): boolean {
  const receipt = own.receipts[server]
  return receipt === undefined || (again && receipt.outcome === 'refused')
}

/**
 * Whether a database is none of a server's, which carries `carry`, but of another's: a hub takes those of its commune.
 * What was written for the others waits for a server that takes it, where pushing it here would only have it refused.
 */
export function isForOthers(database: string, carry: string[], others: ServerState[]): boolean {
  return !carry.includes(database) && others.some((other) => other.carry.includes(database))
}

/** Whether a number is among those that an answer says are missing: `2,5-7`. */
export function isMissing(number: number, missing: string): boolean {
  if (missing === '') return false
  return missing.split(',').some((part) => {
    const [first = 0, last = first] = part.split('-').map(Number)
    return number >= first && number <= last
  })
}

/** Choose, freeze and describe what goes into the next request of an enrolment. */
export async function prepared(
  enrolmentId: string,
  server: string,
  options: RequestOptions,
  store: NuongDatabase = database,
): Promise<Prepared> {
  const tables = [store.revisions, store.enrolments, store.servers, store.standings, store.drafts, store.uploads]
  return store.transaction('rw', tables, async () => {
    const enrolment = await store.enrolments.get(enrolmentId)
    if (enrolment === undefined) throw new Error(`unknown enrolment ${enrolmentId}`)
    const number = (enrolment.exchange ?? 0) + 1
    await store.enrolments.update(enrolmentId, { exchange: number })
    const servers = await store.servers.toArray()
    const state = servers.find(({ id }) => id === server) ?? serverState(server)
    const standing = await store.standings.get([server, enrolmentId])
    const own = await ownRevisions(enrolmentId, store)
    const others = servers.filter(({ id }) => id !== server)
    // What a server carries is not known before its first answer.
    const isHeldBack = (row: OwnRevision): boolean =>
      state.carry.length > 0 && isForOthers(row.database, state.carry, others)
    const { again, skip, now = Date.now() } = options
    const isDue = (row: OwnRevision): boolean =>
      needsSending(row, server, again) && (again || !isResting(row.aside?.[server], now)) && skip?.has(row.rev) !== true
    const waiting = own.filter((row) => isDue(row) && !isHeldBack(row))
    const chosen = firstFew(waiting, state).slice(0, options.most)
    for (const row of chosen) {
      if (row.frozen === 0) await store.revisions.update(row.rev, { frozen: 1 })
    }
    const pushed = new Set(chosen.map((row) => row.rev))
    const held = own.filter((row) => !pushed.has(row.rev) && needsSending(row, server, true))
    const drafts = await store.drafts.where('person').equals(enrolment.person).count()
    const media = await store.uploads.filter((upload) => siteOf(upload, server).done === 0).count()
    const heard = new Set(standing?.discarded)
    const byRev = new Map(own.map((row) => [row.rev, row]))
    const request: SyncRequest = {
      protocol: PROTOCOL,
      enrolment: enrolmentId,
      exchange: String(number),
      since: options.pull ? state.since : {},
      push: chosen.map((row) => asPush(row, byRev, server)),
      holding: {
        unsent: held.map((row) => String(row.number)),
        discarded: enrolment.discarded.filter((number) => !heard.has(number)).map(String),
        drafts,
        media,
      },
      // Without a token another server than this one may answer, and must not take these for its own.
      verdicts: options.pull ? (standing?.verdicts ?? []).map(String) : [],
      max_bytes: state.maxBytes,
    }
    return { request, enrolment, server, left: waiting.length - chosen.length }
  })
}

/** An enrolment's revisions in the order of their numbers, in which a parent always stands before its child. */
export async function ownRevisions(enrolment: string, store: NuongDatabase = database): Promise<OwnRevision[]> {
  return store.revisions.where('[enrolment+number]').between([enrolment, 0], [enrolment, Infinity]).toArray()
}

/** The first that one request holds; what alone is too large for the link goes by itself, after all the others. */
function firstFew(waiting: OwnRevision[], state: ServerState): OwnRevision[] {
  const most = Math.max(1, Math.min(MOST_RECORDS, Math.floor(state.maxBytes / BYTES_A_RECORD)))
  const chosen: OwnRevision[] = []
  let characters = 0
  const groups = together(waiting)
  for (const group of groups) {
    const size = group.reduce((sum, row) => sum + JSON.stringify(row.content).length, 0)
    if (size > state.maxBytes) continue
    const isFull = chosen.length > 0 && chosen.length + group.length > most
    if (isFull || characters + size > MOST_CHARACTERS) break
    characters += size
    chosen.push(...group)
  }
  return (chosen.length > 0 ? chosen : (groups[0] ?? [])).sort((one, other) => one.number - other.number)
}

/** A record goes with what it saved to others: one seal covers both. */
function together(waiting: OwnRevision[]): OwnRevision[][] {
  const records = new Set(waiting.map(({ id }) => id))
  const groups = new Map<string, OwnRevision[]>()
  for (const row of waiting) {
    const from = savedFrom(row)
    const key = from !== undefined && records.has(from) ? from : row.id
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return [...groups.values()]
}

function asPush(row: OwnRevision, byRev: Map<string, OwnRevision>, server: string): Push {
  const tombstone = row.deleted === 1 ? ({ _deleted: true } as const) : {}
  const doc = { _id: row.id, _rev: row.rev, ...tombstone, ...row.content } as Document
  return { db: row.database, doc, ancestors: ancestorsOf(row, byRev, server) }
}

/** Ancestors, parent first, back to the last that the server acknowledged, or that it gave us. */
function ancestorsOf(row: OwnRevision, byRev: Map<string, OwnRevision>, server: string): string[] {
  const ancestors: string[] = []
  for (let rev = row.parent; rev !== null;) {
    ancestors.push(rev)
    const own = byRev.get(rev)
    if (own === undefined || isStoredAt(own, server)) break
    rev = own.parent
  }
  return ancestors
}
