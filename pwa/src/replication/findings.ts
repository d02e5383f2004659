/**
 * What an effect of the exchange found, as the one event that the table (table.ts) knows for it. The functions are pure, and
 * how many rounds, servers or suspects are too many is decided here, so that no cell needs a condition.
 */
import { Problem } from '@/api/problem'
import type { Session } from '@/storage/database'
import { facing } from '@/storage/session'
import type { Applied } from './apply'
import { isAboutContent } from './asides'
import { troubleEvent, type Event, type Trouble } from './events'
import type { Memory } from './memory'
import type { SyncAnswer } from './wire'

/** More rounds than any honest exchange needs: 5,000 records take about four. */
export const MOST_ROUNDS = 400
/** More servers than one address ever leads to. */
const MOST_SERVERS = 8
/** A token that ends so soon may have ended when it arrives. */
const STALE_MS = 30_000

/** The turn of whoever is signed in, which comes first; null when it has been, or nobody is. */
export function ownTurn({ whose }: Memory, session: Session | undefined): Event<'enrolment'> | null {
  if (whose !== null || session === undefined) return null
  return { kind: 'enrolment', enrolment: session.enrolment, isMine: true, server: session.server }
}

/** The turn of the next who left something here: `waiting` are enrolments with work to push to `server`. */
export function othersTurn(
  { served }: Memory,
  session: Session | undefined,
  waiting: Iterable<string>,
  server: string,
): Event<'enrolment' | 'nobody_left'> {
  for (const enrolment of waiting) {
    if (enrolment === session?.enrolment || served.has(enrolment)) continue
    return { kind: 'enrolment', enrolment, isMine: false, server }
  }
  return { kind: 'nobody_left' }
}

type TokenKind = 'token_fresh' | 'token_stale' | 'password_missing' | 'session_ended'

/** What the next request shows at the server that is before the phone. */
export function facingEvent(memory: Memory, session: Session | undefined, now: number): Event<TokenKind> {
  return isTheirs(memory, session) ? shownEvent(session, memory.server, now) : { kind: 'session_ended' }
}

/** What a round begins with. */
export function roundEvent(
  memory: Memory,
  session: Session | undefined,
  now: number,
): Event<TokenKind | 'signed_out' | 'rounds_spent' | 'only_pushing'> {
  if (memory.rounds >= MOST_ROUNDS) return { kind: 'rounds_spent' }
  if (memory.isFull) return { kind: 'only_pushing' }
  if (isTheirs(memory, session)) return shownEvent(session, letIn(session, memory.server), now)
  return { kind: memory.whose?.isMine === true ? 'session_ended' : 'signed_out' }
}

/** Whether who is signed in is whose turn it is. */
function isTheirs({ whose }: Memory, session: Session | undefined): session is Session {
  return session !== undefined && session.enrolment === whose?.enrolment
}

/** What somebody who is signed in shows at a server. */
function shownEvent(session: Session, server: string, now: number): Event<Exclude<TokenKind, 'session_ended'>> {
  const credentials = facing(session, server)
  const carried = { server, credentials }
  if (credentials.expired === 1) return { kind: 'password_missing', ...carried }
  return { kind: credentials.accessExpiresAt <= now + STALE_MS ? 'token_stale' : 'token_fresh', ...carried }
}

/** The server to try: the one asked for, or where the password is missing there, one that would let this person in. */
function letIn(session: Session, server: string): string {
  if (facing(session, server).expired === 0) return server
  return Object.keys(session.elsewhere).find((other) => session.elsewhere[other]?.expired === 0) ?? server
}

/** A 401 of one of our servers, to a request that showed a token. */
export function tokenEvent(memory: Memory, error: Problem): Event<'token_refused' | 'other_server' | 'same_servers'> {
  const server = error.server ?? memory.server
  if (server === memory.server) return { kind: 'token_refused', error }
  const isOver = memory.tried.has(server) || memory.tried.size >= MOST_SERVERS
  return isOver ? { kind: 'same_servers', error } : { kind: 'other_server', server, error }
}

/** A request that failed, with the revisions that it pushed. */
export function requestEvent(
  memory: Memory,
  error: unknown,
  pushed: string[],
): Event<Trouble | 'several_failed' | 'one_failed' | 'key_revoked'> {
  if (!(error instanceof Problem)) return troubleEvent(error)
  if (error.code === 'enrolment_revoked') return { kind: 'key_revoked', error }
  const [rev] = pushed
  if (rev === undefined || !isAboutContent(error)) return troubleEvent(blamed(memory, error))
  return pushed.length > 1 ? { kind: 'several_failed', count: pushed.length } : { kind: 'one_failed', rev, error }
}

/** Without a token there is nothing to ask but to take something: where that fails, it is what failed before that counts. */
export function blamed({ suspects }: Memory, error: Problem): Problem {
  return error.code === 'not_signed_in' ? (suspects.values().next().value ?? error) : error
}

type StoredKind =
  | 'stored_all'
  | 'stored_more'
  | 'stored_elsewhere'
  | 'restored'
  | 'signed_out_meanwhile'
  | 'no_room_more'
  | 'no_room_all'

/** What became of an answer that arrived whole. */
export function storedEvent(memory: Memory, applied: Applied, answer: SyncAnswer): Event<StoredKind> {
  const stored = { applied, answer }
  if (applied.isOver) return { kind: 'signed_out_meanwhile', ...stored }
  const error = memory.isFull ? memory.trouble : (applied.failure ?? null)
  if (error !== null) return { kind: applied.left > 0 ? 'no_room_more' : 'no_room_all', error, ...stored }
  if (applied.wasRestored) return { kind: 'restored', ...stored }
  if (answer.server !== memory.received?.sent.server) return { kind: 'stored_elsewhere', ...stored }
  return { kind: applied.again ? 'stored_more' : 'stored_all', ...stored }
}
