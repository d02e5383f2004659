/**
 * Small files that go together: gzip of a line of JSON about them and of their contents. Forty pictures of a kilobyte
 * would otherwise take eighty round trips, and heads that weigh more than they do.
 */
import { sha256 } from '@/domain/canonical'
import { siteOf, type NuongDatabase, type Upload } from '@/storage/database'
import { gzipped } from './wire'

/** What is larger goes by itself. */
const SMALL_BYTES = 16_384
/** Of all in one bundle, so that it is one piece. */
const MOST_BYTES = 120_000
const MOST_FILES = 150
/** Fewer are quicker by themselves. */
const FEWEST = 3

export type Bundle = { uploads: Upload[]; blob: Blob; sha256: string }

/** What was put together last for each server: a bundle that broke off goes on, whatever has been saved since. */
const begun = new Map<string, string[]>()
const keyOf = ({ sha256, record }: Upload): string => `${sha256} ${record}`

/** The next bundle out of what waits for a server, or null where it isn't worth one. */
export async function bundled(waiting: Upload[], server: string, store: NuongDatabase): Promise<Bundle | null> {
  const small = waiting.filter((upload) => upload.bytes <= SMALL_BYTES && siteOf(upload, server).offset === 0)
  const before = begun.get(server) ?? []
  const again = small.filter((upload) => before.includes(keyOf(upload)))
  const uploads = again.length > 0 && again.length === before.length ? again : firstFew(small)
  if (uploads.length < FEWEST) return null
  const kept = await store.blobs.bulkGet(uploads.map(({ sha256 }) => sha256))
  const blobs = kept.map((row) => row?.blob)
  // One that is gone is told of where it goes by itself.
  if (!blobs.every((blob) => blob !== undefined)) return null
  begun.set(server, uploads.map(keyOf))
  const head = uploads.map(({ database: db, record, name, type }, at) => {
    return { db, record, name, type, bytes: blobs[at]?.size ?? 0 }
  })
  const packed = await gzipped(new Blob([`${JSON.stringify(head)}\n`, ...blobs]))
  return { uploads, blob: new Blob([packed]), sha256: await sha256(packed) }
}

function firstFew(small: Upload[]): Upload[] {
  const chosen: Upload[] = []
  let bytes = 0
  for (const upload of small.slice(0, MOST_FILES)) {
    bytes += upload.bytes
    if (bytes > MOST_BYTES) break
    chosen.push(upload)
  }
  return chosen
}
