/**
 * Answers that a person has begun and that the record can't hold yet: an open ring, half a place, text that is no number,
 * sound that was broken off.
 * They stand in the draft beside the form's own answers until they are complete or given up.
 */
import type { MisfitReason } from './lexical'

/** `half_typed`: a picker holds a part of a day or time, and tells nobody which. */
export type BegunReason = MisfitReason | 'half_typed'

/** `reason` says why the form refused it; null while the person is still at it. */
export type Begun =
  | {
      readonly kind: 'walk'
      readonly shape: 'geotrace' | 'geoshape'
      readonly points: string
      readonly reason: BegunReason | null
    }
  | {
      readonly kind: 'point'
      readonly latitude: string
      readonly longitude: string
      readonly reason: BegunReason | null
    }
  | { readonly kind: 'text'; readonly typed: string; readonly reason: BegunReason }
  /** Sound whose pieces are stored, and a file that is stored as it came: neither is the answer yet. */
  | { readonly kind: 'sound'; readonly recording: string; readonly type: string; readonly reason: null }
  | { readonly kind: 'file'; readonly sha256: string; readonly name: string; readonly reason: null }

/** Begun answers by their question's JSON Pointer, rows by their `_rid`. */
export type BegunAnswers = Readonly<Record<string, Begun>>

/** What stands after `before` is brought back: corners that were walked since come after it, anything else gives way. */
export function broughtBack(before: Begun, since: Begun | undefined): Begun {
  if (before.kind !== 'walk' || since?.kind !== 'walk') return before
  return { ...since, points: `${before.points};${since.points}` }
}

/** Begun answers that changed, by pointer; null where nothing is begun any more. */
export type BegunChanges = Readonly<Record<string, Begun | null>>

export function begunChanges(before: BegunAnswers, now: BegunAnswers): BegunChanges {
  const pointers = new Set([...Object.keys(before), ...Object.keys(now)])
  const changed = [...pointers].filter((pointer) => before[pointer] !== now[pointer])
  return Object.fromEntries(changed.map((pointer) => [pointer, now[pointer] ?? null]))
}

export function withBegun(before: BegunAnswers, changes: BegunChanges): BegunAnswers {
  const all = Object.entries<Begun | null>({ ...before, ...changes })
  return Object.fromEntries(all.filter((entry): entry is [string, Begun] => entry[1] !== null))
}
