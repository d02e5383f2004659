/**
 * Revision ids: `<generation>-<first 128 bits of SHA-256, hex>` over the canonical form of
 * `[_id, tombstone flag, parent id or null, content]`. Same id, parent and content give the same revision id on every
 * phone and server (I1).
 */
import { canonical, sha256 } from './canonical'
import type { JsonObject } from './record'

export async function revisionId(
  id: string,
  revision: { deleted: boolean; parent: string | null; content: JsonObject },
): Promise<string> {
  const digest = await sha256(canonical([id, revision.deleted, revision.parent, revision.content]))
  const generation = revision.parent === null ? 1 : generationOf(revision.parent) + 1
  return `${String(generation)}-${digest.slice(0, 32)}`
}

export function generationOf(rev: string): number {
  return Number.parseInt(rev, 10)
}

/** Whether `left` wins over `right`: a live one before a tombstone, then the greater generation, then the greater hash. */
export function wins(left: { rev: string; deleted: boolean }, right: { rev: string; deleted: boolean }): boolean {
  if (left.deleted !== right.deleted) return right.deleted
  const difference = generationOf(left.rev) - generationOf(right.rev)
  if (difference !== 0) return difference > 0
  return left.rev.slice(left.rev.indexOf('-')) > right.rev.slice(right.rev.indexOf('-'))
}

/** The document's content: what the revision id covers besides id, parent and tombstone flag. */
export function contentOf(document: JsonObject): JsonObject {
  const { _id, _rev, _deleted, ...content } = document
  return content
}
