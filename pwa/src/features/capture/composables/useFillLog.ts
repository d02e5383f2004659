/**
 * The log that a form asks for (ODK's `audit`): begun with the draft, kept with it at each save, and a file of the record when it is
 * finished. A killed browser loses what was done since the last save, no more.
 */
import { onScopeDispose, shallowRef, type Ref } from 'vue'
import { logCsv, logValue, withEvent, type LogEvent, type LogEventName, type LogPlace } from '@/domain/fill-log'
import { recordedField, withRecorded, type LogOptions, type RecordedField } from '@/domain/recorded'
import type { QuestionNode } from '@/features/answers/form-nodes'
import type { FillFiles } from './fill-place'
import type { FormRecorder } from './useForm'
import { mediaName } from './useMediaAnswer'

export type FillLog = FormRecorder & {
  /** What the form wants logged; null while none is open, or it wants no log. */
  readonly options: Ref<LogOptions | null>
  note(event: LogEventName): void
  /** The page that the person sees from now on, by its node; null for the last one. */
  page(node: string | null): void
  /** The question that the person is at from now on; null for none. */
  question(node: QuestionNode | null): void
}

export type LogPorts = {
  readonly files: FillFiles
  readonly username: string
  /** Where the phone is now, if that is to be told. */
  place?(): LogPlace | undefined
  now?(): number
}

/** What goes on, and has no end yet. */
type Open = {
  readonly event: LogEventName
  readonly node: string
  readonly start: number
  readonly before: string
  value(): string
}

export function useFillLog(ports: LogPorts): FillLog {
  const now = ports.now ?? Date.now
  const options = shallowRef<LogOptions | null>(null)
  let field: RecordedField<'log'> | undefined
  let events: readonly LogEvent[] = []
  let page: Open | null = null
  let question: Open | null = null
  let isUnsaved = false
  let isOver = false

  function add(event: LogEvent): void {
    events = withEvent(events, event)
    isUnsaved = true
  }

  function ended({ event, node, start, before, value }: Open): LogEvent {
    const after = value()
    return {
      ...{ event, node, start, end: now() },
      ...where(),
      ...(options.value?.hasChanges === true &&
        before !== after && { change: [logValue(before), logValue(after)] as const }),
    }
  }

  function where(): { place?: LogPlace } {
    const place = options.value?.places == null ? undefined : ports.place?.()
    return place === undefined ? {} : { place }
  }

  function note(event: LogEventName): void {
    if (options.value !== null) add({ event, node: '', start: now(), end: null, ...where() })
  }

  function leaveQuestion(): void {
    if (question !== null) add(ended(question))
    question = null
  }

  function leavePage(): void {
    leaveQuestion()
    if (page !== null) add(ended(page))
    page = null
  }

  function open(event: LogEventName, node: string, value: () => string = () => ''): Open {
    return { event, node, start: now(), before: value(), value }
  }

  // Out of sight nobody answers: the time that a phone lies in a pocket belongs to no question.
  let hidden: Open | null = null
  function look(): void {
    if (document.visibilityState === 'hidden') {
      hidden ??= page
      leavePage()
    } else if (hidden !== null) {
      page = { ...hidden, start: now() }
      hidden = null
    }
  }
  if (typeof document !== 'undefined') document.addEventListener('visibilitychange', look)

  onScopeDispose(() => {
    document.removeEventListener('visibilitychange', look)
    if (isOver) return
    leavePage()
    note('form save')
    note('form exit')
  })

  return {
    options,
    note,
    begin(draft, schema) {
      field = recordedField(schema, 'log')
      options.value = field?.recorded.options ?? null
      events = draft.log ?? []
      note(draft.xml === null ? 'form start' : 'form resume')
    },
    page(node) {
      if (options.value === null) return
      leavePage()
      page = node === null ? open('end screen', '') : open('group questions', node)
    },
    question(node) {
      const reference = node?.currentState.reference ?? ''
      if (options.value === null || question?.node === reference) return
      leaveQuestion()
      if (node !== null) question = open('question', reference, () => node.currentState.instanceValue)
    },
    isUnsaved: () => isUnsaved,
    change() {
      if (options.value === null) return {}
      isUnsaved = false
      const going = [question, page].filter((each) => each !== null).map(ended)
      return { log: going.reduce(withEvent, events) }
    },
    async finished(content) {
      if (field === undefined) return content
      leavePage()
      note('form finalize')
      const text = logCsv(events, field.recorded.options, ports.username)
      const file = await ports.files.put(new Blob([text], { type: 'text/csv' }))
      const name = mediaName(field.path, file.type, 'audit.csv')
      isOver = true
      return {
        answers: withRecorded(content.answers, field, name),
        media: { ...content.media, [name]: file },
      }
    },
  }
}
