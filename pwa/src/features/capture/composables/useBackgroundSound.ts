/**
 * Sound while a new record is filled (ODK's `background-audio`): only after its person has agreed, with a sign as long as it goes on.
 *
 * Each second is in the phone's store at once, as of any recording. At the end each sitting becomes a file; the answer names the first,
 * and the others have its name with a number. Where there is no sound the answer says why.
 */
import { computed, shallowRef, type ComputedRef, type Ref } from 'vue'
import { recordedField, soundPartName, withRecorded, type NoSound, type RecordedField } from '@/domain/recorded'
import type { Media } from '@/domain/record'
import type { DraftSound } from '@/storage/database'
import type { ConsentState } from './useConsent'
import type { FillFiles } from './fill-place'
import type { FormRecorder } from './useForm'
import { mediaName } from './useMediaAnswer'
import { useRecorder, type RecorderState } from './useRecorder'

/** An hour, 11 MB: what is said after that is not recorded. */
export const MAX_SECONDS = 3600

export type BackgroundSound = FormRecorder & {
  /** Whether the form asks for sound here, of a record that is new. */
  readonly isWanted: ComputedRef<boolean>
  readonly state: Ref<RecorderState>
  /** Record from now on, or no more, as the person said. */
  follow(consent: ConsentState): void
  /** No more of this record, whatever was agreed. */
  end(): Promise<void>
}

export type SoundPorts = {
  readonly draftId: string
  readonly files: FillFiles
  readonly isTrial: boolean
  /** Have the draft stored: a recording was begun. */
  save(): void
}

export function useBackgroundSound(ports: SoundPorts): BackgroundSound {
  const { files, draftId } = ports
  const field = shallowRef<RecordedField<'sound'> | null>(null)
  // Shallow: the store takes no reactive copy.
  const stored = shallowRef<DraftSound>({ recordings: [], isEnded: false })
  const whole = new Map<string, File>()
  let consent: ConsentState = 'unasked'
  let current = ''
  let seconds = 0
  let isUnsaved = false

  const recorder = useRecorder({
    draftId,
    putPieces: async (pieces) => {
      seconds += pieces.length
      if (seconds >= MAX_SECONDS) void end()
      await files.putPieces(pieces)
    },
    begun: (recording, type) => {
      current = recording
      change({ ...stored.value, recordings: [...stored.value.recordings, { recording, type }] })
    },
    made: (file) => whole.set(current, file),
  })

  function change(next: DraftSound): void {
    stored.value = next
    isUnsaved = true
    ports.save()
  }

  async function end(): Promise<void> {
    if (!stored.value.isEnded) change({ ...stored.value, isEnded: true })
    await recorder.stop()
  }

  /** The sound of each sitting, empty ones left out. */
  async function sittings(): Promise<Blob[]> {
    const all = stored.value.recordings.map(async ({ recording, type }) => {
      return whole.get(recording) ?? new Blob(await files.piecesOf(recording), { type })
    })
    return (await Promise.all(all)).filter(({ size }) => size > 0)
  }

  function missing(): NoSound {
    if (consent !== 'agreed') return consent === 'declined' ? 'declined' : 'not_asked'
    return recorder.state.value.kind === 'failed' || !recorder.isOffered ? 'no_microphone' : 'nothing_recorded'
  }

  return {
    isWanted: computed(() => field.value !== null),
    state: recorder.state,
    end,
    follow(said) {
      consent = said
      if (field.value === null || stored.value.isEnded) return
      if (said === 'agreed') void recorder.start()
      else void recorder.stop()
    },
    begin(draft, schema) {
      field.value = draft.base !== null || ports.isTrial ? null : (recordedField(schema, 'sound') ?? null)
      stored.value = draft.sound ?? stored.value
    },
    isUnsaved: () => isUnsaved,
    change() {
      isUnsaved = false
      return stored.value.recordings.length === 0 && !stored.value.isEnded ? {} : { sound: stored.value }
    },
    async finished(content) {
      const asked = field.value
      if (asked === null) return content
      await recorder.stop()
      const media: Media = { ...content.media }
      let first = ''
      for (const [index, sound] of (await sittings()).entries()) {
        const file = await files.put(sound)
        first ||= mediaName(asked.path, file.type, 'sound')
        media[soundPartName(first, index)] = file
      }
      return { answers: withRecorded(content.answers, asked, first || missing()), media }
    },
  }
}
