/** The door of what people disagree about: the queue, one record's open questions, decisions and the way back, many alike at once. */
import type { FieldChoice } from '@/domain/choosing'
import type { Answers, Document, Json } from '@/domain/record'
import type { Api } from './client'

/** `is_absent`: not asked for, or the row, choice or file is not there; null beside it is blank. */
export type Value = { value: Json; is_absent: boolean }
/** By language; empty where the form has no words for it. */
export type Text = Record<string, string>
export type Named = { id: string; name: string }

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
] as const
export type ConflictKind = (typeof KINDS)[number]

export type Claim = { person: string; name: string; until: string; is_me?: boolean }

export type ConflictLine = {
  database: string
  record: string
  form: string
  form_title: Text
  title: string
  project: string
  unit: string
  unit_name: string
  since: string
  people: Named[]
  questions: { path: string; kind: ConflictKind; label: Text; in_row: boolean }[]
  claims: Claim[]
}

/** Questions that are alike: the same field of the same form, for the same cause. */
export type ConflictGroup = {
  kind: ConflictKind
  form: string
  form_title: Text
  path: string
  label: Text
  questions: number
  records: number
}

export type KindCounts = Partial<Record<ConflictKind, number>>
export type ConflictPages = {
  conflicts: ConflictLine[]
  next: string | null
  counts: KindCounts
  total: number
  groups: ConflictGroup[]
}

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

export type FilterChoices = {
  units: { unit: string; unit_name: string; records: number }[]
  projects: { project: string; records: number }[]
  forms: { form: string; title: Text; records: number }[]
  people: { id: string; name: string; records: number }[]
  kinds: KindCounts
}

export type Changed = { path: string; label: Text; row: string | null; before: Value; after: Value }

export type Candidate = {
  rev: string
  value: Value
  is_decision: boolean
  is_deleted: boolean
  is_after_approval: boolean
  is_parent_unknown: boolean
  by_person: string | null
  by_name: string
  device: string
  recorded_at: string
  received_at: string
  /** The answers that differ from what they were before, where answers or a row are chosen between as a whole. */
  changed: Changed[]
}

export type GeoJson = { type: string; coordinates: unknown }
export type Shape = {
  /** Null: what stood before. */
  rev: string | null
  geojson: GeoJson | null
  area_m2: number | null
  length_m: number | null
  accuracy_m: number | null
  change_m2: number | null
  change_percent: number | null
  vertices: number
  is_valid: boolean
}
export type ShapePair = {
  a: string | null
  b: string
  overlap_m2: number | null
  overlap_percent: number | null
  only_a_m2: number | null
  only_b_m2: number | null
  union_m2: number | null
  distance_m: number | null
}
export type Geometry = { kind: 'point' | 'line' | 'outline'; shapes: Shape[]; pairs: ShapePair[] }

export type Reply = {
  id: string
  by_person: string
  by_name: string
  at: string
  has_value: boolean
  value: Value
  text: string
  was_asked: boolean
}
export type Asked = { id: string; text: string; by_name: string; at: string; to: Named[]; replies: Reply[] }

export type Way = 'candidate' | 'value' | 'confirm' | 'delete' | 'keep' | 'stay'
export type Question = {
  path: string
  kind: ConflictKind
  label: Text
  row: string | null
  parents: Text[]
  type: string
  choices: { value: string; label: Text }[]
  list_file: string | null
  base: Value | null
  candidates: Candidate[]
  proposal: { rev: string | null; value: Value; why: 'stands' | 'more_accurate' | 'reply' } | null
  geometry: Geometry | null
  broken: Text | string | null
  asked: Asked[]
  /** A row that somebody took out, with what all edits say of it: what `keep` chooses. */
  kept: Value | null
  may: Way[]
}

export type MergedField = {
  path: string
  label: Text
  row: string | null
  value: Value
  how: 'only' | 'alike' | 'policy' | 'recomputed'
  rev: string | null
  by_name: string
}

export type ConflictEvent = {
  rev: string
  parent: string | null
  merged: string[]
  kind: 'edit' | 'merge' | 'resolved' | 'decision' | 'undo' | 'joined' | 'parted'
  by_person: string | null
  by_name: string
  device: string
  recorded_at: string
  received_at: string
  is_deleted: boolean
  is_winner: boolean
  is_branch: boolean
  changed: Changed[]
  comment: string
  decided: string[]
  undoes: string[]
}

export type Decision = {
  rev: string
  by_person: string | null
  by_name: string
  at: string
  paths: string[]
  comment: string
  may_undo: boolean
  is_undone: boolean
  /** The area in which the record was to stay, of a decision about its place. */
  stays: string | null
}

export type Elsewhere = {
  database: string
  unit: string
  unit_name: string
  project: string
  rev: string
  leaves: string[]
  title: string
  by_name: string
  received_at: string
  doc: Document
  /** The answers in which it differs: before as the page's own area has them, after as this one. */
  changed: Changed[]
  may_decide: boolean
}

export type ConflictPage = {
  database: string
  record: string
  /** What was looked at, with the branches that stood then; a decision names both. */
  rev: string
  leaves: string[]
  form: string
  form_version: string
  form_title: Text
  title: string
  project: string
  unit: string
  unit_name: string
  languages: string[]
  waiting: { reason: 'form_version' | 'inputs'; names: string[] } | null
  may_decide: boolean
  doc: Document
  questions: Question[]
  merged: MergedField[]
  history: ConflictEvent[]
  decisions: Decision[]
  claims: Claim[]
  elsewhere: Elsewhere[]
  media: Record<string, { url: string; thumb: string; type: string; name: string }>
}

export type SentChoice =
  | FieldChoice
  | { path: string; candidate: string }
  | { path: string; confirm: true }
  | { path: string; reply: string }
  | { path: string; keep: true }
  | { path: ''; delete: true }
  | { path: ''; stay: string }

export type SentDecision = {
  rev: string
  leaves: string[]
  /** The record in other areas as the page showed it. */
  elsewhere: { database: string; rev: string; leaves: string[] }[]
  choices: SentChoice[]
  answers?: Answers
  form_version?: string
  comment: string
  dry_run: boolean
}
export type Warning = { path: string; label: Text; row: string | null; message: Text | string | null }
export type Decided = { rev: string | null; warnings: Warning[]; page: ConflictPage }

export type Rule =
  | { take: 'later' | 'earlier' | 'confirm' | 'delete' | 'keep' }
  | { take: 'person'; person: string }
  | { take: 'value'; value: Json }

export type BatchAsk = {
  form: string
  path: string
  kind: ConflictKind
  rule: Rule
  filters: { unit?: string[]; project?: string; person?: string; waiting_days?: number; q?: string }
}
export type BatchPreview = {
  token: string
  expires_at: string
  matching: number
  will_decide: number
  skipped: Record<string, number>
  warnings: number
  samples: {
    database: string
    record: string
    title: string
    unit_name: string
    path: string
    row: string | null
    candidates: { rev: string; value: Value; by_name: string; received_at: string }[]
    result: Value
    warnings: Warning[]
  }[]
}
export type BatchDone = { decided: number; moved: number; failed: number; batch: string }

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

export function undoDecision(
  api: Api,
  database: string,
  record: string,
  undo: { rev: string; leaves: string[]; decision: string },
): Promise<Decided> {
  return api.json(`${addressOf(database, record)}/undo`, { method: 'POST', json: undo })
}

/** Say that the person is looking at it, or has left. Never stops anybody. */
export function claimConflict(
  api: Api,
  database: string,
  record: string,
  leave: boolean,
): Promise<{ claims: Claim[] }> {
  return api.json(`${addressOf(database, record)}/claim`, { method: 'POST', json: { leave } })
}

export function askAbout(
  api: Api,
  database: string,
  record: string,
  question: { path: string; text: string; to: string[] },
): Promise<{ id: string; to: Named[]; page: ConflictPage }> {
  return api.json(`${addressOf(database, record)}/ask`, { method: 'POST', json: question })
}

export function previewBatch(api: Api, ask: BatchAsk): Promise<BatchPreview> {
  return api.json(`${CONFLICTS}/batch`, { method: 'POST', json: { dry_run: true, ...ask } })
}

export function applyBatch(api: Api, token: string, comment: string): Promise<BatchDone> {
  return api.json(`${CONFLICTS}/batch`, { method: 'POST', json: { dry_run: false, token, comment } })
}

export function undoBatch(api: Api, batch: string): Promise<{ undone: number; too_late: number }> {
  return api.json(`${CONFLICTS}/batch/undo`, { method: 'POST', json: { batch } })
}

function addressOf(database: string, record: string): string {
  return `${CONFLICTS}/${encodeURIComponent(database)}/${encodeURIComponent(record)}`
}
