/**
 * How a wish to exchange becomes a run, and when the next one follows: every `next_s`, and after failures later and later,
 * where a person or a returning network starts again at once. Who wishes it is in stores/sending.ts, which loads this.
 *
 * Over all tabs and the service worker only the holder of one Web Lock sends; the others show what it does.
 */
import { Problem, asProblem } from '@/api/problem'
import { collectBlobs } from '@/storage/blobs'
import { emptyDeletedDrafts } from '@/storage/drafts'
import { endEvent, wakeEvent } from './events'
import { SENDER_LOCK, withFreeLock, withLock } from './locks'
import { Machine } from './machine'
import { atStart, type Memory, type Reason } from './memory'
import { runOnce } from './run'
import { StatusChannel } from './status'

const FIRST_RETRY_S = 5
const LAST_RETRY_S = 600
/** Whatever a server says: a timer beyond 24.8 days would go off at once, and none at all would never stop. */
const LEAST_WAIT_S = 1
const MOST_WAIT_S = 3_600

export type { Reason } from './memory'

/** Seconds to wait after this many failures in a row, spread so that a village's phones don't all come at once. */
export function retryDelay(failures: number, random: () => number, retryAfterSeconds: number | null = null): number {
  const doubled = Math.min(LAST_RETRY_S, FIRST_RETRY_S * 2 ** Math.max(0, failures - 1))
  return Math.max(Math.min(MOST_WAIT_S, retryAfterSeconds ?? 0), Math.round(doubled * (0.75 + random() / 2)))
}

export class Sender {
  private readonly machine = new Machine({ state: 'idle', memory: atStart() })
  private timer: ReturnType<typeof setTimeout> | undefined
  private lastAttemptAt = 0
  private running: Promise<void> | null = null

  constructor(
    readonly status = new StatusChannel(),
    private readonly random: () => number = Math.random,
  ) {}

  /** Let no timer start another run. */
  stop(): void {
    clearTimeout(this.timer)
  }

  /** Exchange now, or right after the run that is under way. Resolves when that is done; never throws. */
  async wake(reason: Reason): Promise<void> {
    const failures = this.running === null ? this.machine.at.memory.failures : 0
    this.machine.hear(wakeEvent(reason, failures, Date.now() - this.lastAttemptAt))
    if (this.machine.at.state === 'starting') this.running ??= this.runAll()
    await this.running
  }

  private async runAll(): Promise<void> {
    while (this.machine.at.state === 'starting') {
      const { memory } = this.machine.at
      await this.run(memory)
      const { meanwhile, failures } = this.machine.at.memory
      // What was asked for meanwhile; after a failure only what may change how it ends.
      if (meanwhile !== null) this.machine.hear(wakeEvent(meanwhile, failures, null))
    }
    this.running = null
  }

  /** A run from its start to rest. */
  private async run({ reason }: Memory): Promise<void> {
    const { machine } = this
    clearTimeout(this.timer)
    this.lastAttemptAt = Date.now()
    const work = async (): Promise<true> => {
      machine.hear({ kind: 'lock_held' })
      await runOnce(this.status, { again: reason === 'person', machine })
      return true
    }
    const lock = reason === 'person' || reason === 'signed-in' ? withLock : withFreeLock
    try {
      // A request that cannot leave would only freeze what its person may still be correcting.
      if (!navigator.onLine && reason !== 'person') throw new Problem('offline')
      if ((await lock(SENDER_LOCK, work)) === undefined) machine.hear({ kind: 'other_tab', nextSeconds: 60 })
    } catch (error) {
      machine.giveUp(error)
    }
    this.conclude()
  }

  private conclude(): void {
    const { machine } = this
    const { trouble, result } = machine.at.memory
    if (machine.at.state === 'concluding') machine.hear(endEvent(trouble, result))
    if (trouble === null) this.next(machine.at.memory.result.nextSeconds)
    else this.failed(asProblem(trouble))
  }

  private failed({ code, params, retryAfterSeconds }: Problem): void {
    const { state, memory } = this.machine.at
    const retry = state === 'halted' ? null : retryDelay(memory.failures, this.random, retryAfterSeconds)
    this.status.tell({ phase: 'failed', code, params, retryInSeconds: retry })
    if (retry !== null) this.next(retry)
    void askForBackgroundSync()
  }

  private next(seconds: number): void {
    clearTimeout(this.timer)
    const bounded = Number.isFinite(seconds) ? Math.min(MOST_WAIT_S, Math.max(LEAST_WAIT_S, seconds)) : MOST_WAIT_S
    this.timer = setTimeout(() => void this.wake('timer'), bounded * 1000)
  }

  /** Remove what nobody can ask for any more; once for each start of the app. */
  async tidy(): Promise<void> {
    await emptyDeletedDrafts(new Date(Date.now() - 60_000).toISOString())
    await collectBlobs()
  }
}

/** Where the browser can, it sends for us when the network is back, even with the app closed. */
async function askForBackgroundSync(): Promise<void> {
  const worker = navigator.serviceWorker as ServiceWorkerContainer | undefined
  if (worker === undefined || worker.controller === null) return
  const registration = (await worker.ready) as ServiceWorkerRegistration & {
    sync?: { register(tag: string): Promise<void> }
  }
  await registration.sync?.register('nuong-send').catch(() => undefined)
}
