/** Where a point lies seen from another: how far, in which direction, and where to draw it. */
import { length_m, type Point } from './geometry'

export const DIRECTIONS = ['n', 'ne', 'e', 'se', 's', 'sw', 'w', 'nw'] as const
export type Direction = (typeof DIRECTIONS)[number]

export type Bearing = {
  readonly distance_m: number
  readonly direction: Direction
  /** East and north of the centre, in metres. */
  readonly east_m: number
  readonly north_m: number
}

type Place = Pick<Point, 'longitude' | 'latitude'>

export function bearingFrom(centre: Place, point: Place): Bearing {
  const east = signed(point.longitude - centre.longitude, distance(centre, { ...centre, longitude: point.longitude }))
  const north = signed(point.latitude - centre.latitude, distance(centre, { ...centre, latitude: point.latitude }))
  const turn = Math.round((Math.atan2(east, north) / (2 * Math.PI)) * DIRECTIONS.length)
  const direction = DIRECTIONS[(turn + DIRECTIONS.length) % DIRECTIONS.length] ?? 'n'
  return { distance_m: distance(centre, point), direction, east_m: east, north_m: north }
}

function distance(one: Place, other: Place): number {
  const full = ({ longitude, latitude }: Place): Point => ({ longitude, latitude, altitude_m: null, accuracy_m: null })
  return length_m([full(one), full(other)])
}

function signed(by: number, size: number): number {
  return by < 0 ? -size : size
}
