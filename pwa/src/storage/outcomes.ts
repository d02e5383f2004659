/** What a server said of an own revision, and whether it has it. */
import { STORED } from '@/domain/contract'
import type { Outcome, OwnRevision } from './database'

type Answered = Pick<OwnRevision, 'receipts'>

/** Whether whoever answered this has a revision for good: it stored it, or had it already. */
export function isStored(outcome: Outcome | undefined): boolean {
  return outcome !== undefined && STORED.has(outcome)
}

/** Whether a server has a revision for good. */
export function isStoredAt({ receipts }: Answered, server: string): boolean {
  return isStored(receipts[server]?.outcome)
}

/** Whether any server has it for good; it hands it on to the others. */
export function isStoredAnywhere({ receipts }: Answered): boolean {
  return Object.values(receipts).some(({ outcome }) => isStored(outcome))
}

/** Whether a server keeps a revision, be it until a person has looked at it. */
export function isKeptAt(own: Answered, server: string): boolean {
  return isStoredAt(own, server) || own.receipts[server]?.outcome === 'quarantined'
}
