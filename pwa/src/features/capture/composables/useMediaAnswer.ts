/**
 * A question's photo, sound or file: in the phone's store as it came, then made small and kept under its own name, then named by the
 * answer.
 *
 * A file is never half there: the store has it before the answer does, and a failure leaves the answer that stood. What a killed browser
 * left between the first step and the last is `half`: its person keeps it or gives it up.
 */
import type { UploadNode } from '@getodk/xforms-engine'
import { computed, onScopeDispose, ref, watch, type ComputedRef, type Ref } from 'vue'
import { asProblem } from '@/api/problem'
import type { Begun } from '@/domain/begun'
import { useUndo } from '@/stores/undo'
import { useFill } from './fill-context'
import type { FillFiles } from './fill-place'
import { pointerOf, questionAt } from '@/features/answers/form-nodes'

export type MediaProblem = 'not_a_photo' | 'not_a_sound' | 'empty' | 'too_large' | 'storage_full' | 'unexpected'

export type MediaAnswer = {
  readonly name: ComputedRef<string>
  /** An object URL of what stands; null while nothing does or it is not on this phone. */
  readonly url: Ref<string | null>
  readonly bytes: ComputedRef<number>
  readonly isBusy: ComputedRef<boolean>
  readonly problem: Ref<MediaProblem | null>
  /** `prepare` may shrink the file, or throw a `MediaRefused`; `own` is what of the file is in the store already. */
  keep(file: File, prepare?: (file: File) => Promise<Blob>, own?: Own): Promise<void>
  remove(): Promise<void>
  /** A recording or file that was broken off before it became the answer. */
  readonly half: ComputedRef<Half | null>
  /** What is left of it, and about how many seconds of sound; null where nothing is. */
  readHalf(): Promise<{ readonly file: File; readonly seconds: number | null } | null>
  forgetHalf(): void
}

export type Half = Extract<Begun, { kind: 'sound' | 'file' }>

/** Where it was begun, which the question can't tell any more once its row is removed. */
export type Own = { readonly place: string; readonly half: Half; readonly seconds: number | null }

export class MediaRefused extends Error {
  override readonly name = 'MediaRefused'
  constructor(readonly reason: MediaProblem) {
    super(reason)
  }
}

const MAX_BYTES = 100_000_000

export function useMediaAnswer(node: UploadNode): MediaAnswer {
  const fill = useFill()
  const pointer = computed(() => pointerOf(node))
  const isBusy = computed(() => fill.form.keeping.value.has(pointer.value))
  const half = computed(() => {
    const begun = fill.form.begun.value[pointer.value]
    return begun?.kind === 'sound' || begun?.kind === 'file' ? begun : null
  })
  const problem = ref<MediaProblem | null>(null)
  const url = ref<string | null>(null)
  const name = computed(() => node.currentState.instanceValue)
  const reference = computed(() => fill.form.media.value[name.value])

  watch(
    () => reference.value?.sha256,
    async (sha256) => {
      show(null)
      if (sha256 === undefined) return
      const stored = await fill.files.get(sha256)
      if (stored !== undefined && reference.value?.sha256 === sha256) show(stored.blob)
    },
    { immediate: true },
  )

  function show(blob: Blob | null): void {
    if (url.value !== null) URL.revokeObjectURL(url.value)
    url.value = blob === null ? null : URL.createObjectURL(blob)
  }
  onScopeDispose(() => show(null))

  async function keep(
    file: File,
    prepare: (file: File) => Promise<Blob> = (same) => Promise.resolve(same),
    own?: Own,
  ): Promise<void> {
    problem.value = null
    if (file.size === 0) problem.value = 'empty'
    else if (file.size > MAX_BYTES) problem.value = 'too_large'
    if (problem.value !== null) return
    const place = own?.place ?? pointer.value
    await fill.form.whileKeeping(place, () => keepAt(place, file, prepare, own))
  }

  async function keepAt(place: string, file: File, prepare: (file: File) => Promise<Blob>, own?: Own): Promise<void> {
    let before = own?.half ?? null
    try {
      if (before === null) before = await keepOriginal(place, file)
      const blob = await prepare(file)
      const stored = await fill.files.put(blob)
      const named = mediaName(node.definition.nodeset, stored.type, file.name)
      if (!(await fill.form.keepMedia(named, stored))) throw new MediaRefused('storage_full')
      // Another row's return may have made the form anew meanwhile: the answer goes to the question that stands there now.
      const root = fill.root()
      const question = root === null ? undefined : questionAt(root, place)
      if (question === undefined) {
        // Its row is removed, and may come back: what was begun waits for it there.
        if (before === null)
          fill.form.setBegun(place, { kind: 'file', sha256: stored.sha256, name: file.name, reason: null })
        await fill.form.save()
        return
      }
      // The engine needs the name only; the bytes stay in the store.
      if (question.nodeType === 'upload') question.setValue(new File([], named, { type: stored.type }))
      if (before?.kind === 'sound') fill.form.held.delete(before.recording)
      fill.form.setBegun(place, null)
      await fill.form.save()
      if (fill.form.saving.value.kind !== 'failed') await dropHalf(fill.files, before)
    } catch (error) {
      problem.value = reasonOf(error)
      // A full phone may have only its beginning: the whole of it is tried again once there is room.
      if (before?.kind === 'sound') fill.form.held.set(before.recording, { file, seconds: own?.seconds ?? null })
      // What is no photo will never be one; anything else can be tried again.
      if (!(error instanceof MediaRefused) || error.reason !== 'not_a_photo') return
      fill.form.setBegun(place, null)
      await fill.form.save()
      await dropHalf(fill.files, before)
    }
  }

  /** Store a file as it came; null where there is no room for it as large as it is. */
  async function keepOriginal(place: string, file: File): Promise<Half | null> {
    // What was given up here before can't come back over it.
    await useUndo().settle()
    try {
      const { sha256 } = await fill.files.put(file)
      const original: Half = { kind: 'file', sha256, name: file.name, reason: null }
      fill.form.setBegun(place, original)
      await fill.form.save()
      return original
    } catch (error) {
      if (reasonOf(error) === 'storage_full') return null
      throw error
    }
  }

  async function readHalf(): Promise<{ readonly file: File; readonly seconds: number | null } | null> {
    if (half.value?.kind === 'sound') {
      const { recording, type } = half.value
      const held = fill.form.held.get(recording)
      if (held !== undefined) return held
      const pieces = await fill.files.piecesOf(recording)
      return pieces.length === 0 ? null : { file: new File(pieces, 'sound', { type }), seconds: pieces.length }
    }
    if (half.value === null) return null
    const { sha256, name: original } = half.value
    const stored = await fill.files.get(sha256)
    return stored === undefined
      ? null
      : { file: new File([stored.blob], original, { type: stored.type }), seconds: null }
  }

  function forgetHalf(): void {
    if (half.value !== null) fill.form.setBegun(pointer.value, null)
  }

  async function remove(): Promise<void> {
    problem.value = null
    const { reference: place } = node.currentState
    node.setValue(null)
    // A name that came with the draft outlives `setValue(null)`, so it is taken out of the instance itself.
    if (node.currentState.instanceValue !== '') {
      await fill.form.rework((instance) => {
        const leaf = at(instance, place)
        if (leaf !== null) leaf.textContent = ''
      })
    }
    await fill.form.save()
  }

  return {
    name,
    url,
    bytes: computed(() => Number(reference.value?.bytes ?? 0)),
    isBusy,
    problem,
    keep,
    remove,
    half,
    readHalf,
    forgetHalf,
  }
}

/** Give back the room that a broken-off recording or file took. */
export async function dropHalf(files: FillFiles, half: Half | null): Promise<void> {
  if (half?.kind === 'sound') await files.dropPieces(half.recording)
  if (half?.kind === 'file') await files.drop([half.sha256])
}

function reasonOf(error: unknown): MediaProblem {
  if (error instanceof MediaRefused) return error.reason
  return asProblem(error).code === 'storage_full' ? 'storage_full' : 'unexpected'
}

/** The element at a node's reference such as `/data/animals[2]/photo`. */
export function at(instance: Document, reference: string): Element | null {
  let element: Element | null = null
  for (const step of reference.split('/').slice(1)) {
    const [, name = '', position = '1'] = /^(?:[^:]+:)?([^[]+)(?:\[(\d+)\])?$/u.exec(step) ?? []
    const candidates: Element[] = element === null ? [instance.documentElement] : [...element.children]
    element = candidates.filter((each) => each.localName === name)[Number(position) - 1] ?? null
    if (element === null) return null
  }
  return element
}

const ENDINGS: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/png': 'png',
  'image/heic': 'heic',
  'audio/webm': 'webm',
  'audio/ogg': 'ogg',
  'audio/mp4': 'm4a',
  'audio/mpeg': 'mp3',
}

/** A name no other phone gives: the question, the moment, and chance; `photo-20261121-193045-4f2a91c3.jpg`. */
export function mediaName(nodeset: string, type: string, original: string, now = new Date()): string {
  const question = nodeset.replace(/^.*\//u, '').replace(/[^A-Za-z0-9_-]/gu, '')
  const moment = now.toISOString().replace(/[-:]/gu, '').replace('T', '-').slice(0, 15)
  const chance = [...crypto.getRandomValues(new Uint8Array(4))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
  const own = /\.([A-Za-z0-9]{1,8})$/u.exec(original)?.[1]?.toLowerCase()
  return `${question}-${moment}-${chance}.${ENDINGS[type.split(';')[0] ?? ''] ?? own ?? 'bin'}`
}
