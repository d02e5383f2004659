/** All that an open form records by itself, as far as its person lets it. */
import { computed, ref, watch, type ComputedRef } from 'vue'
import type { LogOptions } from '@/domain/recorded'
import type { FillFiles } from './fill-place'
import { useConsent, type Consent } from './useConsent'
import { useFillLog, type FillLog } from './useFillLog'
import type { FormRecorder } from './useForm'
import { usePlaceTrail } from './usePlaceTrail'

export type FormRecording = {
  readonly log: FillLog
  /** Whether places may be logged; null where the form asks for none. */
  readonly places: ComputedRef<Consent | null>
  readonly recorders: readonly FormRecorder[]
}

export type RecordingPorts = {
  readonly files: FillFiles
  readonly person: { readonly id: string; readonly username: string }
  /** Nothing is kept, so nothing is asked. */
  readonly isTrial: boolean
}

export function useFormRecording({ files, person, isTrial }: RecordingPorts): FormRecording {
  const consent = useConsent('places')
  const trail = usePlaceTrail()
  const log = useFillLog({ files, username: person.username, place: () => trail.last() })
  const wanted = ref<LogOptions['places']>(null)

  watch(consent.state, (state) => {
    if (wanted.value === null || state === 'unasked') return
    if (state === 'agreed') trail.follow(wanted.value)
    else trail.stop()
    log.note(state === 'agreed' ? 'location tracking enabled' : 'location tracking disabled')
  })

  const asker: FormRecorder = {
    begin(draft) {
      wanted.value = isTrial ? null : (log.options.value?.places ?? null)
      if (wanted.value !== null) void consent.recall(person.id, draft.form)
    },
    isUnsaved: () => false,
    change: () => ({}),
    finished: (content) => Promise.resolve(content),
  }

  return {
    log,
    places: computed(() => (wanted.value === null ? null : consent)),
    recorders: [log, asker],
  }
}
