/**
 * What may happen to an exchange, and which event it is. The functions are pure: an effect (exchange.ts, run.ts,
 * sender.ts) hands in what it found, and gets the one event that the table (table.ts) knows for it.
 */
import { Problem } from '@/api/problem'
import { isQuota } from '@/domain/storage-full'
import type { Session } from '@/storage/database'
import { facing } from '@/storage/session'
import type { Applied } from './apply'
import { isAboutContent } from './asides'
import type { ExchangeResult, Memory, Reason, Received } from './memory'
import type { SyncAnswer } from './wire'

type None = object
type Woken = { reason: Reason }
type Failed = { error: Error }
type Facing = { server: string; credentials: Session }
type Stored = { applied: Applied; answer: SyncAnswer }

/** Every event, with what it carries. */
export type Payload = {
  /** A person pressed the button. */
  asked: Woken
  /** The app started, the network came back, or somebody signed in. */
  called: Woken
  /** Something was saved, or the app came to the front; soon after a failure that is no reason to try again. */
  nudged: Woken
  nudged_soon: Woken
  timer: Woken

  lock_held: None
  /** Another tab sends. */
  other_tab: { nextSeconds: number }

  enrolment: { enrolment: string; isMine: boolean; server: string }
  nobody_left: None

  /** The access token seems good, or seems to have ended; or the server has none of this person's. */
  token_fresh: Facing
  token_stale: Facing
  password_missing: Facing
  /** The enrolment is signed out: its seal is enough to push. */
  signed_out: None
  /** Whoever was signed in when their turn began is not any more. */
  session_ended: None
  rounds_spent: None
  only_pushing: None

  answered: { received: Received }
  token_refused: Failed
  /** Another server than the request was made for refused the token. */
  other_server: { server: string; error: Error }
  /** The same, by one that was tried already. */
  same_servers: Failed
  nothing_to_send: Failed
  /** Our server failed on what it was given: several revisions, or one. */
  several_failed: { count: number }
  one_failed: { rev: string; error: Problem }
  key_revoked: Failed

  stored_all: Stored
  stored_more: Stored
  /** Another server answered than the request was made for: the rest of the answer is asked for anew. */
  stored_elsewhere: Stored
  /** The server had forgotten what it acknowledged: it gets it again, and everything is pulled afresh. */
  restored: Stored
  /** Whoever asked signed out meanwhile: only what concerns own work was kept. */
  signed_out_meanwhile: Stored
  /** What the server holds finds no room here; more waits to be pushed, or nothing. */
  no_room_more: Stored & Failed
  no_room_all: Stored & Failed

  done: None
  not_let_in: None
  session_changed: None

  /** No network, or no answer in time. */
  no_link: Failed
  /** An answer that is not our server's. */
  portal: Failed
  /** An answer that broke off; what had arrived of it was kept. */
  broken_off: Failed
  /** The server asks for a pause, or a proxy finds none behind it. */
  busy: Failed
  server_failed: Failed
  app_too_old: Failed
  server_too_old: Failed
  /** Anything else that trying again alone does not change. */
  refused: Failed
  /** This phone's disk is full. */
  phone_full: Failed
  /** A failure that nobody foresaw. */
  broke: Failed

  all_well: { nextSeconds: number }
  fails_for_now: None
  needs_person: None
}

export type Kind = keyof Payload
export type Event<K extends Kind = Kind> = { [E in K]: { kind: E } & Payload[E] }[K]

export type Wake = 'asked' | 'called' | 'nudged' | 'timer'
/** What any request and any step of a run may end in. */
export type Trouble =
  | 'no_link'
  | 'portal'
  | 'broken_off'
  | 'busy'
  | 'server_failed'
  | 'app_too_old'
  | 'server_too_old'
  | 'refused'
  | 'phone_full'
  | 'broke'

/** More rounds than any honest exchange needs: 5,000 records take about four. */
export const MOST_ROUNDS = 400
/** More servers than one address ever leads to. */
const MOST_SERVERS = 8
/** A token that ends so soon may have ended when it arrives. */
const STALE_MS = 30_000
/** While backing off, saves and glances at the screen start no other attempt so soon after the last one. */
const SOON_MS = 60_000

/** Why a phone is woken; `sinceMs` is how long ago the last attempt began, null for a reason that waited for its end. */
export function wakeEvent(reason: Reason, failures: number, sinceMs: number | null): Event<Wake | 'nudged_soon'> {
  if (reason === 'person') return { kind: 'asked', reason }
  const isGlance = reason === 'saved' || reason === 'visible'
  if (failures > 0 && (sinceMs === null || (isGlance && sinceMs < SOON_MS))) return { kind: 'nudged_soon', reason }
  if (isGlance) return { kind: 'nudged', reason }
  return { kind: reason === 'timer' ? 'timer' : 'called', reason }
}

/** Whose turn it is: whoever is signed in, then those who left something here; `waiting` are enrolments with work to push. */
export function turnEvent(
  { whose, served }: Memory,
  session: Session | undefined,
  waiting: Iterable<string>,
  lastServer: string,
): Event<'enrolment' | 'nobody_left'> {
  if (whose === null && session !== undefined) {
    return { kind: 'enrolment', enrolment: session.enrolment, isMine: true, server: session.server }
  }
  const server = session?.server ?? lastServer
  for (const enrolment of waiting) {
    if (enrolment === session?.enrolment || served.has(enrolment)) continue
    return { kind: 'enrolment', enrolment, isMine: false, server }
  }
  return { kind: 'nobody_left' }
}

type TokenKind = 'token_fresh' | 'token_stale' | 'password_missing' | 'session_ended'

/** What the next request shows at the server that is before the phone. */
export function facingEvent(memory: Memory, session: Session | undefined, now: number): Event<TokenKind> {
  if (session === undefined || session.enrolment !== memory.whose?.enrolment) return { kind: 'session_ended' }
  const credentials = facing(session, memory.server)
  const carried = { server: memory.server, credentials }
  if (credentials.expired === 1) return { kind: 'password_missing', ...carried }
  return { kind: credentials.accessExpiresAt <= now + STALE_MS ? 'token_stale' : 'token_fresh', ...carried }
}

/** What a round begins with. */
export function roundEvent(
  memory: Memory,
  session: Session | undefined,
  now: number,
): Event<TokenKind | 'signed_out' | 'rounds_spent' | 'only_pushing'> {
  if (memory.rounds >= MOST_ROUNDS) return { kind: 'rounds_spent' }
  if (memory.isFull) return { kind: 'only_pushing' }
  if (session?.enrolment === memory.whose?.enrolment && session !== undefined) {
    return facingEvent({ ...memory, server: letIn(session, memory.server) }, session, now)
  }
  return { kind: memory.whose?.isMine === true ? 'session_ended' : 'signed_out' }
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

/** The trouble in anything thrown. */
export function troubleEvent(thrown: unknown): Event<Trouble> {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  if (isQuota(error)) return { kind: 'phone_full', error }
  if (!(error instanceof Problem)) return { kind: 'broke', error }
  return { kind: problemKind(error), error }
}

function problemKind({ code, status }: Problem): Trouble {
  if (status === 0) return code === 'not_our_server' ? 'portal' : code === 'answer_broken' ? 'broken_off' : 'no_link'
  if ([429, 502, 503, 504].includes(status)) return 'busy'
  if (status >= 500) return 'server_failed'
  return code === 'app_too_old' || code === 'server_too_old' ? code : 'refused'
}

/** How a run that has come to its end leaves the phone; a person is needed where nothing else would change the answer. */
export function endEvent(
  trouble: Error | null,
  { nextSeconds }: ExchangeResult,
): Event<'all_well' | 'fails_for_now' | 'needs_person'> {
  if (trouble === null) return { kind: 'all_well', nextSeconds }
  const isHopeless =
    trouble instanceof Problem && (trouble.code === 'not_signed_in' || trouble.code === 'enrolment_revoked')
  return { kind: isHopeless ? 'needs_person' : 'fails_for_now' }
}
