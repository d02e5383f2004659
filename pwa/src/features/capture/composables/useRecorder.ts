/** Sound from the microphone, in the smallest form that this browser makes of speech; each second is in the phone's store at once. */
import { onScopeDispose, ref, type Ref } from 'vue'
import { uuid7 } from '@/domain/uuid7'
import { isQuota } from '@/domain/storage-full'
import type { Piece } from '@/storage/database'

export type RecorderState =
  | { readonly kind: 'idle' }
  /** `isFull`: the store took no more. What is said goes on in memory, and is lost if the browser ends. */
  | { readonly kind: 'recording'; readonly since: number; readonly isFull: boolean }
  | { readonly kind: 'failed'; readonly reason: 'denied' | 'unavailable' }

export type Recorder = {
  readonly state: Ref<RecorderState>
  readonly isOffered: boolean
  start(): Promise<void>
  /** Resolves once the sound was handed to `made`. */
  stop(): Promise<void>
  isFull(): boolean
}

export type RecorderPorts = {
  readonly draftId: string
  readonly putPieces: (pieces: readonly Piece[]) => Promise<void>
  /** A recording begins, whose pieces are stored under this id. */
  begun(recording: string, type: string): void
  made(file: File, seconds: number): void
}

/** Speech is understood at this rate; an hour takes 11 MB. */
const BITS_PER_SECOND = 24_000
const TYPES = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/mp4']

export function useRecorder(ports: RecorderPorts): Recorder {
  const state = ref<RecorderState>({ kind: 'idle' })
  let recorder: MediaRecorder | null = null
  let isStarting = false
  let isGone = false

  async function start(): Promise<void> {
    // A second tap while the browser asks for the microphone would begin a second recording that nobody can stop.
    if (isStarting || recorder !== null) return
    isStarting = true
    let end = (): void => undefined
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } })
      end = () => stream.getTracks().forEach((track) => track.stop())
      // The person left while the browser asked for the microphone: nobody is there to stop it.
      if (isGone) {
        end()
        return
      }
      const type = TYPES.find((each) => MediaRecorder.isTypeSupported(each))
      const options = { ...(type !== undefined && { mimeType: type }), audioBitsPerSecond: BITS_PER_SECOND }
      const running = new MediaRecorder(stream, options)
      const recording = uuid7()
      const pieces: Blob[] = []
      const flush = flusher(ports, recording, pieces, (isFull) => {
        if (state.value.kind === 'recording') state.value = { ...state.value, isFull }
      })
      running.addEventListener('dataavailable', ({ data }) => {
        pieces.push(data)
        flush()
      })
      running.addEventListener('stop', () => {
        end()
        state.value = { kind: 'idle' }
        recorder = null
        ports.made(new File(pieces, 'sound', { type: plain(running.mimeType) }), pieces.length)
      })
      running.start(1000)
      recorder = running
      state.value = { kind: 'recording', since: Date.now(), isFull: false }
      ports.begun(recording, plain(running.mimeType))
    } catch (error) {
      end()
      const isDenied = error instanceof DOMException && error.name === 'NotAllowedError'
      state.value = { kind: 'failed', reason: isDenied ? 'denied' : 'unavailable' }
    } finally {
      isStarting = false
    }
  }

  async function stop(): Promise<void> {
    const running = recorder
    if (running === null) return
    // Listens after what hands the sound on.
    const stopped = new Promise((resolve) => running.addEventListener('stop', resolve, { once: true }))
    if (running.state !== 'inactive') running.stop()
    await stopped
  }

  onScopeDispose(() => {
    isGone = true
    void stop()
  })
  const isOffered = typeof MediaRecorder !== 'undefined' && 'mediaDevices' in navigator
  const isFull = (): boolean => state.value.kind === 'recording' && state.value.isFull
  return { state, isOffered, start, stop, isFull }
}

/** What writes the pieces that are not stored yet, in order and without a gap; after a failure the next call tries them again. */
function flusher(
  { draftId: draft, putPieces }: RecorderPorts,
  recording: string,
  pieces: readonly Blob[],
  told: (isFull: boolean) => void,
): () => void {
  let written = 0
  let chain = Promise.resolve()
  const write = async (): Promise<void> => {
    const from = written
    const waiting = pieces.slice(from)
    const addedAt = new Date().toISOString()
    try {
      const rows = waiting.map(async (blob, index) => {
        const bytes = new Uint8Array(await blob.arrayBuffer())
        return { recording, number: from + index, draft, bytes, addedAt }
      })
      await putPieces(await Promise.all(rows))
      written = from + waiting.length
      told(false)
    } catch (error) {
      told(isQuota(error))
    }
  }
  return () => {
    chain = chain.then(write)
  }
}

function plain(type: string): string {
  const bare = type.split(';')[0] ?? ''
  return bare === '' ? 'audio/webm' : bare
}
