/**
 * What a person changed in the form, brought to the record as somebody else has left it meanwhile. Nothing that was typed is lost: what
 * the other didn't touch goes on with the record as it is now, the rest is handed back to be shown beside it.
 */
import { ROW_ID, isObject } from './answers'
import type { FieldChoice } from './choosing'
import { stepsOf, valueAt, type KnownValue } from './pointers'
import { readableAnswers } from './readable'
import type { Answers, Document, Json } from './record'

/**
 * What a person changed in the form when the record was opened there: field by field, so that a choice made after it stands beside it;
 * as whole answers only where a new row came in, which no single field says.
 */
export type FormEdits = {
  readonly changes: readonly FieldChoice[]
  readonly whole: { readonly answers: Answers; readonly version: string } | null
}

export type CarriedEdits = {
  readonly edits: FormEdits | null
  /** What somebody else touched, or the form that stands now may not know. */
  readonly lost: readonly FieldChoice[]
}

/** Bring edits from the record in which they were made to the record as it stands now; `changed` are the fields that somebody touched. */
export function carriedEdits(
  edits: FormEdits | null,
  before: Document,
  now: Document,
  changed: readonly string[],
): CarriedEdits {
  if (edits === null) return { edits: null, lost: [] }
  const isOtherForm = before['form_version'] !== now['form_version'] || changed.includes('/answers')
  const isTouched = (path: string): boolean => changed.some((each) => isWithin(path, each) || isWithin(each, path))
  const changes = edits.changes.filter(({ path }) => !isOtherForm && !isTouched(path))
  const lost = edits.changes.filter((change) => !changes.includes(change))
  const { whole } = edits
  if (whole === null || isOtherForm) return { edits: changes.length === 0 ? null : { changes, whole: null }, lost }
  const answers = rebased(readableAnswers(before['answers']), whole.answers, readableAnswers(now['answers']))
  // What the other decided stands, also where it is what stood before.
  const standing = changed.reduce((found, path) => withValue(found, path, valueAt(now, path)), answers)
  return { edits: { changes, whole: { ...whole, answers: standing } }, lost }
}

/** Whether `path` is the field at `other`, or a choice or cell of it. */
export function isWithin(path: string, other: string): boolean {
  return path === other || path.startsWith(`${other}/`)
}

/** The answers with one field set or left out; unchanged where the group or row around it isn't there. */
export function withValue(answers: Answers, pointer: string, value: KnownValue): Answers {
  const [, ...steps] = stepsOf(pointer)
  const changed = put(answers, steps, value)
  return isObject(changed) ? changed : answers
}

function put(at: Json, [step, ...rest]: readonly string[], value: KnownValue): Json {
  if (step === undefined) return at
  if (Array.isArray(at)) {
    return at.flatMap((row) => {
      if (!isObject(row) || row[ROW_ID] !== step) return [row]
      return rest.length > 0 ? [put(row, rest, value)] : value.is_absent ? [] : [value.value]
    })
  }
  if (!isObject(at)) return at
  if (rest.length > 0) return step in at ? { ...at, [step]: put(at[step] ?? null, rest, value) } : at
  const others = Object.fromEntries(Object.entries(at).filter(([name]) => name !== step))
  return value.is_absent ? others : { ...at, [step]: value.value }
}

/** `now` with what `mine` changed since `before`; where both changed the same field, `now` stands. Rows are the same row by their id. */
export function rebased(before: Answers, mine: Answers, now: Answers): Answers {
  const found = together(before, mine, now)
  return isObject(found) ? found : now
}

function together(before: Json | undefined, mine: Json | undefined, now: Json | undefined): Json | undefined {
  if (isSame(before, mine)) return now
  if (isSame(before, now)) return mine
  if (isObject(mine) && isObject(now)) {
    const was = isObject(before) ? before : {}
    const names = [...new Set([...Object.keys(now), ...Object.keys(mine)])]
    return Object.fromEntries(
      names.flatMap((name) => {
        const value = together(was[name], mine[name], now[name])
        return value === undefined ? [] : [[name, value]]
      }),
    )
  }
  const [wasRows, myRows, rows] = [rowsOf(before), rowsOf(mine), rowsOf(now)]
  if (myRows === null || rows === null) return now
  const ids = [...new Set([...rows.keys(), ...myRows.keys()])]
  return ids.flatMap((id) => together(wasRows?.get(id), myRows.get(id), rows.get(id)) ?? [])
}

function rowsOf(value: Json | undefined): Map<Json | undefined, Json> | null {
  return Array.isArray(value) && value.every(isObject) ? new Map(value.map((row) => [row[ROW_ID], row])) : null
}

function isSame(one: Json | undefined, other: Json | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
