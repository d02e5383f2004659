/**
 * The two languages: every file of `vi/` and `en/` is merged into one table of its language. Vietnamese is what the app
 * starts with and falls back to. The words of forms and single records come with the screens that show one, the desk's with
 * the desk, so that phones start without them.
 */
import { createI18n } from 'vue-i18n'

export type Locale = 'vi' | 'en'
export const LOCALES: readonly Locale[] = ['vi', 'en']

type Messages = { [key: string]: string | Messages }
export type Files = Record<string, Messages>
const files: Files = import.meta.glob<Messages>('./{vi,en}/{frame,phone,problems}.json', {
  eager: true,
  import: 'default',
})
function merged(locale: Locale, from: Files = files): Messages {
  const parts = Object.entries(from).filter(([path]) => path.startsWith(`./${locale}/`))
  return parts.reduce<Messages>((all, [, messages]) => joined(all, messages), {})
}

/** Files may share a top-level name (`problem`), so that each area brings its own sentences. */
function joined(left: Messages, right: Messages): Messages {
  const both: Messages = { ...left }
  for (const [key, value] of Object.entries(right)) {
    const existing = both[key]
    both[key] = typeof existing === 'object' && typeof value === 'object' ? joined(existing, value) : value
  }
  return both
}

const formats = {
  clock: { hour: '2-digit', minute: '2-digit' },
  day: { day: '2-digit', month: '2-digit', year: 'numeric' },
  moment: { day: '2-digit', month: '2-digit', year: 'numeric', hour: '2-digit', minute: '2-digit' },
} as const

export const i18n = createI18n({
  legacy: false,
  locale: 'vi',
  fallbackLocale: { en: ['en-GB', 'vi'], default: ['vi'] },
  messages: { vi: merged('vi'), en: merged('en') },
  // Days before months in English too, as everybody here writes them.
  datetimeFormats: { vi: formats, 'en-GB': formats },
})

export function setLocale(locale: Locale): void {
  i18n.global.locale.value = locale
  document.documentElement.lang = locale
}

type Load = () => Promise<{ words: Files }>
const forForms: Load = () => import('./form-words')
const forDesks: Load = () => import('./desk-words')

/** Add the words of filled forms and of single records; resolves at once when they are there. */
export const loadFormWords = addingOnce(forForms)

/** Add the words that only the desk uses, which shows filled forms too. */
export const loadDeskWords = addingOnce(forForms, forDesks)

function addingOnce(...from: Load[]): () => Promise<void> {
  let adding: Promise<void> | null = null
  async function add(): Promise<void> {
    for (const { words } of await Promise.all(from.map(async (load) => load()))) {
      for (const locale of LOCALES) i18n.global.mergeLocaleMessage(locale, merged(locale, words))
    }
  }
  return () => {
    adding ??= add().catch((error: unknown) => {
      // Not kept: the next way there tries again.
      adding = null
      throw error
    })
    return adding
  }
}
