import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, test, vi } from 'vitest'

import type { QueueLine, QueuePage } from '@/features/review/api/review'
import { useQueue, WAITING } from '@/features/review/queue'
import { useSession } from '@/stores/session'

function line(id: string, more: Partial<QueueLine> = {}): QueueLine {
  return {
    database: 'agri-03226-2025',
    id,
    rev: '1-a',
    form: 'household_crop',
    form_version: '1',
    title: id,
    state: 'received',
    by_name: 'Lò Văn Ban',
    decided_by_name: null,
    recorded_at: '',
    received_at: '2026-11-21T08:00:00Z',
    unit: '03226-2025',
    unit_name: 'Sín Chải',
    project: 'agri',
    flags: [],
    is_corrected: false,
    is_deleted: false,
    branches: 1,
    ...more,
  }
}

function page(records: QueueLine[], next: string | null = null): QueuePage {
  return { records, next, counts: { received: records.length, amended: 0, approved: 0, returned: 0, rejected: 0 } }
}

function answer(...pages: QueuePage[]): string[] {
  const asked: string[] = []
  vi.spyOn(useSession().api, 'json').mockImplementation((path: string) => {
    asked.push(path)
    return Promise.resolve(pages.shift())
  })
  return asked
}

beforeEach(() => {
  setActivePinia(createPinia())
})

describe('the review queue', () => {
  test('asks for what waits, and for the filters that are set', async () => {
    const queue = useQueue()
    const asked = answer(page([]), page([]))
    await queue.load()
    queue.filters = { scope: 'agri-03226-2025', form: '', states: ['returned'], text: ' lò ' }
    await queue.load()
    expect(WAITING).toEqual(['received', 'amended'])
    expect(asked).toEqual([
      '/api/review/records?state=received&state=amended',
      '/api/review/records?scope=agri-03226-2025&state=returned&q=l%C3%B2',
    ])
    expect(queue.isEmpty).toBe(true)
  })

  test('goes on where the last page ended', async () => {
    const queue = useQueue()
    const asked = answer(page([line('a')], 'mark'), page([line('b')]))
    await queue.load()
    await queue.loadMore()
    await queue.loadMore()
    expect(queue.records.map((each) => each.id)).toEqual(['a', 'b'])
    expect(asked[1]).toContain('before=mark')
    expect(asked).toHaveLength(2)
  })

  test('shows a decision at once and offers the next record that waits', async () => {
    const queue = useQueue()
    answer(page([line('a'), line('b', { state: 'approved' }), line('c', { state: 'amended' })]))
    await queue.load()
    expect(queue.after('agri-03226-2025', 'a')?.id).toBe('c')
    queue.settle('agri-03226-2025', 'a', 'approved')
    expect(queue.records[0]?.state).toBe('approved')
    expect(queue.counts).toMatchObject({ received: 2, approved: 1 })
    queue.settle('agri-03226-2025', 'c', 'returned')
    expect(queue.after('agri-03226-2025', 'c')).toBeNull()
  })

  test('says what went wrong and keeps nothing half', async () => {
    const queue = useQueue()
    vi.spyOn(useSession().api, 'json').mockRejectedValue(new Error('x'))
    await queue.load()
    expect(queue.state).toMatchObject({ kind: 'failed', code: 'unexpected' })
  })
})
