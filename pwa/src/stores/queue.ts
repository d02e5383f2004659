/**
 * The review queue as it was last loaded: the list shows it, and the page of one record knows from it which comes next. What is decided
 * here changes its line at once; the server's own list follows a moment later.
 */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { asProblem } from '@/api/problem'
import { fetchQueue, type Counts, type Filters, type QueueLine } from '@/api/review'
import type { ReviewState } from '@/domain/review'
import { useSession } from './session'

/** What waits for a decision; where a supervisor's day begins. */
export const WAITING: readonly ReviewState[] = ['received', 'amended']

export type QueueState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly code: string; readonly params: Record<string, unknown> }

export const useQueue = defineStore('queue', () => {
  const session = useSession()
  const filters = ref<Filters>({ scope: '', form: '', states: WAITING, text: '' })
  const state = shallowRef<QueueState>({ kind: 'loading' })
  const records = shallowRef<readonly QueueLine[]>([])
  const counts = shallowRef<Counts>({ received: 0, amended: 0, approved: 0, returned: 0, rejected: 0 })
  const next = ref<string | null>(null)
  const isEmpty = computed(() => state.value.kind === 'ready' && records.value.length === 0)
  let asking: AbortController | null = null

  /** Load the list anew; a load that is still under way is given up. */
  async function load(): Promise<void> {
    await ask(null)
  }

  async function loadMore(): Promise<void> {
    if (next.value !== null) await ask(next.value)
  }

  async function ask(before: string | null): Promise<void> {
    asking?.abort()
    const mine = new AbortController()
    asking = mine
    if (before === null) state.value = { kind: 'loading' }
    try {
      const page = await fetchQueue(session.api, filters.value, before, mine.signal)
      if (mine.signal.aborted) return
      records.value = before === null ? page.records : [...records.value, ...page.records]
      counts.value = page.counts
      next.value = page.next
      state.value = { kind: 'ready' }
    } catch (error) {
      if (mine.signal.aborted) return
      const { code, params } = asProblem(error)
      state.value = { kind: 'failed', code, params }
    }
  }

  /** Say what a decision made of a record, before the list is loaded again. */
  function settle(database: string, id: string, now: ReviewState): void {
    const line = records.value.find((each) => each.database === database && each.id === id)
    if (line === undefined || line.state === now) return
    const moved = { ...counts.value }
    moved[line.state] = Math.max(0, moved[line.state] - 1)
    moved[now] += 1
    counts.value = moved
    records.value = records.value.map((each) => (each === line ? { ...line, state: now } : each))
  }

  /** The record after this one that still waits for a decision; from the top when the last was reached. */
  function after(database: string, id: string): QueueLine | null {
    const at = records.value.findIndex((each) => each.database === database && each.id === id)
    const round = [...records.value.slice(at + 1), ...records.value.slice(0, Math.max(at, 0))]
    return round.find((each) => WAITING.includes(each.state)) ?? null
  }

  return { filters, state, records, counts, next, isEmpty, load, loadMore, settle, after }
})
