/** What the server says in several languages, in the reader's; and a question's field as the screens show answers by. */
import type { ConflictEvent, ConflictPage, Question, Text } from '@/features/conflicts/api/conflicts'
import type { Field, FieldType, LabelPart } from '@/domain/form-schema'
import type { Json, MediaRef } from '@/domain/record'
import { isObject } from '@/domain/answers'

/** In `language`, else in Vietnamese, else in any; `otherwise` where there are no words at all. */
export function inLanguage(text: Text, language: string, otherwise = ''): string {
  const found = text[language] ?? text['vi'] ?? Object.values(text)[0]
  return found === undefined || found === '' ? otherwise : found
}

/** What a field is called: in the form's words, the whole record and all its answers in ours. */
export function nameOf(t: (key: string) => string, path: string, label: Text, language: string): string {
  if (path === '') return t('conflicts.question.record')
  if (path === ANSWERS) return t('conflicts.question.answers')
  return inLanguage(label, language, lastStep(path))
}

/** All answers as one field: what is chosen between where no way leads from one form version to the other. */
export const ANSWERS = '/answers'

/**
 * What others changed beside an edit without knowing of it, nor it of them: a field once, as it was changed last. What the edit itself
 * is about is left out.
 */
export function changedBeside(history: readonly ConflictEvent[], rev: string, path: string): ConflictEvent['changed'] {
  const known = reachedFrom(history, rev)
  const beside = history.filter(
    (event) => event.kind === 'edit' && !known.has(event.rev) && !reachedFrom(history, event.rev).has(rev),
  )
  const changed = beside.flatMap((event) => event.changed).filter((change) => change.path !== path)
  return [...new Map(changed.map((change) => [change.path, change])).values()]
}

/** Everything that whoever wrote a revision knew, itself included. */
function reachedFrom(history: readonly ConflictEvent[], rev: string): ReadonlySet<string> {
  const events = new Map(history.map((event) => [event.rev, event]))
  const found = new Set<string>()
  const ahead = [rev]
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    if (found.has(next)) continue
    found.add(next)
    const event = events.get(next)
    if (event !== undefined) ahead.push(...event.merged, ...(event.parent === null ? [] : [event.parent]))
  }
  return found
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
    firstRows: 0,
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
