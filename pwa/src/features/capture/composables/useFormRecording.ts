/** All that an open form records by itself, as far as its person lets it. */
import { computed, ref, watch, type ComputedRef } from 'vue'
import type { LogOptions } from '@/domain/recorded'
import type { FillFiles } from './fill-place'
import { useBackgroundSound, type BackgroundSound, type SoundPorts } from './useBackgroundSound'
import { useConsent, type Consent } from './useConsent'
import { useFillLog, type FillLog } from './useFillLog'
import type { FormRecorder } from './useForm'
import { usePlaceTrail } from './usePlaceTrail'

export type FormRecording = {
  readonly log: FillLog
  /** Whether places may be logged; null where the form asks for none. */
  readonly places: ComputedRef<Consent | null>
  readonly sound: BackgroundSound
  readonly soundConsent: Consent
  readonly recorders: readonly FormRecorder[]
}

export type RecordingPorts = Pick<SoundPorts, 'draftId' | 'save'> & {
  readonly files: FillFiles
  readonly person: { readonly id: string; readonly username: string }
  /** Nothing is kept, so nothing is asked. */
  readonly isTrial: boolean
}

export function useFormRecording({ files, person, isTrial, ...ports }: RecordingPorts): FormRecording {
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

  const sound = useBackgroundSound({ ...ports, files, isTrial })
  const soundConsent = useConsent('sound')
  watch(soundConsent.state, (state) => {
    sound.follow(state)
    if (sound.isWanted.value) log.note(state === 'agreed' ? 'background audio enabled' : 'background audio disabled')
  })

  const asker: FormRecorder = {
    begin(draft) {
      wanted.value = isTrial ? null : (log.options.value?.places ?? null)
      if (wanted.value !== null) void consent.recall(person.id, draft.form)
      if (sound.isWanted.value) void soundConsent.recall(person.id, draft.form)
    },
    isUnsaved: () => false,
    change: () => ({}),
    finished: (content) => Promise.resolve(content),
  }

  return {
    log,
    places: computed(() => (wanted.value === null ? null : consent)),
    sound,
    soundConsent,
    // The log ends when all else has.
    recorders: [sound, log, asker],
  }
}
