/**
 * The exchange with the server: rounds of one request each until neither side has more. It may be killed anywhere: what
 * was not applied is asked for again, what was not acknowledged is sent again, byte for byte.
 *
 * Whoever is signed in pulls and pushes with a token. Enrolments that signed out on a shared phone still push: their
 * seal is enough, and nothing of what the server holds comes back to them.
 *
 * The address that this app belongs to may lead to the commune's hub today and to the province tomorrow. A request is made
 * for the server that was met last; another one refuses its token and says who it is, and the request is made anew from
 * what this phone knows of that one.
 */
import { Problem, problemOf } from '@/api/problem'
import { reached, whoAnswered, type Fetch } from '@/api/client'
import { database, serverState, type NuongDatabase, type ServerState, type Session } from '@/storage/database'
import { guarded } from '@/storage/full'
import { changeCredentials, facing } from '@/storage/session'
import { apply, type Applied } from './apply'
import { deviceNow } from './device'
import { needsSending, prepared, type Prepared } from './request'
import { PROTOCOL, packed, sealed, type SyncAnswer } from './wire'

export const LEAST_BYTES = 16_000
export const MOST_BYTES = 4_000_000
/** A round quicker than this has room for more, one slower than this took too much. */
const QUICK_MS = 4_000
const SLOW_MS = 20_000
const TIMEOUT_MS = 90_000
/** More rounds than any honest exchange needs: 5,000 records take about four. */
const MOST_ROUNDS = 400

export type ExchangeContext = {
  fetch: Fetch
  now: () => number
  store: NuongDatabase
  signal?: AbortSignal | undefined
  /** Whether to send what the server refused once more: a person asked. */
  again: boolean
  progress: (counts: { sent: number; received: number; waiting: number }) => void
}

export type ExchangeResult = { sent: number; received: number; refused: number; broken: string[]; nextSeconds: number }

/**
 * Exchange everything; throws `Problem` when the server could not be reached or would not talk, `StorageFull` when what
 * it sent finds no room here.
 */
export function exchange(context: ExchangeContext): Promise<ExchangeResult> {
  return guarded(() => exchangeAll(context))
}

async function exchangeAll(context: ExchangeContext): Promise<ExchangeResult> {
  const result: ExchangeResult = { sent: 0, received: 0, refused: 0, broken: [], nextSeconds: 300 }
  const session = await context.store.session.get('current')
  if (session !== undefined) {
    try {
      await rounds(session.enrolment, session.server, context, result)
    } catch (error) {
      // One enrolment's trouble (a revoked key, say) must not keep another's work on the phone; no network does.
      if (!(error instanceof Problem) || error.isPassing) throw error
      await others(context, result)
      throw error
    }
  }
  await others(context, result)
  return result
}

/** Push for enrolments that are not signed in and still have something here. */
async function others(context: ExchangeContext, result: ExchangeResult): Promise<void> {
  const session = await context.store.session.get('current')
  const server = session?.server ?? (await context.store.standings.toCollection().last())?.server ?? ''
  const rows = await context.store.revisions.filter((row) => needsSending(row, server)).toArray()
  const waiting = new Set(rows.map((row) => row.enrolment))
  if (session !== undefined) waiting.delete(session.enrolment)
  for (const enrolment of waiting) {
    try {
      await rounds(enrolment, server, context, result)
    } catch (error) {
      // A revoked key keeps its work on the phone; whoever is signed in now is not troubled by it.
      if (!(error instanceof Problem) || error.isPassing) throw error
    }
  }
}

async function rounds(
  enrolment: string,
  firstServer: string,
  context: ExchangeContext,
  result: ExchangeResult,
): Promise<void> {
  let server = firstServer
  let again = context.again
  let failure: Error | undefined
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const { applied, answer } =
      failure === undefined
        ? await oneRound(enrolment, server, again, context)
        : await answered(await ask(enrolment, { server, again }, context))
    // What was refused goes again once, not in every round.
    again = false
    server = answer.server
    result.sent += applied.stored
    result.received += applied.received
    result.refused += applied.refused
    result.broken.push(...applied.broken)
    result.nextSeconds = answer.next_s
    context.progress({ sent: result.sent, received: result.received, waiting: applied.again ? 1 : 0 })
    // What the server holds finds no room here; what this phone holds still goes to the server.
    failure ??= applied.failure
    if (failure === undefined ? !applied.again : applied.left === 0) break
  }
  if (failure !== undefined) throw failure
}

type Round = { applied: Applied; answer: SyncAnswer }

async function oneRound(enrolment: string, server: string, again: boolean, context: ExchangeContext): Promise<Round> {
  const session = await context.store.session.get('current')
  if (session?.enrolment !== enrolment) return answered(await ask(enrolment, { server, again }, context))
  const turned = new Set<string>()
  for (let at = letIn(session, server); ;) {
    turned.add(at)
    const reply = await asSignedIn(session, at, again, context)
    if ('applied' in reply) return reply
    // The address leads to another server today: once more, from what is known of that one.
    if (reply.met === at || turned.has(reply.met)) return answered(await ask(enrolment, { server: at, again }, context))
    at = reply.met
    await turnTo(at, session, context.store)
  }
}

/** From now on this is the server before the phone; a banner asks for the password where it was never given. */
async function turnTo(server: string, { enrolment }: Session, store: NuongDatabase): Promise<void> {
  await store.transaction('rw', store.session, async () => {
    const current = await store.session.get('current')
    if (current?.enrolment === enrolment) await store.session.put(facing(current, server))
  })
}

/** The server to try: the one asked for, or where the password is missing there, one that would let this person in. */
function letIn(session: Session, server: string): string {
  if (facing(session, server).expired === 0) return server
  return Object.keys(session.elsewhere).find((other) => session.elsewhere[other]?.expired === 0) ?? server
}

/** A round with this person's tokens at a server, or which server it was that would not take them. */
async function asSignedIn(
  before: Session,
  server: string,
  again: boolean,
  context: ExchangeContext,
): Promise<Round | { met: string }> {
  const current = await context.store.session.get('current')
  const session = facing(current?.enrolment === before.enrolment ? current : before, server)
  if (session.expired === 1) return { met: server }
  const seemsStale = session.accessExpiresAt <= context.now() + 30_000
  const how = { server, again, credentials: session }
  let reply = await ask(session.enrolment, { ...how, withRefresh: seemsStale }, context)
  if (!(reply instanceof Response)) return reply
  const met = whoAnswered(reply) ?? server
  // The phone's clock may be wrong: a token that seemed good and was not goes again with the refresh token beside it.
  if (met === server && !seemsStale) reply = await ask(session.enrolment, { ...how, withRefresh: true }, context)
  if (!(reply instanceof Response)) return reply
  if (met === server) await changeCredentials(session, { expired: 1 }, context.store)
  return { met }
}

type How = { server: string; again: boolean; credentials?: Session; withRefresh?: boolean }

/** One request; with credentials it pulls too. A 401 comes back as it is, every other failure is thrown. */
async function ask(enrolment: string, how: How, context: ExchangeContext): Promise<Round | Response> {
  const { store } = context
  const { server, again, credentials } = how
  const pull = credentials !== undefined
  const sent = await prepared(enrolment, server, { pull, again }, store)
  if (!pull && sent.request.push.length === 0) throw new Problem('not_signed_in', 401)
  if (pull && how.withRefresh === true) sent.request.refresh = credentials.refreshToken
  sent.request.device = await deviceNow()
  sent.request.seal = await sealed(sent.request, sent.enrolment.key)
  const response = await post(sent, credentials, context)
  if (response.status === 401) return response
  if (!response.ok) {
    if (response.status === 413) await adapt(server, false, context)
    throw await problemOf(response)
  }
  const answer = await read(response, server, context)
  return {
    answer,
    applied: await apply(answer, sent, { pull: pull && answer.carry !== null, now: context.now }, store),
  }
}

async function answered(reply: Round | Response): Promise<Round> {
  if (reply instanceof Response) throw await problemOf(reply)
  return reply
}

async function post(sent: Prepared, session: Session | undefined, context: ExchangeContext): Promise<Response> {
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'Content-Encoding': 'gzip',
    Accept: 'application/json',
  }
  if (session !== undefined) headers['Authorization'] = `Bearer ${session.accessToken}`
  const body = await packed(sent.request)
  const limits = { signal: context.signal, timeoutMs: TIMEOUT_MS }
  const start = context.now()
  try {
    const response = await reached(context.fetch, '/api/sync', { method: 'POST', headers, body }, limits)
    const tookMs = context.now() - start
    if (response.ok && tookMs < QUICK_MS) await adapt(sent.server, true, context)
    else if (tookMs > SLOW_MS) await adapt(sent.server, false, context)
    return response
  } catch (error) {
    await adapt(sent.server, false, context)
    throw error
  }
}

async function read(response: Response, server: string, context: ExchangeContext): Promise<SyncAnswer> {
  let answer: SyncAnswer
  try {
    answer = (await response.json()) as SyncAnswer
  } catch {
    // The link broke in the middle of the answer, or something else than our server answered.
    await adapt(server, false, context)
    throw new Problem('answer_broken')
  }
  if (answer.protocol > PROTOCOL) throw new Problem('app_too_old', 400)
  if (answer.protocol < PROTOCOL) throw new Problem('server_too_old', 400)
  return answer
}

/** More bytes a round while the link is quick, half of them when it failed. */
async function adapt(server: string, isQuick: boolean, { store }: ExchangeContext): Promise<void> {
  await store.transaction('rw', store.servers, async () => {
    const state: ServerState = (await store.servers.get(server)) ?? serverState(server)
    const wanted = isQuick ? state.maxBytes * 2 : state.maxBytes / 2
    const maxBytes = Math.round(Math.min(MOST_BYTES, Math.max(LEAST_BYTES, wanted)))
    if (maxBytes !== state.maxBytes) await store.servers.put({ ...state, maxBytes })
  })
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
