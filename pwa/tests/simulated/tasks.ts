/**
 * The one queue of macrotasks of this process. Everything that a browser would do later (IndexedDB's steps above all)
 * waits here and runs in the order in which it was asked for, so that a phone's turn ends when nothing is left to do, and
 * a seed is one story. Microtasks are done between two tasks, as in a browser.
 */

/** One run of a phone's browser: what a dead one still wanted to do is never done. */
export type Life = { isDead: boolean }

const realImmediate = globalThis.setImmediate
const tasks: { life: Life; run: () => void }[] = []
let current: Life = { isDead: false }

/** fake-indexeddb asks `setImmediate` for its tasks, each time by its name. */
globalThis.setImmediate = ((run: () => void) => enqueue(run)) as unknown as typeof setImmediate

export function enqueue(run: () => void): void {
  tasks.push({ life: current, run })
}

/** From now on whatever is asked for is this life's. */
export function enter(life: Life): void {
  current = life
}

/** Let a life work until it only waits for what comes from outside. */
export async function settle(life: Life): Promise<void> {
  enter(life)
  for (;;) {
    await new Promise<void>((resolve) => realImmediate(resolve))
    const task = tasks.shift()
    if (task === undefined) return
    if (!task.life.isDead) task.run()
  }
}
