/** What changed between two answers of one form, as fields set or left out: what a person did in the form, said field by field. */
import type { FieldChoice } from './choosing'
import type { FormSchema } from './form-schema'
import type { Answers } from './record'
import { summaryOf, type SummaryLine } from './summary'

export type AnswerChanges = {
  readonly changes: readonly FieldChoice[]
  /** A row came in that was in neither: the fields alone can't say so. */
  readonly hasNewRows: boolean
}

export function changesBetween(schema: FormSchema, before: Answers, after: Answers): AnswerChanges {
  const lines = summaryOf(schema, after, before)
  return { changes: lines.flatMap(changesIn), hasNewRows: lines.some(hasNewRow) }
}

function changesIn(line: SummaryLine): FieldChoice[] {
  if (line.kind === 'answer') {
    if (line.change === 'same') return []
    const { pointer: path, value } = line
    return [value === undefined ? { path, remove: true } : { path, value }]
  }
  if (line.kind === 'row' && line.change === 'removed') return [{ path: line.pointer, remove: true }]
  return line.lines.flatMap(changesIn)
}

function hasNewRow(line: SummaryLine): boolean {
  if (line.kind === 'answer') return false
  return (line.kind === 'row' && line.change === 'added') || line.lines.some(hasNewRow)
}
