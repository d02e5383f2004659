/** What differs between two branches of a record, as rows of a table: one question a row, what each side answered. */
import type { Field, FormSchema } from '@/domain/form-schema'
import type { Answers, Json } from '@/domain/record'
import { fieldAt, stepsOf } from '@/domain/pointers'
import { hasChanges, summaryOf, type SummaryLine } from '@/domain/summary'
import { plainLabel } from './usePlaces'

export type ComparedAnswer = {
  readonly pointer: string
  readonly field: Field
  /** The question's label, after those of the groups and the row that it stands in. */
  readonly label: string
  readonly shown: Json | undefined
  readonly other: Json | undefined
}

export function comparison(schema: FormSchema, shown: Answers, other: Answers, language: string): ComparedAnswer[] {
  return summaryOf(schema, other, shown).flatMap((line) => rows(line, '', language))
}

function rows(line: SummaryLine, before: string, language: string): ComparedAnswer[] {
  if (!hasChanges(line)) return []
  const own = plainLabel(line.field, language)
  const label = before === '' ? own : `${before} · ${own}`
  if (line.kind === 'answer') {
    return [{ pointer: line.pointer, field: line.field, label, shown: line.before, other: line.value }]
  }
  const numbered = line.kind === 'row' && line.number !== null ? `${label} ${String(line.number)}` : label
  return line.lines.flatMap((inner) => rows(inner, numbered, language))
}

/** The label of the question that a comment is pinned to; its pointer, with rows by their ids, where the form has no such question. */
export function labelAt(schema: FormSchema | null, pointer: string, language: string): string {
  const field = fieldAt(schema, pointer)
  return field === null ? stepsOf(pointer).slice(1).join(' › ') : plainLabel(field, language)
}
