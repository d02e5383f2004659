/** A group of questions that are alike, with one of them as a sample of its type and choices, and whose sides there are. */
import { shallowRef, watch, type ShallowRef } from 'vue'
import type { Api } from '@/api/client'
import {
  fetchConflict,
  fetchConflicts,
  type ConflictGroup,
  type ConflictKind,
  type Named,
  type Question,
} from '@/features/conflicts/api/conflicts'
import { EVERYTHING } from '@/features/conflicts/conflicts'

export type Alike = ConflictGroup & { readonly sample: Question | null; readonly people: readonly Named[] }
type Which = { readonly form: string; readonly path: string; readonly kind: ConflictKind }

/** Null until it is known, or where it can't be. */
export function useAlike(api: Api, which: () => Which): ShallowRef<Alike | null> {
  const found = shallowRef<Alike | null>(null)
  watch(
    () => JSON.stringify(which()),
    async () => {
      found.value = null
      try {
        found.value = await read(api, which())
      } catch {
        // The rules that need no sample still work.
      }
    },
    { immediate: true },
  )
  return found
}

async function read(api: Api, which: Which): Promise<Alike | null> {
  const { groups, conflicts } = await fetchConflicts(api, { ...EVERYTHING, ...which }, null)
  const group = groups.find((each) => each.path === which.path && each.kind === which.kind && each.form === which.form)
  if (group === undefined) return null
  const people = new Map(conflicts.flatMap((line) => line.people.map(({ id, name }) => [id, name] as const)))
  const [first] = conflicts
  const page = first === undefined ? null : await fetchConflict(api, first.database, first.record)
  const sample = page?.questions.find(({ kind, path }) => kind === which.kind && isLike(path, which.path)) ?? null
  return { ...group, sample, people: [...people].map(([id, name]) => ({ id, name })) }
}

/** Whether a path is one of a group's, where `*` stands for any row. */
export function isLike(path: string, pattern: string): boolean {
  const [steps, wanted] = [path.split('/'), pattern.split('/')]
  return steps.length === wanted.length && wanted.every((step, index) => step === '*' || step === steps[index])
}
