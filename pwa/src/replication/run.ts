/** One whole run of the replication: records, then forms, then files. */
import { ApiClient, type Fetch } from '@/api/client'
import { asProblem } from '@/api/problem'
import { guarded } from '@/domain/storage-full'
import { database, type NuongDatabase } from '@/storage/database'
import { fetchContents } from './contents'
import { troubleEvent, type Event, type Trouble } from './events'
import { defaultContext, recordEffects, type ExchangeResult } from './exchange'
import { Machine, type Effects } from './machine'
import { sendMedia } from './media'
import { atStart } from './memory'
import type { StatusChannel } from './status'
import { sessionTokens } from './tokens'

export type RunOptions = {
  /** Whether to send what the server refused once more: a person asked. */
  again: boolean
  fetch?: Fetch
  store?: NuongDatabase
  signal?: AbortSignal
  /** Where the run is noted, and hears what is asked for meanwhile. */
  machine?: Machine
}

/**
 * One whole run: records, then forms, then files; throws what was in its way. Used by the tab that was elected and by
 * Background Sync.
 */
export function runOnce(status: StatusChannel, options: RunOptions): Promise<ExchangeResult> {
  const { again, machine = new Machine({ state: 'choosing_enrolment', memory: atStart(again) }) } = options
  return guarded(async () => {
    status.tell({ phase: 'records', sent: 0, received: 0, waiting: 0 })
    await machine.run(runEffects(status, options))
    const { trouble, result } = machine.at.memory
    if (trouble !== null) throw trouble
    status.tell({ phase: 'idle' })
    return result
  })
}

type Run = keyof ReturnType<typeof recordEffects> | 'fetching_forms' | 'sending_files'

function runEffects(status: StatusChannel, options: RunOptions): Effects<Run> {
  const { store = database, again, signal } = options
  const fetch: Fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init))
  const context = defaultContext({
    fetch,
    store,
    again,
    signal,
    progress: (counts) => status.tell({ phase: 'records', ...counts }),
  })
  let api: ApiClient | undefined
  return {
    ...recordEffects(context),
    fetching_forms: async () => {
      const session = await store.session.get('current')
      if (session?.expired !== 0) return { kind: 'not_let_in' }
      const client = (api = new ApiClient(sessionTokens(fetch, session), fetch))
      const progress = (done: number, all: number): void => status.tell({ phase: 'forms', done, all })
      return stage(() => fetchContents(client, progress, store))
    },
    sending_files: async () => {
      if (api === undefined) throw new Error('nobody is signed in to send files')
      const media = { api, store, again, signal }
      return stage(() => sendMedia({ ...media, progress: (counts) => status.tell({ phase: 'files', ...counts }) }))
    },
  }
}

async function stage(work: () => Promise<unknown>): Promise<Event<'done' | 'session_changed' | Trouble>> {
  try {
    await work()
    return { kind: 'done' }
  } catch (error) {
    return asProblem(error).code === 'session_changed' ? { kind: 'session_changed' } : troubleEvent(error)
  }
}
