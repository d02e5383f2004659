/**
 * The review queue as it was last loaded: the list shows it, and the page of one record knows from it which comes next. What is decided
 * here changes its line at once; the server's own list follows a moment later.
 */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { fetchQueue, type Counts, type Filters, type QueueLine, type QueuePage } from '@/features/review/api/review'
import type { ReviewState } from '@/domain/review'
import { usePages } from '@/features/desk/pages'
import { useSession } from '@/stores/session'

/** What waits for a decision; where a supervisor's day begins. */
export const WAITING: readonly ReviewState[] = ['received', 'amended']

export const useQueue = defineStore('queue', () => {
  const session = useSession()
  const filters = ref<Filters>({ scope: '', form: '', states: WAITING, text: '' })
  const counts = shallowRef<Counts>({ received: 0, amended: 0, approved: 0, returned: 0, rejected: 0 })
  const {
    rows: records,
    state,
    ...pages
  } = usePages<QueuePage, QueueLine>({
    fetch: (before, signal) => fetchQueue(session.api, filters.value, before, signal),
    rowsOf: (page) => page.records,
    keyOf: lineKey,
    show: (page) => (counts.value = page.counts),
  })
  const isEmpty = computed(() => state.value.kind === 'ready' && records.value.length === 0)

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

  return { filters, state, records, counts, isEmpty, ...pages, settle, after }
})

export function lineKey({ database, id }: Pick<QueueLine, 'database' | 'id'>): string {
  return `${database}/${id}`
}
