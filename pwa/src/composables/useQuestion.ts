/** One question on the screen: its ids, what is wrong with it in words, and how what is typed becomes an answer. */
import { computed, type ComputedRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { labelParts, type Field } from '@/domain/form-schema'
import { toLexical, type LexicalType } from '@/domain/lexical'
import { useFill } from './fill-context'
import { elementId, pathOf, type QuestionNode } from './form-nodes'

export type Question = {
  readonly id: string
  readonly field: ComputedRef<Field | undefined>
  readonly guidance: ComputedRef<string>
  readonly isRequired: ComputedRef<boolean>
  readonly isReadonly: ComputedRef<boolean>
  readonly isInvalid: ComputedRef<boolean>
  readonly error: ComputedRef<string>
  /** Ids of hint and error, for `aria-describedby`; undefined where there is neither. */
  readonly describedBy: ComputedRef<string | undefined>
  /** Hand typed text to `set` in its lexical form; what can't be kept is remembered with its reason. */
  readonly type: (type: LexicalType, typed: string, set: (value: string) => void) => void
  /** The person went on: from now on the question says what it misses. */
  readonly leave: () => void
}

export function useQuestion(node: QuestionNode): Question {
  const fill = useFill()
  const { t, locale } = useI18n()
  const id = elementId(node)
  const field = computed(() => fill.schema.byPath.get(pathOf(node.currentState.reference)))
  const unkept = computed(() => fill.form.unkept.value.get(node.nodeId))

  const error = computed(() => {
    if (unkept.value !== undefined) {
      const sentence = t(`fill.misfit.${unkept.value.reason}`, { typed: unkept.value.typed })
      const kept = node.currentState.instanceValue
      return `${sentence} ${kept === '' ? t('fill.misfit.nothing_kept') : t('fill.misfit.still_kept', { kept })}`
    }
    const { violation } = node.validationState
    if (violation === null || !fill.passed.value.has(node.nodeId)) return ''
    return violation.message?.asString ?? t(`fill.violation.${violation.condition}`)
  })

  const describedBy = computed(() => {
    const ids = [
      ...(node.currentState.hint === null ? [] : [elementId(node, 'hint')]),
      ...(error.value === '' ? [] : [elementId(node, 'error')]),
    ]
    return ids.length === 0 ? undefined : ids.join(' ')
  })

  function type(lexicalType: LexicalType, typed: string, set: (value: string) => void): void {
    const lexical = toLexical(lexicalType, typed)
    if (lexical.kind === 'misfit') {
      fill.form.setUnkept(node.nodeId, { typed, reason: lexical.reason })
      return
    }
    fill.form.setUnkept(node.nodeId, null)
    set(lexical.kind === 'blank' ? '' : lexical.value)
  }

  return {
    id,
    field,
    guidance: computed(() =>
      labelParts(field.value?.guidance ?? new Map(), locale.value)
        .map((part) => (typeof part === 'string' ? part : '…'))
        .join(''),
    ),
    isRequired: computed(() => node.currentState.required),
    isReadonly: computed(
      () => node.currentState.readonly || (fill.areFilesKept === true && node.nodeType === 'upload'),
    ),
    isInvalid: computed(() => error.value !== ''),
    error,
    describedBy,
    type,
    leave: () => {
      fill.pass([node.nodeId])
      void fill.form.save()
    },
  }
}
