/** What the questions of an open form share: the form, its schema, and which questions may show what is missing. */
import type { RootNode } from '@getodk/xforms-engine'
import { inject, type InjectionKey, type Ref } from 'vue'
import type { FormSchema } from '@/domain/form-schema'
import type { FillFiles } from './fill-place'
import type { FillForm } from './useForm'

export type FillContext = {
  readonly draftId: string
  readonly form: FillForm
  readonly files: FillFiles
  readonly schema: FormSchema
  readonly root: () => RootNode | null
  /** Ids of questions that a person has passed: only those show that they still miss an answer. */
  readonly passed: Ref<ReadonlySet<string>>
  /** The question that the person jumps to; null when none. */
  readonly target: Ref<string | null>
  /** What a supervisor wrote about answers, by JSON Pointer from the record's root. */
  readonly comments: Readonly<Record<string, string>>
  /** Files are only looked at: nothing here could bring a new one to the server. */
  readonly areFilesKept?: boolean
  pass(nodeIds: readonly string[]): void
}

export const FILL: InjectionKey<FillContext> = Symbol('fill')

export function useFill(): FillContext {
  const context = inject(FILL)
  if (context === undefined) throw new Error('a question stands outside a form')
  return context
}
