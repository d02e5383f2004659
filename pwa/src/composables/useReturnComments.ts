/** What the supervisor wrote about the revision that a draft corrects; nothing for a new record. */
import { shallowRef, type ShallowRef } from 'vue'
import { decisionOf, review } from '@/domain/review'
import { database } from '@/storage/database'
import { getDraft } from '@/storage/drafts'

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
  const about = await database.documents.where('about').equals(draft.id).toArray()
  const bodies = await database.bodies.bulkGet(about.map(({ id }): [string, string] => [draft.database, id]))
  const decisions = bodies.flatMap((body) => {
    const decision = body && decisionOf(body.id, body.content)
    return decision ? [{ decision, content: body.content }] : []
  })
  const [standing] = review(
    draft.base.rev,
    decisions.map(({ decision }) => decision),
  ).standing
  const content = decisions.find(({ decision }) => decision === standing || decision.id === standing?.id)?.content
  if (content === undefined || standing?.verdict !== 'returned') return NONE
  const { comment, comments } = content
  return {
    comment: typeof comment === 'string' ? comment : '',
    comments: typeof comments === 'object' && comments !== null ? (comments as Record<string, string>) : {},
  }
}
