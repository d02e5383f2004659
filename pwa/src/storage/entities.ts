/**
 * Where the records stand that a finished record saves to: made under the id that its answers say, or changed field by field like any
 * correction of the person's. What can't be saved is told, and stands in the answers of the record itself.
 */
import { canonical } from '@/domain/canonical'
import { withSaved, type EntitySave } from '@/domain/entities'
import { partsOfScope, type Answers, type JsonObject, type Media, type Saved } from '@/domain/record'
import type { Draft, OwnRevision, SaveMissed } from './database'

/** Where a revision will stand, and the unfrozen one that it replaces. */
export type Standing = { parent: string | null; number: number; replaces: string | null }

export type EntityPlan = Standing & {
  database: string
  id: string
  /** What stands there now; null for a record that is made. */
  base: JsonObject | null
  saves: EntitySave[]
}

/** What is known of a record: its content, and the person's own save where that is what stands. */
export type Known = { rev: string; deleted: boolean; content: JsonObject; own: OwnRevision | null }

/** Plan each record once, in the order of the form; `next` is the first number that is free. */
export async function plannedEntities(
  draft: Draft,
  saves: readonly EntitySave[],
  enrolment: string,
  next: number,
  known: (database: string, id: string) => Promise<Known | undefined>,
): Promise<{ plans: EntityPlan[]; missed: SaveMissed[] }> {
  const plans: EntityPlan[] = []
  const missed: SaveMissed[] = []
  for (const save of saves) {
    const database = `${save.project}-${partsOfScope(draft.database)?.unit ?? ''}`
    const planned = plans.find((plan) => plan.database === database && plan.id === save.id)
    if (planned !== undefined) {
      planned.saves.push(save)
      continue
    }
    const found = save.id === '' ? undefined : await known(database, save.id)
    const why = found === undefined ? whyNotMade(save) : whyNotChanged(save, found, draft.record)
    if (why !== null) missed.push({ form: save.form, id: save.id, title: save.title, why })
    else plans.push({ database, id: save.id, saves: [save], base: found?.content ?? null, ...standing(found) })
  }
  return { plans, missed }

  function standing(found: Known | undefined): Standing {
    const own = found?.own
    // A save that no request has carried collapses into the next.
    if (own && own.rev === found.rev && own.frozen === 0 && own.enrolment === enrolment)
      return { parent: own.parent, number: own.number, replaces: own.rev }
    next += 1
    return { parent: found?.rev ?? null, number: next - 1, replaces: null }
  }
}

function whyNotMade(save: EntitySave): SaveMissed['why'] | null {
  if (save.id === '') return 'no_id'
  return save.isMade ? null : 'not_here'
}

/** A record that this one made follows it; any other is changed only where the form says so. */
function whyNotChanged(save: EntitySave, found: Known, record: string): SaveMissed['why'] | null {
  if (found.deleted) return 'deleted'
  if (found.content['form'] !== save.form) return 'other_form'
  return save.isChanged || found.content['of'] === record ? null : 'exists'
}

/** Return the content of a planned record, or null where it says all this already. */
export function entityContent(
  plan: EntityPlan,
  draft: Draft,
  media: Media,
  saved: Saved,
  kept: JsonObject,
): { content: JsonObject; answers: Answers; media: Media } | null {
  const before = plan.base ?? {}
  let answers = (before['answers'] ?? {}) as Answers
  let files = (before['media'] ?? {}) as Media
  for (const save of plan.saves) {
    answers = withSaved(answers, save.values)
    for (const name of save.files) {
      const file = media[name]
      if (file !== undefined) files = { ...files, [name]: file }
    }
  }
  if (plan.base !== null && canonical([answers, files]) === canonical([before['answers'] ?? {}, before['media'] ?? {}]))
    return null
  const first = plan.saves[0]
  const made: JsonObject =
    plan.base === null
      ? { type: 'record', form: first?.form ?? '', form_version: first?.version ?? '', of: draft.record }
      : kept
  const from = { record: draft.record, form: draft.form, form_version: draft.version }
  return { content: { ...made, answers, media: files, saved: { ...saved, from } }, answers, media: files }
}
