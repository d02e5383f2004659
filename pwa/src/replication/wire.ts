/**
 * What stands on the wire of `POST /api/sync`, and how a request is sealed and packed. A change here is a change of
 * `PROTOCOL`.
 */
import { canonical, sha256 } from '@/domain/canonical'
import type { Document } from '@/domain/record'
import type { Outcome } from '@/storage/database'
import { base64url } from '@/storage/session'
import type { Device } from './device'

export const PROTOCOL = 2

export type Push = { db: string; doc: Document; ancestors: string[] }

export type SyncRequest = {
  protocol: typeof PROTOCOL
  enrolment: string
  /** This phone's count of its requests: each new one has the next. */
  exchange: string
  refresh?: string
  since: Record<string, string>
  push: Push[]
  seal?: string
  holding: { unsent: string[]; discarded: string[]; drafts: number; media: number }
  verdicts: string[]
  device?: Device
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
  /** Another one than before says that this server was restored and may lack what it acknowledged. */
  epoch: string
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

type Sealed = Pick<SyncRequest, 'enrolment' | 'exchange' | 'push' | 'holding' | 'verdicts'>

/** What a seal signs: the ids of what is pushed, which are digests, and a digest of what the phone says of itself. */
export async function sealedPayload({ enrolment, exchange, push, holding, verdicts }: Sealed): Promise<string> {
  const { unsent, discarded } = holding
  const counts = { drafts: String(holding.drafts), media: String(holding.media) }
  const said = await sha256(canonical({ ...counts, unsent, discarded, verdicts }))
  return canonical({ enrolment, exchange, push: push.map(({ db, doc }) => [db, doc._id, doc._rev]), said })
}

/** A detached JWS (RFC 7515 F, RFC 7797) over a request, by the key that cannot leave this phone. */
export async function sealed(request: Sealed, key: CryptoKey): Promise<string> {
  const payload = await sealedPayload(request)
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
