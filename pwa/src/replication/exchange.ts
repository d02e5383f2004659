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
import { Problem, asProblem, problemOf } from '@/api/problem'
import { whoAnswered, type Fetch } from '@/api/client'
import { database, type NuongDatabase, type OwnRevision, type Session } from '@/storage/database'
import { guarded } from '@/domain/storage-full'
import { changeCredentials, facing } from '@/storage/session'
import { apply, type Applied } from './apply'
import { MOST_SUSPECTS, PushFailed, isAboutContent, isResting, setAside } from './asides'
import { deviceNow } from './device'
import { sendRequest, type Reply } from './link'
import { needsSending, prepared } from './request'
import { sealed, type SyncAnswer } from './wire'

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
  const { again, store } = context
  const isDue = (row: OwnRevision): boolean =>
    needsSending(row, server, again) && (again || !isResting(row.aside?.[server], context.now()))
  const rows = await store.revisions.filter(isDue).toArray()
  const waiting = new Set(rows.map((row) => row.enrolment))
  // A key that is trusted no more is offered again only when a person asks.
  for (const { id, isRevoked } of await store.enrolments.toArray()) if (isRevoked === true && !again) waiting.delete(id)
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
  let failure: Error | undefined
  const choice: Choice = { again: context.again, most: undefined, skip: new Set() }
  const suspects = new Map<string, Problem>()
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    let done: Round
    try {
      done =
        failure === undefined
          ? await oneRound(enrolment, server, choice, context)
          : await answered(await ask(enrolment, { server, choice }, context))
    } catch (error) {
      narrow(error, choice, suspects)
      continue
    }
    const { applied, answer } = done
    server = answer.server
    // The server takes other things, so it is these that it can't take.
    await setAside(suspects, server, context.now(), context.store)
    suspects.clear()
    // What was refused goes again once, not in every round; so does what was set aside.
    choice.again = false
    if (choice.most !== undefined) choice.most = Math.max(1, choice.most * 2)
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

/** What of the waiting revisions goes into a request. */
type Choice = { again: boolean; most: number | undefined; skip: Set<string> }

/**
 * Half as many the next time, where a server failed with what it was given; the one that is left over is under suspicion.
 * Throws what has another cause, and where nothing is taken any more.
 */
function narrow(error: unknown, choice: Choice, suspects: Map<string, Problem>): void {
  if (!(error instanceof PushFailed)) {
    // Without a token there is nothing to ask but to take something.
    throw asProblem(error).code === 'not_signed_in' ? (suspects.values().next().value ?? error) : error
  }
  const [first] = error.revs
  if (error.revs.length > 1) {
    choice.most = Math.ceil(error.revs.length / 2)
    return
  }
  if (first === undefined) throw error
  suspects.set(first, error)
  choice.skip.add(first)
  // Whether it takes anything at all, an exchange without a push tells.
  if (suspects.size >= MOST_SUSPECTS) choice.most = 0
}

type Round = { applied: Applied; answer: SyncAnswer }

async function oneRound(enrolment: string, server: string, choice: Choice, context: ExchangeContext): Promise<Round> {
  const session = await context.store.session.get('current')
  if (session?.enrolment !== enrolment) return answered(await ask(enrolment, { server, choice }, context))
  const turned = new Set<string>()
  for (let at = letIn(session, server); ;) {
    turned.add(at)
    const reply = await asSignedIn(session, at, choice, context)
    if ('applied' in reply) return reply
    // The address leads to another server today: once more, from what is known of that one.
    if (reply.met === at || turned.has(reply.met))
      return answered(await ask(enrolment, { server: at, choice }, context))
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
  choice: Choice,
  context: ExchangeContext,
): Promise<Round | { met: string }> {
  const current = await context.store.session.get('current')
  const session = facing(current?.enrolment === before.enrolment ? current : before, server)
  if (session.expired === 1) return { met: server }
  const seemsStale = session.accessExpiresAt <= context.now() + 30_000
  const how = { server, choice, credentials: session }
  let reply = await ask(session.enrolment, { ...how, withRefresh: seemsStale }, context)
  if (!(reply instanceof Response)) return reply
  const met = whoAnswered(reply) ?? server
  // The phone's clock may be wrong: a token that seemed good and was not goes again with the refresh token beside it.
  if (met === server && !seemsStale) reply = await ask(session.enrolment, { ...how, withRefresh: true }, context)
  if (!(reply instanceof Response)) return reply
  if (met === server) await changeCredentials(session, { expired: 1 }, context.store)
  return { met }
}

type How = { server: string; choice: Choice; credentials?: Session; withRefresh?: boolean }

/** One request; with credentials it pulls too. A 401 comes back as it is, every other failure is thrown. */
async function ask(enrolment: string, how: How, context: ExchangeContext): Promise<Round | Response> {
  const { store } = context
  const { server, choice, credentials } = how
  const pull = credentials !== undefined
  const sent = await prepared(enrolment, server, { pull, ...choice, now: context.now() }, store)
  const { push } = sent.request
  if (!pull && push.length === 0) throw new Problem('not_signed_in', 401)
  if (pull && how.withRefresh === true) sent.request.refresh = credentials.refreshToken
  sent.request.device = await deviceNow()
  sent.request.seal = await sealed(sent.request, sent.enrolment.key)
  let reply: Response | Reply
  try {
    reply = await sendRequest(sent, credentials, context)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    if (error.code === 'enrolment_revoked') await store.enrolments.update(enrolment, { isRevoked: true })
    if (push.length === 0 || !isAboutContent(error)) throw error
    throw new PushFailed(
      error,
      push.map(({ doc }) => doc._rev),
    )
  }
  if (reply instanceof Response) return reply
  const { answer, isWhole } = reply
  const options = { pull: pull && answer.carry !== null, now: context.now, isWhole }
  const applied = await apply(answer, sent, options, store)
  if (!isWhole) throw applied.failure ?? new Problem('answer_broken')
  return { answer, applied }
}

async function answered(reply: Round | Response): Promise<Round> {
  if (reply instanceof Response) throw await problemOf(reply)
  return reply
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
