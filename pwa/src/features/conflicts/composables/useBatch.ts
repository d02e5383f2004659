/** Many alike decided at once: a rule, what it would do, and only then doing exactly that. Every change of the rule needs a fresh look. */
import { shallowRef, type ShallowRef } from 'vue'
import type { Api } from '@/api/client'
import {
  applyBatch,
  previewBatch,
  undoBatch,
  type BatchAsk,
  type BatchDone,
  type BatchPreview,
} from '@/features/conflicts/api/conflicts'
import { asProblem } from '@/api/problem'

export type BatchState =
  | { readonly kind: 'choosing' }
  | { readonly kind: 'looking' }
  | { readonly kind: 'shown'; readonly preview: BatchPreview }
  | { readonly kind: 'applying'; readonly preview: BatchPreview }
  | { readonly kind: 'done'; readonly done: BatchDone }
  | { readonly kind: 'undoing'; readonly done: BatchDone }
  | { readonly kind: 'undone'; readonly undone: number; readonly tooLate: number }
  | { readonly kind: 'failed'; readonly code: string; readonly params: Record<string, unknown> }

export type Batch = {
  readonly state: ShallowRef<BatchState>
  readonly look: (ask: BatchAsk) => Promise<void>
  readonly apply: (comment: string) => Promise<void>
  readonly undo: () => Promise<void>
  readonly reset: () => void
}

export function useBatch(api: Api): Batch {
  const state = shallowRef<BatchState>({ kind: 'choosing' })
  let asked = 0

  async function attempt(during: BatchState, work: () => Promise<BatchState>): Promise<void> {
    asked += 1
    const mine = asked
    state.value = during
    try {
      const result = await work()
      if (mine === asked) state.value = result
    } catch (error) {
      const { code, params } = asProblem(error)
      if (mine === asked) state.value = { kind: 'failed', code, params }
    }
  }

  return {
    state,
    look: (ask) => attempt({ kind: 'looking' }, async () => ({ kind: 'shown', preview: await previewBatch(api, ask) })),
    apply: async (comment) => {
      if (state.value.kind !== 'shown') return
      const { preview } = state.value
      await attempt({ kind: 'applying', preview }, async () => ({
        kind: 'done',
        done: await applyBatch(api, preview.token, comment.trim()),
      }))
    },
    undo: async () => {
      if (state.value.kind !== 'done') return
      const { done } = state.value
      await attempt({ kind: 'undoing', done }, async () => {
        const { undone, too_late: tooLate } = await undoBatch(api, done.batch)
        return { kind: 'undone', undone, tooLate }
      })
    },
    reset: () => {
      asked += 1
      state.value = { kind: 'choosing' }
    },
  }
}
