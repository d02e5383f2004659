/**
 * What a run of the exchange knows while it goes on, and how each event changes it. Every function here is pure: it
 * returns the next memory and leaves the one before as it was. What must outlive the run stands in the phone's store.
 */
import type { Problem } from '@/api/problem'
import type { Session } from '@/storage/database'
import type { Event } from './events'
import type { Reply } from './link'
import type { Prepared } from './request'

export type ExchangeResult = { sent: number; received: number; refused: number; broken: string[]; nextSeconds: number }

export type Reason = 'start' | 'online' | 'visible' | 'saved' | 'timer' | 'person' | 'signed-in'

/** What of the waiting revisions goes into the next request. */
export type Choice = {
  /** Whether to send once more what was refused or set aside. */
  again: boolean
  /** At most so many; undefined where only the link's budget counts. */
  most: number | undefined
  skip: ReadonlySet<string>
}

/** An answer that was not stored yet, with the request that it answers. */
export type Received = Reply & { sent: Prepared; pull: boolean }

export type Memory = {
  reason: Reason
  /** Runs in a row that failed. */
  failures: number
  /** Why another run was asked for while this one goes on. */
  meanwhile: Reason | null
  /** Whose work is exchanged now; null before the first one's turn. */
  whose: { enrolment: string; isMine: boolean } | null
  /** Signed-out enrolments that have had their turn. */
  served: ReadonlySet<string>
  /** The server that the next request is made for, and what it lets in. */
  server: string
  credentials: Session | null
  /** What the last answer's server took for the time; null before the first answer. */
  serverTime: string | null
  /** Servers that a request was made for since the last answer. */
  tried: ReadonlySet<string>
  rounds: number
  choice: Choice
  /** Revisions on which a request failed that brought nothing else. */
  suspects: ReadonlyMap<string, Problem>
  received: Received | null
  /** Whether this phone has no room for what servers hold: from then on it only pushes. */
  isFull: boolean
  /** What the run fails with at its end. */
  trouble: Error | null
  result: ExchangeResult
}

/** So many in a row without one that was taken: it is the server that is in trouble, or all of the phone. */
export const MOST_SUSPECTS = 3

/** The memory of a phone that has just been opened. */
export function atStart(again = false): Memory {
  return {
    reason: again ? 'person' : 'start',
    failures: 0,
    meanwhile: null,
    whose: null,
    served: new Set(),
    server: '',
    credentials: null,
    serverTime: null,
    tried: new Set(),
    rounds: 0,
    choice: { again, most: undefined, skip: new Set() },
    suspects: new Map(),
    received: null,
    isFull: false,
    trouble: null,
    result: { sent: 0, received: 0, refused: 0, broken: [], nextSeconds: 300 },
  }
}

/** A new run; a person or a returning network makes it the first after no failure. */
export function begin(memory: Memory, { kind, reason }: Event<'asked' | 'called' | 'nudged' | 'timer'>): Memory {
  const failures = kind === 'asked' || kind === 'called' ? 0 : memory.failures
  return { ...atStart(kind === 'asked'), reason, failures }
}

/** What counts also after a failure, the most pressing last. */
const PRESSING: Reason[] = ['online', 'signed-in', 'person']

/** One more run follows; what is more pressing is not forgotten over a later reason. */
export function follow(memory: Memory, { reason }: { reason: Reason }): Memory {
  const { meanwhile } = memory
  const isLess = meanwhile !== null && PRESSING.indexOf(reason) < PRESSING.indexOf(meanwhile)
  return isLess ? memory : { ...memory, meanwhile: reason }
}

/** It is an enrolment's turn, with all that it has. */
export function takeTurn(memory: Memory, { enrolment, isMine, server }: Event<'enrolment'>): Memory {
  const served = isMine ? memory.served : new Set([...memory.served, enrolment])
  return {
    ...memory,
    whose: { enrolment, isMine },
    served,
    server,
    credentials: null,
    tried: new Set(),
    rounds: 0,
    choice: { again: memory.reason === 'person', most: undefined, skip: new Set() },
    suspects: new Map(),
  }
}

/** The next request is made for this server, with its tokens. */
export function face(memory: Memory, { server, credentials }: { server: string; credentials: Session }): Memory {
  return { ...memory, server, credentials, tried: new Set([...memory.tried, server]) }
}

export function meet(memory: Memory, { server }: Event<'other_server'>): Memory {
  return { ...memory, server }
}

/** Half as many in the next request. */
export function halve(memory: Memory, { count }: Event<'several_failed'>): Memory {
  return anotherRound({ ...memory, choice: { ...memory.choice, most: Math.ceil(count / 2) } })
}

/** The next request goes without this one; after a few of them it pushes nothing, to see whether the server takes that. */
export function suspect(memory: Memory, { rev, error }: Event<'one_failed'>): Memory {
  const suspects = new Map([...memory.suspects, [rev, error]])
  const skip = new Set([...memory.choice.skip, rev])
  const most = suspects.size >= MOST_SUSPECTS ? 0 : memory.choice.most
  return anotherRound({ ...memory, suspects, choice: { ...memory.choice, most, skip } })
}

export function keep(memory: Memory, { received }: Event<'answered'>): Memory {
  return { ...memory, received }
}

/** A stored answer: from now on its server counts, and what was refused or set aside goes no second time. */
export function count(memory: Memory, { applied, answer }: Pick<Event<'stored_all'>, 'applied' | 'answer'>): Memory {
  const { result, choice } = memory
  const most = choice.most === undefined ? undefined : Math.max(1, choice.most * 2)
  return anotherRound({
    ...memory,
    server: answer.server,
    serverTime: answer.server_time,
    choice: { ...choice, again: false, most },
    suspects: new Map(),
    received: null,
    result: {
      sent: result.sent + applied.stored,
      received: result.received + applied.received,
      refused: result.refused + applied.refused,
      broken: [...result.broken, ...applied.broken],
      nextSeconds: answer.next_s,
    },
  })
}

/** The same, and what the server holds finds no room here. */
export function countAndFill(memory: Memory, event: Event<'no_room_more' | 'no_room_all'>): Memory {
  return { ...count(memory, event), isFull: true, trouble: memory.isFull ? memory.trouble : event.error }
}

/** The run has failed, whatever was wrong before. */
export function fail(memory: Memory, { error }: { error: Error }): Memory {
  return { ...memory, trouble: error }
}

/** The run has failed, unless it had before. */
export function failToo(memory: Memory, { error }: { error: Error }): Memory {
  return { ...memory, trouble: memory.trouble ?? error }
}

/** A trouble of one enrolment: told at the end to whoever is signed in, and nobody else's concern. */
export function failMine(memory: Memory, event: { error: Error }): Memory {
  return memory.whose?.isMine === true ? fail(memory, event) : memory
}

/** At rest, with everything exchanged or another tab at it. */
export function rest(memory: Memory, { nextSeconds }: { nextSeconds: number }): Memory {
  return { ...memory, failures: 0, result: { ...memory.result, nextSeconds } }
}

export function countFailure(memory: Memory): Memory {
  return { ...memory, failures: memory.failures + 1 }
}

function anotherRound(memory: Memory): Memory {
  return { ...memory, rounds: memory.rounds + 1, tried: new Set() }
}
