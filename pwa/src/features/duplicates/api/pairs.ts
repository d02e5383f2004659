/** The door of records that may be of one household: the queue, two side by side, joining them, telling them apart, parting them again. */
import type { Document } from '@/domain/record'
import type { Api } from '@/api/client'
import type { Schemas } from '@/api/schema'

export const VERDICTS = ['open', 'unsure', 'same', 'different'] as const satisfies readonly Pair['verdict'][]
export type Verdict = Pair['verdict']
/** `values` by record, on the page of a pair only. */
export type ParticularAgreement = Schemas['ParticularAgreement']
export type Particular = ParticularAgreement['particular']
export type Agreement = ParticularAgreement['agreement']
export type PairRecord = Schemas['PairRecord']
/** `survivor` is the record that stays, where they are the same; `records` begin with the older. */
export type Pair = Schemas['Pair']
/** `is_taken`: proposed to come from the record that goes, because the one that stays says nothing. */
export type PairField = Schemas['PairField']
export type PairPage = Omit<Schemas['PairPage'], 'docs'> & { docs: Record<string, Document> }
export type PairPages = Omit<Schemas['PairQueue'], 'counts'> & { counts: Record<Verdict, number> }
/** `saw` is when somebody last said something about the pair, as it was looked at. */
export type SentVerdict = Schemas['NewVerdict']
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
export function partPair(api: Api, key: PairKey, sent: Schemas['Parting']): Promise<PairPage> {
  return api.json(`${addressOf(key)}/part`, { method: 'POST', json: sent })
}

function addressOf({ database, one, other }: PairKey): string {
  return `${DUPLICATES}/${[database, one, other].map(encodeURIComponent).join('/')}`
}
