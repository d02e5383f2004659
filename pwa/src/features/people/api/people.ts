/** The doors by which administrators manage the people of their own projects and areas. */
import type { Api } from '@/api/client'
import type { Schemas } from '@/api/schema'

export const ROLES = [
  'field_worker',
  'supervisor',
  'data_manager',
  'administrator',
  'peer',
] as const satisfies readonly Schemas['GrantBody']['role'][]
export type Grant = Schemas['GrantBody']
export type Role = Grant['role']
export type Member = Schemas['MemberAnswer']
export type NewMember = Schemas['NewMemberBody']
export type MemberChange = Schemas['MemberChangeBody']
/** `app`, `free_bytes` and `persistent` are null before its first exchange, or where its browser doesn't say. */
export type Device = Schemas['DeviceAnswer']

const PEOPLE = '/api/people'

export async function fetchPeople(api: Api): Promise<Member[]> {
  return (await api.json<Schemas['MembersAnswer']>(PEOPLE)).people
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
  return (await api.json<Schemas['DevicesAnswer']>(path)).enrolments
}

export async function revokeDevice(api: Api, person: string, device: string): Promise<void> {
  const path = `${PEOPLE}/${encodeURIComponent(person)}/enrolments/${encodeURIComponent(device)}`
  await api.send(path, { method: 'DELETE' })
}
