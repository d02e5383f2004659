/** The doors of areas: what stands on a day, and what a code meant on one. */
import type { Api } from './client'

/** A place in a time: `id` is what grants and scopes name; codes alone were used again for other places. */
export type Unit = {
  id: string
  code: string
  kind: string
  name: string
  district: string | null
  longitude: string | null
  latitude: string | null
  valid_from: string | null
  valid_to: string | null
}

export type Project = { id: string; name_vi: string; name_en: string }
export type Areas = { on: string; units: Unit[]; projects: Project[] }
export type Resolved = { unit: Unit; today: Unit[] }

export function fetchAreas(api: Api, on = ''): Promise<Areas> {
  return api.json(on === '' ? '/api/areas' : `/api/areas?${new URLSearchParams({ on }).toString()}`)
}

export function resolveArea(api: Api, code: string, on: string): Promise<Resolved> {
  const query = new URLSearchParams({ code })
  if (on !== '') query.set('on', on)
  return api.json(`/api/areas/resolve?${query.toString()}`)
}
