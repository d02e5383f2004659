/**
 * A list that the server hands out page by page: asked for anew or gone on with. Only the last question counts: one that is still under
 * way is given up.
 */
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { asProblem } from '@/api/problem'

export type ListState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly code: string; readonly params: Record<string, unknown> }

export type Pages = {
  readonly state: ShallowRef<ListState>
  /** Where the next page begins; null after the last. */
  readonly next: Ref<string | null>
  readonly load: () => Promise<void>
  readonly loadMore: () => Promise<void>
}

/** `show` is handed each page; `isMore` where it goes on with the list. */
export function usePages<Page extends { readonly next: string | null }>(
  fetch: (before: string | null, signal: AbortSignal) => Promise<Page>,
  show: (page: Page, isMore: boolean) => void,
): Pages {
  const state = shallowRef<ListState>({ kind: 'loading' })
  const next = ref<string | null>(null)
  let asking: AbortController | null = null

  async function ask(before: string | null): Promise<void> {
    asking?.abort()
    const mine = new AbortController()
    asking = mine
    if (before === null) state.value = { kind: 'loading' }
    try {
      const page = await fetch(before, mine.signal)
      if (mine.signal.aborted) return
      show(page, before !== null)
      next.value = page.next
      state.value = { kind: 'ready' }
    } catch (error) {
      if (mine.signal.aborted) return
      const { code, params } = asProblem(error)
      state.value = { kind: 'failed', code, params }
    }
  }

  return {
    state,
    next,
    load: () => ask(null),
    loadMore: async () => {
      if (next.value !== null) await ask(next.value)
    },
  }
}
