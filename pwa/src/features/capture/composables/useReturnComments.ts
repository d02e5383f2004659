/** What the supervisor wrote about the revision that a draft corrects; nothing for a new record. */
import { shallowRef, type ShallowRef } from 'vue'
import { decisionOf, review } from '@/domain/review'
import { getDraft } from '@/storage/drafts'
import { reviewsOf } from '@/storage/worklist'

export type ReturnComments = { readonly comment: string; readonly comments: Readonly<Record<string, string>> }

const NONE: ReturnComments = { comment: '', comments: {} }

/** Null until it is known, which never takes the network. */
export function useReturnComments(draftId: string): ShallowRef<ReturnComments | null> {
  const comments = shallowRef<ReturnComments | null>(null)
  read(draftId).then(
    (found) => (comments.value = found),
    // Without the comments the record can still be corrected.
    () => (comments.value = NONE),
  )
  return comments
}

async function read(draftId: string): Promise<ReturnComments> {
  const draft = await getDraft(draftId)
  if (draft?.base == null) return NONE
  const reviews = await reviewsOf(draft.database, draft.record)
  const decisions = reviews.flatMap((document) => decisionOf(document.id, document) ?? [])
  const [standing] = review(draft.base.rev, decisions).standing
  const found = reviews.find(({ id }) => id === standing?.id)
  return standing?.verdict === 'returned' && found !== undefined
    ? { comment: found.comment, comments: found.comments }
    : NONE
}
