/**
 * Looks again at a list while its page is seen: every half minute, on coming back to the tab, and when the network is back.
 * It knows whether a person is at the list, so that nothing is moved under their finger, pointer or keys.
 */
import { onBeforeUnmount, onMounted } from 'vue'

export const LOOK_MS = 30_000
/** Who has not touched anything for this long is not about to press a row. */
export const AT_REST_MS = 20_000

const TOUCHES = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchmove', 'scroll'] as const
/** What somebody has begun in a row: words, or something opened to read. */
const BEGUN = 'textarea, details[open], [aria-expanded="true"]'

/** `list` is the element that holds the rows; null while there are none. */
export function useLook(look: (mayMove: () => boolean) => unknown, list: () => HTMLElement | null): void {
  let touchedAt = Date.now()
  let timer: ReturnType<typeof setInterval> | undefined

  function touch(): void {
    touchedAt = Date.now()
  }

  function mayMove(): boolean {
    if (Date.now() - touchedAt < AT_REST_MS) return false
    const rows = list()
    if (rows === null) return true
    const isInUse =
      rows.contains(document.activeElement) ||
      rows.matches(':hover') ||
      rows.querySelector(BEGUN) !== null ||
      document.querySelector('dialog[open]') !== null
    // Who has scrolled into the list reads there.
    return !isInUse && rows.getBoundingClientRect().top >= 0
  }

  function now(): void {
    if (document.visibilityState === 'visible') look(mayMove)
  }

  onMounted(() => {
    timer = setInterval(now, LOOK_MS)
    document.addEventListener('visibilitychange', now)
    globalThis.addEventListener('online', now)
    for (const each of TOUCHES) globalThis.addEventListener(each, touch, { passive: true, capture: true })
  })
  onBeforeUnmount(() => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', now)
    globalThis.removeEventListener('online', now)
    for (const each of TOUCHES) globalThis.removeEventListener(each, touch, { capture: true })
  })
}
