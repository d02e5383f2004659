/** The words that only the desk uses. */
import type { Files } from './i18n'

export const words: Files = import.meta.glob('./{vi,en}/{conflicts,desk,findings,pairs,peers,quarantine}.json', {
  eager: true,
  import: 'default',
})
