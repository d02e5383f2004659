/**
 * Sending, as the screens see it: what it does now, what went wrong, and who wishes it. That is the start of the app, a
 * network that comes back, the app coming to the front, a save, and a person.
 */
import { liveQuery } from 'dexie'
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { Reason, Sender } from '@/replication/sender'
import { StatusChannel, type SendingStatus } from '@/replication/status'
import { database } from '@/storage/database'
import { useSession } from './session'

/** Until the code of sending is asked for again, where it could not be had. */
const AGAIN_S = 10

export const useSending = defineStore('sending', () => {
  const channel = new StatusChannel()
  const status = ref<SendingStatus>({ phase: 'idle' })
  /** Whether an exchange for somebody who is signed in has ended since the app was opened, well or not. */
  const hasExchanged = ref(false)
  const isBusy = computed(() => status.value.phase !== 'idle' && status.value.phase !== 'failed')
  let isStarted = false
  const session = useSession()
  let sender: Promise<Sender> | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  channel.listen((told) => (status.value = told))

  function start(): void {
    if (isStarted) return
    isStarted = true
    addEventListener('online', () => void wake('online'))
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void wake('visible')
    })
    let before = 0
    // A save is sent at once where there is signal; nobody has to press anything.
    liveQuery(() => database.revisions.filter((row) => row.frozen === 0).count()).subscribe((unsent) => {
      if (unsent > before) void wake('saved')
      before = unsent
    })
    void wake('start')
  }

  /** The code of sending, which the first screen does not wait for. */
  async function load(): Promise<Sender> {
    const { Sender } = await import('@/replication/sender')
    const made = new Sender(channel)
    void made.tidy()
    return made
  }

  /** Exchange now, or right after what is under way. Resolves when that is done; never throws. */
  async function wake(reason: Reason): Promise<void> {
    clearTimeout(timer)
    sender ??= load()
    try {
      await (await sender).wake(reason)
      hasExchanged.value ||= session.person !== null
    } catch {
      // On a first visit alone, before the service worker has everything: without a network the code can't be had.
      sender = null
      clearTimeout(timer)
      channel.tell({ phase: 'failed', code: 'offline', params: {}, retryInSeconds: AGAIN_S })
      timer = setTimeout(() => void wake(reason), AGAIN_S * 1000)
    }
  }

  return { status, isBusy, hasExchanged, start, wake }
})
