/**
 * When to exchange: at the start, when the network comes back, when the app comes to the front, after a save, when a
 * person asks, and every `next_s`. Failures back off; a person or a returning network starts again at once.
 *
 * Over all tabs and the service worker only the holder of one Web Lock sends; the others show what it does.
 */
import { Problem, asProblem } from '@/api/problem'
import { collectBlobs } from '@/storage/blobs'
import { emptyDeletedDrafts } from '@/storage/drafts'
import type { ExchangeResult } from './exchange'
import { SENDER_LOCK, withFreeLock, withLock } from './locks'
import { StatusChannel } from './status'

const FIRST_RETRY_S = 5
const LAST_RETRY_S = 600
/** Whatever a server says: a timer beyond 24.8 days would go off at once, and none at all would never stop. */
const LEAST_WAIT_S = 1
const MOST_WAIT_S = 3_600

export type Reason = 'start' | 'online' | 'visible' | 'saved' | 'timer' | 'person' | 'signed-in'

/** Seconds to wait after this many failures in a row, spread so that a village's phones don't all come at once. */
export function retryDelay(failures: number, random: () => number, retryAfterSeconds: number | null = null): number {
  const doubled = Math.min(LAST_RETRY_S, FIRST_RETRY_S * 2 ** Math.max(0, failures - 1))
  return Math.max(Math.min(MOST_WAIT_S, retryAfterSeconds ?? 0), Math.round(doubled * (0.75 + random() / 2)))
}

/** The code of a run, which the first screen does not wait for; offline where it can't be had. */
async function runParts(): Promise<typeof import('./run')> {
  try {
    return await import('./run')
  } catch {
    throw new Problem('offline')
  }
}

export class Sender {
  readonly status = new StatusChannel()
  private timer: ReturnType<typeof setTimeout> | undefined
  private failures = 0
  private lastAttemptAt = 0
  private running: Promise<void> | null = null
  /** A reason that came while a run was under way: one more run follows. */
  private pending: Reason | null = null

  constructor(private readonly random: () => number = Math.random) {}

  start(): void {
    addEventListener('online', () => void this.wake('online'))
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void this.wake('visible')
    })
    void this.tidy()
    // A failure shows when the run itself asks for it.
    void runParts().catch(() => undefined)
    void this.wake('start')
  }

  /** Let no timer start another run. */
  stop(): void {
    clearTimeout(this.timer)
  }

  /** Exchange now, or right after the run that is under way. Resolves when that is done; never throws. */
  async wake(reason: Reason): Promise<void> {
    if (this.running !== null) {
      this.pending = this.pending === 'person' ? 'person' : reason
      return this.running
    }
    if (reason !== 'timer' && reason !== 'saved' && reason !== 'visible') this.failures = 0
    // While backing off, saves and glances at the screen don't start another attempt within a minute.
    const isSoon = Date.now() - this.lastAttemptAt < 60_000
    if (this.failures > 0 && isSoon && (reason === 'saved' || reason === 'visible')) return
    this.running = this.runAll(reason)
    await this.running
  }

  private async runAll(first: Reason): Promise<void> {
    let reason: Reason | null = first
    while (reason !== null) {
      this.pending = null
      await this.run(reason)
      reason = this.following()
    }
    this.running = null
  }

  /** What asked for another run meanwhile; after a failure only a person's wish counts. */
  private following(): Reason | null {
    return this.failures === 0 || this.pending === 'person' ? this.pending : null
  }

  private async run(reason: Reason): Promise<void> {
    clearTimeout(this.timer)
    this.lastAttemptAt = Date.now()
    // A request that cannot leave would only freeze what its person may still be correcting.
    if (!navigator.onLine && reason !== 'person') {
      this.failed(new Problem('offline'))
      return
    }
    const work = async (): Promise<ExchangeResult> =>
      (await runParts()).runOnce(this.status, { again: reason === 'person' })
    const lock = reason === 'person' || reason === 'signed-in' ? withLock : withFreeLock
    try {
      const result = await lock(SENDER_LOCK, work)
      this.failures = 0
      this.next(result?.nextSeconds ?? 60)
    } catch (error) {
      this.failed(asProblem(error))
    }
  }

  private failed(problem: Problem): void {
    this.failures += 1
    const isHopeless = problem.code === 'not_signed_in' || problem.code === 'enrolment_revoked'
    const retry = isHopeless ? null : retryDelay(this.failures, this.random, problem.retryAfterSeconds)
    this.status.tell({ phase: 'failed', code: problem.code, params: problem.params, retryInSeconds: retry })
    if (retry !== null) this.next(retry)
    void askForBackgroundSync()
  }

  private next(seconds: number): void {
    clearTimeout(this.timer)
    const bounded = Number.isFinite(seconds) ? Math.min(MOST_WAIT_S, Math.max(LEAST_WAIT_S, seconds)) : MOST_WAIT_S
    this.timer = setTimeout(() => void this.wake('timer'), bounded * 1000)
  }

  private async tidy(): Promise<void> {
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
