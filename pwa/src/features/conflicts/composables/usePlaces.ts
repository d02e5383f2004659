/** The places that a record's answers name, by the form's own question types. */
import { computed, type ComputedRef } from 'vue'
import { labelParts, type Field } from '@/domain/form-schema'
import { parsePoints, type Point } from '@/domain/geometry'
import type { Answers, Json } from '@/domain/record'
import type { KnownForm } from '@/features/answers/useFormSchema'

export type NamedPlace = { readonly path: string; readonly label: string; readonly points: readonly Point[] }

const TYPES = new Set(['geopoint', 'geotrace', 'geoshape'])

export function usePlaces(
  form: () => KnownForm | null,
  answers: () => Answers,
  language: () => string,
): ComputedRef<readonly NamedPlace[]> {
  return computed(() => placesIn(form()?.schema.fields ?? [], answers(), language()))
}

export function placesIn(fields: readonly Field[], answers: Answers, language: string): NamedPlace[] {
  return fields.flatMap((field) => {
    const answer = answers[field.name]
    if (field.kind === 'leaf') {
      const points = TYPES.has(field.type) && typeof answer === 'string' ? parsePoints(answer) : null
      return points === null ? [] : [{ path: field.path, label: plainLabel(field, language), points }]
    }
    const inner = field.kind === 'group' ? [answer] : Array.isArray(answer) ? answer : []
    return inner.filter(isAnswers).flatMap((each) => placesIn(field.children, each, language))
  })
}

/** A question's label in plain words, without what it reads out of other answers. */
export function plainLabel(field: Field, language: string): string {
  const parts = labelParts(field.labels, language).filter((part) => typeof part === 'string')
  return (
    parts
      .join('')
      .replace(/\*\*|__/gu, '')
      .replace(/<[^>]*>/gu, '')
      .trim() || field.name
  )
}

function isAnswers(value: Json | undefined): value is Answers {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
