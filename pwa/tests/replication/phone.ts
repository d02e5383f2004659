/** A phone for tests: its own store in fake-indexeddb, a person signed in, and short ways to write and exchange. */
import { ApiClient } from '@/api/client'
import { defaultContext, exchange, type ExchangeResult } from '@/replication/exchange'
import { fetchContents } from '@/replication/contents'
import { sendMedia } from '@/replication/media'
import { database } from '@/storage/database'
import { beginDraft, beginEdit } from '@/storage/drafts'
import { finishDraft, getRecord } from '@/storage/records'
import { keyFor, storeSignIn } from '@/storage/session'
import { revisionId } from '@/domain/revision'
import type { Answers, Media } from '@/domain/record'
import type { Fetch } from '@/api/client'
import type { Door } from './door'

export const AGRI = 'agri-03226-2025'

export async function emptyPhone(): Promise<void> {
  await database.open()
  await Promise.all(database.tables.map((table) => table.clear()))
}

export async function signIn(door: Door, username = 'lo.thi.mai'): Promise<string> {
  const { id, key, jwk } = await keyFor(username)
  door.keys.set(id, jwk)
  await storeSignIn({
    person: { id: `person-${username}`, username, name: username, locale: 'vi', grants: [] },
    server: door.id,
    accessToken: door.access,
    accessExpiresAt: Date.now() + 900_000,
    refreshToken: door.refresh,
    enrolment: { id, username, key, jwk, label: 'phone', highestNumber: 0 },
  })
  return id
}

export async function record(
  answers: Answers,
  media: Media = {},
  person = 'person-lo.thi.mai',
  scope = AGRI,
): Promise<string> {
  const draft = await beginDraft({ database: scope, person, form: 'household_crop', version: '2026112101' })
  await finishDraft(draft, answers, media)
  return draft.id
}

export async function edit(id: string, answers: Answers, person = 'person-lo.thi.mai'): Promise<string> {
  const view = await getRecord(AGRI, id)
  if (view === undefined) throw new Error('no such record')
  const { rev, title, content } = view
  const draft = await beginEdit({ database: AGRI, id, person, rev, title, content })
  return finishDraft(draft, answers, {})
}

/** Delete a record, as the next save of the same enrolment. */
export async function remove(id: string): Promise<void> {
  const view = await getRecord(AGRI, id)
  const [enrolment] = await database.enrolments.toArray()
  if (view === undefined || enrolment === undefined) throw new Error('no such record')
  const number = enrolment.highestNumber + 1
  const saved = { by: enrolment.id, number: String(number), at: new Date().toISOString() }
  const content = { type: 'record', saved }
  const rev = await revisionId(id, { deleted: true, parent: view.rev, content })
  const { person } = enrolment
  const place = { database: AGRI, id, parent: view.rev, enrolment: enrolment.id, person, title: '' }
  const row = { rev, ...place, content, number, deleted: 1, frozen: 0, savedAt: saved.at, receipts: {} } as const
  await database.revisions.put(row)
  await database.enrolments.update(enrolment.id, { highestNumber: number })
}

export function exchangeWith(door: Door, fetch: Fetch = door.fetch, again = false): Promise<ExchangeResult> {
  return exchange(defaultContext({ fetch, again, store: database }))
}

/** Records, forms and files, as one run of the app does it. */
export async function runWith(door: Door, fetch: Fetch = door.fetch): Promise<void> {
  await exchangeWith(door, fetch)
  const api = apiOf(fetch)
  await fetchContents(api, () => undefined)
  await sendMedia({ api, store: database, again: false, progress: () => undefined })
}

export function apiOf(fetch: Fetch): ApiClient {
  const access = async (): Promise<string | null> => (await database.session.get('current'))?.accessToken ?? null
  return new ApiClient({ access, renew: () => Promise.resolve(false) }, fetch)
}
