/**
 * Files, after the records that name them: tus 1.0 in pieces, each of which survives a lost link. The server is asked how
 * far it has come before the first piece, so that nothing is sent twice and a phone that died goes on where it stopped.
 * Each server is sent every file of its own: one that has it already says so when it is announced. Small ones go together.
 */
import { Problem, asProblem } from '@/api/problem'
import { whoAnswered, type ApiClient, type ApiRequest } from '@/api/client'
import { siteOf, type NuongDatabase, type Session, type Upload, type UploadSite } from '@/storage/database'
import { isKeptAt } from '@/storage/outcomes'
import { bundled } from './bundle'
import { asideAfter, isAboutContent, isResting } from './asides'
import { MOST_SUSPECTS } from './memory'
import { isOwner, type Owner } from './tokens'

/** About ten seconds of a poor link: what is lost when it breaks. */
export const PIECE_BYTES = 131_072
const TUS = { 'Tus-Resumable': '1.0.0' }

export type MediaContext = {
  api: ApiClient
  store: NuongDatabase
  signal?: AbortSignal | undefined
  /** Whether to try files again that the server would not take: a person asked. */
  again: boolean
  progress: (counts: { done: number; all: number; bytes: number; ofBytes: number }) => void
}

/**
 * Send every file whose record the server has; returns how many arrived. A file that the server would not take says so in
 * the outbox, and the others go on. Throws `Problem` when the link is gone, or when the server takes nothing.
 */
export async function sendMedia(context: MediaContext): Promise<number> {
  const session = await context.store.session.get('current')
  if (session === undefined || session.expired === 1) return 0
  const waiting = await sendable(session, context)
  const ofBytes = waiting.reduce((sum, { bytes }) => sum + bytes, 0)
  const together = await sendTogether(waiting, session, context, (bytes) =>
    context.progress({ done: 0, all: waiting.length, bytes, ofBytes }),
  )
  let before = [...together].reduce((sum, { bytes }) => sum + bytes, 0)
  let done = together.size
  let inARow = 0
  for (const upload of waiting) {
    if (together.has(upload)) continue
    const report = (offset: number): void =>
      context.progress({ done, all: waiting.length, bytes: before + offset, ofBytes })
    report(siteOf(upload, session.server).offset)
    try {
      await send(upload, session, context, report)
      done += 1
      inARow = 0
    } catch (error) {
      const problem = asProblem(error)
      if (context.signal?.aborted === true || !isAboutFile(problem)) throw error
      await note([upload], session, troubleOf(upload, session, problem), context)
      inARow += 1
      if (problem.status >= 500 && inARow === MOST_SUSPECTS) throw error
    }
    before += upload.bytes
  }
  return done
}

/** Whether another file may fare better: what this phone or our server said of this one. */
function isAboutFile(problem: Problem): boolean {
  if (problem.code === 'file_missing' || problem.code === 'upload_stuck' || problem.code === 'upload_busy') return true
  return (problem.status === 403 && problem.server !== null) || isAboutContent(problem)
}

/** What our server would not take waits for a person; what it failed on is tried again by itself. */
function troubleOf(upload: Upload, session: Session, problem: Problem): Partial<UploadSite> {
  if (!problem.isPassing) return { problem: problem.code }
  return { problem: problem.code, aside: asideAfter(siteOf(upload, session.server).aside, problem, Date.now()) }
}

async function sendable(session: Session, { store, again }: MediaContext): Promise<Upload[]> {
  const uploads = await store.uploads.filter((upload) => siteOf(upload, session.server).done === 0).toArray()
  const found: Upload[] = []
  for (const upload of uploads) {
    const { problem, aside } = siteOf(upload, session.server)
    const isWaiting = aside === undefined ? problem !== null : isResting(aside, Date.now())
    if (isWaiting && !again) continue
    const own = await store.revisions.where('id').equals(upload.record).toArray()
    const isMine = own.some((row) => row.person === session.person.id)
    if (isMine && own.some((row) => isKeptAt(row, session.server))) found.push(upload)
  }
  // Small ones first: on a link that lasts a minute, ten photos beat one film.
  return found.sort((left, right) => left.bytes - right.bytes)
}

/** Servers that take each file by itself, as far as this page knows. */
const oneByOne = new Set<string>()

/** Send small files in bundles; returns those that arrived. What a server does not take so goes one by one. */
async function sendTogether(
  waiting: Upload[],
  owner: Owner,
  context: MediaContext,
  report: (bytes: number) => void,
): Promise<Set<Upload>> {
  const arrived = new Set<Upload>()
  let bytes = 0
  while (!oneByOne.has(owner.server)) {
    const left = waiting.filter((upload) => !arrived.has(upload))
    const bundle = await bundled(left, owner.server, context.store)
    if (bundle === null) break
    try {
      const { blob, sha256, uploads } = bundle
      const { url, offset } = await announced('/api/media/bundles', blob, { sha256 }, owner, context)
      const before = bytes
      await sendPieces(url, blob, offset, owner, context, (to) => {
        report(before + to)
        return Promise.resolve()
      })
      for (const upload of uploads) {
        arrived.add(upload)
        bytes += upload.bytes
      }
      await note(uploads, owner, { offset: 0, done: 1, problem: null, aside: undefined }, context)
    } catch (error) {
      const problem = asProblem(error)
      if (context.signal?.aborted === true || problem.server === null) throw error
      // A server of before answers that there is nothing here.
      if (problem.status === 404 || problem.status === 405) oneByOne.add(owner.server)
      if (![400, 403, 404, 405, 409, 413, 422, 429, 500].includes(problem.status)) throw error
      break
    }
  }
  return arrived
}

async function send(
  upload: Upload,
  owner: Owner,
  context: MediaContext,
  report: (offset: number) => void,
): Promise<void> {
  const kept = await context.store.blobs.get(upload.sha256)
  if (kept === undefined) throw new Problem('file_missing', 404)
  const { sha256, type, database: db, record, name } = upload
  const { url, offset } = await announced('/api/media', kept.blob, { sha256, type, db, record, name }, owner, context)
  await sendPieces(url, kept.blob, offset, owner, context, async (to) => {
    report(to)
    await note([upload], owner, { url, offset: to }, context)
  })
  await note([upload], owner, { url, offset: kept.blob.size, done: 1, problem: null, aside: undefined }, context)
}

/** Send what a server does not have of a content, and say after each piece how far it is. */
async function sendPieces(
  url: string,
  blob: Blob,
  start: number,
  owner: Owner,
  context: MediaContext,
  reached: (offset: number) => Promise<void>,
): Promise<void> {
  let offset = start
  let conflicts = 0
  while (offset < blob.size) {
    try {
      offset = await sendPiece(url, blob, offset, owner, context)
    } catch (error) {
      // Another tab's or an earlier attempt's piece arrived after all: ask, and go on from there.
      if (asProblem(error).status !== 409 || (conflicts += 1) > 3) throw error
      offset = await standing(url, owner, context)
    }
    await reached(offset)
  }
}

/** Tell the server what is coming; it answers how much of it it already has. */
async function announced(
  path: string,
  blob: Blob,
  about: { sha256: string } & Record<string, string>,
  owner: Owner,
  context: MediaContext,
): Promise<{ url: string; offset: number }> {
  const response = await asked(path, owner, context, {
    method: 'POST',
    headers: { ...TUS, 'Upload-Length': String(blob.size), 'Upload-Metadata': metadata(about) },
  })
  const url = response.headers.get('Location') ?? `/api/media/${about.sha256}`
  const offset = response.headers.get('Upload-Offset')
  return { url, offset: offset === null ? await standing(url, owner, context) : Number(offset) }
}

async function standing(url: string, owner: Owner, context: MediaContext): Promise<number> {
  const response = await asked(url, owner, context, { method: 'HEAD', headers: TUS })
  return Number(response.headers.get('Upload-Offset') ?? 0)
}

async function sendPiece(
  url: string,
  blob: Blob,
  offset: number,
  owner: Owner,
  context: MediaContext,
): Promise<number> {
  const response = await asked(url, owner, context, {
    method: 'PATCH',
    headers: { ...TUS, 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': String(offset) },
    body: blob.slice(offset, offset + PIECE_BYTES),
    timeoutMs: 120_000,
  })
  const reached = Number(response.headers.get('Upload-Offset'))
  if (!(reached > offset)) throw new Problem('upload_stuck', 502)
  return reached
}

/** A request whose answer counts only from the server that the file is meant for. */
async function asked(url: string, owner: Owner, context: MediaContext, request: ApiRequest): Promise<Response> {
  const { api, signal } = context
  const response = await api.send(url, signal === undefined ? request : { ...request, signal })
  if (whoAnswered(response) !== owner.server) throw new Problem('not_our_server')
  return response
}

/** tus metadata: keys and base64 of the values' UTF-8. */
function metadata(values: Record<string, string>): string {
  const base64 = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)))
  return Object.entries(values)
    .map(([key, value]) => `${key} ${base64(value)}`)
    .join(',')
}

/** Write down how far a file has come, if the session that sent it is still the one before the phone. */
async function note(
  uploads: Upload[],
  owner: Owner,
  change: Partial<UploadSite>,
  { store }: MediaContext,
): Promise<void> {
  await store.transaction('rw', [store.uploads, store.session], async () => {
    if (!isOwner(await store.session.get('current'), owner)) throw new Problem('session_changed')
    await store.uploads
      .where('[sha256+record]')
      .anyOf(uploads.map(({ sha256, record }) => [sha256, record]))
      .modify((row) => {
        const site = { ...siteOf(row, owner.server), ...change }
        row.sites = { ...row.sites, [owner.server]: site }
        if (site.done === 1) row.done = 1
      })
  })
}
