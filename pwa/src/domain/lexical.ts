/**
 * What a person typed, as the text that a record keeps: decimal comma to point, seconds on times, closed outlines, no control characters.
 *
 * The form engine turns bad lexical input into a blank without a word, so that everything passes here first. The result says what is
 * kept, or why nothing is; it never guesses a value that was not typed. Display is `Intl`'s business and not done here.
 */

import { parsePoints, pointsText, type Point } from './geometry'

export type LexicalType =
  | 'string'
  | 'int'
  | 'decimal'
  | 'date'
  | 'month-year'
  | 'year'
  | 'time'
  | 'dateTime'
  | 'geopoint'
  | 'geotrace'
  | 'geoshape'

export type MisfitReason =
  'not_a_number' | 'not_whole' | 'too_big' | 'not_a_date' | 'not_a_time' | 'not_a_point' | 'too_few_points'

export type Lexical =
  | { readonly kind: 'kept'; readonly value: string }
  | { readonly kind: 'blank' }
  | { readonly kind: 'misfit'; readonly reason: MisfitReason }

const BLANK: Lexical = { kind: 'blank' }
const kept = (value: string): Lexical => ({ kind: 'kept', value })
const misfit = (reason: MisfitReason): Lexical => ({ kind: 'misfit', reason })

/** What XML 1.0 can't carry: a draft that holds one of these can't be restored. */
const NOT_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu

/** Text that any XML parser gives back as it is: NFC, LF line ends, no control characters. */
export function cleanText(text: string): string {
  return text.replace(/\r\n?/gu, '\n').replace(NOT_XML, '').normalize('NFC')
}

export function toLexical(type: LexicalType, typed: string, timeZoneOffset = localOffset): Lexical {
  if (type === 'string') return typed === '' ? BLANK : kept(cleanText(typed))
  const text = cleanText(typed).trim()
  if (text === '') return BLANK
  switch (type) {
    case 'int':
      return toInt(text)
    case 'decimal':
      return toDecimal(text)
    case 'date': {
      const date = toDate(text)
      return date === null ? misfit('not_a_date') : kept(date)
    }
    case 'month-year':
    case 'year': {
      const date = toFirstDay(type, text)
      return date === null ? misfit('not_a_date') : kept(date)
    }
    case 'time': {
      const time = toTime(text)
      return time === null ? misfit('not_a_time') : kept(time)
    }
    case 'dateTime':
      return toDateTime(text, timeZoneOffset)
    case 'geopoint': {
      const points = parsePoints(text)
      return points?.length === 1 ? kept(pointsText(points)) : misfit('not_a_point')
    }
    case 'geotrace':
      return toTrace(text)
    case 'geoshape':
      return toOutline(text)
  }
}

const INT_MAX = 2_147_483_647

function toInt(text: string): Lexical {
  const compact = text.replace(/[\s\u00A0]/gu, '')
  // A whole number has no decimals, so that 1.200 and 1,200 can only be thousands.
  const digits = /^[+-]?\d{1,3}([.,])\d{3}(?:\1\d{3})*$/u.test(compact) ? compact.replace(/[.,]/gu, '') : compact
  if (/^[+-]?\d+[.,]\d*$/u.test(digits)) {
    return /^[+-]?\d+[.,]0*$/u.test(digits) ? toInt(digits.replace(/[.,].*$/u, '')) : misfit('not_whole')
  }
  if (!/^[+-]?\d+$/u.test(digits)) return misfit('not_a_number')
  const value = Number(digits)
  // `+ 0` turns minus nought into nought.
  return Math.abs(value) > INT_MAX ? misfit('too_big') : kept(String(value + 0))
}

function toDecimal(text: string): Lexical {
  let digits = text.replace(/[\s\u00A0]/gu, '')
  const comma = digits.lastIndexOf(',')
  const point = digits.lastIndexOf('.')
  if (comma >= 0 && point >= 0) {
    // Both stand: the last one is the decimal mark, the other groups thousands.
    const group = comma > point ? '.' : ','
    digits = digits.replaceAll(group, '')
  } else if (/^[+-]?\d{1,3}([.,])\d{3}(?:\1\d{3})+$/u.test(digits)) {
    digits = digits.replace(/[.,]/gu, '')
  }
  digits = digits.replace(',', '.')
  const match = /^([+-]?)(\d*)(?:\.(\d*))?$/u.exec(digits)
  if (match === null || (match[2] ?? '') + (match[3] ?? '') === '') return misfit('not_a_number')
  const whole = (match[2] ?? '').replace(/^0+(?=\d)/u, '') || '0'
  const decimals = match[3] ?? ''
  // More digits than a number on the phone holds would be changed without a word.
  if ((whole + decimals).replace(/^0+/u, '').length > 15) return misfit('too_big')
  const value = decimals === '' ? whole : `${whole}.${decimals}`
  return kept(match[1] === '-' && Number(value) !== 0 ? `-${value}` : value)
}

function toDate(text: string): string | null {
  const iso = /^(\d{4})-(\d{2})-(\d{2})$/u.exec(text)
  const local = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$/u.exec(text)
  const [year, month, day] = iso
    ? [Number(iso[1]), Number(iso[2]), Number(iso[3])]
    : local
      ? [Number(local[3]), Number(local[2]), Number(local[1])]
      : [0, 0, 0]
  const date = new Date(Date.UTC(2000, month - 1, day))
  date.setUTCFullYear(year, month - 1, day)
  if (year < 1 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

/** The first day of what was typed: `2026-03`, `3/2026`, or a year alone; as every ODK client keeps it. */
function toFirstDay(type: 'month-year' | 'year', text: string): string | null {
  if (type === 'year') return toDate(`${text}-01-01`)
  const [, month, year] = /^(\d{1,2})[/.-](\d{4})$/u.exec(text) ?? []
  return toDate(year === undefined ? `${text}-01` : `01/${month ?? ''}/${year}`)
}

function toTime(text: string): string | null {
  const match = /^(\d{1,2})[:hg](\d{2})(?::(\d{2})(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?$/iu.exec(text)
  if (match === null || Number(match[1]) > 23 || Number(match[2]) > 59 || Number(match[3] ?? 0) > 59) return null
  return /^\d{2}:\d{2}:\d{2}/u.test(text)
    ? text
    : `${(match[1] ?? '').padStart(2, '0')}:${match[2] ?? '00'}:${match[3] ?? '00'}`
}

function toDateTime(text: string, timeZoneOffset: (local: string) => string): Lexical {
  const [datePart = '', timePart = '', more] = text.split(/[T ]/u)
  const date = toDate(datePart)
  if (date === null || more !== undefined) return misfit('not_a_date')
  const time = toTime(timePart)
  if (time === null) return misfit('not_a_time')
  const hasOffset = /(?:Z|[+-]\d{2}:\d{2})$/iu.test(time)
  return kept(hasOffset ? `${date}T${time}` : `${date}T${time}${timeZoneOffset(`${date}T${time}`)}`)
}

/** The phone's own offset from UTC at that local time, `+07:00`. */
function localOffset(local: string): string {
  const minutes = -new Date(local).getTimezoneOffset()
  const pad = (value: number): string => String(value).padStart(2, '0')
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(Math.abs(minutes) / 60))}:${pad(Math.abs(minutes) % 60)}`
}

function toTrace(text: string): Lexical {
  const points = parsePoints(text)
  if (points === null) return misfit('not_a_point')
  return points.length < 2 ? misfit('too_few_points') : kept(pointsText(points))
}

function toOutline(text: string): Lexical {
  const points = parsePoints(text)
  const [first] = points ?? []
  if (points === null || first === undefined) return misfit('not_a_point')
  const last = points[points.length - 1]
  const isClosed = points.length > 1 && samePlace(first, last)
  const ring = isClosed ? points : [...points, first]
  return new Set(ring.map((point) => `${String(point.latitude)} ${String(point.longitude)}`)).size < 3
    ? misfit('too_few_points')
    : kept(pointsText(ring))
}

function samePlace(one: Point, other: Point | undefined): boolean {
  return one.latitude === other?.latitude && one.longitude === other.longitude
}
