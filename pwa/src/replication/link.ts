/**
 * One request of the exchange over a link that may be poor. How much a round may bring is judged after its whole body, by
 * time and by what arrived: about ten seconds of the link. Only a round that was as large as it might be makes the next
 * one larger, so that days of quiet exchanges say nothing about the link.
 *
 * Only an answer that our server marked (`Nuong-Server`) counts. A captive portal's page, whatever its status, decides
 * nothing.
 */
import { readBody } from '@/api/body'
import { reached, whoAnswered } from '@/api/client'
import { Problem, problemOf } from '@/api/problem'
import { serverState, type ServerState, type Session } from '@/storage/database'
import type { ExchangeContext } from './exchange'
import { wholePart } from './partial'
import type { Prepared } from './request'
import { PROTOCOL, packed, type SyncAnswer } from './wire'

export const LEAST_BYTES = 16_000
export const MOST_BYTES = 4_000_000
/** What a round should take. */
const ROUND_MS = 10_000
/** One that takes longer makes the next smaller. */
const SLOW_MS = 20_000
/** What failed at once, without a link, says nothing about one. */
const SUDDEN_MS = 2_000
/** How long the server may think; the body of a request comes on top, at the slowest link that we serve. */
const TIMEOUT_MS = 60_000
const UPLOAD_BYTES_A_SECOND = 2_000
const BODY_MS = 240_000

export type Reply = { answer: SyncAnswer; isWhole: boolean }

/** Send a request; returns a 401 as it is, an answer of our server as far as it came, and throws every other failure. */
export async function sendRequest(
  sent: Prepared,
  session: Session | undefined,
  context: ExchangeContext,
): Promise<Response | Reply> {
  const start = context.now()
  const response = await post(sent, session, context, start)
  const server = whoAnswered(response)
  if (server === null) {
    // A proxy before our server may take less in one request than we do.
    if (response.status === 413)
      await judge(sent, { isWhole: false, isFull: false, bytes: 0, tookMs: SLOW_MS }, context)
    throw response.status >= 500 ? await problemOf(response) : new Problem('not_our_server')
  }
  if (response.status === 401) return response
  if (!response.ok) throw await problemOf(response)
  const { bytes, isWhole } = await readBody(response)
  const tookMs = context.now() - start
  const answer = parsed(new TextDecoder().decode(bytes), isWhole)
  const isFull = answer !== null && (sent.left > 0 || Object.values(answer.changes).some(({ more }) => more))
  await judge(sent, { isWhole, isFull, bytes: bytes.length, tookMs }, context)
  if (answer === null) throw new Problem('answer_broken')
  if (answer.protocol > PROTOCOL) throw new Problem('app_too_old', 400)
  if (answer.protocol < PROTOCOL) throw new Problem('server_too_old', 400)
  if (answer.server !== server) throw new Problem('not_our_server')
  return { answer, isWhole }
}

async function post(
  sent: Prepared,
  session: Session | undefined,
  context: ExchangeContext,
  start: number,
): Promise<Response> {
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'Content-Encoding': 'gzip',
    Accept: 'application/json',
  }
  if (session !== undefined) headers['Authorization'] = `Bearer ${session.accessToken}`
  const body = await packed(sent.request)
  const timeoutMs = TIMEOUT_MS + (body.length / UPLOAD_BYTES_A_SECOND) * 1000
  const limits = { signal: context.signal, timeoutMs, bodyMs: BODY_MS }
  try {
    return await reached(context.fetch, '/api/sync', { method: 'POST', headers, body }, limits)
  } catch (error) {
    const tookMs = context.now() - start
    if (tookMs >= SUDDEN_MS) await judge(sent, { isWhole: false, isFull: false, bytes: 0, tookMs }, context)
    throw error
  }
}

function parsed(text: string, isWhole: boolean): SyncAnswer | null {
  if (!isWhole) return wholePart(text)
  try {
    return JSON.parse(text) as SyncAnswer
  } catch {
    return null
  }
}

type Course = { isWhole: boolean; isFull: boolean; bytes: number; tookMs: number }

/** Say how much the next round may bring, from how this one went. */
async function judge(sent: Prepared, course: Course, { store }: ExchangeContext): Promise<void> {
  const before = sent.request.max_bytes
  const wanted = Math.round(Math.min(MOST_BYTES, Math.max(LEAST_BYTES, before * factor(before, course))))
  if (wanted === before) return
  await store.transaction('rw', store.servers, async () => {
    const state: ServerState = (await store.servers.get(sent.server)) ?? serverState(sent.server)
    if (state.maxBytes === before) await store.servers.put({ ...state, maxBytes: wanted })
  })
}

function factor(before: number, { isWhole, isFull, bytes, tookMs }: Course): number {
  const fitting = ROUND_MS / Math.max(1, tookMs)
  if (isWhole && tookMs > SLOW_MS) return fitting
  if (isWhole) return isFull ? Math.min(2, Math.max(1, fitting)) : 1
  // What arrived in that time, unpacked, is more than what the link carried.
  return bytes === 0 ? 1 / 4 : Math.min(1 / 4, (bytes * fitting) / before)
}
