/** Whether the browser promised to keep what the phone stores, and how much room is left. */
import { defineStore } from 'pinia'
import { ref } from 'vue'

export type Persistence = 'unknown' | 'kept' | 'refused'

export const usePersistence = defineStore('persistence', () => {
  const state = ref<Persistence>('unknown')
  const usedBytes = ref<number | null>(null)
  const roomBytes = ref<number | null>(null)

  /** Ask for persistent storage; browsers decide silently or ask the person. */
  async function request(): Promise<void> {
    const storage = navigator.storage as StorageManager | undefined
    if (storage === undefined || !('persist' in storage)) {
      state.value = 'refused'
      return
    }
    try {
      state.value = (await storage.persisted()) || (await storage.persist()) ? 'kept' : 'refused'
      const estimate = await storage.estimate()
      usedBytes.value = estimate.usage ?? null
      roomBytes.value = estimate.quota === undefined ? null : estimate.quota - (estimate.usage ?? 0)
    } catch {
      state.value = 'refused'
    }
  }

  return { state, usedBytes, roomBytes, request }
})
