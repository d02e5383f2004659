/** Answers without their form, as paths and texts. */
import { isObject } from '@/domain/answers'
import type { Json } from '@/domain/record'

export function plainPairs(value: Json, path = ''): { readonly path: string; readonly text: string }[] {
  if (isObject(value))
    return Object.entries(value).flatMap(([key, inner]) => plainPairs(inner, path === '' ? key : `${path} › ${key}`))
  if (Array.isArray(value) && value.some(isObject)) {
    return value.flatMap((inner, index) => plainPairs(inner, `${path} ${String(index + 1)}`))
  }
  return [{ path, text: Array.isArray(value) ? value.map(String).join(', ') : value === null ? '' : String(value) }]
}
