/** A form version's questions and the labels of its lists, from this device or the server; null until they are here, or if they can't be had. */
import { shallowRef, watch, type ShallowRef } from 'vue'
import type { Api } from '@/api/client'
import type { ExternalList, FormSchema } from '@/domain/form-schema'
import { formContents, listLabels, schemaOf } from './form-contents'

export type KnownForm = {
  readonly schema: FormSchema
  /** Labels by value, by the list's file. */
  readonly lists: ReadonlyMap<string, ReadonlyMap<string, string>>
}

export function useFormSchema(api: Api, version: () => readonly [string, string] | null): ShallowRef<KnownForm | null> {
  const known = shallowRef<KnownForm | null>(null)
  watch(
    () => version()?.join('\n') ?? null,
    async (asked) => {
      known.value = null
      const found = version()
      if (found === null) return
      const read = await readForm(api, ...found)
      // A later question may have been answered sooner.
      if (asked === version()?.join('\n')) known.value = read
    },
    { immediate: true },
  )
  return known
}

async function readForm(api: Api, form: string, version: string): Promise<KnownForm | null> {
  const contents = await formContents(form, version, async (path) => (await api.send(path)).text())
  if (contents === null) return null
  try {
    const schema = schemaOf(contents)
    const files = new Map<string, ExternalList>()
    for (const { list } of schema.byPath.values()) if (list !== null) files.set(list.file, list)
    const labels = [...files].map(async ([file, list]) => [file, await listLabels(contents, list)] as const)
    return { schema, lists: new Map(await Promise.all(labels)) }
  } catch {
    return null
  }
}
