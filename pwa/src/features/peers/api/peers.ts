/** The doors of other servers: what is connected, how far behind, what is the matter. */
import type { Api } from '@/api/client'
import type { Schemas } from '@/api/schema'

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
] as const satisfies readonly Trouble[]
export type Trouble = NonNullable<PeerStatus['trouble']>
export type PeerStatus = Schemas['StatusAnswer']

/** Why a file did not go over, as the server names it; each has a sentence on the screen. */
export const FILE_REASONS = [
  'wrong_bytes',
  'damaged',
  'too_large',
  'not_taken',
] as const satisfies readonly FileLeft['reason'][]

export type FileLeft = Schemas['FileLeftAnswer']
export type LeftOut = Schemas['LeftOutAnswer']
export type Peer = Schemas['PeerAnswer']
/** `token_url` is the one address to which this server shows tokens of its own key. */
export type Peers = Schemas['PeersAnswer']
export type NewPeer = Required<Schemas['NewPeerBody']>

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
