/** The review door: the queue, one record, decisions. Times are ISO 8601 text, as the server sends them. */
import type { ReviewState } from '@/domain/review'
import type { Document } from '@/domain/record'
import type { Api } from '@/api/client'
import type { Schemas } from '@/api/schema'

export type QueueLine = Schemas['RecordLine']
export type Flag = QueueLine['flags'][number]
export type Counts = Record<ReviewState, number>
export type QueuePage = Omit<Schemas['Queue'], 'counts'> & { counts: Counts }
export type HistoryEntry = Schemas['HistoryEntry']
export type ReviewEntry = Schemas['ReviewEntry']
export type Branch = Schemas['Branch']
/** `sent_at` is when the worker's edit came that it is shown as; `received_at` is when the latest revision came. */
export type ReviewPage = Omit<Schemas['RecordPage'], 'returned'> & { returned: Document | null }

export type Filters = { scope: string; form: string; states: readonly ReviewState[]; text: string }

export type NewDecision = Schemas['NewReview']

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
): Promise<Schemas['Decided']> {
  return api.json(`${addressOf(database, id)}/decisions`, { method: 'POST', json: decision })
}

function addressOf(database: string, id: string): string {
  return `${RECORDS}/${encodeURIComponent(database)}/${encodeURIComponent(id)}`
}
