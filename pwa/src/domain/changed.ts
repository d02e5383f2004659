/**
 * What has become of a person's save: the fields in which the record now differs from what they wrote, and why as far as
 * this phone was told. Somebody decided, or it is still open, or somebody else has simply changed it.
 */
import type { Field, FormSchema } from './form-schema'
import type { Answers, Json } from './record'
import { summaryOf, type SummaryLine } from './summary'

/** What somebody did to the record since: edited it, or decided about the fields in `decided`. */
export type Deed = { readonly name: string; readonly decided: readonly string[]; readonly comment: string }

export type Why =
  | { readonly kind: 'decided'; readonly name: string; readonly comment: string }
  | { readonly kind: 'open' }
  | { readonly kind: 'changed' }

export type FieldChange = {
  readonly pointer: string
  readonly field: Field
  /** The rows around it, outermost first. */
  readonly rows: readonly { readonly field: Field; readonly number: number | null }[]
  readonly mine: Json | undefined
  readonly now: Json | undefined
  readonly why: Why
}

type Row = FieldChange['rows'][number]

/** Return what differs between a person's answers and those that stand, in the form's order. */
export function changesSince(
  schema: FormSchema,
  mine: Answers,
  now: Answers,
  deeds: readonly Deed[],
  open: readonly string[],
): FieldChange[] {
  return summaryOf(schema, now, mine).flatMap((line) => changesIn(line, [], deeds, open))
}

function changesIn(
  line: SummaryLine,
  rows: readonly Row[],
  deeds: readonly Deed[],
  open: readonly string[],
): FieldChange[] {
  if (line.kind !== 'answer') {
    const inner = line.kind === 'row' ? [...rows, { field: line.field, number: line.number }] : rows
    return line.lines.flatMap((each) => changesIn(each, inner, deeds, open))
  }
  if (line.change === 'same') return []
  const { pointer, field, value: now, before: mine } = line
  return [{ pointer, field, rows, mine, now, why: whyOf(pointer, deeds, open) }]
}

function whyOf(pointer: string, deeds: readonly Deed[], open: readonly string[]): Why {
  if (open.some((path) => concerns(path, pointer))) return { kind: 'open' }
  const decision = deeds.findLast(({ decided }) => decided.some((path) => concerns(path, pointer)))
  return decision === undefined
    ? { kind: 'changed' }
    : { kind: 'decided', name: decision.name, comment: decision.comment }
}

/** Whether a path is about a field: itself, a choice or part of it, or the row that it stands in. Whether the record lives is about none. */
function concerns(path: string, pointer: string): boolean {
  if (path === '') return false
  return path === pointer || path.startsWith(`${pointer}/`) || pointer.startsWith(`${path}/`)
}
