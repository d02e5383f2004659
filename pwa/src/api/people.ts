/** The doors by which administrators manage the people of their own projects and areas. */
import type { Api } from './client'

export const ROLES = ['field_worker', 'supervisor', 'data_manager', 'administrator', 'peer'] as const
export type Role = (typeof ROLES)[number]
export type Grant = { role: Role; project: string; unit: string }

export type Member = {
  id: string
  username: string
  name: string
  locale: string
  grants: (Grant & { unit_name: string })[]
  birth_year: number | null
  active: boolean
  created_at: string
  signed_in_at: string | null
}

export type NewMember = {
  username: string
  name: string
  password: string
  locale: 'vi' | 'en'
  birth_year: number | null
  grants: Grant[]
}

export type MemberChange = Partial<{
  name: string
  locale: 'vi' | 'en'
  birth_year: number | null
  active: boolean
  password: string
}>

export type Device = {
  id: string
  label: string
  registered_at: string
  revoked_at: string | null
  exchanged_at: string | null
  highest_number: string
  /** What the phone says of itself; null before its first exchange, or where its browser doesn't say. */
  app: string | null
  free_bytes: number | null
  persistent: boolean | null
}

const PEOPLE = '/api/people'

export async function fetchPeople(api: Api): Promise<Member[]> {
  return (await api.json<{ people: Member[] }>(PEOPLE)).people
}

export function addMember(api: Api, member: NewMember): Promise<Member> {
  return api.json(PEOPLE, { method: 'POST', json: member })
}

export function changeMember(api: Api, person: string, change: MemberChange): Promise<Member> {
  return api.json(`${PEOPLE}/${encodeURIComponent(person)}`, { method: 'PATCH', json: change })
}

export function setGrants(api: Api, person: string, grants: readonly Grant[]): Promise<Member> {
  return api.json(`${PEOPLE}/${encodeURIComponent(person)}/grants`, { method: 'PUT', json: { grants } })
}

export async function fetchDevices(api: Api, person: string): Promise<Device[]> {
  const path = `${PEOPLE}/${encodeURIComponent(person)}/enrolments`
  return (await api.json<{ enrolments: Device[] }>(path)).enrolments
}

export async function revokeDevice(api: Api, person: string, device: string): Promise<void> {
  const path = `${PEOPLE}/${encodeURIComponent(person)}/enrolments/${encodeURIComponent(device)}`
  await api.send(path, { method: 'DELETE' })
}
