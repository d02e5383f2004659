import { describe, expect, test } from 'vitest'

import { beside, nextOpen } from '@/domain/choosing'
import { drawingOf, roundLength } from '@/domain/drawing'
import { fieldAt, valueAt } from '@/domain/pointers'

const point = (longitude: number, latitude: number, accuracy_m: number | null = null) => ({
  geojson: { type: 'Point', coordinates: [longitude, latitude] },
  accuracy_m,
})
const square = (east: number, north: number, size: number) => ({
  geojson: {
    type: 'Polygon',
    coordinates: [
      [
        [east, north],
        [east + size, north],
        [east + size, north + size],
        [east, north + size],
        [east, north],
      ],
    ],
  },
  accuracy_m: null,
})

describe('a drawing of places', () => {
  test('holds everything, north up', () => {
    const drawing = drawingOf([point(103, 21), point(103.001, 21.001)], 480, 320, 30)!
    const [south, north] = drawing.shapes
    for (const drawn of [south!, north!]) {
      expect(drawn.at.x).toBeGreaterThanOrEqual(30)
      expect(drawn.at.x).toBeLessThanOrEqual(450)
      expect(drawn.at.y).toBeGreaterThanOrEqual(29.9)
      expect(drawn.at.y).toBeLessThanOrEqual(290.1)
    }
    expect(north!.at.y).toBeLessThan(south!.at.y)
    expect(north!.at.x).toBeGreaterThan(south!.at.x)
  })

  test('keeps metres alike in both directions', () => {
    const degrees = 0.001
    const drawing = drawingOf([square(103, 21, degrees)], 480, 320, 30)!
    const corners = drawing.shapes[0]!.corners
    const width = Math.abs(corners[1]!.x - corners[0]!.x)
    const height = Math.abs(corners[2]!.y - corners[1]!.y)
    expect(width / height).toBeCloseTo(Math.cos((21 * Math.PI) / 180), 3)
    expect(drawing.shapes[0]!.path).toMatch(/^M.*Z$/)
  })

  test('a lone point has its accuracy around it and a scale that can be read', () => {
    const drawing = drawingOf([point(103, 21, 12)], 480, 320, 30)!
    expect(drawing.shapes[0]!.radius).toBeGreaterThan(0)
    expect(drawing.shapes[0]!.radius).toBeLessThanOrEqual(130)
    expect(drawing.scale.width).toBeLessThanOrEqual(480 * 0.35)
  })

  test('what can not be read is left out, and nothing at all is no drawing', () => {
    const unreadable = { geojson: null, accuracy_m: null }
    expect(drawingOf([unreadable, point(103, 21)], 480, 320, 30)!.shapes[0]).toBeNull()
    expect(drawingOf([unreadable], 480, 320, 30)).toBeNull()
  })

  test('scale bars are round', () => {
    expect([0.7, 3, 12, 49, 50, 999].map(roundLength)).toEqual([0.5, 2, 10, 20, 50, 500])
  })
})

describe('values by pointer', () => {
  const document = { answers: { area: '1.2', plots: [{ _rid: 'x', crop: null }], crops: ['maize', 'rice'] } }

  test('rows go by their id, choices by their code', () => {
    expect(valueAt(document, '/answers/area')).toEqual({ value: '1.2', is_absent: false })
    expect(valueAt(document, '/answers/plots/x/crop')).toEqual({ value: null, is_absent: false })
    expect(valueAt(document, '/answers/plots/y/crop').is_absent).toBe(true)
    expect(valueAt(document, '/answers/crops/rice').is_absent).toBe(false)
    expect(valueAt(document, '/answers/crops/tea').is_absent).toBe(true)
  })

  test('no form, no field', () => {
    expect(fieldAt(null, '/answers/area')).toBeNull()
  })
})

describe('going through questions', () => {
  const base = { value: null, is_absent: true }
  const questions = ['/a', '/b', '/c'].map((path) => ({ path, base, candidates: [], asked: [] }))

  test('to the next that has no choice, round to the first', () => {
    expect(nextOpen(questions, { '/b': { kind: 'confirm' } }, '/a')).toBe('/c')
    expect(nextOpen(questions, { '/c': { kind: 'confirm' } }, '/c')).toBe('/a')
    expect(
      nextOpen(questions, { '/a': { kind: 'keep' }, '/b': { kind: 'keep' }, '/c': { kind: 'keep' } }, '/a'),
    ).toBeNull()
  })

  test('up and down without leaving the page', () => {
    expect(beside(questions, '/a', -1)).toBe('/a')
    expect(beside(questions, '/a', 1)).toBe('/b')
    expect(beside(questions, null, 1)).toBe('/a')
  })
})
