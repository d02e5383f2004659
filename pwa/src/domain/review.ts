/**
 * The state of a record under review, computed from its winner and the set of its decisions: the twin of
 * `sync/review.py`, whose first paragraphs give the rules. Both pass `tests/vectors/review.json`. A phone, which has
 * only the winner and the review documents, computes the same state as the server.
 */

export type Verdict = 'approved' | 'returned' | 'rejected'
export type ReviewState = 'received' | 'amended' | Verdict

export interface Decision {
  readonly id: string
  readonly rev: string
  readonly verdict: Verdict
  readonly by: string
  readonly follows: readonly string[]
}

/** A revision as far as authorship goes: `parents` are its parent and what it merged. */
export interface Edit {
  readonly rev: string
  readonly parents: readonly string[]
  readonly person: string | null
}

export interface Review {
  readonly state: ReviewState
  /** The decisions on the winner that no later decision on it answers, the one that holds first. */
  readonly standing: readonly Decision[]
  /** The winner answers a return. */
  readonly isCorrected: boolean
  /** The approved revision that is in force. */
  readonly published: string | null
}

/** Greater is stricter. */
export const STRICTNESS: Readonly<Record<Verdict, number>> = { approved: 0, returned: 1, rejected: 2 }

/** Returns the decision that a review document states, null when it is not a usable one. */
export function decisionOf(documentId: string, content: Readonly<Record<string, unknown>>): Decision | null {
  const { type, rev, decision, by, follows } = content
  if (type !== 'review' || typeof rev !== 'string' || typeof by !== 'string' || !isVerdict(decision)) return null
  const known: unknown[] = Array.isArray(follows) ? follows : []
  return { id: documentId, rev, verdict: decision, by, follows: known.filter((each) => typeof each === 'string') }
}

/** Returns where a record whose winner is `winner` stands under `decisions`, in whatever order they come. */
export function review(winner: string, decisions: Iterable<Decision>): Review {
  const known = new Known(decisions)
  const standing = known
    .unanswered(known.every.filter((each) => each.rev === winner))
    .sort((one, other) => STRICTNESS[other.verdict] - STRICTNESS[one.verdict] || compare(other.id, one.id))
  const last = known.unanswered(known.approvalsInForce()).map((each) => each.rev)
  const published = last.sort(compareRevisions).at(-1) ?? null
  const holding = standing[0]
  if (holding !== undefined) return { state: holding.verdict, standing, isCorrected: false, published }
  const isCorrected = known.unanswered(known.every).some((each) => each.verdict === 'returned')
  return { state: published === null ? 'received' : 'amended', standing, isCorrected, published }
}

/** Returns every revision that an approval in force names: what `authors` are counted from. */
export function approvedRevisions(decisions: Iterable<Decision>): Set<string> {
  return new Set(new Known(decisions).approvalsInForce().map((each) => each.rev))
}

/** Returns who edited or decided between the approved revisions and `winner`: none of them may approve it. */
export function authors(winner: string, edits: Iterable<Edit>, approved: Iterable<string>): Set<string> {
  const graph = new Map([...edits].map((edit) => [edit.rev, edit]))
  const settled = reached(approved, graph)
  const found = new Set<string>()
  for (const rev of reached([winner], graph)) {
    const person = graph.get(rev)?.person ?? null
    if (person !== null && !settled.has(rev)) found.add(person)
  }
  return found
}

/** A set of decisions with what each of them knew, over `follows` and through. */
class Known {
  readonly every: readonly Decision[]
  readonly #knew: ReadonlyMap<string, ReadonlySet<string>>

  constructor(decisions: Iterable<Decision>) {
    const byId = new Map([...decisions].map((each) => [each.id, each]))
    this.every = [...byId.values()]
    this.#knew = new Map(this.every.map((each) => [each.id, behind(each, byId)]))
  }

  unanswered(among: readonly Decision[]): Decision[] {
    return among.filter((each) => !among.some((other) => this.#answers(other, each)))
  }

  approvalsInForce(): Decision[] {
    return this.every.filter(
      (each) => each.verdict === 'approved' && !this.every.some((other) => this.#opposes(other, each)),
    )
  }

  #opposes(other: Decision, approval: Decision): boolean {
    return (
      other.rev === approval.rev &&
      other.verdict !== 'approved' &&
      !this.#answers(approval, other) &&
      !this.#answers(other, approval)
    )
  }

  // A circle of `follows` (only a forger writes one) answers nothing: its decisions stand beside each other.
  #answers(later: Decision, earlier: Decision): boolean {
    return this.#knows(later, earlier) && !this.#knows(earlier, later)
  }

  #knows(one: Decision, other: Decision): boolean {
    return this.#knew.get(one.id)?.has(other.id) ?? false
  }
}

function behind(decision: Decision, byId: ReadonlyMap<string, Decision>): Set<string> {
  const seen = new Set<string>()
  const ahead = [decision]
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    for (const id of next.follows) {
      const earlier = byId.get(id)
      if (earlier === undefined || seen.has(id)) continue
      seen.add(id)
      ahead.push(earlier)
    }
  }
  return seen
}

function reached(revs: Iterable<string>, graph: ReadonlyMap<string, Edit>): Set<string> {
  const seen = new Set<string>()
  const ahead = [...revs]
  for (let rev = ahead.pop(); rev !== undefined; rev = ahead.pop()) {
    if (seen.has(rev)) continue
    seen.add(rev)
    ahead.push(...(graph.get(rev)?.parents ?? []))
  }
  return seen
}

function isVerdict(value: unknown): value is Verdict {
  return typeof value === 'string' && Object.hasOwn(STRICTNESS, value)
}

function compareRevisions(one: string, other: string): number {
  return Number.parseInt(one, 10) - Number.parseInt(other, 10) || compare(one, other)
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
