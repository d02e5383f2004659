/**
 * Photos, sound and files by the SHA-256 of their bytes: the same file is kept once, and a name never points at other bytes.
 */
import type { Table } from 'dexie'
import { hex } from '@/domain/canonical'
import type { JsonObject, Media, MediaRef } from '@/domain/record'
import { database, type NuongDatabase, type StoredBlob } from './database'
import { guarded } from '@/domain/storage-full'

/** Keep a file; returns what a record's `media` says about it. Throws `StorageFull` when the disk has no room. */
export async function putBlob(blob: Blob): Promise<MediaRef> {
  const reference = await hashed(blob)
  const { sha256, type } = reference
  await guarded(async () => {
    if ((await database.blobs.get(sha256)) !== undefined) return
    await database.blobs.put({ sha256, blob, type, bytes: blob.size, addedAt: new Date().toISOString() })
  })
  return reference
}

/** What a record's `media` says about a file. */
export async function hashed(blob: Blob): Promise<MediaRef> {
  const data = await blob.arrayBuffer()
  const sha256 = hex(new Uint8Array(await crypto.subtle.digest('SHA-256', data)))
  // `audio/webm;codecs=opus` is `audio/webm` to everybody else.
  const type = blob.type.split(';')[0]?.trim() || 'application/octet-stream'
  return { sha256, bytes: String(blob.size), type }
}

export async function getBlob(sha256: string): Promise<StoredBlob | undefined> {
  return database.blobs.get(sha256)
}

/**
 * Drop files that neither a draft, nor a revision of this phone, nor a waiting upload names, and recordings that no draft has
 * begun. What is younger than a day stays: it may belong to a form that is open and has not been saved yet.
 */
export async function collectBlobs(now: number = Date.now(), store: NuongDatabase = database): Promise<number> {
  return store.transaction('rw', tables(store), async () => {
    const named = await namedHere(store)
    const yesterday = new Date(now - 86_400_000).toISOString()
    await store.pieces.filter(({ addedAt, recording }) => addedAt < yesterday && !named.has(recording)).delete()
    return store.blobs.filter((blob) => blob.addedAt < yesterday && !named.has(blob.sha256)).delete()
  })
}

/** Drop these files at once, but for those that something names. */
export async function dropUnnamed(hashes: string[], store: NuongDatabase = database): Promise<void> {
  if (hashes.length === 0) return
  await store.transaction('rw', tables(store), async () => {
    const named = await namedHere(store)
    await store.blobs.bulkDelete(hashes.filter((sha256) => !named.has(sha256)))
  })
}

/** The files that a revision names. */
export function hashesIn(content: JsonObject): string[] {
  const media = content['media']
  if (typeof media !== 'object' || media === null || Array.isArray(media)) return []
  return Object.values(media as Media).map(({ sha256 }) => sha256)
}

function tables({ blobs, drafts, revisions, uploads, pieces }: NuongDatabase): Table[] {
  return [blobs, drafts, revisions, uploads, pieces]
}

/** Every file and recording that this phone's own work names. */
async function namedHere(store: NuongDatabase): Promise<ReadonlySet<string>> {
  const named = new Set<string>()
  await store.drafts.each((draft) => {
    for (const ref of Object.values(draft.media)) named.add(ref.sha256)
    for (const begun of Object.values(draft.begun ?? {})) {
      if (begun.kind === 'file') named.add(begun.sha256)
      if (begun.kind === 'sound') named.add(begun.recording)
    }
  })
  await store.revisions.each(({ content }) => {
    for (const sha256 of hashesIn(content)) named.add(sha256)
  })
  await store.uploads.each((upload) => {
    if (upload.done === 0) named.add(upload.sha256)
  })
  return named
}
