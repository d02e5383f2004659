/**
 * The queue of what was kept aside: loaded page by page, worked off entry by entry. An entry leaves the list by being let in, moves to the
 * seen by a comment, and goes at once when somebody else was quicker; what a person has typed elsewhere stays.
 */
import { computed, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import type { Api } from '@/api/client'
import { asProblem } from '@/api/problem'
import {
  acceptEntry,
  fetchQuarantine,
  markSeen,
  type EntryKey,
  type QuarantineCounts,
  type QuarantineEntry,
  type QuarantineFilters,
  type QuarantinePage,
} from '@/features/quarantine/api/quarantine'
import { usePages, type Pages } from '@/features/desk/pages'

/** What the last act came to; `entry` names the one it was about. */
export type ActState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'sending'; readonly entry: string }
  | { readonly kind: 'accepted'; readonly title: string; readonly followers: number }
  | { readonly kind: 'seen'; readonly title: string }
  /** It does not wait any more: somebody else let it in. */
  | { readonly kind: 'gone'; readonly title: string }
  | {
      readonly kind: 'failed'
      readonly entry: string
      readonly code: string
      readonly params: Record<string, unknown>
    }

export type Quarantine = Omit<Pages<QuarantineEntry>, 'rows'> & {
  readonly filters: Ref<QuarantineFilters>
  readonly act: ShallowRef<ActState>
  readonly entries: ShallowRef<readonly QuarantineEntry[]>
  readonly counts: ShallowRef<QuarantineCounts>
  readonly isEmpty: ComputedRef<boolean>
  readonly accept: (entry: QuarantineEntry) => Promise<void>
  readonly mark: (entry: QuarantineEntry, comment: string) => Promise<void>
}

export function useQuarantine(api: Api): Quarantine {
  const filters = ref<QuarantineFilters>({ scope: '', reason: '', isSeen: false })
  const act = shallowRef<ActState>({ kind: 'idle' })
  const counts = shallowRef<QuarantineCounts>({ unseen: 0, seen: 0 })
  const { rows: entries, ...pages } = usePages<QuarantinePage, QuarantineEntry>({
    fetch: (before, signal) => fetchQuarantine(api, filters.value, before, signal),
    rowsOf: (page) => page.entries,
    keyOf: entryId,
    show: (page) => (counts.value = page.counts),
  })
  const { state, next, load } = pages
  const isEmpty = computed(() => state.value.kind === 'ready' && entries.value.length === 0)

  async function accept(entry: QuarantineEntry): Promise<void> {
    await perform(entry, async () => {
      const { followers } = await acceptEntry(api, entry)
      return { kind: 'accepted', title: entry.title, followers }
    })
  }

  async function mark(entry: QuarantineEntry, comment: string): Promise<void> {
    await perform(entry, async () => {
      await markSeen(api, entry, comment.trim())
      return { kind: 'seen', title: entry.title }
    })
  }

  async function perform(entry: QuarantineEntry, work: () => Promise<ActState>): Promise<void> {
    if (act.value.kind === 'sending') return
    act.value = { kind: 'sending', entry: entryId(entry) }
    try {
      act.value = await work()
    } catch (error) {
      const { code, params } = asProblem(error)
      if (code !== 'not_waiting') {
        act.value = { kind: 'failed', entry: entryId(entry), code, params }
        return
      }
      act.value = { kind: 'gone', title: entry.title }
    }
    await settle(entry)
  }

  async function settle(entry: QuarantineEntry): Promise<void> {
    const others = entries.value.filter((each) => entryId(each) !== entryId(entry))
    const isAlone = !others.some((each) => each.database === entry.database && each.id === entry.id)
    // A comment that is added to a seen entry stands in it, and what else waits of the document may have changed: both are asked for anew.
    if (!isAlone || (act.value.kind === 'seen' && filters.value.isSeen)) {
      await load()
      return
    }
    const { unseen, seen } = counts.value
    const movesOn = act.value.kind === 'seen' ? 1 : 0
    counts.value = filters.value.isSeen
      ? { unseen, seen: Math.max(0, seen - 1) }
      : { unseen: Math.max(0, unseen - 1), seen: seen + movesOn }
    entries.value = others
    if (others.length === 0 && next.value !== null) await load()
  }

  return {
    ...pages,
    filters,
    act,
    entries,
    counts,
    isEmpty,
    accept,
    mark,
  }
}

/** What tells an entry of the list from every other. */
export function entryId({ database, id, rev, fingerprint }: EntryKey): string {
  return [database, id, rev, fingerprint].join(' ')
}
