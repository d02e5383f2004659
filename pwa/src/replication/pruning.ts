/**
 * What a phone need not keep any more: own revisions that the server calls `safe` (a verified backup has them, files too),
 * and with the last one that names a photo the photo. Without this they would grow for as long as the phone is used, and
 * every exchange reads them.
 *
 * They stay for a month longer, so that a server which was put back to an older state than it promised still gets them. A
 * clock may be wrong, the server's too: of several moments the one counts that keeps a revision longer.
 * What is shown, corrected, not everywhere yet, or held for a person stays however old it is.
 */
import { dropUnnamed, hashesIn } from '@/storage/blobs'
import { serverState, siteOf, type NuongDatabase, type OwnRevision, type ServerState } from '@/storage/database'
import { isStored } from '@/storage/outcomes'
import { latestById, ownIsAhead } from '@/storage/records'
import { needsSending } from './request'

const KEEP_MS = 30 * 86_400_000
/** Looking for it reads all that is safe, which once a day is enough. */
const DAY_MS = 86_400_000
/** So many in one transaction: a form that is being filled waits for it. */
const AT_ONCE = 200

type Place = { server: string; enrolment: string; now: number; store: NuongDatabase }

/** Drop what `server` has made needless; returns how many revisions went. At most once a day for each server. */
export async function prune(
  server: string,
  serverTime: string,
  phoneTime: number,
  store: NuongDatabase,
): Promise<number> {
  const now = Math.min(Date.parse(serverTime), phoneTime)
  const key = `pruned-at:${server}`
  const last = (await store.settings.get(key))?.value
  if (Number.isNaN(now) || (typeof last === 'string' && Math.abs(now - Date.parse(last)) < DAY_MS)) return 0
  const gone: OwnRevision[] = []
  for (const { id } of await store.enrolments.toArray())
    gone.push(...(await pruneOf({ server, enrolment: id, now, store })))
  await dropUnnamed(
    gone.flatMap(({ content }) => hashesIn(content)),
    store,
  )
  await store.settings.put({ key, value: new Date(now).toISOString() })
  return gone.length
}

async function pruneOf(place: Place): Promise<OwnRevision[]> {
  const { server, enrolment, store } = place
  const { revisions, standings, servers, documents, drafts, uploads, authored } = store
  const numbers = revisions.where('[enrolment+number]')
  const safe = (await standings.get([server, enrolment]))?.safe ?? 0
  // The highest number tells whether a server has forgotten some.
  const highest = await numbers.between([enrolment, 0], [enrolment, safe], true, true).last()
  const end = highest?.number ?? 0
  const gone: OwnRevision[] = []
  for (let next = 0; next < end;) {
    await store.transaction('rw', [revisions, standings, servers, documents, drafts, uploads, authored], async () => {
      const rows = await revisions
        .where('[enrolment+number]')
        .between([enrolment, next], [enrolment, end])
        .limit(AT_ONCE)
        .toArray()
      gone.push(...(await pruneSome(rows, place)))
      next = (rows.at(-1)?.number ?? end) + 1
    })
  }
  return gone
}

async function pruneSome(rows: OwnRevision[], place: Place): Promise<OwnRevision[]> {
  const { server, now, store } = place
  const ids = [...new Set(rows.map(({ id }) => id))]
  const files = await store.uploads.where('record').anyOf(ids).toArray()
  // Those of whom a draft goes on from, and whose files are not all there, are needed whole.
  const needed = new Set((await store.drafts.toArray()).map(({ record }) => record))
  for (const file of files) if (siteOf(file, server).done === 0) needed.add(file.record)
  const others = await otherServers(place)
  let kept = await store.revisions.where('id').anyOf(ids).toArray()
  const gone: OwnRevision[] = []
  for (const row of rows) {
    if (needed.has(row.id) || !isSettled(row, server, now) || others.some((other) => isDue(row, other))) continue
    const own = kept.filter(({ id, person }) => id === row.id && person === row.person)
    if (latestById(own).get(row.id)?.rev === row.rev && (own.length > 1 || (await isShown(row, store)))) continue
    await store.revisions.delete(row.rev)
    kept = kept.filter(({ rev }) => rev !== row.rev)
    gone.push(row)
    if (row.content['type'] !== 'record') continue
    await store.authored.put({ person: row.person, database: row.database, id: row.id })
  }
  for (const id of new Set(gone.map((row) => row.id))) {
    const named = new Set(kept.filter((row) => row.id === id).flatMap(({ content }) => hashesIn(content)))
    const idle = files.filter(({ record, sha256 }) => record === id && !named.has(sha256))
    await store.uploads.bulkDelete(idle.map(({ sha256, record }) => [sha256, record]))
  }
  return gone
}

/** Whether a server has taken a revision for good, a month ago. */
function isSettled({ receipts, savedAt }: OwnRevision, server: string, now: number): boolean {
  const receipt = receipts[server]
  if (receipt === undefined || !isStored(receipt.outcome)) return false
  return Math.max(Date.parse(receipt.at), Date.parse(savedAt)) <= now - KEEP_MS
}

/** Other servers that this phone still meets; signing out forgets when it met one and what that one carries. */
async function otherServers({ server, enrolment, now, store }: Place): Promise<ServerState[]> {
  const known = await store.servers.toArray()
  const standings = await store.standings.filter((one) => one.enrolment === enrolment).toArray()
  const forgotten = standings.filter((one) => !known.some(({ id }) => id === one.server))
  const others = [...known.filter((state) => isMet(state, now)), ...forgotten.map((one) => serverState(one.server))]
  return others.filter(({ id }) => id !== server)
}

function isMet({ lastExchangeAt }: ServerState, now: number): boolean {
  return lastExchangeAt !== null && Date.parse(lastExchangeAt) > now - KEEP_MS
}

/** Whether another server is still to be sent a revision, as far as is known what it carries. */
function isDue(row: OwnRevision, { id, carry }: ServerState): boolean {
  return (carry.length === 0 || carry.includes(row.database)) && needsSending(row, id)
}

/** Whether a person's last revision of a record is what is shown of it: no server's copy is, where none has come or any more. */
async function isShown(row: OwnRevision, store: NuongDatabase): Promise<boolean> {
  const shown = await store.documents.get([row.database, row.id])
  return shown === undefined ? row.deleted === 0 : ownIsAhead(row, shown)
}
