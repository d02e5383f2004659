/** A new version of the app waits until its person says so: nobody's form is reloaded under their fingers. */
import { defineStore } from 'pinia'
import { ref } from 'vue'

export const useUpdate = defineStore('update', () => {
  const isWaiting = ref(false)
  let registration: ServiceWorkerRegistration | null = null
  let wasAsked = false

  /** Start the service worker that keeps the app on the phone. */
  async function register(): Promise<void> {
    if (!('serviceWorker' in navigator) || !import.meta.env.PROD) return
    navigator.serviceWorker.addEventListener('controllerchange', () => {
      if (wasAsked) location.reload()
    })
    registration = await navigator.serviceWorker.register('/worker.js', { scope: '/' })
    isWaiting.value = registration.waiting !== null && navigator.serviceWorker.controller !== null
    registration.addEventListener('updatefound', () => {
      const worker = registration?.installing
      worker?.addEventListener('statechange', () => {
        if (worker.state === 'installed' && navigator.serviceWorker.controller !== null) isWaiting.value = true
      })
    })
  }

  /** Take the new version now; the page comes back with it. */
  function take(): void {
    wasAsked = true
    registration?.waiting?.postMessage({ type: 'take-over' })
  }

  return { isWaiting, register, take }
})
