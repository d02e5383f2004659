/**
 * Points, lines and outlines as records keep them (`lat lon alt accuracy; …`, WGS 84), and their length and area on the ellipsoid.
 *
 * Lengths and areas serve the person in the field and are not published: they use the ellipsoid's radii at the outline's middle, which
 * for a commune-sized outline stays within a few parts in 100,000 of the geodesic value that the server computes.
 */

export interface Point {
  readonly latitude: number
  readonly longitude: number
  readonly altitude_m: number | null
  readonly accuracy_m: number | null
}

/** The points of a geopoint, geotrace or geoshape; null where one of them is no place on earth, or 0 0, which phones send for none. */
export function parsePoints(text: string): Point[] | null {
  const segments = text.split(';').map((segment) => segment.trim())
  if (segments[segments.length - 1] === '') segments.pop()
  const points: Point[] = []
  for (const segment of segments) {
    const point = parsePoint(segment)
    if (point === null) return null
    points.push(point)
  }
  return points.length > 0 ? points : null
}

function parsePoint(segment: string): Point | null {
  const numbers = segment.split(/\s+/u).map((part) => (/^-?\d+(?:\.\d+)?$/u.test(part) ? Number(part) : Number.NaN))
  const [latitude, longitude, altitude, accuracy] = numbers
  if (latitude === undefined || longitude === undefined || numbers.length > 4 || numbers.some(Number.isNaN)) return null
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180 || (latitude === 0 && longitude === 0)) return null
  return { latitude, longitude, altitude_m: altitude ?? null, accuracy_m: accuracy ?? null }
}

/** As a record keeps them. Without an accuracy no altitude or accuracy is invented. */
export function pointsText(points: readonly Point[]): string {
  return points
    .map(({ latitude, longitude, altitude_m: altitude, accuracy_m: accuracy }) => {
      const place = `${plain(latitude)} ${plain(longitude)}`
      if (accuracy !== null) return `${place} ${plain(altitude ?? 0)} ${plain(accuracy)}`
      return altitude === null ? place : `${place} ${plain(altitude)}`
    })
    .join(';')
}

/** Without an exponent, which no reader of these lists understands; a tenth of a millimetre is kept. */
function plain(value: number): string {
  return String(Number(value.toFixed(9))).includes('e') ? '0' : String(Number(value.toFixed(9)))
}

const EQUATORIAL_RADIUS_M = 6_378_137
const ECCENTRICITY_SQUARED = 0.006_694_379_990_14

/** Metres east and north of the middle of `points`. */
function metres(points: readonly Point[]): { readonly x: number; readonly y: number }[] {
  const latitudes = points.map((point) => point.latitude)
  const middle = (Math.min(...latitudes) + Math.max(...latitudes)) / 2
  const origin = points[0]?.longitude ?? 0
  const radians = Math.PI / 180
  const w = 1 - ECCENTRICITY_SQUARED * Math.sin(middle * radians) ** 2
  const alongParallel = (EQUATORIAL_RADIUS_M / Math.sqrt(w)) * Math.cos(middle * radians) * radians
  const alongMeridian = ((EQUATORIAL_RADIUS_M * (1 - ECCENTRICITY_SQUARED)) / w ** 1.5) * radians
  return points.map((point) => ({
    x: (point.longitude - origin) * alongParallel,
    y: (point.latitude - middle) * alongMeridian,
  }))
}

export function length_m(points: readonly Point[]): number {
  const flat = metres(points)
  return flat.reduce((sum, point, index) => {
    const previous = flat[index - 1]
    return previous ? sum + Math.hypot(point.x - previous.x, point.y - previous.y) : sum
  }, 0)
}

/** The area of the ring that `points` go round, whether or not the last repeats the first. */
export function area_ha(points: readonly Point[]): number {
  const flat = metres(points)
  const doubled = flat.reduce((sum, point, index) => {
    const next = flat[(index + 1) % flat.length] ?? point
    return sum + point.x * next.y - next.x * point.y
  }, 0)
  return Math.abs(doubled) / 2 / 10_000
}
