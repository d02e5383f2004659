/** The doors of areas: what stands on a day, and what a code meant on one. */
import type { Api } from '@/api/client'
import type { Schemas } from '@/api/schema'

/** A place in a time: `id` is what grants and scopes name; codes alone were used again for other places. */
export type Unit = Schemas['UnitAnswer']
export type Project = Schemas['ProjectBody']
export type Areas = Schemas['AreasAnswer']
export type Resolved = Schemas['ResolvedAnswer']

export function fetchAreas(api: Api, on = ''): Promise<Areas> {
  return api.json(on === '' ? '/api/areas' : `/api/areas?${new URLSearchParams({ on }).toString()}`)
}

export function resolveArea(api: Api, code: string, on: string): Promise<Resolved> {
  const query = new URLSearchParams({ code })
  if (on !== '') query.set('on', on)
  return api.json(`/api/areas/resolve?${query.toString()}`)
}
