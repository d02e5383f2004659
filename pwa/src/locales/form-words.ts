/** The words of filled forms and of single records. */
import type { Files } from './i18n'

export const words: Files = import.meta.glob('./{vi,en}/{fill,record}.json', { eager: true, import: 'default' })
