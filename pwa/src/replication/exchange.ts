/**
 * The effects of the exchange of records (table.ts tells which follows which): requests, answers stored, tokens and keys
 * written down. It may be killed anywhere: what was not applied is asked for again, what was not acknowledged is sent
 * again, byte for byte.
 *
 * Whoever is signed in pulls and pushes with a token. Enrolments that signed out on a shared phone still push: their
 * seal is enough, and nothing of what the server holds comes back to them.
 *
 * The address that this app belongs to may lead to the commune's hub today and to the province tomorrow. A request is made
 * for the server that was met last; another one refuses its token and says who it is, and the request is made anew from
 * what this phone knows of that one.
 */
import type { Fetch } from '@/api/client'
import { Problem, problemOf } from '@/api/problem'
import { guarded } from '@/domain/storage-full'
import { database, type NuongDatabase, type OwnRevision, type Session } from '@/storage/database'
import { changeCredentials, facing } from '@/storage/session'
import { apply } from './apply'
import { isResting, setAside } from './asides'
import { deviceNow } from './device'
import { troubleEvent, type Event, type Kind } from './events'
import { blamed, facingEvent, othersTurn, ownTurn, requestEvent, roundEvent, storedEvent, tokenEvent } from './findings'
import { sendRequest, type Reply } from './link'
import { Machine, type Effects } from './machine'
import { atStart, type ExchangeResult, type Memory } from './memory'
import { prune } from './pruning'
import { needsSending, prepared, type Prepared } from './request'
import { sealed } from './wire'

export type { ExchangeResult } from './memory'

export type ExchangeContext = {
  fetch: Fetch
  now: () => number
  store: NuongDatabase
  signal?: AbortSignal | undefined
  /** Whether to send what the server refused once more: a person asked. */
  again: boolean
  progress: (counts: { sent: number; received: number; waiting: number }) => void
}

/**
 * Exchange all records; throws `Problem` when the server could not be reached or would not talk, `StorageFull` when what
 * it sent finds no room here.
 */
export function exchange(context: ExchangeContext): Promise<ExchangeResult> {
  return guarded(async () => {
    const machine = new Machine({ state: 'choosing_enrolment', memory: atStart(context.again) })
    await machine.run(recordEffects(context))
    const { trouble, result } = machine.at.memory
    if (trouble !== null) throw trouble
    return result
  })
}

type Records =
  | 'choosing_enrolment'
  | 'choosing_token'
  | 'switching_server'
  | 'requesting'
  | 'renewing'
  | 'expiring'
  | 'handing_over'
  | 'retiring_key'
  | 'storing'
  | 'pruning'

/** What each state of the exchange does, from the first enrolment's turn to the last answer. */
export function recordEffects(context: ExchangeContext): Effects<Records> {
  const { store, now } = context
  const current = (): Promise<Session | undefined> => store.session.get('current')
  return {
    choosing_enrolment: (memory) => nextTurn(memory, context),
    choosing_token: async (memory) => roundEvent(memory, await current(), now()),
    switching_server: async (memory) => {
      await turnTo(memory, store)
      return facingEvent(memory, await current(), now())
    },
    requesting: (memory) => withToken(memory, false, context),
    renewing: (memory) => withToken(memory, true, context),
    expiring: async ({ credentials }) => {
      if (credentials !== null) await changeCredentials(credentials, { expired: 1 }, store)
      return { kind: 'done' }
    },
    handing_over: (memory) => bySeal(memory, context),
    retiring_key: async ({ whose }) => {
      await store.enrolments.update(whose?.enrolment ?? '', { isRevoked: true })
      return { kind: 'done' }
    },
    storing: (memory) => storeAnswer(memory, context),
    pruning: async ({ server, serverTime }) => {
      // What stays a day longer is in nobody's way.
      if (serverTime !== null) await prune(server, serverTime, now(), store).catch(() => 0)
      return { kind: 'done' }
    },
  }
}

async function nextTurn(memory: Memory, context: ExchangeContext): Promise<ReturnType<typeof othersTurn>> {
  const { store } = context
  const session = await store.session.get('current')
  const server = session?.server ?? (await store.standings.toCollection().last())?.server ?? ''
  return ownTurn(memory, session) ?? othersTurn(memory, session, await withWorkFor(server, context), server)
}

/** The enrolments with work to push to a server. */
async function withWorkFor(server: string, { store, now, again }: ExchangeContext): Promise<Set<string>> {
  const isDue = (row: OwnRevision): boolean =>
    needsSending(row, server, again) && (again || !isResting(row.aside?.[server], now()))
  const waiting = new Set((await store.revisions.filter(isDue).toArray()).map(({ enrolment }) => enrolment))
  // A key that is trusted no more is offered again only when a person asks.
  for (const { id, isRevoked } of await store.enrolments.toArray()) if (isRevoked === true && !again) waiting.delete(id)
  return waiting
}

/** From now on this is the server before the phone; a banner asks for the password where it was never given. */
async function turnTo({ whose, server }: Memory, store: NuongDatabase): Promise<void> {
  await store.transaction('rw', store.session, async () => {
    const current = await store.session.get('current')
    if (current !== undefined && current.enrolment === whose?.enrolment)
      await store.session.put(facing(current, server))
  })
}

type Asked<K extends Kind> = Promise<Event<K> | ReturnType<typeof requestEvent> | Event<'answered'>>

/** Push and pull. */
async function withToken(
  memory: Memory,
  withRefresh: boolean,
  context: ExchangeContext,
): Asked<'token_refused' | 'other_server' | 'same_servers'> {
  const sent = await make(memory, true, context)
  const { credentials } = memory
  if (withRefresh && credentials !== null) sent.request.refresh = credentials.refreshToken
  return ask(sent, memory, credentials ?? undefined, context, (error) => tokenEvent(memory, error))
}

/** Push alone. */
async function bySeal(memory: Memory, context: ExchangeContext): Asked<'token_refused' | 'nothing_to_send'> {
  const sent = await make(memory, false, context)
  const refused = (error: Problem): ReturnType<typeof troubleEvent> | Event<'token_refused'> => {
    const cause = blamed(memory, error)
    return cause === error ? { kind: 'token_refused', error } : troubleEvent(cause)
  }
  if (sent.request.push.length > 0) return ask(sent, memory, undefined, context, refused)
  const error = new Problem('not_signed_in', 401)
  const event = refused(error)
  return event.kind === 'token_refused' ? { kind: 'nothing_to_send', error } : event
}

async function make({ whose, server, choice }: Memory, pull: boolean, context: ExchangeContext): Promise<Prepared> {
  const sent = await prepared(whose?.enrolment ?? '', server, { pull, ...choice, now: context.now() }, context.store)
  sent.request.device = await deviceNow()
  return sent
}

/** One request; `refused` says what a 401 of one of our servers means. */
async function ask<K extends Kind>(
  sent: Prepared,
  memory: Memory,
  credentials: Session | undefined,
  context: ExchangeContext,
  refused: (error: Problem) => Event<K>,
): Asked<K> {
  sent.request.seal = await sealed(sent.request, sent.enrolment.key)
  let reply: Response | Reply
  try {
    reply = await sendRequest(sent, credentials, context)
  } catch (error) {
    return requestEvent(
      memory,
      error,
      sent.request.push.map(({ doc }) => doc._rev),
    )
  }
  if (reply instanceof Response) return refused(await problemOf(reply))
  return { kind: 'answered', received: { ...reply, sent, pull: credentials !== undefined } }
}

async function storeAnswer(
  memory: Memory,
  context: ExchangeContext,
): Promise<ReturnType<typeof storedEvent | typeof troubleEvent>> {
  const { received, suspects, result } = memory
  if (received === null) throw new Error('there is no answer to store')
  const { answer, sent, isWhole, pull } = received
  const { store, now } = context
  const applied = await apply(answer, sent, { pull: pull && answer.carry !== null, now, isWhole }, store)
  if (!isWhole) return troubleEvent(applied.failure ?? new Problem('answer_broken'))
  // The server takes other things, so it is these that it can't take.
  await setAside(suspects, answer.server, now(), store)
  const waiting = applied.again ? 1 : 0
  context.progress({ sent: result.sent + applied.stored, received: result.received + applied.received, waiting })
  return storedEvent(memory, applied, answer)
}

export function defaultContext(options: Partial<ExchangeContext> = {}): ExchangeContext {
  return {
    fetch: (input, init) => globalThis.fetch(input, init),
    now: Date.now,
    store: database,
    again: false,
    progress: () => undefined,
    ...options,
  }
}
