import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NotCanonical, canonical } from './canonical'
import { EMPTY_DIGEST, mark, minus, plus } from './digest'
import { revisionId, wins } from './revision'
import { uuid7 } from './uuid7'

describe('the canonical form', () => {
  test('is what another implementation of RFC 8785 writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        fc.pre(!/\p{Surrogate}/u.test(JSON.stringify(value)) && !JSON.stringify(value).includes('\\ud'))
        expect(canonical(value)).toBe(canonicalize(value))
      }),
      { numRuns: 500 },
    )
  })

  test('sorts keys by UTF-16 code units, so that an astral key comes before U+FB33', () => {
    expect(canonical({ '\u{1F600}': '1', '\uFB33': '2', a: '3' })).toBe('{"a":"3","\u{1F600}":"1","\uFB33":"2"}')
  })

  test('does not exist for what no document may hold', () => {
    expect(() => canonical('\ud800')).toThrow(NotCanonical)
    expect(() => canonical(Number.NaN)).toThrow(NotCanonical)
    expect(() => canonical(undefined)).toThrow(NotCanonical)
  })
})

describe('revision ids', () => {
  test('I1: the same id, parent and content give the same revision id, whatever the order of keys', async () => {
    const one = await revisionId('a', { deleted: false, parent: null, content: { x: '1', y: '2' } })
    const other = await revisionId('a', { deleted: false, parent: null, content: { y: '2', x: '1' } })
    expect(one).toBe(other)
    expect(one).toMatch(/^1-[0-9a-f]{32}$/)
    expect(await revisionId('a', { deleted: false, parent: one, content: {} })).toMatch(/^2-/)
  })

  test('a live revision wins over a tombstone, then the greater generation, then the greater hash', () => {
    expect(wins({ rev: '1-a', deleted: false }, { rev: '9-f', deleted: true })).toBe(true)
    expect(wins({ rev: '10-a', deleted: false }, { rev: '9-f', deleted: false })).toBe(true)
    expect(wins({ rev: '2-a', deleted: false }, { rev: '2-b', deleted: false })).toBe(false)
  })
})

describe('the digest', () => {
  test('does not depend on order, and gives back what was added', async () => {
    const marks = await Promise.all(['a', 'b', 'c'].map((id) => mark(id, '1-0')))
    const forwards = marks.reduce(plus, EMPTY_DIGEST)
    const backwards = [...marks].reverse().reduce(plus, EMPTY_DIGEST)
    expect(forwards).toBe(backwards)
    expect(marks.reduce(minus, forwards)).toBe(EMPTY_DIGEST)
  })
})

test('a UUID of version 7 sorts by its time', () => {
  const zero = (bytes: Uint8Array): void => void bytes.fill(0)
  const early = uuid7(() => 1_700_000_000_000, zero)
  expect(early).toBe('018bcfe5-6800-7000-8000-000000000000')
  expect(uuid7(() => 1_700_000_000_001, zero) > early).toBe(true)
})
