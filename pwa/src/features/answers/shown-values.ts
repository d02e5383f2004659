/** A record's texts as a person reads them: decimal comma, dd/mm/yyyy, degrees, hectares. Unreadable text is shown as it is. */
import { area_ha, length_m, parsePoints } from '@/domain/geometry'

/** `1.5` as it is typed again: `1,5` in Vietnamese; `2.0` is a plain 2. */
export function editedNumber(value: string, locale: string): string {
  const plain = value.replace(/\.0+$/u, '')
  return locale === 'vi' ? plain.replace('.', ',') : plain
}

/** `1,5`, `4483`, `10.737`: four digits may be a year, and are set apart in none. */
export function shownNumber(value: string, locale: string): string {
  const number = Number(value)
  if (value.trim() === '' || !Number.isFinite(number)) return value
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 9, useGrouping: 'min2' }).format(number)
}

/** A month or a year alone where its question asks for no more: the record holds its first day. */
export function shownDate(value: string, locale: string, precision?: 'month-year' | 'year'): string {
  const day = dayIn(value)
  const options = {
    ...(precision === undefined && { day: '2-digit' as const }),
    ...(precision !== 'year' && { month: precision === undefined ? ('2-digit' as const) : ('long' as const) }),
    year: 'numeric',
    timeZone: 'UTC',
  } as const
  return day === null ? value : new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, options).format(day)
}

/** With its weekday, so that a wrong day is seen at once. */
export function longDate(value: string, locale: string): string {
  const day = dayIn(value)
  if (day === null) return value
  const weekday = new Intl.DateTimeFormat(locale, { weekday: 'long', timeZone: 'UTC' }).format(day)
  return `${weekday}, ${shownDate(value, locale)}`
}

/** Null for a day that no month has, which JavaScript would take for one of the next. */
function dayIn(value: string): Date | null {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})/u.exec(value) ?? []
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day) ? date : null
}

/** The wall clock that was written, whatever time zone the reader is in. */
export function shownTime(value: string): string {
  return /(\d{2}:\d{2})(?::\d{2})?/u.exec(value.replace(/^[\d-]+T/u, ''))?.[1] ?? value
}

export function shownDateTime(value: string, locale: string): string {
  const isMoment = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/u.test(value) && dayIn(value) !== null
  return isMoment ? `${shownTime(value)} ${shownDate(value, locale)}` : value
}

export type ShownPoint = { readonly place: string; readonly accuracy: string | null }

/** `21,38690° B, 103,01940° Đ` in Vietnamese, `21.38690° N, 103.01940° E` in English; about a metre. */
export function shownPoint(value: string, locale: string): ShownPoint | null {
  const [point] = parsePoints(value) ?? []
  if (point === undefined) return null
  const sides = locale === 'vi' ? ['B', 'N', 'Đ', 'T'] : ['N', 'S', 'E', 'W']
  const degrees = new Intl.NumberFormat(locale, { minimumFractionDigits: 5, maximumFractionDigits: 5 })
  const part = (number: number, plus: string | undefined, minus: string | undefined): string =>
    `${degrees.format(Math.abs(number))}° ${(number < 0 ? minus : plus) ?? ''}`
  const place = `${part(point.latitude, sides[0], sides[1])}, ${part(point.longitude, sides[2], sides[3])}`
  return { place, accuracy: point.accuracy_m === null ? null : shownMetres(point.accuracy_m, locale) }
}

export function shownMetres(metres: number, locale: string): string {
  const digits = metres < 10 ? 1 : 0
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(metres)} m`
}

export type ShownOutline = { readonly points: number; readonly size: string }

/** How many points, and the length of a line or the area of an outline. */
export function shownOutline(value: string, type: 'geotrace' | 'geoshape', locale: string): ShownOutline | null {
  const points = parsePoints(value)
  if (points === null) return null
  if (type === 'geotrace') return { points: points.length, size: shownMetres(length_m(points), locale) }
  return { points: points.length - 1, size: shownArea(area_ha(points), locale) }
}

/** Hectares; below one, square metres too. */
export function shownArea(hectares: number, locale: string): string {
  const ha = `${new Intl.NumberFormat(locale, { maximumFractionDigits: hectares < 10 ? 3 : 2 }).format(hectares)} ha`
  return hectares >= 1
    ? ha
    : `${ha} (${new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }).format(hectares * 10_000)} m²)`
}

export function shownBytes(bytes: number, locale: string): string {
  const [size, unit] = bytes >= 1_000_000 ? [bytes / 1_000_000, 'MB'] : [bytes / 1000, 'KB']
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(size)} ${unit}`
}
