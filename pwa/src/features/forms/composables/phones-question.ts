/** What is asked once more before a form goes live: on how many phones it is, where that is known, and that it is for ever. */
import type { Composer } from 'vue-i18n'

export function phonesQuestion({ t, n }: Pick<Composer, 't' | 'n'>, phones: number | null): string {
  if (phones === null) return t('desk.publishing.ask.unknown')
  return `${t('desk.publishing.ask.phones', { count: n(phones) }, phones)} ${t('desk.forms.forever.hint')}`
}
