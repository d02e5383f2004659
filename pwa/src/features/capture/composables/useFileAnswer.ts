/** What a question for a photo, a sound or a file does with one: it keeps it, says what is kept, takes it away. */
import type { UploadNode } from '@getodk/xforms-engine'
import { computed, type ComputedRef } from 'vue'
import { useFill } from './fill-context'
import type { Question } from './useQuestion'
import { dropHalf, useMediaAnswer, type MediaAnswer, type Own } from './useMediaAnswer'

export type FileAnswer = {
  readonly media: MediaAnswer
  /** The question's name, which the ids that tests know begin with. */
  readonly name: ComputedRef<string>
  readonly isEmpty: ComputedRef<boolean>
  readonly keep: (file: File, own?: Own) => Promise<void>
  readonly remove: () => Promise<void>
  /** Keep what was broken off, or give it up. */
  readonly keepHalf: () => Promise<void>
  readonly dropHalf: (message: string) => void
}

/** `prepare` may make the file smaller, or refuse it. */
export function useFileAnswer(
  node: UploadNode,
  question: Question,
  prepare?: (file: File) => Promise<Blob>,
): FileAnswer {
  const { files } = useFill()
  const media = useMediaAnswer(node)
  const keep = async (file: File, own?: Own): Promise<void> => {
    await media.keep(file, prepare, own)
    question.leave()
  }
  return {
    media,
    name: computed(() => question.field.value?.name ?? ''),
    isEmpty: computed(() => media.name.value === ''),
    keep,
    remove: async () => {
      await media.remove()
      question.leave()
    },
    keepHalf: async () => {
      const half = media.half.value
      const place = question.pointer.value
      const left = await media.readHalf()
      if (half === null || left === null) media.forgetHalf()
      else await keep(left.file, { place, half, seconds: left.seconds })
    },
    dropHalf: (message) => {
      const half = media.half.value
      question.dropBegun(message, () => dropHalf(files, half))
    },
  }
}
