/**
 * Points, lines and outlines of one place, laid on a picture: north up, metres alike in both directions, everything inside with a margin,
 * and a scale bar of a round length. It needs no map and no network.
 */

export type Position = readonly [longitude: number, latitude: number]

export type Drawn = {
  /** An SVG path; of a point, empty. */
  readonly path: string
  /** Where a number stands beside it: a point itself, a line's middle, an outline's highest corner. */
  readonly at: { readonly x: number; readonly y: number }
  readonly corners: readonly { readonly x: number; readonly y: number }[]
  /** The radius of a point's accuracy; 0 where it is unknown. */
  readonly radius: number
}

export type Drawing = {
  readonly shapes: readonly (Drawn | null)[]
  readonly scale: { readonly metres: number; readonly width: number }
}

type Drawable = {
  readonly geojson: { readonly type: string; readonly coordinates: unknown } | null
  readonly accuracy_m: number | null
}

const METRES_A_DEGREE = 111_320
/** A lone point without an accuracy still needs some ground around it. */
const LEAST_EXTENT_M = 20

export function drawingOf(shapes: readonly Drawable[], width: number, height: number, margin: number): Drawing | null {
  const read = shapes.map((shape) => ({ shape, lines: linesIn(shape.geojson) }))
  const places = read.flatMap(({ lines }) => lines.flat())
  const [first] = places
  if (first === undefined) return null
  const latitude = middle(places.map((place) => place[1]))
  const longitude = middle(places.map((place) => place[0]))
  const along = METRES_A_DEGREE * Math.cos((latitude * Math.PI) / 180)
  const metres = ([east, north]: Position): { x: number; y: number } => ({
    x: (east - longitude) * along,
    y: (latitude - north) * METRES_A_DEGREE,
  })
  const reach = read.flatMap(({ shape, lines }) =>
    lines.flat().map((place) => {
      const { x, y } = metres(place)
      const around = shape.geojson?.type === 'Point' ? (shape.accuracy_m ?? 0) : 0
      return { x: Math.abs(x) + around, y: Math.abs(y) + around }
    }),
  )
  const halfWidth = Math.max(LEAST_EXTENT_M / 2, ...reach.map(({ x }) => x))
  const halfHeight = Math.max(LEAST_EXTENT_M / 2, ...reach.map(({ y }) => y))
  const scale = Math.min((width / 2 - margin) / halfWidth, (height / 2 - margin) / halfHeight)
  const drawn = read.map(({ shape, lines }): Drawn | null => {
    const placed = lines.map((line) =>
      line.map((place) => {
        const { x, y } = metres(place)
        return { x: width / 2 + x * scale, y: height / 2 + y * scale }
      }),
    )
    const corners = placed.flat()
    const [start] = corners
    if (start === undefined || shape.geojson === null) return null
    if (shape.geojson.type === 'Point') {
      return { path: '', at: start, corners, radius: (shape.accuracy_m ?? 0) * scale }
    }
    const isOutline = shape.geojson.type.includes('Polygon')
    const path = placed.map((line) => pathOf(line, isOutline)).join('')
    const highest = corners.reduce((one, other) => (other.y < one.y ? other : one), start)
    const at = isOutline ? highest : (corners[Math.floor(corners.length / 2)] ?? start)
    return { path, at, corners, radius: 0 }
  })
  const bar = roundLength((width * 0.35) / scale)
  return { shapes: drawn, scale: { metres: bar, width: bar * scale } }
}

/** The greatest of 1, 2, 5, 10, 20 … that is not longer than `metres`. */
export function roundLength(metres: number): number {
  const power = 10 ** Math.floor(Math.log10(metres))
  const factor = [5, 2, 1].find((each) => each * power <= metres) ?? 1
  return factor * power
}

function pathOf(line: readonly { readonly x: number; readonly y: number }[], isClosed: boolean): string {
  const steps = line.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`)
  return steps.join('') + (isClosed ? 'Z' : '')
}

function middle(numbers: readonly number[]): number {
  return (Math.min(...numbers) + Math.max(...numbers)) / 2
}

/** The lines of positions in a geometry, however deep they lie; of what is no geometry, none. */
function linesIn(geojson: Drawable['geojson']): Position[][] {
  if (geojson === null) return []
  if (isPosition(geojson.coordinates)) return [[geojson.coordinates]]
  return linesBelow(geojson.coordinates)
}

function linesBelow(coordinates: unknown): Position[][] {
  if (!Array.isArray(coordinates)) return []
  if (coordinates.length > 0 && coordinates.every(isPosition)) return [coordinates]
  return coordinates.flatMap(linesBelow)
}

function isPosition(value: unknown): value is Position {
  return Array.isArray(value) && value.length >= 2 && value.every((each) => Number.isFinite(each))
}
