/** Web Locks of one phone, exclusive ones only, over all its tabs. Who dies holds none. */

type Work = (lock: { name: string } | null) => Promise<unknown>

export class Locks {
  private readonly queues = new Map<string, Promise<unknown>>()
  private readonly held = new Map<string, number>()

  /** As `LockManager.request`, with or without options. */
  request(name: string, second: Work | { ifAvailable?: boolean }, third?: Work): Promise<unknown> {
    const work = typeof second === 'function' ? second : third
    if (work === undefined) throw new TypeError('a lock needs work')
    const isTaken = (this.held.get(name) ?? 0) > 0
    if (typeof second !== 'function' && second.ifAvailable === true && isTaken) return work(null)
    this.held.set(name, (this.held.get(name) ?? 0) + 1)
    const before = this.queues.get(name) ?? Promise.resolve()
    const mine = before.then(() => work({ name })).finally(() => this.held.set(name, (this.held.get(name) ?? 1) - 1))
    this.queues.set(
      name,
      mine.catch(() => undefined),
    )
    return mine
  }
}
