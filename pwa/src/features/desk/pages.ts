/**
 * A list that the server hands out page by page: asked for anew, gone on with, or looked at again while it is shown. Only the last
 * question counts: one that is still under way is given up.
 *
 * A look keeps the list where it fails. Where a person is at the list, it moves no row: what is new stands at the end, what the
 * server lists no more stays and is known by `isGone`; the next look that finds nobody at it puts all in the server's order.
 */
import { computed, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import { asProblem } from '@/api/problem'

export type ListState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly code: string; readonly params: Record<string, unknown> }

/** What came of looking again at a list that is shown. */
export type Freshness = {
  /** When the server last said what stands in the list; null before that. */
  readonly at: Date | null
  /** Why the last look failed. */
  readonly trouble: { readonly code: string; readonly params: Record<string, unknown> } | null
  /** Rows that stand at the end because a person was at the list. */
  readonly added: number
}

export type Listing<Page, Row> = {
  readonly fetch: (before: string | null, signal: AbortSignal) => Promise<Page>
  readonly rowsOf: (page: Page) => readonly Row[]
  readonly keyOf: (row: Row) => string
  /** Handed each page; `isMore` where it goes on with the list, `isLook` where the person did not ask for it. */
  readonly show: (page: Page, how: { isMore: boolean; isLook: boolean }) => void
}

export type Pages<Row> = {
  readonly state: ShallowRef<ListState>
  readonly rows: ShallowRef<readonly Row[]>
  /** Where the next page begins; null after the last. */
  readonly next: Ref<string | null>
  readonly freshness: ShallowRef<Freshness>
  /** How many rows the server still lists. */
  readonly count: ComputedRef<number>
  readonly isGone: (row: Row) => boolean
  readonly load: () => Promise<void>
  readonly loadMore: () => Promise<void>
  /** `mayMove` is asked once the answer is here. */
  readonly look: (mayMove: () => boolean) => Promise<void>
}

export function usePages<Page extends { readonly next: string | null }, Row>(list: Listing<Page, Row>): Pages<Row> {
  const state = shallowRef<ListState>({ kind: 'loading' })
  const rows = shallowRef<readonly Row[]>([])
  const next = ref<string | null>(null)
  const gone = shallowRef<ReadonlySet<string>>(new Set())
  const freshness = shallowRef<Freshness>({ at: null, trouble: null, added: 0 })
  let asking: AbortController | null = null

  async function ask(before: string | null): Promise<void> {
    asking?.abort()
    const mine = new AbortController()
    asking = mine
    if (before === null) state.value = { kind: 'loading' }
    try {
      const page = await list.fetch(before, mine.signal)
      if (mine.signal.aborted) return
      if (before === null) settle(list.rowsOf(page))
      else rows.value = [...rows.value, ...unknown(list.rowsOf(page))]
      list.show(page, { isMore: before !== null, isLook: false })
      next.value = page.next
      state.value = { kind: 'ready' }
    } catch (error) {
      if (mine.signal.aborted) return
      const { code, params } = asProblem(error)
      state.value = { kind: 'failed', code, params }
    } finally {
      if (asking === mine) asking = null
    }
  }

  async function look(mayMove: () => boolean): Promise<void> {
    if (asking !== null) return
    const mine = new AbortController()
    asking = mine
    const { value: shown } = rows
    try {
      const [first, ...others] = await pagesAsFarAs(shown.length, mine.signal)
      // What the person did meanwhile is newer than what the server then said.
      if (mine.signal.aborted || first === undefined || rows.value !== shown) return
      const found = [first, ...others].flatMap((page) => list.rowsOf(page))
      const end = others.at(-1)?.next ?? (others.length === 0 ? first.next : null)
      if (state.value.kind === 'failed' || mayMove()) {
        state.value = { kind: 'ready' }
        settle(found)
        next.value = end
      } else take(found, end === null)
      list.show(first, { isMore: false, isLook: true })
    } catch (error) {
      if (mine.signal.aborted) return
      const { code, params } = asProblem(error)
      freshness.value = { ...freshness.value, trouble: { code, params } }
    } finally {
      if (asking === mine) asking = null
    }
  }

  /** The first pages, until they hold as many rows as are shown. */
  async function pagesAsFarAs(count: number, signal: AbortSignal): Promise<Page[]> {
    const pages = [await list.fetch(null, signal)]
    let held = pages.flatMap((page) => list.rowsOf(page)).length
    for (let before = pages[0]?.next ?? null; before !== null && held < count && !signal.aborted;) {
      const page = await list.fetch(before, signal)
      pages.push(page)
      held += list.rowsOf(page).length
      before = page.next
    }
    return pages
  }

  /** Put the rows as the server has them. */
  function settle(found: readonly Row[]): void {
    rows.value = found
    gone.value = new Set()
    freshness.value = { at: new Date(), trouble: null, added: 0 }
  }

  /** Take in what is new without moving a row. */
  function take(found: readonly Row[], isWhole: boolean): void {
    const byKey = new Map(found.map((row) => [list.keyOf(row), row]))
    const lastKnown = rows.value.findLastIndex((row) => byKey.has(list.keyOf(row)))
    // Behind the last row that was found again, a missing one may only stand on a page that was not asked for.
    const certain = isWhole ? rows.value : rows.value.slice(0, lastKnown + 1)
    gone.value = new Set(certain.map(list.keyOf).filter((key) => !byKey.has(key)))
    const added = unknown(found)
    rows.value = [...rows.value.map((row) => byKey.get(list.keyOf(row)) ?? row), ...added]
    freshness.value = { at: new Date(), trouble: null, added: freshness.value.added + added.length }
  }

  function unknown(found: readonly Row[]): Row[] {
    const known = new Set(rows.value.map(list.keyOf))
    return found.filter((row) => !known.has(list.keyOf(row)))
  }

  return {
    state,
    rows,
    next,
    freshness,
    count: computed(() => rows.value.length - gone.value.size),
    isGone: (row) => gone.value.has(list.keyOf(row)),
    load: () => ask(null),
    loadMore: async () => {
      if (next.value !== null) await ask(next.value)
    },
    look,
  }
}
