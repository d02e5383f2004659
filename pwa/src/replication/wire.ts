/**
 * What stands on the wire of `POST /api/sync`, and how a request is sealed and packed. A change here is a change of
 * `PROTOCOL`.
 */
import { canonical } from '@/domain/canonical'
import type { Document } from '@/domain/record'
import type { Outcome } from '@/storage/database'
import { base64url } from '@/storage/session'

export const PROTOCOL = 1

export type Push = { db: string; doc: Document; ancestors: string[] }

export type SyncRequest = {
  protocol: typeof PROTOCOL
  enrolment: string
  refresh?: string
  since: Record<string, string>
  push: Push[]
  seal?: string
  holding: { unsent: string[]; discarded: string[]; drafts: number; media: number }
  verdicts: string[]
  max_bytes: number
}

export type Ack = { number: string | null; rev: string; outcome: Outcome; reason: string | null }
export type DatabaseChanges = {
  docs: Document[]
  since: string
  more: boolean
  digest?: string | null
  /** What others did to records since this person's last edit, by the record's id. */
  by?: Record<string, { name: string; decided?: string[]; comment?: string }[]>
}

export type SyncAnswer = {
  protocol: number
  server_time: string
  tokens: { access_token: string; expires_in: number; refresh_token: string } | null
  acks: Ack[]
  changes: Record<string, DatabaseChanges>
  /** The databases that this phone is assigned; null when the server was shown no token. */
  carry: string[] | null
  safe: string
  highest_number: string
  /** Numbers of this enrolment that neither arrived nor are said to be held or discarded: `2,5-7`. */
  missing?: string
  server: string
  next_s: number
}

const HEADER = base64url(new TextEncoder().encode('{"alg":"ES256","b64":false,"crit":["b64"]}'))

/** A detached JWS (RFC 7515 F, RFC 7797) over the canonical list of what is pushed. */
export async function sealed(enrolment: string, key: CryptoKey, push: Push[]): Promise<string> {
  const payload = canonical({ enrolment, push: push.map(({ db, doc }) => [db, doc._id, doc._rev]) })
  const input = new TextEncoder().encode(`${HEADER}.${payload}`)
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, input)
  return `${HEADER}..${base64url(new Uint8Array(signature))}`
}

/** The request's bytes, gzip-compressed; browsers without CompressionStream load a small library for it. */
export async function packed(request: SyncRequest): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new TextEncoder().encode(JSON.stringify(request))
  if (typeof CompressionStream === 'undefined') {
    const { gzipSync } = await import('fflate')
    return new Uint8Array(gzipSync(bytes))
  }
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}
