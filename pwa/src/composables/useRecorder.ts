/** Sound from the microphone, in the smallest form that this browser makes of speech. */
import { onScopeDispose, ref, type Ref } from 'vue'

export type RecorderState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'recording'; readonly since: number }
  | { readonly kind: 'failed'; readonly reason: 'denied' | 'unavailable' }

export type Recorder = {
  readonly state: Ref<RecorderState>
  readonly isOffered: boolean
  start(): Promise<void>
  stop(): void
}

/** Speech is understood at this rate; an hour takes 11 MB. */
const BITS_PER_SECOND = 24_000
const TYPES = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/mp4']

export function useRecorder(made: (file: File) => void): Recorder {
  const state = ref<RecorderState>({ kind: 'idle' })
  let recorder: MediaRecorder | null = null

  async function start(): Promise<void> {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } })
      const type = TYPES.find((each) => MediaRecorder.isTypeSupported(each))
      const pieces: Blob[] = []
      recorder = new MediaRecorder(stream, {
        ...(type !== undefined && { mimeType: type }),
        audioBitsPerSecond: BITS_PER_SECOND,
      })
      recorder.addEventListener('dataavailable', ({ data }) => pieces.push(data))
      recorder.addEventListener('stop', () => {
        stream.getTracks().forEach((track) => track.stop())
        state.value = { kind: 'idle' }
        const plainType = (recorder?.mimeType ?? '').split(';')[0] ?? ''
        recorder = null
        made(new File(pieces, 'sound', { type: plainType === '' ? 'audio/webm' : plainType }))
      })
      // Pieces each second: a recording that is cut off keeps what was said until then.
      recorder.start(1000)
      state.value = { kind: 'recording', since: Date.now() }
    } catch (error) {
      const isDenied = error instanceof DOMException && error.name === 'NotAllowedError'
      state.value = { kind: 'failed', reason: isDenied ? 'denied' : 'unavailable' }
    }
  }

  function stop(): void {
    if (recorder?.state === 'recording') recorder.stop()
  }

  onScopeDispose(stop)
  const isOffered = typeof MediaRecorder !== 'undefined' && 'mediaDevices' in navigator
  return { state, isOffered, start, stop }
}
