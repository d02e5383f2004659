/** The forms on trial in one's projects, who could try one, handing one out and ending it. */
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import type { Api } from '@/api/client'
import { asProblem } from '@/api/problem'
import type { Schemas } from '@/api/schema'

export type Trial = Schemas['TrialAnswer']
export type Tester = Schemas['TesterAnswer']

export type Trials = {
  readonly trials: ShallowRef<readonly Trial[]>
  /** A problem's code; null while nothing was in the way. */
  readonly trouble: Ref<string | null>
  load(): Promise<void>
  /** Hand a checked form to these people; to nobody ends its trial. Whether it was done. */
  hand(candidate: string, people: readonly string[]): Promise<boolean>
  /** The people who record in a project. */
  recording(project: string): Promise<Tester[]>
}

export function useTrials(api: Api): Trials {
  const trials = shallowRef<readonly Trial[]>([])
  const trouble = ref<string | null>(null)

  async function attempt<T>(work: () => Promise<T>): Promise<T | null> {
    trouble.value = null
    try {
      return await work()
    } catch (error) {
      trouble.value = asProblem(error).code
      return null
    }
  }

  async function take(path: string, json?: Schemas['TrialBody']): Promise<boolean> {
    const answer = await attempt(() =>
      api.json<Schemas['TrialsAnswer']>(path, json === undefined ? {} : { method: 'PUT', json }),
    )
    // One may try a form of a project in which one publishes nothing: it is told without its people.
    if (answer !== null) trials.value = answer.trials.filter(({ people }) => people.length > 0)
    return answer !== null
  }

  return {
    trials,
    trouble,
    load: async () => {
      await take('/api/forms/trials')
    },
    hand: (candidate, people) =>
      take(`/api/forms/candidates/${encodeURIComponent(candidate)}/trial`, { people: [...people] }),
    recording: async (project) => {
      const found = await attempt(async () => (await api.json<Schemas['MembersAnswer']>('/api/people')).people)
      const records = (grant: Schemas['GrantBody']): boolean =>
        grant.role === 'field_worker' && ['*', project].includes(grant.project)
      return (found ?? []).filter(({ active, grants }) => active && grants.some(records))
    },
  }
}
