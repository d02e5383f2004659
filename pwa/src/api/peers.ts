/** The doors of other servers: what is connected, how far behind, what is the matter. */
import type { Api } from './client'

/** What can be the matter, as the server names it; each has a sentence and an advice on the screen. */
export const TROUBLES = [
  'unreachable',
  'slow',
  'half',
  'garbage',
  'sign_in',
  'not_allowed',
  'no_database',
  'full',
  'full_here',
  'no_media',
  'busy',
  'failing',
  'local',
] as const
export type Trouble = (typeof TROUBLES)[number]

export type PeerStatus = {
  database: string
  direction: 'push' | 'pull'
  behind: number | null
  documents: number
  trouble: Trouble | null
  told: string | null
  since: string
  checked_at: string
}

/** Why a file did not go over, as the server names it; each has a sentence on the screen. */
export const FILE_REASONS = ['wrong_bytes', 'damaged', 'too_large', 'not_taken'] as const

export type FileLeft = {
  direction: 'push' | 'pull'
  database: string
  record: string
  name: string
  sha256: string
  reason: (typeof FILE_REASONS)[number]
  told: string
}

export type LeftOut = { database: string; id: string; rev: string; direction: 'push' | 'pull'; reason: string }

export type Peer = {
  id: string
  name: string
  url: string
  kind: 'replica' | 'province'
  direction: 'both' | 'push' | 'pull'
  mode: 'continuous' | 'once'
  auth: 'none' | 'password' | 'token'
  username: string | null
  scopes: string[]
  behind: number
  /** Revisions of these databases that wait here for a person. */
  held: number
  statuses: PeerStatus[]
  left_out_count: number
  left_out: LeftOut[]
  /** Files that one side awaits and the other has; those that are not at this server at all. */
  files_waiting: number
  files_missing: number
  files_left_count: number
  files_left: FileLeft[]
}

/** `token_url` is the one address to which this server shows tokens of its own key; `may_manage`: add and remove. */
export type Peers = { peers: Peer[]; province: string | null; token_url: string | null; may_manage: boolean }

export type NewPeer = {
  name: string
  url: string
  scopes: string[]
  direction: Peer['direction']
  mode: Peer['mode']
  auth: Peer['auth']
  username: string | null
  password: string | null
}

const PEERS = '/api/peers'

export function fetchPeers(api: Api): Promise<Peers> {
  return api.json(PEERS)
}

export function addPeer(api: Api, peer: NewPeer): Promise<Peer> {
  return api.json(PEERS, { method: 'POST', json: peer })
}

export function syncPeer(api: Api, peer: string): Promise<Peer> {
  return api.json(`${PEERS}/${encodeURIComponent(peer)}/sync`, { method: 'POST' })
}

export async function removePeer(api: Api, peer: string): Promise<void> {
  await api.send(`${PEERS}/${encodeURIComponent(peer)}`, { method: 'DELETE' })
}
