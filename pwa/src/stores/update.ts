/** A new version of the app waits until its person says so: nobody's form is reloaded under their fingers. */
import { defineStore } from 'pinia'
import { ref, watch } from 'vue'
import type { Wish } from '@/domain/app-progress'
import { useInstallation } from './installation'

export const useUpdate = defineStore('update', () => {
  const installation = useInstallation()
  const isWaiting = ref(false)
  let wasAsked = false

  watch(
    () => installation.registration,
    (registration) => {
      if (registration === null) return
      const { serviceWorker } = navigator
      serviceWorker.addEventListener('controllerchange', () => {
        if (wasAsked) location.reload()
      })
      isWaiting.value = registration.waiting !== null && serviceWorker.controller !== null
      registration.addEventListener('updatefound', () => {
        const worker = registration.installing
        worker?.addEventListener('statechange', () => {
          if (worker.state === 'installed' && serviceWorker.controller !== null) isWaiting.value = true
        })
      })
    },
    { immediate: true },
  )

  /** Take the new version now; the page comes back with it. */
  function take(): void {
    wasAsked = true
    installation.registration?.waiting?.postMessage({ type: 'take-over' } satisfies Wish)
  }

  return { isWaiting, take }
})
