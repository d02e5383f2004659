/** A list that is looked at again while it is shown: it takes in what is new, and moves nothing under a person's hand. */
import { describe, expect, test } from 'vitest'
import { Problem } from '@/api/problem'
import { usePages, type Pages } from '@/features/desk/pages'

type Row = { readonly id: string; readonly words: string }
type Page = { readonly found: readonly Row[]; readonly next: string | null }

function page(ids: string, next: string | null = null, words = ''): Page {
  return { found: ids.split(' ').map((id) => ({ id, words })), next }
}

const away = (): boolean => true
const there = (): boolean => false

function listOf(...answers: (Page | Problem | Promise<Page>)[]): { list: Pages<Row>; asked: (string | null)[] } {
  const asked: (string | null)[] = []
  const list = usePages<Page, Row>({
    fetch: (before) => {
      asked.push(before)
      const answer = answers.shift()
      if (answer === undefined) throw new Error('asked too often')
      return answer instanceof Problem ? Promise.reject(answer) : Promise.resolve(answer)
    },
    rowsOf: ({ found }) => found,
    keyOf: ({ id }) => id,
    show: () => undefined,
  })
  return { list, asked }
}

const idsOf = (list: Pages<Row>): string => list.rows.value.map(({ id }) => id).join('')
const goneOf = (list: Pages<Row>): string =>
  list.rows.value
    .filter((row) => list.isGone(row))
    .map(({ id }) => id)
    .join('')

describe('looking again at a list', () => {
  test('puts all in the order of the server where nobody is at it', async () => {
    const { list } = listOf(page('b c d'), page('a b d'))
    await list.load()
    await list.look(away)
    expect(idsOf(list)).toBe('abd')
    expect(list.freshness.value.added).toBe(0)
  })

  test('moves no row where somebody is: the new stand at the end, what is gone says so', async () => {
    const { list } = listOf(page('b c d'), page('a b d', null, 'changed'), page('a b d'))
    await list.load()
    await list.look(there)
    expect(idsOf(list)).toBe('bcda')
    expect(goneOf(list)).toBe('c')
    expect(list.rows.value[0]?.words).toBe('changed')
    expect(list.count.value).toBe(3)
    expect(list.freshness.value.added).toBe(1)
    await list.look(away)
    expect(idsOf(list)).toBe('abd')
    expect(goneOf(list)).toBe('')
    expect(list.freshness.value.added).toBe(0)
  })

  test('asks for as many pages as are shown, and goes on where they end', async () => {
    const { list, asked } = listOf(page('a b', 'b'), page('c d', 'd'), page('x a', 'a'), page('b c', 'c'), page('d e'))
    await list.load()
    await list.loadMore()
    await list.look(away)
    expect(idsOf(list)).toBe('xabc')
    await list.loadMore()
    expect(idsOf(list)).toBe('xabcde')
    expect(asked).toEqual([null, 'b', null, 'a', 'c'])
  })

  test('takes a row that was pushed to a later page for one that is still there', async () => {
    const { list } = listOf(page('a b c', 'c'), page('x a b', 'b'), page('d'))
    await list.load()
    await list.look(there)
    expect(idsOf(list)).toBe('abcx')
    expect(goneOf(list)).toBe('')
    await list.loadMore()
    expect(idsOf(list)).toBe('abcxd')
  })

  test('keeps the list where it fails, and says why until it succeeds', async () => {
    const { list } = listOf(page('a b'), new Problem('offline'), page('a b'))
    await list.load()
    const { at } = list.freshness.value
    await list.look(away)
    expect(idsOf(list)).toBe('ab')
    expect(list.state.value.kind).toBe('ready')
    expect(list.freshness.value).toMatchObject({ at, trouble: { code: 'offline' } })
    await list.look(away)
    expect(list.freshness.value.trouble).toBeNull()
  })

  test('brings a list that could not be had at first', async () => {
    const { list } = listOf(new Problem('offline'), new Problem('offline'), page('a b'))
    await list.load()
    await list.look(there)
    expect(list.state.value).toMatchObject({ kind: 'failed', code: 'offline' })
    await list.look(there)
    expect(list.state.value.kind).toBe('ready')
    expect(idsOf(list)).toBe('ab')
  })

  test('gives way to what a person does meanwhile', async () => {
    let answer: (page: Page) => void = () => undefined
    const { list } = listOf(page('a b'), new Promise<Page>((resolve) => (answer = resolve)), page('c'))
    await list.load()
    const looking = list.look(away)
    list.rows.value = list.rows.value.slice(1)
    answer(page('a b'))
    await looking
    expect(idsOf(list)).toBe('b')
    await list.load()
    expect(idsOf(list)).toBe('c')
  })
})
