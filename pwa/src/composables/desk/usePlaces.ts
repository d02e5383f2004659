/** The places that a record's answers name, by the form's own question types. */
import { shallowRef, watch, type ShallowRef } from 'vue'
import { labelParts, type Field } from '@/domain/form-schema'
import { parsePoints, type Point } from '@/domain/geometry'
import type { Answers, Json } from '@/domain/record'
import type { Api } from '@/api/client'
import { formContents, schemaOf } from '../form-contents'

export type NamedPlace = { readonly path: string; readonly label: string; readonly points: readonly Point[] }

const TYPES = new Set(['geopoint', 'geotrace', 'geoshape'])

export function usePlaces(
  api: Api,
  record: () => { form: string; version: string; answers: Answers; language: string } | null,
): ShallowRef<readonly NamedPlace[]> {
  const places = shallowRef<readonly NamedPlace[]>([])
  const download = async (path: string): Promise<string> => (await api.send(path)).text()
  watch(
    record,
    async (found) => {
      places.value = []
      if (found === null) return
      const contents = await formContents(found.form, found.version, download)
      // Without its form a record shows no places; its answers are shown as they are.
      if (contents === null) return
      places.value = placesIn(schemaOf(contents).fields, found.answers, found.language)
    },
    { immediate: true },
  )
  return places
}

export function placesIn(fields: readonly Field[], answers: Answers, language: string): NamedPlace[] {
  return fields.flatMap((field) => {
    const answer = answers[field.name]
    if (field.kind === 'leaf') {
      const points = TYPES.has(field.type) && typeof answer === 'string' ? parsePoints(answer) : null
      return points === null ? [] : [{ path: field.path, label: labelOf(field, language), points }]
    }
    const inner = field.kind === 'group' ? [answer] : Array.isArray(answer) ? answer : []
    return inner.filter(isAnswers).flatMap((each) => placesIn(field.children, each, language))
  })
}

function isAnswers(value: Json | undefined): value is Answers {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function labelOf(field: Field, language: string): string {
  const parts = labelParts(field.labels, language).filter((part) => typeof part === 'string')
  return parts.join('').replace(/\*\*|__/gu, '') || field.name
}
