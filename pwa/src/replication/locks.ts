/**
 * Locks over all tabs and the service worker (Web Locks). Where the browser has none, a lock of this tab alone: sending
 * twice at once is wasteful but harmless, as every request may be repeated.
 */

/** Who holds it sends, over all tabs and the service worker. */
export const SENDER_LOCK = 'nuong-sender'

const held = new Map<string, Promise<unknown>>()

/** Run work while no other tab holds the lock, waiting for it. */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const locks = webLocks()
  if (locks !== undefined) return locks.request(name, work)
  const before = held.get(name) ?? Promise.resolve()
  const mine = before.then(work, work)
  held.set(
    name,
    mine.catch(() => undefined),
  )
  return mine
}

/** Run work if the lock is free; undefined when another tab holds it. */
export async function withFreeLock<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
  const locks = webLocks()
  if (locks === undefined) return withLock(name, work)
  return locks.request(name, { ifAvailable: true }, async (lock) => (lock === null ? undefined : work()))
}

function webLocks(): LockManager | undefined {
  const { navigator } = globalThis as { navigator?: { locks?: LockManager } }
  return navigator?.locks
}
