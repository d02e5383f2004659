import { describe, expect, test, vi } from 'vitest'

import { ApiClient } from '@/api/client'
import { Problem } from '@/api/problem'
import { hasUnsentWords, useDecision } from '@/features/review/composables/useDecision'

const tokens = { access: () => Promise.resolve('t'), renew: () => Promise.resolve(false) }
const page = (rev: string): unknown => ({ rev, reviews: [{ id: 'review:r:1' }] })

function desk(...answers: unknown[]): { api: ApiClient; sent: unknown[] } {
  const api = new ApiClient(tokens)
  const sent: unknown[] = []
  vi.spyOn(api, 'json').mockImplementation((_path, request) => {
    sent.push(request?.json)
    const answer = answers.shift()
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
  })
  return { api, sent }
}

describe('deciding about a record', () => {
  test('names the revision that was looked at and the decisions that were seen', async () => {
    const { api, sent } = desk(page('2-b'), { id: 'review:r:2', state: 'approved' })
    const review = useDecision(api, 'agri-1', 'r')
    await review.load()
    await review.decide('approved')
    expect(sent[1]).toEqual({ rev: '2-b', decision: 'approved', comment: '', comments: {}, follows: ['review:r:1'] })
    expect(review.decision.value).toEqual({ kind: 'decided', state: 'approved', verdict: 'approved' })
  })

  test('asks what is wrong before it returns or rejects', async () => {
    const { api, sent } = desk(page('1-a'))
    const review = useDecision(api, 'agri-1', 'r')
    await review.load()
    review.pin('/answers/area', '  ')
    await review.decide('returned')
    expect(review.decision.value.kind).toBe('comment_missing')
    expect(sent).toHaveLength(1)
  })

  test('sends comments pinned to questions and forgets them afterwards', async () => {
    const { api, sent } = desk(page('1-a'), { id: 'review:r:2', state: 'returned' })
    const review = useDecision(api, 'agri-1', 'r')
    await review.load()
    review.pin('/answers/area', 'Rộng quá?')
    review.pin('/answers/name', '')
    await review.decide('returned')
    expect(sent[1]).toMatchObject({ comments: { '/answers/area': 'Rộng quá?' } })
    expect(review.pinned.value).toEqual([])
  })

  test('shows the new revision when the record moved on, and keeps what was written', async () => {
    const moved = new Problem('record_moved_on', 409, { rev: '2-b' })
    const { api } = desk(page('1-a'), moved, page('2-b'))
    const review = useDecision(api, 'agri-1', 'r')
    await review.load()
    review.comment.value = 'Xem lại'
    await review.decide('returned')
    expect(review.decision.value.kind).toBe('moved_on')
    expect(review.page.value).toMatchObject({ kind: 'open', page: { rev: '2-b' } })
    expect(review.comment.value).toBe('Xem lại')
  })

  test('that somebody decided about meanwhile is told with who and what, and the next try knows it', async () => {
    const params = { id: 'review:r:9', decision: 'returned', by_name: 'Khang', at: '2026-11-21T08:00:00Z' }
    const late = new Problem('decided_meanwhile', 409, params)
    // The page that is read again does not have it yet.
    const { api, sent } = desk(page('1-a'), late, page('1-a'), { id: 'review:r:10', state: 'approved' })
    const review = useDecision(api, 'agri-1', 'r')
    await review.load()
    await review.decide('approved')
    expect(review.decision.value).toEqual({
      kind: 'meanwhile',
      verdict: 'returned',
      byName: 'Khang',
      at: '2026-11-21T08:00:00Z',
    })
    await review.decide('approved')
    expect(sent[3]).toMatchObject({ follows: ['review:r:1', 'review:r:9'] })
    expect(review.decision.value).toMatchObject({ kind: 'decided' })
  })

  test('keeps what was written while its person looks at another page, and for nobody else', async () => {
    const first = useDecision(desk(page('1-a')).api, 'agri-1', 'left', 'ban')
    first.comment.value = 'Xem lại diện tích'
    first.pin('/answers/area', 'Rộng quá?')
    expect(hasUnsentWords()).toBe(true)
    const { api } = desk(page('1-a'), { id: 'review:left:1', state: 'returned' })
    expect(useDecision(api, 'agri-1', 'left', 'son').comment.value).toBe('')
    const again = useDecision(api, 'agri-1', 'left', 'ban')
    expect(again.comment.value).toBe('Xem lại diện tích')
    expect(again.pinned.value).toEqual(['/answers/area'])
    await again.load()
    await again.decide('returned')
    expect(useDecision(api, 'agri-1', 'left', 'ban').comment.value).toBe('')
  })

  test('says why the server did not take it', async () => {
    const { api } = desk(page('1-a'), new Problem('own_work', 403))
    const review = useDecision(api, 'agri-1', 'r')
    await review.load()
    await review.decide('approved')
    expect(review.decision.value).toMatchObject({ kind: 'failed', code: 'own_work' })
  })
})
