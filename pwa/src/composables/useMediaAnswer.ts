/**
 * A question's photo, sound or file: made small at capture, kept in the phone's store under its own name before the answer names it.
 *
 * A file is never half there: the store has it before the answer does, and a failure leaves the answer that stood.
 */
import type { UploadNode } from '@getodk/xforms-engine'
import { computed, onScopeDispose, ref, watch, type ComputedRef, type Ref } from 'vue'
import { asProblem } from '@/api/problem'
import { getBlob, putBlob } from '@/storage/blobs'
import { useFill } from './fill-context'

export type MediaProblem = 'not_a_photo' | 'not_a_sound' | 'empty' | 'too_large' | 'storage_full' | 'unexpected'

export type MediaAnswer = {
  readonly name: ComputedRef<string>
  /** An object URL of what stands; null while nothing does or it is not on this phone. */
  readonly url: Ref<string | null>
  readonly bytes: ComputedRef<number>
  readonly isBusy: Ref<boolean>
  readonly problem: Ref<MediaProblem | null>
  /** `prepare` may shrink the file, or throw a `MediaRefused`. */
  keep(file: File, prepare?: (file: File) => Promise<Blob>): Promise<void>
  remove(): Promise<void>
}

export class MediaRefused extends Error {
  override readonly name = 'MediaRefused'
  constructor(readonly reason: MediaProblem) {
    super(reason)
  }
}

const MAX_BYTES = 100_000_000

export function useMediaAnswer(node: UploadNode): MediaAnswer {
  const fill = useFill()
  const isBusy = ref(false)
  const problem = ref<MediaProblem | null>(null)
  const url = ref<string | null>(null)
  const name = computed(() => node.currentState.instanceValue)
  const reference = computed(() => fill.form.media.value[name.value])

  watch(
    () => reference.value?.sha256,
    async (sha256) => {
      show(null)
      if (sha256 === undefined) return
      const stored = await getBlob(sha256)
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
  ): Promise<void> {
    problem.value = null
    if (file.size === 0) problem.value = 'empty'
    else if (file.size > MAX_BYTES) problem.value = 'too_large'
    if (problem.value !== null) return
    isBusy.value = true
    try {
      const blob = await prepare(file)
      const stored = await putBlob(blob)
      const named = mediaName(node.definition.nodeset, stored.type, file.name)
      if (!(await fill.form.keepMedia(named, stored))) throw new MediaRefused('storage_full')
      // The engine needs the name only; the bytes stay in the store.
      node.setValue(new File([], named, { type: stored.type }))
      await fill.form.save()
    } catch (error) {
      problem.value = reasonOf(error)
    } finally {
      isBusy.value = false
    }
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

  return { name, url, bytes: computed(() => Number(reference.value?.bytes ?? 0)), isBusy, problem, keep, remove }
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
