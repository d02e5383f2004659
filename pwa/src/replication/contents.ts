/**
 * Contents behind the catalog: XForms and choice lists, fetched once by hash, so that every form can be filled with no
 * network. What does not have its hash is not kept.
 */
import type { ApiClient } from '@/api/client'
import { Problem, asProblem } from '@/api/problem'
import { sha256 as hashOf } from '@/domain/canonical'
import { missingContents } from '@/storage/catalog'
import { database, type NuongDatabase } from '@/storage/database'
import { guarded } from '@/storage/full'

const AT_ONCE = 4

/** Fetch what is missing; returns the hashes that the server would not give. Throws `Problem` when the link is gone. */
export async function fetchContents(
  api: ApiClient,
  progress: (done: number, all: number) => void,
  store: NuongDatabase = database,
): Promise<string[]> {
  const missing = await missingContents(store)
  const refused: string[] = []
  let done = 0
  const next = missing[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (const sha256 of { [Symbol.iterator]: () => next }) {
      try {
        const text = await (await api.send(`/api/contents/${sha256}`)).text()
        if ((await hashOf(text)) !== sha256) throw new Problem('content_damaged', 502)
        await guarded(() => store.contents.put({ sha256, text }))
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
