/** A full disk that a write met and no screen told: a setting, a deletion, a sign-out. Screens that catch it say so beside what was tried. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { asProblem } from '@/api/problem'

export const useTrouble = defineStore('trouble', () => {
  const isFull = ref(false)

  /** Take what was thrown and not caught. */
  function tell(error: unknown): void {
    console.error(error)
    if (asProblem(error).code === 'storage_full') isFull.value = true
  }

  return { isFull, tell }
})
