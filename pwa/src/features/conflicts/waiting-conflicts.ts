/** How many records wait because people disagree, for the navigation; apart from the queue itself, which only a desk loads. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { useSession } from '@/stores/session'

export const useWaitingConflicts = defineStore('waiting-conflicts', () => {
  const session = useSession()
  /** Null until it is known; where it can't be known, nothing is shown. */
  const waiting = ref<number | null>(null)

  async function count(): Promise<void> {
    try {
      waiting.value = (await session.api.json<{ total: number }>('/api/conflicts?limit=1')).total
    } catch {
      waiting.value = null
    }
  }

  function add(records: number): void {
    if (waiting.value !== null) waiting.value = Math.max(0, waiting.value + records)
  }

  return { waiting, count, add }
})
