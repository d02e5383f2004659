/** The door of what the server kept aside: the queue, letting an entry in, saying that one was seen. */
import type { Api } from '@/api/client'
import type { Schemas } from '@/api/schema'

/** Names one entry: the same id can wait with several contents, so its fingerprint belongs to it. */
export type EntryKey = Schemas['EntryKey']
export type Misfit = Schemas['MisfitEntry']
export type Note = Schemas['Note']
export type Present = Schemas['Present']
export type QuarantineEntry = Schemas['QuarantineEntry']
export type QuarantineCounts = Schemas['Counts']
export type QuarantinePage = Schemas['QuarantineQueue']
export type QuarantineFilters = { scope: string; reason: string; isSeen: boolean }

const QUARANTINE = '/api/conflicts/quarantine'

export function fetchQuarantine(
  api: Api,
  filters: QuarantineFilters,
  before: string | null,
  signal: AbortSignal,
): Promise<QuarantinePage> {
  const query = new URLSearchParams({ seen: String(filters.isSeen) })
  if (filters.scope !== '') query.set('scope', filters.scope)
  if (filters.reason !== '') query.set('reason', filters.reason)
  if (before !== null) query.set('before', before)
  return api.json(`${QUARANTINE}?${query.toString()}`, { signal })
}

export function acceptEntry(api: Api, entry: EntryKey): Promise<Schemas['Accepted']> {
  return api.json(`${QUARANTINE}/accept`, { method: 'POST', json: keyOf(entry) })
}

export function markSeen(api: Api, entry: EntryKey, comment: string): Promise<void> {
  return api.json(`${QUARANTINE}/seen`, { method: 'POST', json: { ...keyOf(entry), comment } })
}

function keyOf({ database, id, rev, fingerprint }: EntryKey): EntryKey {
  return { database, id, rev, fingerprint }
}
