/**
 * What a person really changed in a record that was opened in the form engine and saved again.
 *
 * The engine rewrites what it reads: `1.50` becomes `1.5`, a choice that left the list becomes blank, what the form does not know is
 * dropped. None of that is an edit. So of every question whose answer is still what the engine made of it on opening, the record keeps
 * the text that it had, and what stood in `$extra` stays. Calculated answers are the form's own and always the newest.
 */

import { EXTRA, ROW_ID, isObject } from './answers'
import type { Field, FormSchema } from './form-schema'
import type { Answers, Json } from './record'

/**
 * Return `saved` with everything that nobody changed put back as in `base`.
 *
 * `opened` is what the engine made of `base` before anybody touched it. Rows are the same row by their `_rid`.
 */
export function keepUnchanged(schema: FormSchema, base: Answers, opened: Answers, saved: Answers): Answers {
  return objectOf(schema.fields, base, opened, saved)
}

function objectOf(fields: readonly Field[], base: Answers, opened: Answers, saved: Answers): Answers {
  const answers: Answers = {}
  for (const field of fields) {
    const value = saved[field.name]
    if (value === undefined) continue
    answers[field.name] = valueOf(field, base[field.name], opened[field.name], value)
  }
  const extra = base[EXTRA] ?? saved[EXTRA]
  if (extra !== undefined) answers[EXTRA] = extra
  return answers
}

function valueOf(field: Field, base: Json | undefined, opened: Json | undefined, saved: Json): Json {
  if (field.kind === 'group') {
    return isObject(saved) && isObject(base) ? objectOf(field.children, base, asObject(opened), saved) : saved
  }
  if (field.kind === 'repeat') {
    const before = rowsById(base)
    const openedRows = rowsById(opened)
    return asRows(saved).map((row) => {
      const id = rowId(row)
      const old = before.get(id)
      return isObject(row) && old !== undefined ? objectOf(field.children, old, openedRows.get(id) ?? {}, row) : row
    })
  }
  const isUntouched = base !== undefined && !field.isCalculated && sameAnswer(saved, opened)
  return isUntouched ? base : saved
}

/** Whether two leaves hold the same: equal text, or the same choices in the same order. */
export function sameAnswer(one: Json | undefined, other: Json | undefined): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other
  return one.length === other.length && one.every((entry, index) => entry === other[index])
}

function asObject(value: Json | undefined): Answers {
  return isObject(value) ? value : {}
}

function asRows(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : []
}

function rowId(row: Json): string {
  const id = isObject(row) ? row[ROW_ID] : null
  return typeof id === 'string' ? id : ''
}

function rowsById(value: Json | undefined): Map<string, Answers> {
  return new Map(
    asRows(value)
      .filter(isObject)
      .map((row) => [rowId(row), row]),
  )
}
