/** Between a draft and the form engine: the instance that a draft opens as, and the answers that stand in it. */
import type { RootNode } from '@getodk/xforms-engine'
import { toAnswers, toXml } from '@/domain/answers'
import type { FormSchema } from '@/domain/form-schema'
import { cleanText } from '@/domain/lexical'
import type { Answers } from '@/domain/record'
import { keepUnchanged } from '@/domain/unchanged'
import type { LoadedForm } from '@/features/answers/form-engine'
import type { Draft } from '@/storage/database'

/** The draft's own instance, or one made from the answers that it corrects, or a new one. */
export async function instance(form: LoadedForm, schema: FormSchema, draft: Draft): Promise<RootNode> {
  if (draft.xml !== null) return form.restore(cleanText(draft.xml))
  if (draft.answers !== null) return form.restore(toXml(schema, draft.answers))
  return form.create()
}

export async function answersOf(
  form: LoadedForm,
  schema: FormSchema,
  draft: Draft,
  filled: RootNode,
): Promise<Answers> {
  const saved = toAnswers(schema, cleanText(filled.instanceState.instanceXML))
  return draft.answers === null ? saved : withoutRewriting(form, schema, draft.answers, saved)
}

/** The engine reads the same base once more, so that only what the person changed counts as changed. */
async function withoutRewriting(form: LoadedForm, schema: FormSchema, base: Answers, saved: Answers): Promise<Answers> {
  const opened = await form.restore(toXml(schema, base))
  return keepUnchanged(schema, base, toAnswers(schema, cleanText(opened.instanceState.instanceXML)), saved)
}

/** What the form calls this record, for the list of drafts. */
export function titleIn(xml: string): string {
  const title = /<(?:\w+:)?instanceName>([^<]*)</u.exec(xml)?.[1] ?? ''
  return new DOMParser().parseFromString(`<t>${title}</t>`, 'text/xml').documentElement.textContent.trim()
}
