import { describe, expect, test } from 'vitest'

import { bearingFrom } from '@/domain/place'

const CENTRE = { longitude: 103.3308, latitude: 22.0568 }

describe('where a point lies seen from the commune', () => {
  test.each([
    [0, 0.01, 'n', 1107],
    [0.01, 0, 'e', 1032],
    [0, -0.01, 's', 1107],
    [-0.01, 0, 'w', 1032],
    [0.01, 0.01, 'ne', 1514],
    [-0.01, -0.01, 'sw', 1514],
  ])('%d east and %d north is %s', (east, north, direction, metres) => {
    const point = { longitude: CENTRE.longitude + east, latitude: CENTRE.latitude + north }
    const found = bearingFrom(CENTRE, point)
    expect(found.direction).toBe(direction)
    expect(Math.abs(found.distance_m - metres)).toBeLessThan(5)
    expect(Math.sign(found.east_m)).toBe(Math.sign(east))
    expect(Math.sign(found.north_m)).toBe(Math.sign(north))
  })

  test('the centre itself is no distance away', () => {
    expect(bearingFrom(CENTRE, CENTRE).distance_m).toBe(0)
  })
})
