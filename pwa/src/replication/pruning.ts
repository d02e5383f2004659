/**
 * What a phone need not keep any more: own revisions that the server calls `safe` (a verified backup has them, files too),
 * and with the last one of a record its photos. Without this they would grow for as long as the phone is used, and every
 * exchange reads them.
 *
 * They stay for a month longer, so that a server which was put back to an older state than it promised still gets them.
 * What is shown, corrected, not everywhere yet, or held for a person stays however old it is.
 */
import { collectBlobs } from '@/storage/blobs'
import type { Enrolment, NuongDatabase, OwnRevision, ServerState } from '@/storage/database'
import { latestById, ownIsAhead } from '@/storage/records'
import { needsSending } from './request'

const KEEP_MS = 30 * 86_400_000
/** Looking for it reads all that is safe, which once a day is enough. */
const PRUNED_AT = 'pruned-at'
const DAY_MS = 86_400_000

/** Drop what `server` has made needless, by its own clock; returns how many revisions went. At most once a day. */
export async function prune(server: string, serverTime: string, store: NuongDatabase): Promise<number> {
  const now = Date.parse(serverTime)
  const last = (await store.settings.get(PRUNED_AT))?.value
  if (Number.isNaN(now) || (typeof last === 'string' && Math.abs(now - Date.parse(last)) < DAY_MS)) return 0
  let gone = 0
  for (const enrolment of await store.enrolments.toArray()) gone += await pruneOf(enrolment, server, now, store)
  await store.settings.put({ key: PRUNED_AT, value: serverTime })
  if (gone > 0) await collectBlobs(now, store)
  return gone
}

async function pruneOf({ id }: Enrolment, server: string, now: number, store: NuongDatabase): Promise<number> {
  const { revisions, standings, servers, documents, drafts, uploads, authored } = store
  return store.transaction('rw', [revisions, standings, servers, documents, drafts, uploads, authored], async () => {
    const safe = (await standings.get([server, id]))?.safe ?? 0
    const rows = await revisions.where('[enrolment+number]').between([id, 0], [id, safe], true, true).toArray()
    const known = await servers.toArray()
    const carry = known.find((state) => state.id === server)?.carry ?? []
    const others = known.filter((state) => state.id !== server && isMet(state, now))
    const corrected = new Set((await drafts.toArray()).map(({ record }) => record))
    const gone: OwnRevision[] = []
    // The highest number tells whether a server has forgotten some.
    for (const row of rows.slice(0, -1)) {
      if (!isSettled(row, server, now) || others.some((other) => isDue(row, other))) continue
      if (corrected.has(row.id) || (await isNeeded(row, carry, store))) continue
      await revisions.delete(row.rev)
      gone.push(row)
      if (row.content['type'] !== 'record') continue
      await authored.put({ person: row.person, database: row.database, id: row.id })
    }
    for (const record of new Set(gone.map((row) => row.id))) {
      if ((await revisions.where('id').equals(record).count()) === 0)
        await uploads.where('record').equals(record).delete()
    }
    return gone.length
  })
}

/** Whether a server has taken a revision for good, a month ago. */
function isSettled({ receipts }: OwnRevision, server: string, now: number): boolean {
  const receipt = receipts[server]
  if (receipt === undefined || !['stored', 'duplicate'].includes(receipt.outcome)) return false
  return Date.parse(receipt.at) <= now - KEEP_MS
}

/** Whether another server is one that this phone still meets. */
function isMet({ lastExchangeAt }: ServerState, now: number): boolean {
  return lastExchangeAt !== null && Date.parse(lastExchangeAt) > now - KEEP_MS
}

/** Whether another server is still to be sent a revision. */
function isDue(row: OwnRevision, { id, carry }: ServerState): boolean {
  return carry.includes(row.database) && needsSending(row, id)
}

/** Whether something on this phone goes on from a revision, or shows it. */
async function isNeeded(row: OwnRevision, carry: string[], store: NuongDatabase): Promise<boolean> {
  const { id, person, database } = row
  const files = await store.uploads.where('record').equals(id).toArray()
  if (files.some(({ done }) => done === 0)) return true
  const own = await store.revisions.where('id').equals(id).toArray()
  if (latestById(own.filter((one) => one.person === person)).get(id)?.rev !== row.rev) return false
  const shown = await store.documents.get([database, id])
  // What is carried and has not arrived yet is shown as it was saved.
  return shown === undefined ? row.deleted === 0 && carry.includes(database) : ownIsAhead(row, shown)
}
