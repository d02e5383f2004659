/**
 * The exchange with the server, as a table: what each event does in each state. A state has one effect (exchange.ts,
 * run.ts, sender.ts); what the effect may report is in `Heard`, and a cell that is missing fails the type check. Read a row
 * from left to right: in this state, on this event, go there, and remember what the note (memory.ts) says.
 *
 * What must always hold, and the test that fails where it does not:
 *
 * | | |
 * |---|---|
 * | Whatever happens, a run comes to rest. | `pwa/tests/replication/table.test.ts::whatever happens, a run comes to rest` |
 * | Every state is reached, and every running state is left. | `pwa/tests/replication/table.test.ts::every state is reached, and left again` |
 * | At rest a phone hears whatever wakes it. | `pwa/tests/replication/table.test.ts::a phone at rest can be woken` |
 * | What is asked for during a run is not forgotten. | `pwa/tests/replication/table.test.ts::a wish during a run` |
 * | A checkpoint is stored with its documents, or not at all (I7). | `pwa/tests/replication/killed.test.ts::at any one step loses and doubles nothing` |
 * | A lost answer costs a repeat (I3). | `pwa/tests/replication/exchange.test.ts::a lost answer costs a repeat and doubles nothing` |
 * | What is not our server's word changes nothing. | `pwa/tests/replication/not-ours.test.ts::changes nothing` |
 * | Only the server that gave a token ends it. | `pwa/tests/replication/table.test.ts::only the server that gave a token ends it` |
 * | Nothing of an answer is kept for another person (I9). | `pwa/tests/replication/late-answers.test.ts::another person who signs in during an exchange` |
 * | One bad record stops no other. | `pwa/tests/replication/bad-items.test.ts::many bad records in a row hide none that is good` |
 * | A server that takes nothing sets nothing aside. | `pwa/tests/replication/bad-items.test.ts::a server that fails on everything sets nothing aside` |
 * | A full phone still hands over, also for who is signed out. | `pwa/tests/replication/bad-items.test.ts::a full phone hands over` |
 * | One enrolment's trouble keeps no other's work here. | `pwa/tests/replication/not-ours.test.ts::a revoked key of somebody who is signed out` |
 */
import type { Event, Kind, Trouble, Wake } from './events'
import {
  begin,
  count,
  countAndFill,
  countFailure,
  face,
  fail,
  failMine,
  failToo,
  follow,
  halve,
  keep,
  meet,
  rest,
  suspect,
  takeTurn,
  type Memory,
} from './memory'

type Facing = 'token_fresh' | 'token_stale' | 'password_missing' | 'session_ended'
type Sent = Trouble | 'answered' | 'several_failed' | 'one_failed' | 'key_revoked'

/** Which events a state hears: what its effect may report, and what may wake the phone meanwhile. */
export type Heard = {
  // At rest: the effect is to wait.
  idle: Wake
  backing_off: Wake | 'nudged_soon'
  /** Nothing helps but a person, or another network; no timer runs. */
  halted: Wake | 'nudged_soon'
  /** Load the code and take the lock. */
  starting: Wake | Trouble | 'lock_held' | 'other_tab'
  /** Whose turn is it? */
  choosing_enrolment: Wake | Trouble | 'enrolment' | 'nobody_left'
  /** A round begins: which token, at which server? */
  choosing_token: Wake | Trouble | Facing | 'signed_out' | 'rounds_spent' | 'only_pushing'
  /** The address leads to another server: make that the one before the phone. */
  switching_server: Wake | Trouble | Facing
  /** Push and pull with the access token. */
  requesting: Wake | Sent | 'token_refused' | 'other_server' | 'same_servers'
  /** The same with the refresh token beside it. */
  renewing: Wake | Sent | 'token_refused' | 'other_server' | 'same_servers'
  /** Write down that this server asks for the password again. */
  expiring: Wake | Trouble | 'done'
  /** Push without a token, by the enrolment's seal. */
  handing_over: Wake | Sent | 'token_refused' | 'nothing_to_send'
  /** Write down that the key is trusted no more. */
  retiring_key: Wake | Trouble | 'done'
  /** Apply the answer. */
  storing:
    | Wake
    | Trouble
    | 'stored_all'
    | 'stored_more'
    | 'stored_elsewhere'
    | 'restored'
    | 'signed_out_meanwhile'
    | 'no_room_more'
    | 'no_room_all'
  /** Drop what `safe` covers. */
  pruning: Wake | Trouble | 'done'
  fetching_forms: Wake | Trouble | 'done' | 'not_let_in' | 'session_changed'
  sending_files: Wake | Trouble | 'done' | 'session_changed'
  /** How did it end? */
  concluding: Wake | 'all_well' | 'fails_for_now' | 'needs_person'
}

export type State = keyof Heard

export type Cell<K extends Kind> = {
  /** Where the event leads; null where it changes the memory alone. */
  to: State | null
  note?: (memory: Memory, event: Event<K>) => Memory
}
type Row<K extends Kind> = { [E in K]: Cell<E> }

const WOKEN = {
  asked: { to: 'starting', note: begin },
  called: { to: 'starting', note: begin },
  nudged: { to: 'starting', note: begin },
  timer: { to: 'starting', note: begin },
} satisfies Row<Wake>

/** One run at a time: another one follows it. */
const MEANWHILE = {
  asked: { to: null, note: follow },
  called: { to: null, note: follow },
  nudged: { to: null, note: follow },
  timer: { to: null, note: follow },
} satisfies Row<Wake>

/** While records are exchanged. */
const TROUBLE = {
  // Without a link nothing else goes.
  no_link: { to: 'concluding', note: fail },
  portal: { to: 'concluding', note: fail },
  broken_off: { to: 'concluding', note: fail },
  busy: { to: 'concluding', note: fail },
  // Forms and files may still fare better.
  server_failed: { to: 'fetching_forms', note: fail },
  phone_full: { to: 'fetching_forms', note: fail },
  broke: { to: 'fetching_forms', note: fail },
  // One enrolment's trouble must not keep another's work on the phone.
  app_too_old: { to: 'choosing_enrolment', note: failMine },
  server_too_old: { to: 'choosing_enrolment', note: failMine },
  refused: { to: 'choosing_enrolment', note: failMine },
} satisfies Row<Trouble>

/** What else goes on after a trouble, where there is a link; the trouble that came first is told. */
const goOn = (next: State): Row<Trouble> => ({
  no_link: { to: 'concluding', note: failToo },
  portal: { to: 'concluding', note: failToo },
  broken_off: { to: 'concluding', note: failToo },
  busy: { to: 'concluding', note: failToo },
  server_failed: { to: next, note: failToo },
  phone_full: { to: next, note: failToo },
  broke: { to: next, note: failToo },
  app_too_old: { to: next, note: failToo },
  server_too_old: { to: next, note: failToo },
  refused: { to: next, note: failToo },
})

const FACING = {
  token_fresh: { to: 'requesting', note: face },
  token_stale: { to: 'renewing', note: face },
  password_missing: { to: 'handing_over', note: face },
  // What is theirs leaves by its seal, when it is the turn of who is signed out.
  session_ended: { to: 'choosing_enrolment' },
} satisfies Row<Facing>

const SENT = {
  ...TROUBLE,
  answered: { to: 'storing', note: keep },
  // The server failed on what it was given: half as many, until it is known which revision it is.
  several_failed: { to: 'choosing_token', note: halve },
  one_failed: { to: 'choosing_token', note: suspect },
  key_revoked: { to: 'retiring_key', note: failMine },
} satisfies Row<Sent>

export const TABLE: { [S in State]: Row<Heard[S]> } = {
  idle: WOKEN,
  backing_off: { ...WOKEN, nudged_soon: { to: null } },
  halted: { ...WOKEN, nudged_soon: { to: null } },

  starting: {
    ...MEANWHILE,
    ...goOn('concluding'),
    lock_held: { to: 'choosing_enrolment' },
    other_tab: { to: 'idle', note: rest },
  },
  choosing_enrolment: {
    ...MEANWHILE,
    ...TROUBLE,
    enrolment: { to: 'choosing_token', note: takeTurn },
    nobody_left: { to: 'pruning' },
  },
  choosing_token: {
    ...MEANWHILE,
    ...TROUBLE,
    ...FACING,
    signed_out: { to: 'handing_over' },
    only_pushing: { to: 'handing_over' },
    rounds_spent: { to: 'choosing_enrolment' },
  },
  switching_server: { ...MEANWHILE, ...TROUBLE, ...FACING },
  requesting: {
    ...MEANWHILE,
    ...SENT,
    // The phone's clock may be wrong: a token that seemed good and was not goes again with the refresh token beside it.
    token_refused: { to: 'renewing' },
    other_server: { to: 'switching_server', note: meet },
    same_servers: { to: 'handing_over' },
  },
  renewing: {
    ...MEANWHILE,
    ...SENT,
    token_refused: { to: 'expiring' },
    other_server: { to: 'switching_server', note: meet },
    same_servers: { to: 'handing_over' },
  },
  expiring: { ...MEANWHILE, ...TROUBLE, done: { to: 'handing_over' } },
  handing_over: {
    ...MEANWHILE,
    ...SENT,
    token_refused: { to: 'choosing_enrolment', note: failMine },
    nothing_to_send: { to: 'choosing_enrolment', note: failMine },
  },
  retiring_key: { ...MEANWHILE, ...TROUBLE, done: { to: 'choosing_enrolment' } },
  storing: {
    ...MEANWHILE,
    ...TROUBLE,
    stored_all: { to: 'choosing_enrolment', note: count },
    stored_more: { to: 'choosing_token', note: count },
    stored_elsewhere: { to: 'choosing_token', note: count },
    restored: { to: 'choosing_token', note: count },
    signed_out_meanwhile: { to: 'choosing_enrolment', note: count },
    // What the server holds finds no room here; what this phone holds still goes to the server.
    no_room_more: { to: 'choosing_token', note: countAndFill },
    no_room_all: { to: 'choosing_enrolment', note: countAndFill },
  },
  // Before forms and files, which may need the room.
  pruning: { ...MEANWHILE, ...goOn('fetching_forms'), done: { to: 'fetching_forms' } },
  fetching_forms: {
    ...MEANWHILE,
    ...goOn('sending_files'),
    done: { to: 'sending_files' },
    not_let_in: { to: 'concluding' },
    // Whoever signed in meanwhile has a run of their own.
    session_changed: { to: 'concluding' },
  },
  sending_files: {
    ...MEANWHILE,
    ...goOn('concluding'),
    done: { to: 'concluding' },
    session_changed: { to: 'concluding' },
  },
  concluding: {
    ...MEANWHILE,
    all_well: { to: 'idle', note: rest },
    fails_for_now: { to: 'backing_off', note: countFailure },
    needs_person: { to: 'halted', note: countFailure },
  },
}
