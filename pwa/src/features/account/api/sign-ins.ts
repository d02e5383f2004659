/** The doors at which a person sees and ends their own sign-ins. */
import type { Api } from '@/api/client'

export type SignIn = {
  id: string
  /** The device's name, or what its browser calls itself; empty where neither is known. */
  label: string
  is_device: boolean
  /** Null of a sign-in from before the server kept it. */
  began_at: string | null
  used_at: string | null
  is_this: boolean
}

const SESSIONS = '/api/me/sessions'

/** This one first, then the last used first. */
export async function fetchSignIns(api: Api): Promise<SignIn[]> {
  return (await api.json<{ sessions: SignIn[] }>(SESSIONS)).sessions
}

export function endSignIn(api: Api, id: string): Promise<void> {
  return api.json(`${SESSIONS}/${encodeURIComponent(id)}`, { method: 'DELETE' })
}

export function endOtherSignIns(api: Api): Promise<void> {
  return api.json(SESSIONS, { method: 'DELETE' })
}
