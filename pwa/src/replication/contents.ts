/**
 * Contents behind the catalog: XForms and choice lists, fetched once by hash, so that every form can be filled with no
 * network. What does not have its hash is not kept.
 */
import type { ApiClient } from '@/api/client'
import { Problem, asProblem } from '@/api/problem'
import { sha256 as hashOf } from '@/domain/canonical'
import { missingContents } from '@/storage/catalog'
import { database, type Content, type NuongDatabase } from '@/storage/database'
import { guarded } from '@/storage/full'
import { isOwner, type Owner } from './tokens'

const AT_ONCE = 4

/** Fetch what is missing; returns the hashes that the server would not give. Throws `Problem` when the link is gone. */
export async function fetchContents(
  api: ApiClient,
  progress: (done: number, all: number) => void,
  store: NuongDatabase = database,
): Promise<string[]> {
  const owner = await store.session.get('current')
  if (owner === undefined) return []
  const missing = await missingContents(store)
  const refused: string[] = []
  let done = 0
  const next = missing[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (const sha256 of { [Symbol.iterator]: () => next }) {
      try {
        const text = await (await api.send(`/api/contents/${sha256}`)).text()
        if ((await hashOf(text)) !== sha256) throw new Problem('content_damaged', 502)
        await guarded(() => keep({ sha256, text }, owner, store))
      } catch (error) {
        const problem = asProblem(error)
        if (problem.isPassing || problem.status === 401) throw error
        refused.push(sha256)
      }
      done += 1
      progress(done, missing.length)
    }
  }
  if (missing.length > 0) progress(0, missing.length)
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, missing.length) }, worker))
  return refused
}

/** Keep a content for the person who fetched it: the next one may have no right to it. */
async function keep(content: Content, owner: Owner, store: NuongDatabase): Promise<void> {
  await store.transaction('rw', [store.contents, store.session], async () => {
    if (!isOwner(await store.session.get('current'), owner)) throw new Problem('session_changed')
    await store.contents.put(content)
  })
}
