/** Sending, as the screens see it: what it does now, what went wrong, and the button that starts it. */
import { liveQuery } from 'dexie'
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { Sender, type Reason } from '@/replication/sender'
import type { SendingStatus } from '@/replication/status'
import { database } from '@/storage/database'

export const useSending = defineStore('sending', () => {
  const sender = new Sender()
  const status = ref<SendingStatus>({ phase: 'idle' })
  const isBusy = computed(() => status.value.phase !== 'idle' && status.value.phase !== 'failed')
  let isStarted = false

  sender.status.listen((told) => (status.value = told))

  function start(): void {
    if (isStarted) return
    isStarted = true
    sender.start()
    let before = 0
    // A save is sent at once where there is signal; nobody has to press anything.
    liveQuery(() => database.revisions.filter((row) => row.frozen === 0).count()).subscribe((unsent) => {
      if (unsent > before) void sender.wake('saved')
      before = unsent
    })
  }

  const wake = (reason: Reason): Promise<void> => sender.wake(reason)

  return { status, isBusy, start, wake }
})
