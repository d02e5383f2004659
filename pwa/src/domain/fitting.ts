/** Answers of which some do not fit their form, made readable: without those, which are quoted beside them. */
import { isObject, pointerToken } from './answers'
import type { Answers, Json } from './record'

/** Return `answers` without what stands at `pointers` (JSON Pointers from the document); an empty record when all of it is unfit. */
export function fittingAnswers(answers: Json | undefined, pointers: readonly string[]): Answers {
  const left = without(answers ?? {}, '/answers', new Set(pointers))
  return isObject(left) ? left : {}
}

function without(value: Json, at: string, unfit: ReadonlySet<string>): Json | undefined {
  if (unfit.has(at)) return undefined
  if (Array.isArray(value)) {
    return value.flatMap((inner, index) => without(inner, `${at}/${String(index)}`, unfit) ?? [])
  }
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      const left = without(inner, `${at}/${pointerToken(name)}`, unfit)
      return left === undefined ? [] : [[name, left]]
    }),
  )
}
