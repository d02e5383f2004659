/**
 * What a person has chosen on one record's open questions: one choice a question, told apart from what is sent.
 *
 * Pure. A choice outlives a fresh page: where the side that it took is still there it stands, and where it is gone (somebody else
 * settled the question, or the side changed) it is handed back by `carriedOver`, so that nothing that was chosen is lost.
 */
import type { Json } from './record'

export type Choice =
  | { readonly kind: 'candidate'; readonly rev: string }
  | { readonly kind: 'base' }
  | { readonly kind: 'value'; readonly value: Json }
  | { readonly kind: 'remove' }
  | { readonly kind: 'confirm' }
  | { readonly kind: 'reply'; readonly id: string }
  | { readonly kind: 'keep' }
  | { readonly kind: 'delete' }
  | { readonly kind: 'stay'; readonly database: string }

export type Choices = Readonly<Record<string, Choice>>

type KnownValue = { readonly value: Json; readonly is_absent: boolean }

/** What of a question decides whether a choice can be made. */
export type Choosable = {
  readonly path: string
  readonly base: KnownValue
  readonly candidates: readonly { readonly rev: string; readonly value: KnownValue }[]
  readonly asked: readonly { readonly replies: readonly { readonly id: string; readonly value: KnownValue }[] }[]
}

/** One field set to a value, or left out. */
export type FieldChoice = { path: string; value: Json } | { path: string; remove: true }

export type Sent =
  | FieldChoice
  | { path: string; candidate: string }
  | { path: string; confirm: true }
  | { path: string; reply: string }
  | { path: string; keep: true }
  | { path: ''; delete: true }
  | { path: ''; stay: string }

/** A choice as it is sent; null where the question has nothing of the kind any more. */
export function sent(question: Choosable, choice: Choice): Sent | null {
  const { path } = question
  switch (choice.kind) {
    case 'candidate':
      return question.candidates.some(({ rev }) => rev === choice.rev) ? { path, candidate: choice.rev } : null
    case 'base':
      return valueSent(path, question.base)
    case 'value':
      return { path, value: choice.value }
    case 'remove':
      return { path, remove: true }
    case 'confirm':
      return { path, confirm: true }
    case 'reply':
      return repliesOf(question).some(({ id }) => id === choice.id) ? { path, reply: choice.id } : null
    case 'keep':
      return { path, keep: true }
    case 'delete':
      return { path: '', delete: true }
    case 'stay':
      return { path: '', stay: choice.database }
  }
}

function valueSent(path: string, value: KnownValue): FieldChoice {
  return value.is_absent ? { path, remove: true } : { path, value: value.value }
}

/** What the field would hold by a choice; null where that is no value of the field (a record kept, moved or deleted). */
export function valueOf(question: Choosable, choice: Choice): KnownValue | null {
  switch (choice.kind) {
    case 'candidate':
      return question.candidates.find(({ rev }) => rev === choice.rev)?.value ?? null
    case 'base':
      return question.base
    case 'value':
      return { value: choice.value, is_absent: false }
    case 'remove':
      return { value: null, is_absent: true }
    case 'confirm':
      return question.candidates[0]?.value ?? null
    case 'reply':
      return repliesOf(question).find(({ id }) => id === choice.id)?.value ?? null
    case 'keep':
    case 'delete':
    case 'stay':
      return null
  }
}

/** What is sent for every open question that has a choice, in the questions' order. */
export function allSent(questions: readonly Choosable[], choices: Choices): Sent[] {
  return questions.flatMap((question) => {
    const choice = choices[question.path]
    const one = choice === undefined ? null : sent(question, choice)
    return one === null ? [] : [one]
  })
}

export type CarriedOver = {
  readonly choices: Choices
  /** Choices whose question somebody else settled, with the value that was chosen. */
  readonly lost: readonly { readonly path: string; readonly choice: Choice; readonly value: KnownValue | null }[]
}

/** Bring choices from the page on which they were made to a fresh one. */
export function carriedOver(before: readonly Choosable[], now: readonly Choosable[], choices: Choices): CarriedOver {
  const kept: Record<string, Choice> = {}
  const lost: { path: string; choice: Choice; value: KnownValue | null }[] = []
  for (const [path, choice] of Object.entries(choices)) {
    const open = now.find((question) => question.path === path)
    const old = before.find((question) => question.path === path)
    const stands = open !== undefined && sent(open, choice) !== null
    if (stands) kept[path] = choice
    else lost.push({ path, choice, value: old === undefined ? null : valueOf(old, choice) })
  }
  return { choices: kept, lost }
}

/** The open question to go to after `path`: the next without a choice, from the top again after the last; null when every one has one. */
export function nextOpen(questions: readonly Choosable[], choices: Choices, path: string | null): string | null {
  const at = questions.findIndex((question) => question.path === path)
  const round = [...questions.slice(at + 1), ...questions.slice(0, at + 1)]
  return round.find((question) => choices[question.path] === undefined)?.path ?? null
}

/** The question before or after `path`; the first or last where there is none. */
export function beside(questions: readonly Choosable[], path: string | null, by: 1 | -1): string | null {
  const at = questions.findIndex((question) => question.path === path)
  const to = at < 0 ? 0 : Math.min(Math.max(at + by, 0), questions.length - 1)
  return questions[to]?.path ?? null
}

export function sameChoice(one: Choice | undefined, other: Choice): boolean {
  return one !== undefined && JSON.stringify(one) === JSON.stringify(other)
}

function repliesOf(question: Choosable): { readonly id: string; readonly value: KnownValue }[] {
  return question.asked.flatMap(({ replies }) => replies)
}
