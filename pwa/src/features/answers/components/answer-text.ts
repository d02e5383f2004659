/** An answer in one line of words, by the type of its question; files are their names. */
import type { ComposerTranslation } from 'vue-i18n'
import { labelParts, type Field } from '@/domain/form-schema'
import type { Json } from '@/domain/record'
import {
  shownDate,
  shownDateTime,
  shownNumber,
  shownOutline,
  shownPoint,
  shownTime,
} from '@/features/answers/shown-values'

export type Reading = {
  readonly t: ComposerTranslation
  readonly language: string
  /** Labels by value, by the list's file. */
  readonly lists: ReadonlyMap<string, ReadonlyMap<string, string>>
}

/** Undefined is a question that wasn't asked, null one without an answer. */
export function answerText(field: Field, value: Json | undefined, reading: Reading): string {
  if (value === undefined) return reading.t('fill.summary.absent')
  if (value === null) return reading.t('fill.summary.blank')
  if (!Array.isArray(value)) return typeof value === 'string' ? textOf(field, value, reading) : JSON.stringify(value)
  const labels = value.filter((each) => typeof each === 'string').map((each) => choiceText(field, each, reading))
  return field.type === 'rank'
    ? labels.map((label, index) => `${String(index + 1)}. ${label}`).join(' · ')
    : labels.join(', ')
}

export function choiceText(field: Field, value: string, { language, lists }: Omit<Reading, 't'>): string {
  const known = field.choices.find((each) => each.value === value)
  const label =
    known &&
    labelParts(known.labels, language)
      .map((part) => (typeof part === 'string' ? part : ''))
      .join('')
  if (label !== undefined && label !== '') return label.replace(/\*\*|__/gu, '')
  return (field.list && lists.get(field.list.file)?.get(value)) ?? value
}

function textOf(field: Field, value: string, reading: Reading): string {
  const { language, t } = reading
  switch (field.type) {
    case 'integer':
    case 'decimal':
      return shownNumber(value, language)
    case 'date':
      return shownDate(value, language, field.precision)
    case 'time':
      return shownTime(value)
    case 'dateTime':
      return shownDateTime(value, language)
    case 'select_one':
      return choiceText(field, value, reading)
    case 'geopoint': {
      const point = shownPoint(value, language)
      if (point === null) return value
      return point.accuracy === null
        ? point.place
        : `${point.place} (${t('fill.summary.accuracy', { metres: point.accuracy })})`
    }
    case 'geotrace':
    case 'geoshape': {
      const outline = shownOutline(value, field.type, language)
      return outline === null ? value : t('fill.outline.kept', { count: outline.points, size: outline.size })
    }
    case 'trigger':
      return t('fill.summary.yes')
    default:
      return value
  }
}
