/** The files of a record that its answers still name; the others were replaced or removed and need not travel. */

import type { Field, FormSchema, FieldType } from './form-schema'
import type { Answers, Json, Media } from './record'
import { isObject } from './answers'
import { fileStem, recordedField } from './recorded'
import { answerAt } from './summary'

export const MEDIA_TYPES: ReadonlySet<FieldType> = new Set(['image', 'audio', 'video', 'file'] satisfies FieldType[])

export function mentionedMedia(schema: FormSchema, answers: Answers, media: Media): Media {
  const names = new Set(namesIn(schema.fields, answers))
  const sound = recordedField(schema, 'sound')
  const recorded = sound === undefined ? undefined : answerAt(answers, sound.path)
  const isSound = (name: string): boolean => typeof recorded === 'string' && fileStem(name) === fileStem(recorded)
  return Object.fromEntries(Object.entries(media).filter(([name]) => names.has(name) || isSound(name)))
}

function namesIn(fields: readonly Field[], answers: Answers): string[] {
  return fields.flatMap((field): string[] => {
    const value: Json | undefined = answers[field.name]
    if (field.kind === 'group') return isObject(value) ? namesIn(field.children, value) : []
    if (field.kind === 'repeat') {
      return Array.isArray(value) ? value.filter(isObject).flatMap((row) => namesIn(field.children, row)) : []
    }
    return MEDIA_TYPES.has(field.type) && typeof value === 'string' ? [value] : []
  })
}
