import { describe, expect, test, vi } from 'vitest'

import { ApiClient } from '@/api/client'
import { Problem } from '@/api/problem'
import type { QuarantineEntry, QuarantinePage } from '@/features/quarantine/api/quarantine'
import { useQuarantine } from '@/features/quarantine/composables/useQuarantine'
import { readableAnswers, readableMedia } from '@/domain/readable'

const tokens = { access: () => Promise.resolve('t'), renew: () => Promise.resolve(false) }

function entry(rev: string, id = rev): QuarantineEntry {
  return {
    database: 'agri-1',
    id,
    rev,
    fingerprint: 'ab',
    reason: 'misfit_answers',
    project: 'agri',
    unit: '1',
    unit_name: 'Sín Chải',
    by_name: 'Hoa',
    recorded_at: '',
    received_at: '2026-11-21T00:00:00Z',
    form: 'f',
    form_version: '1',
    form_title: {},
    is_form_known: true,
    title: rev,
    is_deleted: false,
    doc: { _id: id, _rev: rev },
    present: null,
    differs: [],
    misfits: [],
    notes: [],
    may_accept: true,
    why_not: null,
  }
}

function page(entries: QuarantineEntry[], next: string | null = null, seen = 0): QuarantinePage {
  return { entries, next, counts: { unseen: entries.length, seen } }
}

function desk(...answers: unknown[]): { api: ApiClient; asked: { path: string; json: unknown }[] } {
  const api = new ApiClient(tokens)
  const asked: { path: string; json: unknown }[] = []
  vi.spyOn(api, 'json').mockImplementation((path, request) => {
    asked.push({ path, json: request?.json })
    const answer = answers.shift()
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
  })
  return { api, asked }
}

describe('working off what was kept aside', () => {
  test('asks for what nobody has looked at, and goes on where the page ended', async () => {
    const { api, asked } = desk(page([entry('1-a')], 'mark'), page([entry('1-b')]))
    const queue = useQuarantine(api)
    await queue.load()
    await queue.loadMore()
    expect(asked.map(({ path }) => path.split('?')[1])).toEqual(['seen=false', 'seen=false&before=mark'])
    expect(queue.entries.value.map(({ rev }) => rev)).toEqual(['1-a', '1-b'])
  })

  test('lets in exactly the content that was shown, and takes it off the list', async () => {
    const { api, asked } = desk(page([entry('1-a'), entry('1-b')]), { rev: '1-a', followers: 0 })
    const queue = useQuarantine(api)
    await queue.load()
    await queue.accept(entry('1-a'))
    expect(asked[1]).toEqual({
      path: '/api/conflicts/quarantine/accept',
      json: { database: 'agri-1', id: '1-a', rev: '1-a', fingerprint: 'ab' },
    })
    expect(queue.act.value).toEqual({ kind: 'accepted', title: '1-a', followers: 0 })
    expect(queue.entries.value.map(({ rev }) => rev)).toEqual(['1-b'])
    expect(queue.counts.value).toEqual({ unseen: 1, seen: 0 })
  })

  test('loads anew when more of the same record waits, because it may have come in too', async () => {
    const { api, asked } = desk(
      page([entry('2-b', 'r'), entry('1-a', 'r')]),
      { rev: '1-a', followers: 1 },
      page([], null),
    )
    const queue = useQuarantine(api)
    await queue.load()
    await queue.accept(entry('1-a', 'r'))
    expect(asked).toHaveLength(3)
    expect(queue.isEmpty.value).toBe(true)
    expect(queue.act.value.kind).toBe('accepted')
  })

  test('moves what was marked to the seen, with its comment', async () => {
    const { api, asked } = desk(page([entry('1-a'), entry('1-b')]), undefined)
    const queue = useQuarantine(api)
    await queue.load()
    await queue.mark(entry('1-a'), ' Đã gọi ')
    expect(asked[1]?.json).toMatchObject({ rev: '1-a', comment: 'Đã gọi' })
    expect(queue.counts.value).toEqual({ unseen: 1, seen: 1 })
    expect(queue.act.value).toEqual({ kind: 'seen', title: '1-a' })
  })

  test('says that somebody else was quicker, and lets the entry go', async () => {
    const { api } = desk(page([entry('1-a'), entry('1-b')]), new Problem('not_waiting', 409))
    const queue = useQuarantine(api)
    await queue.load()
    await queue.accept(entry('1-a'))
    expect(queue.act.value.kind).toBe('gone')
    expect(queue.entries.value.map(({ rev }) => rev)).toEqual(['1-b'])
  })

  test('keeps an entry that the server did not let in, and says why at it', async () => {
    const { api } = desk(page([entry('1-a')]), new Problem('parent_waits', 409))
    const queue = useQuarantine(api)
    await queue.load()
    await queue.accept(entry('1-a'))
    expect(queue.act.value).toMatchObject({ kind: 'failed', entry: 'agri-1 1-a 1-a ab', code: 'parent_waits' })
    expect(queue.entries.value).toHaveLength(1)
  })
})

describe('a document that nobody has checked', () => {
  test('is read as far as it has the shape of a record', () => {
    expect(readableAnswers({ trees: 'mười' })).toEqual({ trees: 'mười' })
    for (const odd of ['words', ['a'], null, undefined]) expect(readableAnswers(odd)).toEqual({})
  })

  test('names no file that it does not describe in full', () => {
    const file = { sha256: 'aa', bytes: '1', type: 'image/jpeg' }
    expect(readableMedia({ a: file, b: { sha256: 'aa' }, c: 'x', d: { ...file, bytes: null } })).toEqual({ a: file })
    expect(readableMedia(['a'])).toEqual({})
  })
})
