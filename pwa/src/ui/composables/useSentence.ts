/** Problem codes as sentences in the person's language, with what to do about them. */
import { inject } from 'vue'
import { useI18n } from 'vue-i18n'
import { routeLocationKey } from 'vue-router'

/** What passes by itself: a phone keeps its records and tries again, a desk and the sign-in keep nothing and don't. */
const PASSING: ReadonlySet<string> = new Set([
  'offline',
  'timeout',
  'answer_broken',
  'server_failed',
  'internal',
  'disk_full',
  'database_away',
  'too_many_requests',
])

export function useSentence(): (code: string, params?: Record<string, unknown>) => string {
  const { t, te, d } = useI18n()
  const route = inject(routeLocationKey, null)
  return (code, params = {}) => {
    const key = `problem.${code}.sentence`
    if (!te(key) && !te(key, 'vi')) return t('problem.unexpected.sentence')
    const shown = { ...params }
    const { until } = params
    if (typeof until === 'string' && !Number.isNaN(Date.parse(until))) shown['until'] = d(new Date(until), 'moment')
    if (!PASSING.has(code)) return t(key, shown)
    const isPhone = (route?.meta.frame ?? 'phone') === 'phone'
    return `${t(key, shown)} ${t(isPhone ? 'problem.passing.phone' : 'problem.passing.desk')}`
  }
}
