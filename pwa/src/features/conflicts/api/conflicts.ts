/** The door of what people disagree about: the queue, one record's open questions, decisions and the way back, many alike at once. */
import type { FieldChoice } from '@/domain/choosing'
import type { Json } from '@/domain/record'
import type { Api } from '@/api/client'
import type { Schemas } from '@/api/schema'

/** `is_absent`: not asked for, or the row, choice or file is not there; null beside it is blank. */
export type Value = Schemas['ShownValue']
/** By language; empty where the form has no words for it. */
export type Text = Record<string, string>
export type Named = Schemas['PersonName']

export const KINDS = [
  'value',
  'place',
  'delete',
  'row',
  'exclusive',
  'asked',
  'constraint',
  'form_version',
  'parent_unknown',
  'after_approval',
  'moved',
] as const satisfies readonly Schemas['QuestionLine']['kind'][]
export type ConflictKind = Schemas['QuestionLine']['kind']

export type Claim = Schemas['Claim']
export type ConflictLine = Schemas['ConflictLine']
/** Questions that are alike: the same field of the same form, for the same cause. */
export type ConflictGroup = Schemas['ConflictGroup']
export type ConflictPages = Schemas['ConflictQueue']
export type KindCounts = Partial<Record<ConflictKind, number>>

export type ConflictFilters = {
  kind: ConflictKind | ''
  unit: string
  project: string
  form: string
  person: string
  path: string
  waitingDays: string
  text: string
  order: 'oldest' | 'newest'
}

export type FilterChoices = Schemas['QueueFilters']
export type Changed = Schemas['ChangedField']
/** `changed`: the answers that differ from before, where answers or a row are chosen between as a whole. */
export type Candidate = Schemas['CandidateValue']
export type GeoJson = Schemas['GeoJson']
/** `rev` is null for what stood before. */
export type Shape = Schemas['DrawnShape']
export type ShapePair = Schemas['ShapePair']
export type Geometry = Schemas['PlaceComparison']
export type Reply = Schemas['ReplyShown']
export type Asked = Schemas['AskedShown']
/** `kept`: a row that somebody took out, with what all edits say of it: what `keep` chooses. */
export type Question = Schemas['OpenQuestion']
export type Way = Question['may'][number]
export type MergedField = Schemas['MergedField']
export type ConflictEvent = Schemas['HistoryLine']
/** `stays`: the area in which the record was to stay, of a decision about its place. */
export type Decision = Schemas['DecisionLine']
/** `changed`: the answers in which it differs: before as the page's own area has them, after as this one. */
export type Elsewhere = Schemas['Elsewhere']
/** `rev` is what was looked at, `leaves` the branches that stood then; a decision names both. */
export type ConflictPage = Schemas['ConflictPage']

export type SentChoice =
  | FieldChoice
  | { path: string; candidate: string }
  | { path: string; confirm: true }
  | { path: string; reply: string }
  | { path: string; keep: true }
  | { path: ''; delete: true }
  | { path: ''; stay: string }

/** `elsewhere` is the record in other areas as the page showed it. */
export type SentDecision = Omit<Schemas['NewDecision'], 'choices'> & { choices: SentChoice[] }
export type Warning = Schemas['BrokenConstraint']
export type Decided = Schemas['DecisionMade']

export type Rule =
  | { take: 'later' | 'earlier' | 'confirm' | 'delete' | 'keep' }
  | { take: 'person'; person: string }
  | { take: 'value'; value: Json }

export type BatchFilters = Schemas['BatchFilters']
export type BatchAsk = { form: string; path: string; kind: ConflictKind; rule: Rule; filters: BatchFilters }
export type BatchPreview = Schemas['BatchShown']
export type BatchDone = Schemas['BatchDone']

const CONFLICTS = '/api/conflicts'

export function fetchConflicts(
  api: Api,
  filters: ConflictFilters,
  before: string | null,
  signal?: AbortSignal,
): Promise<ConflictPages> {
  const query = new URLSearchParams({ order: filters.order })
  for (const name of ['kind', 'unit', 'project', 'form', 'person', 'path'] as const) {
    if (filters[name] !== '') query.set(name, filters[name])
  }
  if (filters.waitingDays !== '') query.set('waiting_days', filters.waitingDays)
  if (filters.text.trim() !== '') query.set('q', filters.text.trim())
  if (before !== null) query.set('before', before)
  return api.json(`${CONFLICTS}?${query.toString()}`, signal === undefined ? {} : { signal })
}

export function fetchFilterChoices(api: Api): Promise<FilterChoices> {
  return api.json(`${CONFLICTS}/filters`)
}

export function fetchConflict(api: Api, database: string, record: string): Promise<ConflictPage> {
  return api.json(addressOf(database, record))
}

export function sendChoices(api: Api, database: string, record: string, decision: SentDecision): Promise<Decided> {
  return api.json(`${addressOf(database, record)}/decide`, { method: 'POST', json: decision })
}

export function undoDecision(api: Api, database: string, record: string, undo: Schemas['Undo']): Promise<Decided> {
  return api.json(`${addressOf(database, record)}/undo`, { method: 'POST', json: undo })
}

/** Say that the person is looking at it, or has left. Never stops anybody. */
export function claimConflict(
  api: Api,
  database: string,
  record: string,
  leave: boolean,
): Promise<Schemas['ClaimsShown']> {
  return api.json(`${addressOf(database, record)}/claim`, { method: 'POST', json: { leave } })
}

export function askAbout(
  api: Api,
  database: string,
  record: string,
  question: Schemas['NewQuestion'],
): Promise<Schemas['QuestionSent']> {
  return api.json(`${addressOf(database, record)}/ask`, { method: 'POST', json: question })
}

export function previewBatch(api: Api, ask: BatchAsk): Promise<BatchPreview> {
  return api.json(`${CONFLICTS}/batch`, {
    method: 'POST',
    json: { dry_run: true, ...ask } satisfies Schemas['NewBatch'],
  })
}

export function applyBatch(api: Api, token: string, comment: string): Promise<BatchDone> {
  return api.json(`${CONFLICTS}/batch`, {
    method: 'POST',
    json: { dry_run: false, token, comment } satisfies Schemas['NewBatch'],
  })
}

export function undoBatch(api: Api, batch: string): Promise<Schemas['BatchUndone']> {
  return api.json(`${CONFLICTS}/batch/undo`, { method: 'POST', json: { batch } })
}

function addressOf(database: string, record: string): string {
  return `${CONFLICTS}/${encodeURIComponent(database)}/${encodeURIComponent(record)}`
}
