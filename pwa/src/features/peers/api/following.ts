/** What the server could not take into its lists and tables, and trying one of it again. */
import type { Api } from '@/api/client'
import type { Schemas } from '@/api/schema'

export type SetAside = Schemas['SetAsideDocument']
export type WaitingRevisions = Schemas['WaitingRevisions']
export type Following = Schemas['Following']

export function fetchFollowing(api: Api): Promise<Following> {
  return api.json('/api/following')
}

export function retryDocument(api: Api, entry: SetAside): Promise<Schemas['Retried']> {
  const { follower, database, document } = entry
  const json: Schemas['Retry'] = { follower, database, document }
  return api.json('/api/following/retry', { method: 'POST', json })
}
