/** What the server could not take into its lists and tables, and trying one of it again. */
import type { Api } from './client'

export type SetAside = {
  follower: string
  database: string
  document: string
  record: string
  title: string
  error: string
  attempts: number
  since: string
  last_at: string
}

export type WaitingRevisions = {
  database: string
  reason: 'waits_for_merge' | 'waits_for_inputs'
  count: number
  since: string
}

export type Following = { set_aside: SetAside[]; waiting: WaitingRevisions[] }

export function fetchFollowing(api: Api): Promise<Following> {
  return api.json('/api/following')
}

export function retryDocument(api: Api, entry: SetAside): Promise<{ taken: boolean }> {
  const { follower, database, document } = entry
  return api.json('/api/following/retry', { method: 'POST', json: { follower, database, document } })
}
