/** The doors at which a person sees and ends their own sign-ins. */
import type { Api } from '@/api/client'
import type { Schemas } from '@/api/schema'

/** `label`: the device's name, or what its browser calls itself; times are null of what the server did not keep then. */
export type SignIn = Schemas['SignInAnswer']

const SESSIONS = '/api/me/sessions'

/** This one first, then the last used first. */
export async function fetchSignIns(api: Api): Promise<SignIn[]> {
  return (await api.json<Schemas['SignInsAnswer']>(SESSIONS)).sessions
}

export function endSignIn(api: Api, id: string): Promise<void> {
  return api.json(`${SESSIONS}/${encodeURIComponent(id)}`, { method: 'DELETE' })
}

export function endOtherSignIns(api: Api): Promise<void> {
  return api.json(SESSIONS, { method: 'DELETE' })
}
