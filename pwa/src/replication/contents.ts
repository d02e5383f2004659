/**
 * Contents behind the catalog: XForms, choice lists and what labels show, fetched once by hash, so that every form can be filled with no
 * network. What does not have its hash is not kept. What arrived of one before the link broke is kept and goes on from
 * there, so that on a poor link each of many large ones arrives in the end.
 */
import { joined, readBody } from '@/api/body'
import { whoAnswered, type ApiClient } from '@/api/client'
import { Problem, asProblem } from '@/api/problem'
import { sha256 as hashOf } from '@/domain/canonical'
import { missingContents } from '@/storage/catalog'
import { database, type NuongDatabase } from '@/storage/database'
import { StorageFull, guarded } from '@/domain/storage-full'
import { isOwner, type Owner } from './tokens'

/** Two hide each other's round trips; more would only share a poor link among them. */
const AT_ONCE = 2
/** What a phone that dies loses at most. */
const KEEP_EACH_BYTES = 65_536
const BODY_MS = 240_000

/** Fetch what is missing; returns the hashes that the server would not give. Throws `Problem` when the link is gone. */
export async function fetchContents(
  api: ApiClient,
  progress: (done: number, all: number) => void,
  store: NuongDatabase = database,
): Promise<string[]> {
  const owner = await store.session.get('current')
  if (owner === undefined) return []
  const missing = await begunFirst(await missingContents(store), store)
  const refused: string[] = []
  let done = 0
  const next = missing[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (const sha256 of { [Symbol.iterator]: () => next }) {
      try {
        await fetchOne(sha256, owner, api, store)
      } catch (error) {
        if (!isAboutOne(error)) throw error
        refused.push(sha256)
      }
      done += 1
      progress(done, missing.length)
    }
  }
  if (missing.length > 0) progress(0, missing.length)
  const workers = Array.from({ length: Math.min(AT_ONCE, missing.length) }, worker)
  // One that goes on after the other failed would share its contents, and the poor link, with whoever tries again.
  await Promise.allSettled(workers)
  await Promise.all(workers)
  return refused
}

/** What came furthest is nearest to being useful. */
async function begunFirst(missing: string[], store: NuongDatabase): Promise<string[]> {
  const begun = await store.partials.bulkGet(missing)
  const bytes = new Map(begun.flatMap((one) => (one === undefined ? [] : [[one.sha256, one.bytes.length]])))
  return missing.sort((one, other) => (bytes.get(other) ?? 0) - (bytes.get(one) ?? 0))
}

/** Whether other contents may fare better: our server, or the hash, spoke of this one. */
function isAboutOne(error: unknown): boolean {
  if (error instanceof StorageFull) return false
  const { code, server, status } = asProblem(error)
  return code === 'content_damaged' || (server !== null && ![401, 429, 502, 503, 504, 507].includes(status))
}

async function fetchOne(sha256: string, owner: Owner, api: ApiClient, store: NuongDatabase): Promise<void> {
  const begun = (await store.partials.get(sha256))?.bytes ?? new Uint8Array()
  const path = `/api/contents/${sha256}${begun.length > 0 ? `?start=${String(begun.length)}` : ''}`
  const response = await api.send(path, { bodyMs: BODY_MS })
  if (whoAnswered(response) === null) throw new Problem('not_our_server')
  const { bytes: rest, isWhole } = await readBody(response, {
    each: KEEP_EACH_BYTES,
    take: (bytes) => keep(store, owner, () => store.partials.put({ sha256, bytes: joined([begun, bytes]) })),
  })
  const bytes = joined([begun, rest])
  if (!isWhole) {
    await keep(store, owner, () => store.partials.put({ sha256, bytes }))
    throw new Problem('answer_broken')
  }
  const isRight = (await hashOf(bytes)) === sha256
  const type = response.headers.get('Content-Type') ?? ''
  const content = /^(?:image|audio|video)\//u.test(type)
    ? { text: '', blob: new Blob([bytes], { type }) }
    : { text: new TextDecoder().decode(bytes) }
  await keep(store, owner, async () => {
    await store.partials.delete(sha256)
    if (isRight) await store.contents.put({ sha256, ...content })
  })
  if (!isRight) throw new Problem('content_damaged', 502)
}

/** Write for the person who fetches: the next one may have no right to it. */
async function keep(store: NuongDatabase, owner: Owner, work: () => PromiseLike<unknown>): Promise<void> {
  await guarded(() =>
    store.transaction('rw', [store.contents, store.partials, store.session], async () => {
      if (!isOwner(await store.session.get('current'), owner)) throw new Problem('session_changed')
      await work()
    }),
  )
}
