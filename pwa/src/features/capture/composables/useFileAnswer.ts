/** What a question for a photo, a sound or a file does with one: it keeps it, says what is kept, takes it away. */
import type { UploadNode } from '@getodk/xforms-engine'
import { computed, type ComputedRef } from 'vue'
import type { Question } from './useQuestion'
import { dropHalf, useMediaAnswer, type MediaAnswer } from './useMediaAnswer'

export type FileAnswer = {
  readonly media: MediaAnswer
  /** The question's name, which the ids that tests know begin with. */
  readonly name: ComputedRef<string>
  readonly isEmpty: ComputedRef<boolean>
  readonly keep: (file: File) => Promise<void>
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
  const media = useMediaAnswer(node)
  const keep = async (file: File): Promise<void> => {
    await media.keep(file, prepare)
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
      const half = await media.readHalf()
      if (half !== null) await keep(half.file)
    },
    dropHalf: (message) => {
      const half = media.half.value
      question.dropBegun(message, () => dropHalf(half))
    },
  }
}
