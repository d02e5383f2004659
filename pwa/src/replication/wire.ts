/**
 * The wire of `POST /api/sync`: its types, which come from the server's contract (`sync/contract/wire.py`, by
 * `make api-types`), and how a request is sealed and packed.
 */
import type { Schemas } from '@/api/schema'
import { canonical, sha256 } from '@/domain/canonical'
import { base64url } from '@/storage/session'

export const PROTOCOL: Schemas['SyncRequest']['protocol'] = 2

type Request = Schemas['SyncRequest']
/** What a request leaves out where it has nothing to say. */
type Optional = 'refresh' | 'seal' | 'device'

export type Push = Required<Schemas['Push']>
/** A request as this app makes it: all else is said, also where the server would take it as said. */
export type SyncRequest = Required<Omit<Request, Optional | 'push' | 'holding'>> &
  Pick<Request, Optional> & { push: Push[]; holding: Required<Schemas['Holding']> }

export type Ack = Schemas['Ack']
export type DatabaseChanges = Schemas['DatabaseChanges']
/** An answer of any server, of which not every one speaks this app's protocol. */
export type SyncAnswer = Omit<Schemas['SyncAnswer'], 'protocol'> & { protocol: number }

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

/** The request's bytes, gzip-compressed. */
export function packed(request: SyncRequest): Promise<Uint8Array<ArrayBuffer>> {
  return gzipped(new Blob([JSON.stringify(request)]))
}

/** The same bytes for the same content each time; browsers without CompressionStream load a small library for it. */
export async function gzipped(content: Blob): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof CompressionStream === 'undefined') {
    const { gzipSync } = await import('fflate')
    return new Uint8Array(gzipSync(new Uint8Array(await content.arrayBuffer()), { mtime: 0 }))
  }
  const stream = content.stream().pipeThrough(new CompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}
