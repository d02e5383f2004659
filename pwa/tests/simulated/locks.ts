/** Web Locks of one phone, exclusive ones only, over all its tabs. A tab that is closed holds none and waits for none. */

type Work = (lock: { name: string } | null) => Promise<unknown>
type Place = { tab: object; begin: () => void }
type Manager = { request(name: string, second: Work | { ifAvailable?: boolean }, third?: Work): Promise<unknown> }

export class Locks {
  /** Who holds a lock, and after that one who waits for it. */
  private readonly queues = new Map<string, Place[]>()

  /** As a tab sees them. */
  of(tab: object): Manager {
    return {
      request: (name, second, third) => {
        const work = typeof second === 'function' ? second : third
        if (work === undefined) throw new TypeError('a lock needs work')
        const queue = this.queues.get(name) ?? []
        this.queues.set(name, queue)
        if (typeof second !== 'function' && second.ifAvailable === true && queue.length > 0) return work(null)
        return new Promise((resolve, reject) => {
          const place = {
            tab,
            begin: () => {
              const done = work({ name }).finally(() => this.leave(name, place))
              done.then(resolve, reject)
            },
          }
          queue.push(place)
          if (queue.length === 1) place.begin()
        })
      },
    }
  }

  /** A tab is closed. */
  drop(tab: object): void {
    for (const [name, queue] of this.queues)
      for (const place of queue.filter((one) => one.tab === tab).reverse()) this.leave(name, place)
  }

  private leave(name: string, place: Place): void {
    const queue = this.queues.get(name) ?? []
    const at = queue.indexOf(place)
    if (at < 0) return
    queue.splice(at, 1)
    if (at === 0) queue[0]?.begin()
  }
}
