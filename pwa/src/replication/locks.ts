/**
 * Locks over all tabs and the service worker (Web Locks). Where the browser has none, a lock of this tab alone: sending
 * twice at once is wasteful but harmless, as every request may be repeated.
 */
const held = new Map<string, Promise<unknown>>()

/** Run work while no other tab holds the lock, waiting for it. */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const locks = globalThis.navigator?.locks as LockManager | undefined
  if (locks !== undefined) return (await locks.request(name, work)) as T
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
  const locks = globalThis.navigator?.locks as LockManager | undefined
  if (locks === undefined) return withLock(name, work)
  return (await locks.request(name, { ifAvailable: true }, async (lock) =>
    lock === null ? undefined : work(),
  )) as T | undefined
}
