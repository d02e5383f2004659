/**
 * The log of filling a form, as ODK writes it (`audit.csv`): what was done when, event by event.
 *
 * Pure: time and places are handed in. It holds no answers unless the form asks for changes, and no more than `MAX_EVENTS` events: what
 * comes after is counted in the last line, so that a log that ends early says so.
 */
import type { LogOptions } from './recorded'

/** ODK's names, and `log full`, which is ours. */
export type LogEventName =
  | 'form start'
  | 'form resume'
  | 'form save'
  | 'form exit'
  | 'form finalize'
  | 'group questions'
  | 'question'
  | 'end screen'
  | 'location tracking enabled'
  | 'location tracking disabled'
  | 'background audio enabled'
  | 'background audio disabled'
  | 'log full'

export type LogPlace = { readonly latitude: number; readonly longitude: number; readonly accuracy_m: number }

/** Times in milliseconds; `end` is null of what takes no time. */
export type LogEvent = {
  readonly event: LogEventName
  readonly node: string
  readonly start: number
  readonly end: number | null
  readonly place?: LogPlace
  /** The answer before and after, where it differs. */
  readonly change?: readonly [before: string, after: string]
}

/** Enough for a day's work on one form; some 150 KB with places and changes. */
export const MAX_EVENTS = 2000
/** What begins and ends a sitting finds room behind all others. */
const ROOM_FOR_FORM = 100
const MAX_VALUE = 200
const TAKES_TIME: ReadonlySet<LogEventName> = new Set(['question', 'group questions', 'end screen'])

/** `events` with one more; of a full log the same, or the same with the line that says so. */
export function withEvent(events: readonly LogEvent[], event: LogEvent): readonly LogEvent[] {
  const limit = TAKES_TIME.has(event.event) ? MAX_EVENTS : MAX_EVENTS + ROOM_FOR_FORM
  if (events.length < limit) return [...events, event]
  if (events.some((each) => each.event === 'log full')) return events
  return [...events, { event: 'log full', node: '', start: event.start, end: null }]
}

export function logValue(value: string): string {
  return value.length <= MAX_VALUE ? value : `${value.slice(0, MAX_VALUE)}…`
}

/** The file, with the columns that the form asks for. */
export function logCsv(events: readonly LogEvent[], options: LogOptions, user: string): string {
  const header = [
    ...['event', 'node', 'start', 'end'],
    ...(options.places === null ? [] : ['latitude', 'longitude', 'accuracy']),
    ...(options.hasChanges ? ['old-value', 'new-value'] : []),
    ...(options.hasUser ? ['user'] : []),
  ]
  const rows = events.map(({ event, node, start, end, place, change }) => [
    ...[event, node, String(start), end === null ? '' : String(end)],
    ...(options.places === null ? [] : placeCells(place)),
    ...(options.hasChanges ? (change ?? ['', '']) : []),
    ...(options.hasUser ? [user] : []),
  ])
  return [header, ...rows].map((cells) => `${cells.map(cell).join(',')}\n`).join('')
}

function placeCells(place: LogPlace | undefined): string[] {
  return place === undefined
    ? ['', '', '']
    : [place.latitude.toFixed(6), place.longitude.toFixed(6), place.accuracy_m.toFixed(1)]
}

function cell(text: string): string {
  return /[",\n\r]/u.test(text) ? `"${text.replace(/"/gu, '""')}"` : text
}
