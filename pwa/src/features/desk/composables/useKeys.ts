/** Keys of a desk's screen: one letter or digit, one act. Nothing happens while a person types, or while a dialog asks something. */
import { onBeforeUnmount, onMounted } from 'vue'

const TYPING = 'input:not([type="radio"]):not([type="checkbox"]), select, textarea, dialog'

/** `act` returns whether it did something with the key. */
export function useKeys(act: (key: string) => boolean): void {
  function onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return
    const { target } = event
    if (target instanceof HTMLElement && target.closest(TYPING) !== null) return
    if (document.querySelector('dialog[open]') !== null) return
    if (act(event.key)) event.preventDefault()
  }
  onMounted(() => globalThis.addEventListener('keydown', onKey))
  onBeforeUnmount(() => globalThis.removeEventListener('keydown', onKey))
}
