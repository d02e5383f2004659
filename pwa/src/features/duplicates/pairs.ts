/** The queue of records that may be of one household, as it was last loaded: the list shows it, and a page knows from it what comes next. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { fetchPairs, type Pair, type PairKey, type PairPages, type Verdict } from '@/features/duplicates/api/pairs'
import type { Problem } from '@/api/problem'
import { usePages } from '@/features/desk/pages'
import { useSession } from '@/stores/session'

export const usePairs = defineStore('pairs', () => {
  const session = useSession()
  const verdict = ref<Verdict>('open')
  const counts = shallowRef<Record<Verdict, number>>({ open: 0, unsure: 0, same: 0, different: 0 })
  const settled = shallowRef<ReadonlySet<string>>(new Set())
  /** What could not be taken back, and why: said on the page of that pair until something is done there. */
  const notUndone = shallowRef<{ readonly pair: string; readonly problem: Problem } | null>(null)
  const { rows: pairs, ...pages } = usePages<PairPages, Pair>({
    fetch: (before, signal) => fetchPairs(session.api, verdict.value, before, signal),
    rowsOf: (page) => page.pairs,
    keyOf: nameOf,
    show: (page, { isMore, isLook }) => {
      counts.value = page.counts
      if (!isMore && !isLook) settled.value = new Set()
    },
  })

  function settle(key: PairKey): void {
    settled.value = new Set([...settled.value, nameOf(key)])
  }

  function reopen(key: PairKey): void {
    settled.value = new Set([...settled.value].filter((name) => name !== nameOf(key)))
  }

  function failUndo(key: PairKey, problem: Problem): void {
    notUndone.value = { pair: nameOf(key), problem }
  }

  /** The next pair after this one that nobody has settled here; from the top after the last. */
  function after(key: PairKey): Pair | null {
    const at = pairs.value.findIndex((pair) => nameOf(pair) === nameOf(key))
    const round = [...pairs.value.slice(at + 1), ...pairs.value.slice(0, Math.max(at, 0))]
    return round.find((pair) => !settled.value.has(nameOf(pair))) ?? null
  }

  return { verdict, pairs, counts, settled, notUndone, ...pages, settle, reopen, failUndo, after }
})

export function nameOf({ database, one, other }: PairKey): string {
  return `${database}/${one}/${other}`
}
