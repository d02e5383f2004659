/** Problem codes as sentences in the person's language, with what to do about them. */
import { useI18n } from 'vue-i18n'

export function useSentence(): (code: string, params?: Record<string, unknown>) => string {
  const { t, te, d } = useI18n()
  return (code, params = {}) => {
    const key = `problem.${code}.sentence`
    if (!te(key) && !te(key, 'vi')) return t('problem.unexpected.sentence')
    const shown = { ...params }
    const { until } = params
    if (typeof until === 'string' && !Number.isNaN(Date.parse(until))) shown['until'] = d(new Date(until), 'moment')
    return t(key, shown)
  }
}
