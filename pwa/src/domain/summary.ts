/**
 * A record's answers in the form's order, as a person reads them: what was asked and answered, and beside it what stood before.
 *
 * Values that the form computed for itself and notes are left out; an absent answer was not asked and has no line, unless it stood in
 * the revision before. Rows are the same row by their `_rid`, wherever they stand.
 */

import { EXTRA, ROW_ID, isObject, pointerToken } from './answers'
import type { Field, FormSchema } from './form-schema'
import type { Answers, Json, JsonObject } from './record'
import { sameAnswer } from './unchanged'

export type Change = 'same' | 'changed' | 'added' | 'removed'

export type SummaryLine =
  | {
      readonly kind: 'answer'
      readonly field: Field
      /** JSON Pointer from the record's root, rows by their `_rid`: what comments are pinned to. */
      readonly pointer: string
      /** Undefined where it is not asked any more. */
      readonly value: Json | undefined
      readonly before: Json | undefined
      readonly change: Change
    }
  | { readonly kind: 'group'; readonly field: Field; readonly pointer: string; readonly lines: readonly SummaryLine[] }
  | {
      readonly kind: 'row'
      readonly field: Field
      readonly pointer: string
      /** From 1; a removed row has none. */
      readonly number: number | null
      readonly change: Change
      readonly lines: readonly SummaryLine[]
    }

/** Return the lines of `answers`; with `previous`, each says whether and how it differs from the revision before. */
export function summaryOf(schema: FormSchema, answers: Answers, previous: Answers | null = null): SummaryLine[] {
  return linesOf(schema.fields, answers, previous, '/answers')
}

/** Whether anything in these lines differs from the revision before. */
export function hasChanges(line: SummaryLine): boolean {
  if (line.kind === 'answer') return line.change !== 'same'
  return (line.kind === 'row' && line.change !== 'same') || line.lines.some(hasChanges)
}

function linesOf(fields: readonly Field[], now: Answers, before: Answers | null, path: string): SummaryLine[] {
  return fields.flatMap((field) => {
    const pointer = `${path}/${pointerToken(field.name)}`
    const value = now[field.name]
    const old = before?.[field.name]
    switch (field.kind) {
      case 'group':
        return groupOf(field, value, before === null ? null : (old ?? {}), pointer)
      case 'repeat':
        return rowsOf(field, value, before === null ? null : (old ?? []), pointer)
      case 'leaf':
        return answerOf(field, value, before === null ? value : old, pointer)
    }
  })
}

function answerOf(field: Field, value: Json | undefined, before: Json | undefined, pointer: string): SummaryLine[] {
  if (!field.isAsked || field.isCalculated || field.isOnce || field.type === 'note') return []
  if (value === undefined && before === undefined) return []
  return [{ kind: 'answer', field, pointer, value, before, change: changeOf(value, before) }]
}

function changeOf(value: Json | undefined, before: Json | undefined): Change {
  if (sameAnswer(value, before)) return 'same'
  if (before === undefined) return 'added'
  return value === undefined ? 'removed' : 'changed'
}

function groupOf(field: Field, value: Json | undefined, before: Json | null, pointer: string): SummaryLine[] {
  const lines = linesOf(field.children, asObject(value), before === null ? null : asObject(before), pointer)
  return lines.length === 0 ? [] : [{ kind: 'group', field, pointer, lines }]
}

function rowsOf(field: Field, value: Json | undefined, before: Json | null, pointer: string): SummaryLine[] {
  const rows = Array.isArray(value) ? value.filter(isObject) : []
  const old = new Map((Array.isArray(before) ? before.filter(isObject) : []).map((row) => [rowId(row), row]))
  const standing = rows.map((row, index): SummaryLine => {
    const id = rowId(row)
    const was = before === null ? null : (old.get(id) ?? {})
    const change = before === null || old.has(id) ? 'same' : 'added'
    old.delete(id)
    const place = `${pointer}/${pointerToken(id === '' ? String(index) : id)}`
    return {
      kind: 'row',
      field,
      pointer: place,
      number: index + 1,
      change,
      lines: linesOf(field.children, row, was, place),
    }
  })
  const removed = [...old].map(([id, row]): SummaryLine => {
    const place = `${pointer}/${pointerToken(id)}`
    return {
      kind: 'row',
      field,
      pointer: place,
      number: null,
      change: 'removed',
      lines: linesOf(field.children, {}, row, place),
    }
  })
  return [...standing, ...removed]
}

/** What a record carries that its form does not know, as `name: text`, for people who look closely. */
export function extrasOf(answers: Answers): { readonly name: string; readonly text: string }[] {
  const extra = answers[EXTRA]
  const own = isObject(extra) ? Object.entries(extra).map(([name, nodes]) => ({ name, text: plainText(nodes) })) : []
  const inner = Object.entries(answers).flatMap(([key, value]) => {
    if (key === EXTRA) return []
    if (isObject(value)) return extrasOf(value)
    return Array.isArray(value) ? value.filter(isObject).flatMap(extrasOf) : []
  })
  return [...own, ...inner]
}

function plainText(value: Json): string {
  if (Array.isArray(value)) return value.map(plainText).join(', ')
  if (isObject(value)) return Object.values(value).map(plainText).join(' ')
  return value === null ? '' : String(value)
}

function asObject(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {}
}

function rowId(row: JsonObject): string {
  const id = row[ROW_ID]
  return typeof id === 'string' ? id : ''
}

/** The answer that a label reads out: at `path`; of a repeat, in its first row. */
export function answerAt(answers: Answers, path: string): Json | undefined {
  let current: Json | undefined = answers
  for (const name of path.split('/').slice(1)) {
    if (Array.isArray(current)) current = current[0]
    current = isObject(current) ? current[name] : undefined
  }
  return current
}
