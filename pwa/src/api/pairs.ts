/** The door of records that may be of one household: the queue, two side by side, joining them, telling them apart, parting them again. */
import type { Document } from '@/domain/record'
import type { Api } from './client'
import type { ConflictPage, Text, Value } from './conflicts'

export const VERDICTS = ['open', 'unsure', 'same', 'different'] as const
export type Verdict = (typeof VERDICTS)[number]
export type Particular = 'name' | 'birth_year' | 'phone' | 'dwelling' | 'place'
export type Agreement = 'same' | 'close' | 'far' | 'different'
/** `values` by record, on the page of a pair only. */
export type Told = { particular: Particular; agreement: Agreement; values: Record<string, string> }

export type PairRecord = {
  record: string
  rev: string
  title: string
  by_name: string
  received_at: string
  state: string
  is_published: boolean
}

export type Pair = {
  database: string
  one: string
  other: string
  form: string
  form_title: Text
  project: string
  unit: string
  unit_name: string
  score: number
  verdict: Verdict
  /** The record that stays, where they are the same. */
  survivor: string | null
  by_name: string
  at: string | null
  comment: string
  agreements: Told[]
  /** The older first. */
  records: PairRecord[]
}

export type PairField = {
  path: string
  label: Text
  row: string | null
  parents: Text[]
  type: string
  choices: { value: string; label: Text }[]
  values: Record<string, Value>
  is_same: boolean
  /** Proposed to come from the record that goes, because the one that stays says nothing. */
  is_taken: boolean
}

export type PairPage = Pair & {
  may_decide: boolean
  suggested: string
  can_join: boolean
  fields: PairField[]
  docs: Record<string, Document>
  media: ConflictPage['media']
}

export type PairPages = { pairs: Pair[]; next: string | null; counts: Record<Verdict, number> }
export type SentVerdict = {
  verdict: Verdict
  revs: Record<string, string>
  /** When somebody last said something about the pair, as it was looked at. */
  saw: string | null
  survivor?: string
  take?: string[]
  comment: string
}
export type PairKey = Pick<Pair, 'database' | 'one' | 'other'>

const DUPLICATES = '/api/duplicates'

export function fetchPairs(
  api: Api,
  verdict: Verdict,
  before: string | null,
  signal?: AbortSignal,
  limit = 50,
): Promise<PairPages> {
  const query = new URLSearchParams({ verdict, limit: String(limit) })
  if (before !== null) query.set('before', before)
  return api.json(`${DUPLICATES}?${query.toString()}`, signal === undefined ? {} : { signal })
}

export function fetchPair(api: Api, key: PairKey): Promise<PairPage> {
  return api.json(addressOf(key))
}

export function decidePair(api: Api, key: PairKey, sent: SentVerdict): Promise<PairPage> {
  return api.json(`${addressOf(key)}/decide`, { method: 'POST', json: sent })
}

/** The record that was joined to the other stands for itself again. */
export function partPair(
  api: Api,
  key: PairKey,
  sent: { revs: Record<string, string>; comment: string },
): Promise<PairPage> {
  return api.json(`${addressOf(key)}/part`, { method: 'POST', json: sent })
}

function addressOf({ database, one, other }: PairKey): string {
  return `${DUPLICATES}/${[database, one, other].map(encodeURIComponent).join('/')}`
}
