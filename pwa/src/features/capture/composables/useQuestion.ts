/** One question on the screen: its ids, what is wrong with it in words, and how what is typed becomes an answer. */
import { computed, type ComputedRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { broughtBack, type Begun } from '@/domain/begun'
import { labelParts, type Field } from '@/domain/form-schema'
import { toLexical, type LexicalType, type MisfitReason } from '@/domain/lexical'
import { useUndo } from '@/stores/undo'
import { begunWords } from './begun-words'
import { useFill } from './fill-context'
import { elementId, pathOf, pointerOf, type QuestionNode } from '@/features/answers/form-nodes'

export type Question = {
  readonly id: string
  /** Where its answer stands in the record. */
  readonly pointer: ComputedRef<string>
  readonly field: ComputedRef<Field | undefined>
  readonly guidance: ComputedRef<string>
  readonly isRequired: ComputedRef<boolean>
  readonly isReadonly: ComputedRef<boolean>
  readonly isInvalid: ComputedRef<boolean>
  readonly error: ComputedRef<string>
  /** Ids of hint and error, for `aria-describedby`; undefined where there is neither. */
  readonly describedBy: ComputedRef<string | undefined>
  /** The answer that is begun here and that the record can't hold yet. */
  readonly begun: ComputedRef<Begun | undefined>
  readonly setBegun: (value: Begun | null) => void
  /** Give up what is begun; `message` stands beside the way back, `settle` runs once there is none. */
  readonly dropBegun: (message: string, settle?: () => Promise<void>) => void
  /** Hand typed text to `set` in its lexical form, true; what can't be kept stays begun, as `half` makes it of the reason. */
  readonly type: (
    type: LexicalType,
    typed: string,
    set: (value: string) => void,
    half?: (reason: MisfitReason) => Begun,
  ) => boolean
  /** The person went on: from now on the question says what it misses. */
  readonly leave: () => void
}

/** Whether it is time to say that the answer is only begun: the form refused it, or the person went on without it. */
export function isWrong(begun: Begun | undefined, isPassed: boolean): begun is Begun {
  return begun !== undefined && (begun.reason !== null || isPassed)
}

export function useQuestion(node: QuestionNode): Question {
  const fill = useFill()
  const { t, locale } = useI18n()
  const id = elementId(node)
  const field = computed(() => fill.schema.byPath.get(pathOf(node.currentState.reference)))
  const pointer = computed(() => pointerOf(node))
  const begun = computed(() => fill.form.begun.value[pointer.value])

  const error = computed(() => {
    if (isWrong(begun.value, fill.passed.value.has(node.nodeId))) {
      // Beside a file the question itself says what became of it.
      if (begun.value.kind === 'sound' || begun.value.kind === 'file') return ''
      const { key, named } = begunWords(begun.value)
      const sentence = t(key, named)
      const kept = node.currentState.instanceValue
      if (begun.value.kind !== 'text') return sentence
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

  function setBegun(value: Begun | null): void {
    fill.form.setBegun(pointer.value, value)
  }

  function dropBegun(message: string, settle?: () => Promise<void>): void {
    const before = begun.value
    // The row may have another place by the time it is brought back, never another pointer.
    const place = pointer.value
    if (before === undefined) return
    fill.form.setBegun(place, null)
    void fill.form.save()
    useUndo().offer({
      message,
      undo: () => {
        fill.form.setBegun(place, broughtBack(before, fill.form.begun.value[place]))
        return fill.form.save()
      },
      settle,
    })
  }

  const type: Question['type'] = (lexicalType, typed, set, half = (reason) => ({ kind: 'text', typed, reason })) => {
    const lexical = toLexical(lexicalType, typed)
    if (lexical.kind === 'misfit') {
      setBegun(half(lexical.reason))
      return false
    }
    setBegun(null)
    set(lexical.kind === 'blank' ? '' : lexical.value)
    return true
  }

  return {
    id,
    pointer,
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
    begun,
    setBegun,
    dropBegun,
    type,
    leave: () => {
      fill.pass([node.nodeId])
      void fill.form.save()
    },
  }
}
