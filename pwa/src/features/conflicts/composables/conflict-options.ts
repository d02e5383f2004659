/** What a person can choose for one open question, each under one key: the sides by number, what stood before by `b`, an own value by `e`. */
import type { Candidate, Elsewhere, Question, Value } from '@/features/conflicts/api/conflicts'
import { sameChoice, type Choice } from '@/domain/choosing'
import type { LexicalType } from '@/domain/lexical'

export type Option =
  | { readonly kind: 'side'; readonly key: string; readonly choice: Choice; readonly candidate: Candidate }
  | { readonly kind: 'confirm' | 'keep' | 'delete'; readonly key: string; readonly choice: Choice }
  | {
      readonly kind: 'stay'
      readonly key: string
      readonly choice: Choice
      readonly unitName: string
      /** The other areas, which it goes from. */
      readonly others: readonly string[]
      /** The record as it stands there; null in the area whose page this is. */
      readonly there: Elsewhere | null
    }
  | { readonly kind: 'kept'; readonly key: string; readonly choice: Choice; readonly value: Value }
  | { readonly kind: 'base'; readonly key: 'b'; readonly choice: Choice; readonly value: Value }

export type Here = { readonly database: string; readonly unit_name: string; readonly may_decide: boolean }

export function optionsOf(question: Question, here: Here, elsewhere: readonly Elsewhere[]): Option[] {
  const found: ((key: string) => Option)[] = []
  const may = new Set(question.may)
  if (may.has('candidate')) {
    for (const candidate of question.candidates) {
      found.push((key) => ({ kind: 'side', key, choice: { kind: 'candidate', rev: candidate.rev }, candidate }))
    }
  }
  const { kept } = question
  // Where nobody else edited it, the side that kept the row says all that there is.
  if (may.has('keep') && kept !== null && !question.candidates.some(({ value }) => sameValue(value, kept))) {
    found.push((key) => ({ kind: 'kept', key, choice: { kind: 'keep' }, value: kept }))
  }
  for (const kind of ['keep', 'delete'] as const) {
    if (may.has(kind) && kept === null) found.push((key) => ({ kind, key, choice: { kind } }))
  }
  if (may.has('stay')) {
    const places = [{ place: here, there: null }, ...elsewhere.map((each) => ({ place: each, there: each }))]
    for (const { place, there } of places) {
      const { database, unit_name: unitName } = place
      const rest = places.filter((other) => other.place !== place)
      // It goes from all the others, which is for those to decide who manage them.
      if (here.may_decide && rest.some((other) => !other.place.may_decide)) continue
      const others = rest.map((other) => other.place.unit_name)
      found.push((key) => ({ kind: 'stay', key, choice: { kind: 'stay', database }, unitName, others, there }))
    }
  }
  // Who can take the side that stands has confirmed it by that.
  if (may.has('confirm') && !may.has('candidate')) {
    found.push((key) => ({ kind: 'confirm', key, choice: { kind: 'confirm' } }))
  }
  const numbered = found.map((make, index) => make(String(index + 1)))
  const { base } = question
  // What nobody had answered before is no answer to go back to.
  if (base.is_absent || !may.has('value')) return numbered
  if (question.candidates.some(({ value }) => sameValue(value, base))) return numbered
  return [...numbered, { kind: 'base', key: 'b', choice: { kind: 'base' }, value: base }]
}

export function sameValue(one: Value, other: Value): boolean {
  return one.is_absent === other.is_absent && JSON.stringify(one.value) === JSON.stringify(other.value)
}

/** `choice` is one of a list, `choices` any number of it. */
export type TypedWay = LexicalType | 'choice' | 'choices'

const TYPED: Readonly<Record<string, TypedWay>> = {
  text: 'string',
  integer: 'int',
  decimal: 'decimal',
  date: 'date',
  time: 'time',
  dateTime: 'dateTime',
  geopoint: 'geopoint',
  select_one: 'choice',
  select_multiple: 'choices',
}

/** How an own value is entered; null where the question is none that a person types an answer to. */
export function typedBy(question: Question): TypedWay | null {
  const way = question.may.includes('value') ? (TYPED[question.type] ?? null) : null
  if (way !== 'choice' && way !== 'choices') return way
  // Of a single choice of several, the sides are all that there is.
  const isOneChoice = way === 'choices' && !question.candidates.some(({ value }) => Array.isArray(value.value))
  return question.choices.length === 0 || isOneChoice ? null : way
}

/** Whether those who recorded it can be asked: of a record in two areas no single phone shows both, nor of what waits. */
export function canAsk(question: Question): boolean {
  return question.kind !== 'moved' && question.may.length > 0
}

/** The option that the machine would take, and why; null where it has nothing to say. */
export function proposed(question: Question, options: readonly Option[]): Option | null {
  const { proposal } = question
  if (proposal.rev === null) return null
  const choice: Choice = { kind: 'candidate', rev: proposal.rev }
  return options.find((option) => sameChoice(option.choice, choice)) ?? null
}
