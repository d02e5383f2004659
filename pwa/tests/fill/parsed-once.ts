/**
 * A form is loaded once in a process, however often tests open it: that takes most of a second with jsdom, and a browser a moment.
 *
 * Of what the engine calls a loaded form it makes any number of instances. Its lists are fetched each time, and where one is another
 * than before, the form is loaded again.
 */
import { isDeepStrictEqual } from 'node:util'
import type { LoadForm, LoadFormOptions, LoadFormResult } from '@getodk/xforms-engine'

type Fetch = NonNullable<LoadFormOptions['fetchFormAttachment']>
type List = { readonly status: number; readonly headers: Record<string, string>; readonly text: string }
type Loaded = { readonly result: LoadFormResult; readonly lists: ReadonlyMap<string, List> }

export function parsedOnce(loadForm: LoadForm): LoadForm {
  const known = new Map<unknown, Loaded>()

  async function loaded(...[xform, options]: Parameters<LoadForm>): Promise<LoadFormResult> {
    const fetch = options?.fetchFormAttachment
    if (fetch === undefined) return loadForm(xform, options)
    // Each is fetched once, as the engine does it, although it is compared and then loaded.
    const lists = new Map<string, List>()
    const listAt = async (resource: URL): Promise<List> => {
      const list = lists.get(resource.href) ?? (await listOf(resource, fetch))
      lists.set(resource.href, list)
      return list
    }
    const before = known.get(xform)
    if (before !== undefined && (await areSame(before.lists, listAt))) return before.result
    const again: Fetch = async (resource: URL) => {
      const { text, ...said } = await listAt(resource)
      return new Response(text, said)
    }
    const result = await loadForm(xform, { ...options, fetchFormAttachment: again })
    if (result.status !== 'failure') known.set(xform, { result, lists })
    return result
  }
  return loaded
}

async function listOf(resource: URL, fetch: Fetch): Promise<List> {
  const response = await fetch(resource)
  const headers = { 'Content-Type': response.headers?.get('Content-Type') ?? '' }
  return { status: response.status ?? 200, headers, text: await response.text() }
}

async function areSame(before: ReadonlyMap<string, List>, listAt: (resource: URL) => Promise<List>): Promise<boolean> {
  for (const [href, list] of before) if (!isDeepStrictEqual(await listAt(new URL(href)), list)) return false
  return true
}
