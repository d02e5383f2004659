/**
 * Whether the app itself is on the phone, so that it starts where there is no network. Records and forms alone are not
 * enough: a phone that has only those can't open them once its page is closed.
 */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { APP_PROGRESS, type AppProgress, type Wish } from '@/domain/app-progress'

export type Installation =
  | { readonly kind: 'coming'; readonly progress: AppProgress | null }
  /** The service worker is active, and with it every file is kept. */
  | { readonly kind: 'kept' }
  /** It did not come whole; what has come stays, and the next attempt goes on from there. */
  | { readonly kind: 'failed' }
  /** No attempt will ever help: the address is not secure, or the browser does not keep apps. */
  | { readonly kind: 'impossible'; readonly reason: 'insecure' | 'browser' }

const RETRY_MS = 30_000
const REFUSALS = new Set(['SecurityError', 'NotSupportedError'])

export const useInstallation = defineStore('installation', () => {
  const state = ref<Installation>({ kind: 'coming', progress: null })
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined
  /** Whether an earlier visit brought it: nothing but a newer version can be lacking. */
  const isHere = container?.controller != null
  /** Null until the browser took it. */
  const registration = shallowRef<ServiceWorkerRegistration | null>(null)
  let isAsking = false

  /** Register the service worker that keeps the app, and follow it; asked again it goes on with what is missing. */
  async function install(): Promise<void> {
    if (isAsking || state.value.kind === 'kept') return
    if (import.meta.env.DEV) {
      // A developer's server has no worker to give; nobody leaves for the field with it.
      state.value = { kind: 'kept' }
      return
    }
    if (container === undefined) {
      state.value = { kind: 'impossible', reason: isSecureContext ? 'browser' : 'insecure' }
      return
    }
    isAsking = true
    state.value = { kind: 'coming', progress: null }
    try {
      const found = await container.register('/worker.js', { scope: '/' })
      follow(found)
      registration.value = found
    } catch (error) {
      // Private windows and wrong certificates are refused for good; all else is the network's.
      if (error instanceof DOMException && REFUSALS.has(error.name)) {
        state.value = { kind: 'impossible', reason: 'browser' }
      } else fail()
    } finally {
      isAsking = false
    }
  }

  function follow({ active, waiting, installing }: ServiceWorkerRegistration): void {
    const worker = active ?? waiting ?? installing
    if (worker === null) return
    const look = (): void => {
      // Asked for the state and not told of it: `ready` never settles where the files don't all come.
      if (worker.state === 'activated') state.value = { kind: 'kept' }
      else if (worker.state === 'redundant') fail()
    }
    worker.addEventListener('statechange', look)
    look()
  }

  function fail(): void {
    // An active worker that ends was followed by a newer one.
    if (state.value.kind === 'kept') return
    state.value = { kind: 'failed' }
    setTimeout(again, RETRY_MS)
  }

  function again(): void {
    if (state.value.kind === 'failed') void install()
  }

  /** Let the worker keep a desk's screens too, on the device of somebody who has one. */
  function keepDesk(): void {
    registration.value?.active?.postMessage({ type: 'keep-desk' } satisfies Wish)
  }

  const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(APP_PROGRESS)
  channel?.addEventListener('message', ({ data }: MessageEvent<AppProgress>) => {
    if (state.value.kind === 'coming') state.value = { kind: 'coming', progress: data }
  })
  addEventListener('online', again)

  return { state, registration, isHere, install, keepDesk }
})
