import { readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import { approvedRevisions, authors, decisionOf, review, type Decision, type Edit } from '@/domain/review'

interface Case {
  name: string
  winner: string
  decisions: Decision[]
  state: string
  standing: string[]
  is_corrected: boolean
  published: string | null
  edits?: Edit[]
  authors?: string[]
}

const file = new URL('../../tests/vectors/review.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Case[] }

describe('a record under review', () => {
  test.each(cases)('$name', (given) => {
    const found = review(given.winner, given.decisions)
    expect(found.state).toBe(given.state)
    expect(found.standing.map((each) => each.id)).toEqual(given.standing)
    expect(found.isCorrected).toBe(given.is_corrected)
    expect(found.published).toBe(given.published)
    if (given.edits !== undefined) {
      const approved = approvedRevisions(given.decisions)
      expect([...authors(given.winner, given.edits, approved)].sort()).toEqual(given.authors)
    }
  })

  test('has the same state in whatever order its decisions arrive', () => {
    for (const given of cases) {
      expect(review(given.winner, [...given.decisions].reverse())).toEqual(review(given.winner, given.decisions))
    }
  })
})

describe('a review document', () => {
  test('is read with what it follows', () => {
    const content = { type: 'review', rev: '1-a', decision: 'returned', by: 'p', follows: ['review:r:1', 7] }
    expect(decisionOf('review:r:2', content)).toEqual({
      id: 'review:r:2',
      rev: '1-a',
      verdict: 'returned',
      by: 'p',
      follows: ['review:r:1'],
    })
  })

  test('that states no decision is none', () => {
    expect(decisionOf('x', { type: 'record', rev: '1-a', decision: 'approved', by: 'p' })).toBeNull()
    expect(decisionOf('x', { type: 'review', rev: '1-a', decision: 'toString', by: 'p' })).toBeNull()
    expect(decisionOf('x', { type: 'review', decision: 'approved', by: 'p' })).toBeNull()
  })
})
