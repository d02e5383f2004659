/**
 * The record as it would be saved, taken to its form and back: what the form's own rules say of it, and what a person changed there,
 * named field by field, so that nothing is saved that nobody saw.
 */
import { computed, shallowRef, type ComputedRef, type ShallowRef } from 'vue'
import type { Text, Value } from '@/features/conflicts/api/conflicts'
import { isWithin } from '@/domain/carrying-edits'
import { changesBetween } from '@/domain/form-edits'
import { readableAnswers } from '@/domain/readable'
import type { Answers, Document, Json } from '@/domain/record'
import { comparison } from './comparison'
import { lastStep } from './conflict-words'
import type { Conflict } from './useConflict'
import type { KnownForm } from '@/features/answers/useFormSchema'

export type FormChange = {
  readonly path: string
  readonly label: Text
  readonly row: null
  readonly before: Value
  readonly after: Value
}

export type FormCheck = {
  /** The record that stands in the form now; null while it isn't open. */
  readonly opened: ShallowRef<Document | null>
  /** What was changed there and will be saved. */
  readonly changes: ComputedRef<readonly FormChange[]>
  readonly open: () => Promise<void>
  readonly close: () => void
  readonly take: (answers: Answers) => void
  readonly drop: () => void
  /** What the form made of an open question; undefined where it left it, or another choice was made since. */
  readonly valueOf: (path: string) => Json | undefined
}

export function useFormCheck(conflict: Conflict, form: () => KnownForm | null, language: () => string): FormCheck {
  const opened = shallowRef<Document | null>(null)
  const made = shallowRef<readonly FormChange[]>([])
  const changes = computed(() => {
    const saved = conflict.edits.value?.changes ?? []
    return made.value.filter(({ path }) => saved.some((change) => isWithin(path, change.path)))
  })

  async function open(): Promise<void> {
    if (form() === null) return
    opened.value = (await conflict.tryOut())?.doc ?? null
  }

  function take(answers: Answers): void {
    const schema = form()?.schema
    const before = readableAnswers(opened.value?.['answers'])
    opened.value = null
    const rows = schema === undefined ? [] : comparison(schema, before, answers, language())
    made.value = rows.map(({ pointer, label, shown, other }) => ({
      path: pointer,
      label: { [language()]: label },
      row: null,
      before: known(shown),
      after: known(other),
    }))
    if (rows.length === 0 || schema === undefined) return
    const { changes: fresh, hasNewRows } = changesBetween(schema, before, answers)
    // What an earlier visit to the form changed stands where this one left it.
    const earlier = (conflict.edits.value?.changes ?? []).filter(
      ({ path }) => !fresh.some((change) => isWithin(path, change.path)),
    )
    const wasWhole = (conflict.edits.value?.whole ?? null) !== null
    const version = conflict.page.value?.form_version ?? ''
    conflict.edit({ changes: [...earlier, ...fresh], whole: hasNewRows || wasWhole ? { answers, version } : null })
  }

  function valueOfQuestion(path: string): Json | undefined {
    const { edits, choices } = conflict
    if (choices.value[path] !== undefined) return undefined
    const change = edits.value?.changes.find((each) => isWithin(path, each.path))
    if (change === undefined) return undefined
    const value = 'value' in change ? change.value : null
    // Of a question of several choices, one choice is asked about: it is there or it isn't.
    return change.path === path || !Array.isArray(value) ? value : value.includes(lastStep(path)) ? value : []
  }

  return {
    opened,
    changes,
    open,
    close: () => (opened.value = null),
    take,
    drop: () => conflict.edit(null),
    valueOf: valueOfQuestion,
  }
}

function known(value: Json | undefined): Value {
  return { value: value ?? null, is_absent: value === undefined }
}
