/**
 * A form is loaded once in a process, however often tests open it: that takes most of a second with jsdom, and a browser a moment.
 *
 * Of what the engine calls a loaded form it makes any number of instances. Its lists are fetched each time, and where one is another
 * than before, the form is loaded again.
 */
import type { LoadForm, LoadFormOptions, LoadFormResult } from '@getodk/xforms-engine'

type Fetch = NonNullable<LoadFormOptions['fetchFormAttachment']>
type List = { readonly resource: URL; readonly said: string }
type Loaded = { readonly result: LoadFormResult; readonly lists: readonly List[] }

export function parsedOnce(loadForm: LoadForm): LoadForm {
  const known = new Map<unknown, Loaded>()

  async function loaded(...[xform, options]: Parameters<LoadForm>): Promise<LoadFormResult> {
    const fetch = options?.fetchFormAttachment
    if (fetch === undefined) return loadForm(xform, options)
    const before = known.get(xform)
    if (before !== undefined && (await areSame(before.lists, fetch))) return before.result
    const lists: List[] = []
    const listening: Fetch = async (resource: URL) => {
      const list = await listOf(resource, fetch)
      lists.push({ resource, said: list.said })
      return list.response
    }
    const result = await loadForm(xform, { ...options, fetchFormAttachment: listening })
    if (result.status !== 'failure') known.set(xform, { result, lists })
    return result
  }
  return loaded
}

async function listOf(resource: URL, fetch: Fetch): Promise<{ readonly response: Response; readonly said: string }> {
  const {
    status = 200,
    headers,
    text,
  } = await fetch(resource).then(async (response) => ({
    status: response.status,
    headers: { 'Content-Type': response.headers?.get('Content-Type') ?? '' },
    text: await response.text(),
  }))
  return { response: new Response(text, { status, headers }), said: JSON.stringify([status, headers, text]) }
}

async function areSame(lists: readonly List[], fetch: Fetch): Promise<boolean> {
  for (const { resource, said } of lists) if ((await listOf(resource, fetch)).said !== said) return false
  return true
}
