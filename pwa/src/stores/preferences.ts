/** Language and theme, kept on the phone and applied to the whole page. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { LOCALES, setLocale, type Locale } from '@/locales/i18n'
import { getSetting, putSetting } from '@/storage/settings'

export type Theme = 'light' | 'outdoor'

export const usePreferences = defineStore('preferences', () => {
  const locale = ref<Locale>('vi')
  const theme = ref<Theme>('light')

  async function load(): Promise<void> {
    try {
      locale.value = await getSetting<Locale>('locale', 'vi')
      theme.value = await getSetting<Theme>('theme', 'light')
    } catch {
      // A browser that gives no storage at all still shows the sign-in, which says so.
    }
    apply()
  }

  async function chooseLocale(chosen: Locale): Promise<void> {
    locale.value = chosen
    apply()
    await putSetting('locale', chosen)
  }

  /** The language that the person's account names, unless this phone's person already chose one. */
  async function suggestLocale(suggested: Locale): Promise<void> {
    if (!LOCALES.includes(suggested) || (await getSetting<Locale | ''>('locale', '')) !== '') return
    locale.value = suggested
    apply()
  }

  async function chooseTheme(chosen: Theme): Promise<void> {
    theme.value = chosen
    apply()
    await putSetting('theme', chosen)
  }

  function apply(): void {
    setLocale(locale.value)
    document.documentElement.dataset['theme'] = theme.value
  }

  return { locale, theme, load, suggestLocale, chooseLocale, chooseTheme }
})
