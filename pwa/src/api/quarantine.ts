/** The door of what the server kept aside: the queue, letting an entry in, saying that one was seen. */
import type { Document } from '@/domain/record'
import type { Api } from './client'

/** Names one entry: the same id can wait with several contents, so its fingerprint belongs to it. */
export type EntryKey = { database: string; id: string; rev: string; fingerprint: string }

export type Misfit = { path: string; reason: string; came: string; labels: Record<string, string> }
export type Note = { by_name: string; at: string; comment: string }
export type Present = { rev: string; by_name: string; received_at: string; is_deleted: boolean; doc: Document }

export type QuarantineEntry = EntryKey & {
  reason: string
  project: string
  unit: string
  unit_name: string
  by_name: string
  recorded_at: string
  received_at: string
  form: string
  form_version: string
  form_title: Record<string, string>
  is_form_known: boolean
  title: string
  is_deleted: boolean
  doc: Document
  present: Present | null
  differs: string[]
  misfits: Misfit[]
  notes: Note[]
  may_accept: boolean
  why_not: 'parent_waits' | 'not_acceptable' | null
}

export type QuarantineCounts = { unseen: number; seen: number }
export type QuarantinePage = { entries: QuarantineEntry[]; next: string | null; counts: QuarantineCounts }
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

export function acceptEntry(api: Api, entry: EntryKey): Promise<{ rev: string; followers: number }> {
  return api.json(`${QUARANTINE}/accept`, { method: 'POST', json: keyOf(entry) })
}

export function markSeen(api: Api, entry: EntryKey, comment: string): Promise<void> {
  return api.json(`${QUARANTINE}/seen`, { method: 'POST', json: { ...keyOf(entry), comment } })
}

function keyOf({ database, id, rev, fingerprint }: EntryKey): EntryKey {
  return { database, id, rev, fingerprint }
}
