/**
 * A small server for tests that keeps the promises of `POST /api/sync` honestly: it recomputes revision ids, verifies
 * seals, keeps a revision graph, a feed with a chained digest, numbers per enrolment and byte budgets, and can be restored
 * from a snapshot. It also takes files by tus. Everything happens inside `fetch`, as one durable step.
 */
import { sha256 } from '@/domain/canonical'
import { EMPTY_DIGEST, counts, mark, plus } from '@/domain/digest'
import { contentOf, revisionId, wins } from '@/domain/revision'
import type { Document, JsonObject } from '@/domain/record'
import { sealedPayload, type DatabaseChanges, type SyncAnswer, type SyncRequest } from '@/replication/wire'

type Revision = { rev: string; parent: string | null; deleted: boolean; content: JsonObject }
type Row = { seq: number; id: string }
type Store = { revisions: Map<string, Map<string, Revision>>; feed: Row[]; chain: string[] }
type Numbers = {
  received: Set<number>
  discarded: Set<number>
  verdicts: Map<number, { rev: string; outcome: 'stored' }>
}

export class Door {
  readonly id: string
  /** Another one after a restore. */
  epoch = 'epoch-1'
  databases = new Map<string, Store>()
  numbers = new Map<string, Numbers>()
  keys = new Map<string, JsonWebKey>()
  files = new Map<string, { length: number; data: Uint8Array }>()
  contents = new Map<string, string | Blob>()
  carry: string[]
  /** Who has carried records on, as the next answers that bring them tell it. */
  by: NonNullable<DatabaseChanges['by']> = {}
  access: string
  refresh: string
  time = '2026-11-21T08:00:00Z'
  /** Up to which number a backup has all; everything that was received where none is made. */
  covered = Number.POSITIVE_INFINITY
  /** Documents by id that this door keeps in quarantine instead of storing. */
  quarantine = new Set<string>()
  refuse = new Set<string>()
  /** Those that were let in. */
  requests: SyncRequest[] = []
  /** Bytes of documents in an answer are counted against `max_bytes` as they are. */
  paths: string[] = []

  constructor(carry: string[], id = 'server-1') {
    this.carry = carry
    this.id = id
    this.access = `access-of-${id}`
    this.refresh = `refresh-of-${id}`
    for (const name of carry) this.store(name)
  }

  readonly fetch = async (path: string, init: RequestInit = {}): Promise<Response> => {
    this.paths.push(`${init.method ?? 'GET'} ${path}`)
    return named(await this.answer(path, init), this.id)
  }

  private async answer(path: string, init: RequestInit): Promise<Response> {
    if (path === '/api/sync') return this.sync(init)
    if (path.startsWith('/api/media')) return this.media(path, init)
    const [hash = '', start = '0'] = path.replace('/api/contents/', '').split('?start=')
    const content = this.contents.get(hash)
    if (content === undefined) return problem(404, 'not_found')
    const blob = new Blob([content], { type: typeof content === 'string' ? 'text/csv' : content.type })
    return new Response(blob.slice(Number(start), blob.size, blob.type))
  }

  private store(name: string): Store {
    let found = this.databases.get(name)
    if (found === undefined) this.databases.set(name, (found = { revisions: new Map(), feed: [], chain: [''] }))
    return found
  }

  /** The state as a backup would hold it. */
  snapshot(): () => void {
    const { databases, numbers } = structuredClone({ databases: this.databases, numbers: this.numbers })
    return () => {
      this.databases = databases
      this.numbers = numbers
    }
  }

  /** Another person's or the server's own writing. */
  async write(
    name: string,
    id: string,
    content: JsonObject,
    parent: string | null = null,
    deleted = false,
  ): Promise<string> {
    const rev = await revisionId(id, { deleted, parent, content })
    await this.put(name, id, { rev, parent, deleted, content })
    return rev
  }

  winner(name: string, id: string): Revision | undefined {
    const all = [...(this.store(name).revisions.get(id)?.values() ?? [])]
    const leaves = all.filter((one) => !all.some((other) => other.parent === one.rev))
    return leaves.reduce<Revision | undefined>(
      (best, one) => (best === undefined || wins(one, best) ? one : best),
      undefined,
    )
  }

  leaves(name: string, id: string): string[] {
    const all = [...(this.store(name).revisions.get(id)?.values() ?? [])]
    return all.filter((one) => !all.some((other) => other.parent === one.rev)).map((one) => one.rev)
  }

  /** Take over all that another server has, as replication does. */
  async take(other: Door): Promise<void> {
    for (const [name, { revisions }] of other.databases) {
      for (const [id, known] of revisions) {
        for (const revision of known.values()) await this.put(name, id, revision)
      }
    }
  }

  private async put(name: string, id: string, revision: Revision): Promise<boolean> {
    const store = this.store(name)
    let known = store.revisions.get(id)
    if (known === undefined) store.revisions.set(id, (known = new Map<string, Revision>()))
    if (known.has(revision.rev)) return false
    known.set(revision.rev, revision)
    const seq = (store.feed.at(-1)?.seq ?? 0) + 1
    store.feed = [...store.feed.filter((row) => row.id !== id), { seq, id }]
    store.chain[seq] = (await sha256(`${store.chain[seq - 1] ?? ''}${id}${revision.rev}`)).slice(0, 8)
    return true
  }

  private async sync(init: RequestInit): Promise<Response> {
    const request = await unpacked(init)
    const authorization = new Headers(init.headers).get('Authorization')
    let tokens: SyncAnswer['tokens'] = null
    let isSignedIn = authorization === `Bearer ${this.access}`
    if (authorization !== null && !isSignedIn) {
      if (request.refresh !== this.refresh) return problem(401, 'not_signed_in')
      this.access = `access-${this.id}-${String(this.requests.length + 1)}`
      this.refresh = `refresh-${this.id}-${String(this.requests.length + 1)}`
      tokens = { access_token: this.access, expires_in: 900, refresh_token: this.refresh }
      isSignedIn = true
    }
    if (!(await this.sealIsValid(request))) return problem(422, 'seal_invalid')
    if (request.push.length === 0 && !isSignedIn) return problem(401, 'not_signed_in')
    this.requests.push(request)
    const numbers = this.numbersOf(request.enrolment)
    for (const number of request.holding.discarded) numbers.discarded.add(Number(number))
    for (const number of request.verdicts) numbers.verdicts.delete(Number(number))
    const acks: SyncAnswer['acks'] = []
    for (const push of request.push) acks.push(await this.admit(push.db, push.doc, push.ancestors, numbers))
    for (const [number, verdict] of numbers.verdicts) acks.push({ number: String(number), ...verdict, reason: null })
    const received = Math.max(0, ...numbers.received)
    const answer: SyncAnswer = {
      protocol: 2,
      epoch: this.epoch,
      server_time: this.time,
      tokens,
      acks,
      carry: isSignedIn ? this.carry : null,
      safe: String(Math.min(received, this.covered)),
      highest_number: String(received),
      missing: missing(numbers, request),
      server: this.id,
      next_s: 300,
      // Last, as the server writes it: an answer that breaks off has said what concerns own work.
      changes: isSignedIn ? await this.changes(request) : {},
    }
    return new Response(JSON.stringify(answer), { headers: { 'Content-Type': 'application/json' } })
  }

  private numbersOf(enrolment: string): Numbers {
    let found = this.numbers.get(enrolment)
    if (found === undefined) {
      this.numbers.set(enrolment, (found = { received: new Set(), discarded: new Set(), verdicts: new Map() }))
    }
    return found
  }

  private async sealIsValid(request: SyncRequest): Promise<boolean> {
    const [header = '', , signature = ''] = (request.seal ?? '').split('.')
    const jwk = this.keys.get(request.enrolment)
    if (jwk === undefined) return false
    const input = new TextEncoder().encode(`${header}.${await sealedPayload(request)}`)
    const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify'])
    const raw = Buffer.from(signature, 'base64url')
    return crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, raw, input)
  }

  private async admit(
    name: string,
    doc: Document,
    ancestors: string[],
    numbers: Numbers,
  ): Promise<SyncAnswer['acks'][number]> {
    const content = contentOf(doc)
    const number = (content['saved'] as { number: string }).number
    const deleted = doc._deleted === true
    const parent = ancestors[0] ?? null
    const ack = { number, rev: doc._rev, reason: null }
    if (this.refuse.has(doc._id)) return { ...ack, outcome: 'refused', reason: 'not_allowed' }
    numbers.received.add(Number(number))
    const computed = await revisionId(doc._id, { deleted, parent, content })
    if (computed !== doc._rev) return { ...ack, outcome: 'quarantined', reason: 'revision_mismatch' }
    if (this.quarantine.has(doc._id)) return { ...ack, outcome: 'quarantined', reason: 'unknown_form' }
    const isNew = await this.put(name, doc._id, { rev: doc._rev, parent, deleted, content })
    return { ...ack, outcome: isNew ? 'stored' : 'duplicate' }
  }

  /** A person accepts what stood in quarantine: the phone is told until it confirms. */
  async accept(name: string, enrolment: string, doc: Document, parent: string | null): Promise<void> {
    const content = contentOf(doc)
    await this.put(name, doc._id, { rev: doc._rev, parent, deleted: false, content })
    const number = Number((content['saved'] as { number: string }).number)
    this.numbersOf(enrolment).verdicts.set(number, { rev: doc._rev, outcome: 'stored' })
  }

  private async changes(request: SyncRequest): Promise<SyncAnswer['changes']> {
    const pushed = new Set(request.push.map(({ db, doc }) => `${db} ${doc._id} ${doc._rev}`))
    const own = new Set(request.push.map(({ db, doc }) => `${db} ${doc._id}`))
    const changes: SyncAnswer['changes'] = {}
    let bytes = 0
    for (const name of this.carry) {
      const store = this.store(name)
      const [text = '0', hash = ''] = (request.since[name] ?? '0-').split('-')
      const start = store.chain[Number(text)] === hash ? Number(text) : 0
      const docs: Document[] = []
      let position = start
      let more = false
      for (const row of store.feed.filter(({ seq }) => seq > start)) {
        const winner = this.winner(name, row.id)
        if (winner === undefined) continue
        if (
          !pushed.has(`${name} ${row.id} ${winner.rev}`) &&
          !(start === 0 && winner.deleted && !own.has(`${name} ${row.id}`))
        ) {
          const doc = {
            _id: row.id,
            _rev: winner.rev,
            ...(winner.deleted ? { _deleted: true as const } : {}),
            ...winner.content,
          }
          bytes += JSON.stringify(doc).length
          if (bytes > request.max_bytes && bytes > JSON.stringify(doc).length) {
            more = true
            break
          }
          docs.push(doc)
        }
        position = row.seq
      }
      if (position === start && docs.length === 0 && !more && !(request.since[name] !== undefined && start === 0))
        continue
      const since = `${String(position)}-${store.chain[position] ?? ''}`
      const by = Object.fromEntries(Object.entries(this.by).filter(([id]) => docs.some(({ _id }) => _id === id)))
      changes[name] = { docs, since, more, by, ...(more ? {} : { digest: await this.digest(name) }) }
    }
    return changes
  }

  async digest(name: string): Promise<string> {
    let digest = EMPTY_DIGEST
    for (const { id } of this.store(name).feed) {
      const winner = this.winner(name, id)
      if (winner !== undefined && !winner.deleted && counts(id)) digest = plus(digest, await mark(id, winner.rev))
    }
    return digest
  }

  private async media(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers)
    if (headers.get('Authorization') !== `Bearer ${this.access}`) return problem(401, 'not_signed_in')
    if (init.method === 'POST') {
      const pair = /sha256 ([^,]+)/.exec(headers.get('Upload-Metadata') ?? '')
      const sha = atob(pair?.[1] ?? '')
      const file = this.files.get(sha) ?? { length: Number(headers.get('Upload-Length')), data: new Uint8Array() }
      this.files.set(sha, file)
      const more = { Location: `/api/media/${sha}`, 'Upload-Offset': String(file.data.length) }
      return new Response(null, { status: 201, headers: more })
    }
    const file = this.files.get(path.replace('/api/media/', ''))
    if (file === undefined) return problem(404, 'not_found')
    if (init.method === 'PATCH') {
      if (Number(headers.get('Upload-Offset')) !== file.data.length) return problem(409, 'offset_conflict')
      const piece = new Uint8Array(await (init.body as Blob).arrayBuffer())
      file.data = new Uint8Array([...file.data, ...piece])
    }
    return new Response(null, { status: 204, headers: { 'Upload-Offset': String(file.data.length) } })
  }
}

/** What was neither received nor is said to be held or discarded. */
function missing({ received, discarded }: Numbers, { holding }: SyncRequest): string {
  const known = new Set([...received, ...discarded, ...holding.unsent.map(Number)])
  const all = Array.from({ length: Math.max(0, ...known) }, (_, index) => index + 1)
  return all.filter((number) => !known.has(number)).join(',')
}

async function unpacked(init: RequestInit): Promise<SyncRequest> {
  const stream = new Blob([init.body as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream('gzip'))
  return (await new Response(stream).json()) as SyncRequest
}

/** Every answer says which server gives it. */
function named(response: Response, id: string): Response {
  response.headers.set('Nuong-Server', id)
  return response
}

function problem(status: number, code: string): Response {
  const body = JSON.stringify({ code, params: {}, status })
  return new Response(body, { status, headers: { 'Content-Type': 'application/problem+json' } })
}
