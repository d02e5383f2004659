/** Whether the phone believes that it has a network. Only a hint: what decides is whether an exchange succeeds. */
import { defineStore } from 'pinia'
import { ref } from 'vue'

export const useConnection = defineStore('connection', () => {
  const isOnline = ref(navigator.onLine)
  const follow = (): void => {
    isOnline.value = navigator.onLine
  }
  addEventListener('online', follow)
  addEventListener('offline', follow)
  return { isOnline }
})
