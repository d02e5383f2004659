/** A form on trial goes live as any other: this browser loads it as phones do, its author is asked once more, and then it is published. */
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import type { Api } from '@/api/client'
import { asProblem, Problem } from '@/api/problem'
import { fetchContent, fetchEffect, publishForm } from '@/features/forms/api/forms'
import { loadInBrowser } from './useFormUpload'
import type { Trial } from './useTrials'

export type TrialTrouble = {
  readonly trial: string
  readonly code: string
  /** The engine's own, where phones could not load the form. */
  readonly words: string | null
}

export type PublishTrial = {
  /** Which one its author is asked about. */
  readonly asked: ShallowRef<Trial | null>
  /** The one that is loaded or published. */
  readonly busy: Ref<string | null>
  readonly phones: Ref<number | null>
  readonly trouble: ShallowRef<TrialTrouble | null>
  ask(trial: Trial): Promise<void>
  answer(isYes: boolean): Promise<void>
}

export function usePublishTrial(api: Api, published: () => void): PublishTrial {
  const asked = shallowRef<Trial | null>(null)
  const busy = ref<string | null>(null)
  const phones = ref<number | null>(null)
  const trouble = shallowRef<TrialTrouble | null>(null)
  let languages: readonly string[] = []

  async function attempt(trial: Trial, work: () => Promise<void>): Promise<void> {
    busy.value = trial.id
    trouble.value = null
    try {
      await work()
    } catch (error) {
      const words = error instanceof Problem || !(error instanceof Error) ? null : error.message
      trouble.value = { trial: trial.id, code: asProblem(error).code, words }
    } finally {
      busy.value = null
    }
  }

  return {
    asked,
    busy,
    phones,
    trouble,
    ask: (trial) =>
      attempt(trial, async () => {
        const xform = await fetchContent(api, trial.xform)
        languages = (await loadInBrowser({ ...trial, xform }, api)).languages
        // It is asked all the same where that is not to be had.
        phones.value = await fetchEffect(api, trial.id).then(
          (effect) => effect.phones,
          () => null,
        )
        asked.value = trial
      }),
    async answer(isYes) {
      const trial = asked.value
      asked.value = null
      if (trial === null || !isYes) return
      await attempt(trial, async () => {
        await publishForm(api, trial.id, languages)
        published()
      })
    },
  }
}
