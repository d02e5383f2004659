/** What the server says in several languages, in the reader's; and a question's field as the screens show answers by. */
import type { ConflictPage, Question, Text } from '@/api/conflicts'
import type { Field, FieldType, LabelPart } from '@/domain/form-schema'
import type { Json, MediaRef } from '@/domain/record'
import { isObject } from '@/domain/answers'

/** In `language`, else in Vietnamese, else in any; `otherwise` where there are no words at all. */
export function inLanguage(text: Text | string | null, language: string, otherwise = ''): string {
  if (typeof text === 'string') return text
  const found = text?.[language] ?? text?.['vi'] ?? Object.values(text ?? {})[0]
  return found === undefined || found === '' ? otherwise : found
}

/** The last step of a path, where the form has no label for it. */
export function lastStep(path: string): string {
  return path.split('/').at(-1) ?? path
}

const labelsOf = (text: Text): Map<string, readonly LabelPart[]> =>
  new Map(Object.entries(text).map(([language, words]) => [language, [words]]))

/** A question as a field of its form, by what the server says of it: its form need not be here. */
export function fieldOf(question: Pick<Question, 'path' | 'type' | 'label' | 'choices' | 'list_file'>): Field {
  const { path, type, label, choices, list_file: file } = question
  return {
    name: lastStep(path),
    path,
    kind: type === 'repeat' ? 'repeat' : 'leaf',
    type: type === 'repeat' ? '' : (type as FieldType),
    labels: labelsOf(label),
    guidance: new Map(),
    choices: choices.map((choice) => ({ value: choice.value, labels: labelsOf(choice.label) })),
    list: file === null ? null : { file, valueColumn: '', labelColumn: '' },
    isCalculated: false,
    isOnce: false,
    isRequired: false,
    isSensitive: false,
    isAsked: true,
    merge: null,
    children: [],
  }
}

/** The file that an answer names, or that it is; null where nobody has described it. */
export function fileOf(value: Json, media: ConflictPage['media']): { name: string; file: MediaRef | null } {
  const sha256 = isObject(value) ? value['sha256'] : undefined
  const found = Object.entries(media).find(([hash, { name }]) => hash === sha256 || name === value)
  if (found === undefined) return { name: typeof value === 'string' ? value : '', file: null }
  const [hash, { name, type }] = found
  return { name, file: { sha256: hash, bytes: '0', type } }
}
