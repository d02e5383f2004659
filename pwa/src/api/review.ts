/** The review door: the queue, one record, decisions. Times are ISO 8601 text, as the server sends them. */
import type { ReviewState, Verdict } from '@/domain/review'
import type { Document } from '@/domain/record'
import type { Api } from './client'

export type Flag =
  | 'outside_area'
  | 'poor_gps'
  | 'clock_suspect'
  | 'missing_media'
  | 'unreadable_media'
  | 'conflict'
  | 'constraint_broken'
  | 'calculation_unfit'

type Line = {
  database: string
  id: string
  rev: string
  form: string
  form_version: string
  title: string
  state: ReviewState
  /** The worker who last captured or edited it. */
  by_name: string
  /** Who has decided about it since at a desk: '' when not known here, null when nobody has. */
  decided_by_name: string | null
  recorded_at: string
  received_at: string
  unit: string
  unit_name: string
  project: string
  flags: Flag[]
  is_corrected: boolean
  is_deleted: boolean
}

export type QueueLine = Line & { branches: number }
export type Counts = Record<ReviewState, number>
export type QueuePage = { records: QueueLine[]; next: string | null; counts: Counts }

export type HistoryEntry = {
  kind: 'edit' | 'merge' | 'resolved' | 'decision' | 'undo' | 'joined' | 'parted'
  rev: string
  parent: string | null
  by_person: string | null
  by_name: string
  recorded_at: string
  received_at: string
  is_deleted: boolean
  is_winner: boolean
  is_branch: boolean
  is_published: boolean
}

export type ReviewEntry = {
  id: string
  rev: string
  decision: Verdict
  comment: string
  comments: Record<string, string>
  by: string
  by_name: string
  at: string
  follows: string[]
  stands: boolean
}

export type Branch = { rev: string; by_name: string; received_at: string; doc: Document }

export type ReviewPage = Line & {
  /** When the worker's edit came that it is shown as; `received_at` is when the latest revision came. */
  sent_at: string
  doc: Document
  published_rev: string | null
  area: { longitude: number; latitude: number } | null
  history: HistoryEntry[]
  reviews: ReviewEntry[]
  branches: Branch[]
  returned: Document | null
  may_decide: boolean
  may_approve: boolean
  why_not: 'not_supervisor' | 'own_work' | null
}

export type Filters = { scope: string; form: string; states: readonly ReviewState[]; text: string }

export type NewDecision = {
  rev: string
  decision: Verdict
  comment: string
  comments: Record<string, string>
  follows: string[]
}

const RECORDS = '/api/review/records'

export function fetchQueue(
  api: Api,
  filters: Filters,
  before: string | null,
  signal?: AbortSignal,
): Promise<QueuePage> {
  const query = new URLSearchParams()
  if (filters.scope !== '') query.set('scope', filters.scope)
  if (filters.form !== '') query.set('form', filters.form)
  for (const state of filters.states) query.append('state', state)
  if (filters.text.trim() !== '') query.set('q', filters.text.trim())
  if (before !== null) query.set('before', before)
  return api.json(`${RECORDS}?${query.toString()}`, signal === undefined ? {} : { signal })
}

export function fetchRecord(api: Api, database: string, id: string): Promise<ReviewPage> {
  return api.json(addressOf(database, id))
}

export function sendDecision(
  api: Api,
  database: string,
  id: string,
  decision: NewDecision,
): Promise<{ id: string; state: ReviewState }> {
  return api.json(`${addressOf(database, id)}/decisions`, { method: 'POST', json: decision })
}

function addressOf(database: string, id: string): string {
  return `${RECORDS}/${encodeURIComponent(database)}/${encodeURIComponent(id)}`
}
