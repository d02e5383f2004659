/**
 * What may happen to an exchange, and which event it is that wakes it, troubles it or ends it; what its requests and answers
 * come to is in findings.ts, which the first screen does not load. The functions are pure.
 */
import { Problem } from '@/api/problem'
import { isQuota } from '@/domain/storage-full'
import type { Session } from '@/storage/database'
import type { Applied } from './apply'
import type { ExchangeResult, Reason, Received } from './memory'
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

/** While backing off, saves and glances at the screen start no other attempt so soon after the last one. */
const SOON_MS = 60_000

/** Why a phone is woken; `sinceMs` is how long ago the last attempt began, null for a reason that waited for its end. */
export function wakeEvent(reason: Reason, failures: number, sinceMs: number | null): Event<Wake | 'nudged_soon'> {
  if (reason === 'person') return { kind: 'asked', reason }
  const isGlance = reason === 'saved' || reason === 'visible'
  // Another network or another session may fare better at once.
  const isTooSoon = sinceMs === null ? reason !== 'online' && reason !== 'signed-in' : isGlance && sinceMs < SOON_MS
  if (failures > 0 && isTooSoon) return { kind: 'nudged_soon', reason }
  if (isGlance) return { kind: 'nudged', reason }
  return { kind: reason === 'timer' ? 'timer' : 'called', reason }
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
