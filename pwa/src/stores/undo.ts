/** One thing that was just done and can be taken back for a while. */
import { defineStore } from 'pinia'
import { ref } from 'vue'

export type Undoable = { message: string; undo: () => Promise<void>; settle?: (() => Promise<void>) | undefined }
const UNDO_MS = 8000

export const useUndo = defineStore('undo', () => {
  const current = ref<Undoable | null>(null)
  let timer: ReturnType<typeof setTimeout> | undefined

  function offer(undoable: Undoable): void {
    void settle()
    current.value = undoable
    timer = setTimeout(() => void settle(), UNDO_MS)
  }

  async function undo(): Promise<void> {
    clearTimeout(timer)
    const undoable = current.value
    current.value = null
    await undoable?.undo()
  }

  async function settle(): Promise<void> {
    clearTimeout(timer)
    const undoable = current.value
    current.value = null
    await undoable?.settle?.()
  }

  return { current, offer, undo, settle }
})
