/** One whole run of the replication: records, then forms, then files. */
import { ApiClient, type Fetch } from '@/api/client'
import { Problem, asProblem } from '@/api/problem'
import { database, type NuongDatabase } from '@/storage/database'
import { fetchContents } from './contents'
import { defaultContext, exchange, type ExchangeResult } from './exchange'
import { sendMedia } from './media'
import type { StatusChannel } from './status'
import { sessionTokens } from './tokens'

/** One whole run: records, then forms, then files. Used by the tab that was elected and by Background Sync. */
export async function runOnce(
  status: StatusChannel,
  options: { again: boolean; fetch?: Fetch; store?: NuongDatabase; signal?: AbortSignal },
): Promise<ExchangeResult> {
  const fetch: Fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init))
  const store = options.store ?? database
  const { again, signal } = options
  const context = defaultContext({
    fetch,
    store,
    again,
    signal,
    progress: (counts) => status.tell({ phase: 'records', ...counts }),
  })
  status.tell({ phase: 'records', sent: 0, received: 0, waiting: 0 })
  let trouble: Error | undefined
  let result: ExchangeResult | undefined
  try {
    result = await exchange(context)
  } catch (error) {
    // Without a link nothing else goes; a full disk, say, keeps no photo from leaving it.
    if (isEnd(error)) throw error
    trouble = asError(error)
  }
  const session = await store.session.get('current')
  if (session?.expired === 0) {
    const api = new ApiClient(sessionTokens(fetch, session), fetch)
    const stages = [
      () => fetchContents(api, (done, all) => status.tell({ phase: 'forms', done, all }), store),
      () => sendMedia({ api, store, again, signal, progress: (counts) => status.tell({ phase: 'files', ...counts }) }),
    ]
    for (const stage of stages) {
      try {
        await stage()
      } catch (error) {
        // Whoever signed in meanwhile has a run of their own.
        if (asProblem(error).code === 'session_changed') break
        trouble ??= asError(error)
        if (isEnd(error)) break
      }
    }
  }
  if (trouble !== undefined) throw trouble
  if (result === undefined) throw new Problem('unexpected')
  status.tell({ phase: 'idle' })
  return result
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : asProblem(error)
}

/** Whether nothing further would arrive now: no link, no server behind it, or one that asks for a pause. */
function isEnd(error: unknown): boolean {
  return error instanceof Problem && [0, 429, 502, 503, 504].includes(error.status)
}
