/** The table of the exchange: whole, left from everywhere, and the way that real exchanges go. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Fetch } from '@/api/client'
import { Problem } from '@/api/problem'
import type { Applied } from '@/replication/apply'
import { endEvent, troubleEvent, wakeEvent, type Event, type Kind } from '@/replication/events'
import {
  facingEvent,
  othersTurn,
  ownTurn,
  requestEvent,
  roundEvent,
  storedEvent,
  tokenEvent,
} from '@/replication/findings'
import { Machine, transition, type Standing } from '@/replication/machine'
import { atStart, type Memory, type Received } from '@/replication/memory'
import { Sender } from '@/replication/sender'
import { TABLE, type Cell, type State } from '@/replication/table'
import type { SyncAnswer } from '@/replication/wire'
import { database, type ServerState, type Session } from '@/storage/database'
import { storeSignOut } from '@/storage/session'
import { Door } from './door'
import { AGRI, emptyPhone, exchangeWith, record, signIn } from './phone'

const RESTING: readonly State[] = ['idle', 'backing_off', 'halted']
const WAKES: readonly Kind[] = ['asked', 'called', 'nudged', 'timer']
const TROUBLES = (Object.keys(TABLE.expiring) as Kind[]).filter((kind) => !WAKES.includes(kind) && kind !== 'done')
const STATES = Object.keys(TABLE) as State[]

const rowOf = (state: State): [Kind, Cell<Kind>][] => Object.entries(TABLE[state]) as [Kind, Cell<Kind>][]
const edgesOf = (state: State): State[] => rowOf(state).map(([, { to }]) => to ?? state)

describe('the table', () => {
  test('is not whole without each of its cells', () => {
    const { broke: _, ...short } = TABLE.storing
    // @ts-expect-error a row that does not say what happens when something breaks
    const table: typeof TABLE = { ...TABLE, storing: short }
    expect(Object.keys(table.storing)).not.toContain('broke')
    // @ts-expect-error a state that nobody knows
    const further: State = 'waiting_for_rain'
    expect(STATES).not.toContain(further)
  })

  test('every state is reached, and left again', () => {
    const within = (start: State): Set<State> => {
      const found = new Set<State>([start])
      for (const state of found) for (const next of edgesOf(state)) found.add(next)
      return found
    }
    expect([...within('idle')].sort()).toEqual([...STATES].sort())
    for (const state of STATES) {
      const ways = rowOf(state).filter(([, { to }]) => to !== null && to !== state)
      // What leaves a running state is its own effect, not somebody who wakes the phone.
      const own = RESTING.includes(state) ? ways : ways.filter(([kind]) => !WAKES.includes(kind))
      expect(own, state).not.toEqual([])
      expect(
        RESTING.some((rest) => within(state).has(rest)),
        state,
      ).toBe(true)
    }
  })

  test('a phone at rest can be woken', () => {
    for (const state of RESTING) for (const kind of WAKES) expect(TABLE[state][kind as 'asked'].to).toBe('starting')
    for (const state of ['backing_off', 'halted'] as const) expect(TABLE[state].nudged_soon.to).toBeNull()
  })

  test('a wish during a run keeps its state, and is the stronger one', () => {
    for (const state of STATES.filter((one) => !RESTING.includes(one))) {
      let at: Standing = { state, memory: atStart() }
      for (const reason of ['saved', 'person', 'visible'] as const) at = transition(at, wakeEvent(reason, 0, 0))
      expect([at.state, at.memory.meanwhile]).toEqual([state, 'person'])
    }
  })

  test('an event that a state does not hear is an error', () => {
    expect(() => transition({ state: 'idle', memory: atStart() }, { kind: 'done' })).toThrow(/does not hear/)
  })

  test('each cell leads where it says, and leaves the memory before as it was', () => {
    let cells = 0
    for (const state of STATES) {
      for (const [kind, { to }] of rowOf(state)) {
        const memory = frozen(inTheMiddle())
        const after = transition({ state, memory }, sample(kind))
        expect(after.state, `${state} on ${kind}`).toBe(to ?? state)
        expect(after.memory).toMatchObject(CHANGES[kind] ?? {})
        cells += 1
      }
    }
    expect(cells).toBeGreaterThan(200)
  })

  test('stands in docs/architecture.md as it is', () => {
    const page = readFileSync(new URL('../../../docs/architecture.md', import.meta.url), 'utf-8')
    expect(page).toContain(drawing())
  })
})

test('whatever happens, a run comes to rest', () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat()), fc.integer({ min: 0, max: 4 }), (numbers, haste) => {
      const draw = (limit: number): number => (numbers.next().value ?? 0) % limit
      let at = transition({ state: 'idle', memory: atStart() }, wakeEvent('start', 0, 0))
      for (let steps = 0; !RESTING.includes(at.state); steps += 1) {
        expect(steps).toBeLessThan(40_000)
        // Some worlds go on for as long as they may, others break off at any step.
        at = transition(at, draw(9) === 0 ? wakeEvent('saved', 0, 0) : happening(at, draw, haste))
      }
      const isWell = at.memory.trouble === null
      expect(at.state === 'idle').toBe(isWell)
      expect(at.memory.failures).toBe(isWell ? 0 : 1)
    }),
    { numRuns: 300 },
  )
})

describe('real exchanges', () => {
  let door: Door

  beforeEach(async () => {
    await emptyPhone()
    door = new Door(['catalog', AGRI])
    await signIn(door)
  })
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  })

  test('go through every state', async () => {
    const seen = new Set<State>(['idle'])
    const hear = Machine.prototype.hear
    vi.spyOn(Machine.prototype, 'hear').mockImplementation(function (this: Machine, event) {
      hear.call(this, event)
      seen.add(this.at.state)
    })
    const sender = new Sender(undefined, () => 0.5)
    const network = async (fetch: Fetch, reason: 'person' | 'timer' = 'person'): Promise<void> => {
      vi.stubGlobal('fetch', fetch)
      await record({ n: '1' })
      await sender.wake(reason)
    }
    vi.stubGlobal('navigator', { onLine: true })
    await network(door.fetch)
    await network(() => Promise.reject(new TypeError('no network')))
    // A token that seems good and is not, with a refresh token that is none either: its seal is enough.
    await database.session.toCollection().modify({ accessToken: 'x', refreshToken: 'y' })
    await network(door.fetch)
    const hub = new Door(['catalog', AGRI], 'hub')
    hub.keys = door.keys
    await signIn(door)
    await network(hub.fetch)
    await network(refusing(hub.id, 403, 'enrolment_revoked'))
    sender.stop()
    sender.status.close()
    expect([...seen].sort()).toEqual([...STATES].sort())
  })

  test('only the server that gave a token ends it', async () => {
    let count = 0
    const network: Fetch = (path, init) => {
      count += 1
      if (count === 1) return refusing(door.id, 401, 'not_signed_in')(path, init)
      return count === 2 ? refusing('hub', 401, 'not_signed_in')(path, init) : Promise.reject(new TypeError('gone'))
    }
    await record({ n: '1' })
    await expect(exchangeWith(door, network)).rejects.toMatchObject({ code: 'offline' })
    const session = await database.session.get('current')
    expect(session?.elsewhere[door.id]).toMatchObject({ expired: 0, accessToken: door.access })
  })

  test('after a sign-out in the middle leave the rest by its seal', async () => {
    await Promise.all(Array.from({ length: 3 }, (_, n) => record({ n: String(n) })))
    await database.servers.put({ ...(await known()), maxBytes: 600 })
    let isOut = false
    await exchangeWith(door, async (path, init) => {
      const response = await door.fetch(path, init)
      if (!isOut) await storeSignOut()
      isOut = true
      return response
    })
    const own = await database.revisions.toArray()
    expect(own.map(({ receipts }) => receipts[door.id]?.outcome)).toEqual(['stored', 'stored', 'stored'])
    expect(await database.bodies.count()).toBe(0)
  })

  async function known(): Promise<ServerState> {
    await exchangeWith(door)
    const state = await database.servers.get(door.id)
    if (state === undefined) throw new Error('the server was not met')
    return state
  }
})

function refusing(server: string, status: number, code: string): Fetch {
  const headers = { 'Content-Type': 'application/problem+json', 'Nuong-Server': server }
  return () => Promise.resolve(new Response(JSON.stringify({ code, params: {} }), { status, headers }))
}

/** What some events leave in the memory, in whichever state they come. */
const CHANGES: Partial<Record<Kind, object>> = {
  enrolment: { whose: { enrolment: 'sung', isMine: false }, rounds: 0, suspects: new Map() },
  token_fresh: { server: 'hub', credentials: { server: 'hub' } },
  other_server: { server: 'hub' },
  several_failed: { choice: { most: 4 }, rounds: 8 },
  one_failed: { choice: { most: 0, skip: new Set(['1-a', '1-b', '1-c']) }, rounds: 8 },
  answered: { received: { isWhole: true } },
  stored_all: { result: { sent: 3, received: 5 }, suspects: new Map(), choice: { again: false, most: 4 }, rounds: 8 },
  no_room_more: { isFull: true, trouble: new Error('no room') },
  no_room_all: { isFull: true, trouble: new Error('no room') },
  all_well: { failures: 0, result: { nextSeconds: 60 } },
  fails_for_now: { failures: 3 },
  needs_person: { failures: 3 },
}

/** Whoever is signed in, in the middle of a run that has had its difficulties. */
function inTheMiddle(): Memory {
  const problem = new Problem('internal', 500, {}, null, 'province')
  return {
    ...atStart(),
    failures: 2,
    whose: { enrolment: 'mai', isMine: true },
    server: 'province',
    rounds: 7,
    choice: { again: true, most: 2, skip: new Set(['1-a', '1-b']) },
    suspects: new Map([
      ['1-a', problem],
      ['1-b', problem],
    ]),
    result: { sent: 2, received: 1, refused: 0, broken: [], nextSeconds: 300 },
  }
}

function sessionOf(enrolment: string, server: string, expired: 0 | 1 = 0, accessExpiresAt = 900_000): Session {
  const person = { id: `person-${enrolment}`, username: enrolment, name: enrolment, locale: 'vi', grants: [] }
  const tokens = { accessToken: 'access', accessExpiresAt, refreshToken: 'refresh', expired }
  return { id: 'current', person, enrolment, server, elsewhere: { other: tokens }, ...tokens }
}

function appliedOf(change: Partial<Applied> = {}): Applied {
  const counts = { received: 4, stored: 1, refused: 0, left: 0, broken: [] }
  return { ...counts, again: false, failure: undefined, wasRestored: false, isOver: false, ...change }
}

const answerOf = (server: string): SyncAnswer =>
  ({ server, server_time: '2026-11-21T08:00:00Z', next_s: 300 }) as SyncAnswer
const receivedOf = (server: string): Received =>
  ({ answer: answerOf(server), isWhole: true, pull: true, sent: { server } }) as unknown as Received

/** An event of a kind, with what it carries. */
function sample(kind: Kind): Event {
  const error = new Problem('internal', 500, {}, null, 'province')
  const carried = {
    reason: 'person',
    nextSeconds: 60,
    enrolment: 'sung',
    isMine: false,
    server: 'hub',
    credentials: sessionOf('mai', 'hub'),
    received: receivedOf('province'),
    error: kind.startsWith('no_room') ? new Error('no room') : error,
    count: 7,
    rev: '1-c',
    applied: appliedOf(),
    answer: answerOf('province'),
  }
  return { kind, ...carried } as unknown as Event
}

/** What happens next in a world where anything may: `haste` is how soon it ends. */
function happening({ state, memory }: Standing, draw: (limit: number) => number, haste: number): Event {
  const servers = ['hub', 'province', 'other', 'copy']
  const server = servers[draw(4)] ?? 'hub'
  const session = draw(12) === 0 ? undefined : sessionOf(draw(9) === 0 ? 'sung' : 'mai', server, draw(3) ? 0 : 1)
  if (state !== 'concluding' && haste > 0 && draw(60) < haste) return troubleEvent(anyTrouble(draw))
  switch (state) {
    case 'idle':
    case 'backing_off':
    case 'halted':
      throw new Error('a phone at rest does nothing')
    case 'starting':
      return draw(20) === 0 ? { kind: 'other_tab', nextSeconds: 60 } : { kind: 'lock_held' }
    case 'choosing_enrolment':
      return ownTurn(memory, session) ?? othersTurn(memory, session, ['sung', 'mai', 'pao'].slice(draw(4)), server)
    case 'choosing_token':
      return roundEvent(memory, session, draw(2) * 900_000)
    case 'switching_server':
      return facingEvent(memory, session, draw(2) * 900_000)
    case 'requesting':
    case 'renewing': {
      const refused = (): Event => tokenEvent(memory, new Problem('not_signed_in', 401, {}, null, server))
      return draw(3) === 0 ? refused() : reply(memory, draw)
    }
    case 'handing_over': {
      const error = new Problem('not_signed_in', 401)
      return draw(9) === 0 ? { kind: draw(2) ? 'token_refused' : 'nothing_to_send', error } : reply(memory, draw)
    }
    case 'expiring':
    case 'retiring_key':
    case 'pruning':
      return { kind: 'done' }
    case 'storing': {
      const failure = draw(15) === 0 ? new DOMException('no room', 'QuotaExceededError') : undefined
      const flags = { wasRestored: draw(9) === 0, isOver: draw(15) === 0, again: draw(9) > haste }
      const applied = appliedOf({ ...flags, failure, left: draw(9) > haste ? 3 : 0 })
      return storedEvent(memory, applied, answerOf(draw(9) ? memory.server : server))
    }
    case 'fetching_forms':
      return { kind: draw(3) ? 'done' : draw(2) ? 'not_let_in' : 'session_changed' }
    case 'sending_files':
      return { kind: draw(3) ? 'done' : 'session_changed' }
    case 'concluding':
      return endEvent(memory.trouble, memory.result)
  }
}

function reply(memory: Memory, draw: (limit: number) => number): Event {
  if (draw(4) > 0) return { kind: 'answered', received: receivedOf(memory.server) }
  const code = draw(9) === 0 ? 'enrolment_revoked' : 'internal'
  const pushed = Array.from({ length: draw(4) }, (_, n) => `1-${String(n)}-${String(draw(1000))}`)
  return requestEvent(memory, new Problem(code, code === 'internal' ? 500 : 403, {}, null, memory.server), pushed)
}

function anyTrouble(draw: (limit: number) => number): Error {
  const all = [
    new Problem('offline'),
    new Problem('not_our_server'),
    new Problem('answer_broken'),
    new Problem('too_many', 429),
    new Problem('internal', 500),
    new Problem('app_too_old', 400),
    new Problem('not_allowed', 403),
    new DOMException('no room', 'QuotaExceededError'),
    new Error('a bug'),
  ]
  return all[draw(all.length)] ?? new Error('none')
}

function frozen(memory: Memory): Memory {
  for (const part of [memory, memory.choice, memory.result, memory.result.broken]) Object.freeze(part)
  for (const set of [memory.served, memory.tried, memory.choice.skip, memory.suspects]) {
    Object.assign(set, { add: unchangeable, set: unchangeable, delete: unchangeable, clear: unchangeable })
  }
  return memory
}

function unchangeable(): never {
  throw new Error('a note changed the memory before it')
}

/** The table as a drawing, without what may happen anywhere: troubles, and what wakes a phone meanwhile. */
function drawing(): string {
  const lines: string[] = []
  for (const state of STATES) {
    const ways = new Map<State, string[]>()
    for (const [kind, { to }] of rowOf(state)) {
      if (to === null || TROUBLES.includes(kind)) continue
      ways.set(to, [...(ways.get(to) ?? []), kind])
    }
    for (const [to, kinds] of ways) lines.push(`  ${state} --> ${to}: ${kinds.join(', ')}`)
  }
  return ['stateDiagram-v2', ...lines].join('\n')
}
