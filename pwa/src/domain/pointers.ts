/** Values of a document by JSON Pointer, where a row of a repeat is named by its `_rid` and a choice of several by its code. */
import { ROW_ID, isObject } from './answers'
import type { Field, FormSchema } from './form-schema'
import type { Json } from './record'

export type KnownValue = { readonly value: Json; readonly is_absent: boolean }
const ABSENT: KnownValue = { value: null, is_absent: true }

export function valueAt(document: Json, pointer: string): KnownValue {
  let value: Json = document
  for (const step of stepsOf(pointer)) {
    if (Array.isArray(value)) {
      const found: Json | undefined = value.find((each) => (isObject(each) ? each[ROW_ID] === step : each === step))
      if (found === undefined) return ABSENT
      value = found
    } else if (isObject(value) && Object.hasOwn(value, step)) value = value[step] ?? null
    else return ABSENT
  }
  return { value, is_absent: false }
}

/** The question that a pointer into a document leads to; null where the form has none. Row ids and codes of choices are passed over. */
export function fieldAt(schema: FormSchema | null, pointer: string): Field | null {
  const [root, ...steps] = stepsOf(pointer)
  if (root !== 'answers' || schema === null) return null
  const path = steps.reduce((found, name) => (schema.byPath.has(`${found}/${name}`) ? `${found}/${name}` : found), '')
  return schema.byPath.get(path) ?? null
}

export function stepsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replace(/~1/gu, '/').replace(/~0/gu, '~'))
}
