/** The forms that a person tries before they are live: each server says which, and the phone keeps them for the field. */
import { whoAnswered, type Api } from '@/api/client'
import { Problem } from '@/api/problem'
import type { Schemas } from '@/api/schema'
import { sha256 as hashOf } from '@/domain/canonical'
import type { JsonObject } from '@/domain/record'
import { guarded } from '@/domain/storage-full'
import { getContent } from './catalog'
import { database } from './database'
import { getSetting, putSetting } from './settings'

export type Trial = Schemas['TrialAnswer']
/** By the server that said it: a hub knows of no trials, and ends none. */
type Trials = Record<string, readonly Trial[]>

const settingOf = (person: string): string => `trials:${person}`

/** The trials that this phone holds for a person and that are not over. */
export async function keptTrials(person: string, now = new Date()): Promise<Trial[]> {
  const kept = (await getSetting<JsonObject>(settingOf(person), {})) as unknown as Trials
  return Object.values(kept)
    .flat()
    .filter(({ ends_at: end }) => new Date(end) > now)
}

/** Ask the server which forms this person tries, and bring what they need. A trial is kept once it is here as a whole. */
export async function refreshTrials(api: Api, person: string): Promise<void> {
  const response = await api.send('/api/forms/trials')
  const server = whoAnswered(response)
  if (server === null) throw new Problem('not_our_server')
  const { trials } = (await response.json()) as Schemas['TrialsAnswer']
  const mine = trials.filter((trial) => trial.is_mine)
  for (const hash of new Set(mine.flatMap(({ xform, lists }) => [xform, ...Object.values(lists)])))
    await bring(api, hash)
  const kept = await getSetting<JsonObject>(settingOf(person), {})
  await putSetting(settingOf(person), { ...kept, [server]: mine })
}

async function bring(api: Api, sha256: string): Promise<void> {
  if ((await getContent(sha256)) !== undefined) return
  const text = await (await api.send(`/api/contents/${sha256}`)).text()
  if ((await hashOf(text)) !== sha256) throw new Problem('content_damaged', 502)
  await guarded(() => database.contents.put({ sha256, text }))
}
