import { beforeEach, describe, expect, test } from 'vitest'
import { Problem } from '@/api/problem'
import { sha256 } from '@/domain/canonical'
import { database } from '@/storage/database'
import { beginDraft } from '@/storage/drafts'
import { discardUnsent, finishDraft, getRecord } from '@/storage/records'
import { storeSignOut } from '@/storage/session'
import { putBlob } from '@/storage/blobs'
import { Door } from './door'
import { AGRI, apiOf, edit, emptyPhone, exchangeWith, record, runWith, signIn } from './phone'
import { sendMedia } from '@/replication/media'

let door: Door
let enrolment: string

beforeEach(async () => {
  await emptyPhone()
  door = new Door(['catalog', AGRI])
  enrolment = await signIn(door)
})

async function receipts(): Promise<(string | undefined)[]> {
  const own = await database.revisions.orderBy('[enrolment+number]').toArray()
  return own.map((row) => row.receipts[door.id]?.outcome)
}

describe('what a person saves', () => {
  test('reaches the server in one request and is acknowledged', async () => {
    const id = await record({ household: 'Lò Thị Mai' })
    const result = await exchangeWith(door)
    expect(result).toMatchObject({ sent: 1, refused: 0 })
    expect(door.requests).toHaveLength(1)
    expect(door.winner(AGRI, id)?.content['answers']).toEqual({ household: 'Lò Thị Mai' })
    expect(await receipts()).toEqual(['stored'])
    expect((await getRecord(AGRI, id))?.server?.rev).toBe(door.winner(AGRI, id)?.rev)
  })

  test('collapses with later edits while no request has carried it, and keeps its number', async () => {
    const id = await record({ area: '1' })
    await edit(id, { area: '2' })
    await edit(id, { area: '3' })
    const own = await database.revisions.toArray()
    expect(own).toHaveLength(1)
    expect(own[0]).toMatchObject({ number: 1, parent: null, frozen: 0 })
    await exchangeWith(door)
    expect(door.winner(AGRI, id)?.content['answers']).toEqual({ area: '3' })
    expect((await database.enrolments.get(enrolment))?.highestNumber).toBe(1)
  })

  test('is frozen once a request carried it: a later edit is its child, even when nothing arrived', async () => {
    const id = await record({ area: '1' })
    await expect(exchangeWith(door, () => Promise.reject(new TypeError('no network')))).rejects.toThrow(Problem)
    const [frozen] = await database.revisions.toArray()
    expect(frozen?.frozen).toBe(1)
    await edit(id, { area: '2' })
    await exchangeWith(door)
    expect(door.requests[0]?.push.map(({ doc }) => doc._rev)).toEqual([frozen?.rev, expect.stringMatching(/^2-/)])
    expect(door.requests[0]?.push[1]?.ancestors).toEqual([frozen?.rev])
    expect(door.leaves(AGRI, id)).toHaveLength(1)
  })

  test('goes in requests that are counted, sealed, and say which app asks', async () => {
    await record({ area: '1' })
    await expect(exchangeWith(door, () => Promise.reject(new TypeError('no network')))).rejects.toThrow(Problem)
    await exchangeWith(door)
    await storeSignOut()
    await signIn(door)
    await exchangeWith(door)
    // The first was made and never arrived; signing in again counts on.
    expect(door.requests.map((request) => request.exchange)).toEqual(['2', '3'])
    expect(door.requests.every(({ seal }) => seal !== undefined)).toBe(true)
    expect(door.requests[0]?.device?.app).toMatch(/^\d+\.\d+\.\d+$/)
  })

  test('finishing a draft twice makes one revision', async () => {
    const draft = await beginDraft({ database: AGRI, person: 'person-lo.thi.mai', form: 'f', version: '1' })
    const [first, second] = await Promise.all([finishDraft(draft, { a: '1' }, {}), finishDraft(draft, { a: '1' }, {})])
    expect(second).toBe(first)
    expect(await database.revisions.count()).toBe(1)
  })

  test('names ancestors back to the last acknowledged one', async () => {
    const id = await record({ area: '1' })
    await exchangeWith(door)
    const acknowledged = (await getRecord(AGRI, id))?.rev
    const second = await edit(id, { area: '2' })
    await expect(exchangeWith(door, () => Promise.reject(new TypeError('no network')))).rejects.toThrow()
    await edit(id, { area: '3' })
    await exchangeWith(door)
    const [, third] = door.requests.at(-1)?.push ?? []
    expect(third?.ancestors).toEqual([second, acknowledged])
  })

  test('that was taken back before sending is told as discarded, once', async () => {
    await record({ area: '1' })
    const [own] = await database.revisions.toArray()
    expect(await discardUnsent(own?.rev ?? '')).toBe(true)
    await exchangeWith(door)
    await exchangeWith(door)
    expect(door.requests.map(({ holding }) => holding.discarded)).toEqual([['1'], []])
  })

  test('goes in several requests when there is much of it, parents before children', { tags: ['slow'] }, async () => {
    for (let index = 0; index < 60; index += 1) await record({ n: String(index) })
    await database.servers.put({ ...(await import('@/storage/database')).serverState(door.id), maxBytes: 16_000 })
    await exchangeWith(door)
    const pushed = door.requests.map(({ push }) => push.length)
    expect(pushed.length).toBeGreaterThan(1)
    expect(pushed.reduce((sum, count) => sum + count, 0)).toBe(60)
    expect(door.requests[0]?.holding.unsent).toHaveLength(60 - (pushed[0] ?? 0))
    expect((await receipts()).every((outcome) => outcome === 'stored')).toBe(true)
  })
})

describe('outcomes', () => {
  test('a lost answer costs a repeat and doubles nothing', async () => {
    const id = await record({ area: '1' })
    const losing = async (path: string, init?: RequestInit): Promise<Response> => {
      await door.fetch(path, init)
      throw new TypeError('connection reset')
    }
    await expect(exchangeWith(door, losing)).rejects.toMatchObject({ code: 'offline' })
    await exchangeWith(door)
    expect(await receipts()).toEqual(['duplicate'])
    expect(door.leaves(AGRI, id)).toHaveLength(1)
    expect(JSON.stringify(door.requests[1]?.push)).toBe(JSON.stringify(door.requests[0]?.push))
  })

  test('what is quarantined says so, and the final outcome is confirmed', async () => {
    const id = await record({ area: '1' })
    door.quarantine.add(id)
    await exchangeWith(door)
    expect(await receipts()).toEqual(['quarantined'])
    const sent = door.requests[0]?.push[0]
    if (sent === undefined) throw new Error('nothing was sent')
    await door.accept(AGRI, enrolment, sent.doc, null)
    await exchangeWith(door)
    expect(await receipts()).toEqual(['stored'])
    await exchangeWith(door)
    expect(door.requests.map(({ verdicts }) => verdicts)).toEqual([[], [], ['1']])
    await exchangeWith(door)
    expect(door.requests.at(-1)?.verdicts).toEqual([])
  })

  test('what is refused stays on the phone and goes again only when a person asks', async () => {
    const id = await record({ area: '1' })
    door.refuse.add(id)
    expect(await exchangeWith(door)).toMatchObject({ refused: 1 })
    await exchangeWith(door)
    expect(door.requests[1]).toMatchObject({ push: [], holding: { unsent: ['1'] } })
    door.refuse.clear()
    await exchangeWith(door, door.fetch, true)
    expect(await receipts()).toEqual(['stored'])
    expect((await getRecord(AGRI, id))?.content['answers']).toEqual({ area: '1' })
  })
})

describe('what comes from the server', () => {
  test('arrives in rounds within the budget, with one digest at the end', async () => {
    for (let index = 0; index < 120; index += 1) {
      await door.write(AGRI, `r${String(index)}`, { type: 'record', form: 'f', answers: { text: 'x'.repeat(400) } })
    }
    await database.servers.put({ ...(await import('@/storage/database')).serverState(door.id), maxBytes: 16_000 })
    const result = await exchangeWith(door)
    expect(result.received).toBe(120)
    expect(door.requests.length).toBeGreaterThan(2)
    const state = await database.servers.get(door.id)
    expect(state?.digests[AGRI]).toBe(await door.digest(AGRI))
    expect(state?.complete).toBe(1)
  })

  test('an unsent edit stands over the server’s newer copy, which is kept beside it', async () => {
    const rev = await door.write(AGRI, 'r1', { type: 'record', form: 'f', form_version: '1', answers: { a: '1' } })
    await exchangeWith(door)
    await edit('r1', { a: 'mine' })
    await door.write(AGRI, 'r1', { type: 'record', form: 'f', form_version: '1', answers: { a: 'theirs' } }, rev)
    await exchangeWith(door, async (path, init) => {
      const request = await door.fetch(path, { ...init })
      return request
    })
    expect(door.leaves(AGRI, 'r1')).toHaveLength(2)
    const view = await getRecord(AGRI, 'r1')
    expect(view?.rev).toBe(door.winner(AGRI, 'r1')?.rev)
  })

  test('a database that is no longer assigned goes, once its unsent work is handed over', async () => {
    await door.write(AGRI, 'r1', { type: 'record', form: 'f', answers: {} })
    await exchangeWith(door)
    const id = await record({ area: '1' })
    door.refuse.add(id)
    door.carry = ['catalog']
    await exchangeWith(door)
    expect(await database.documents.where('database').equals(AGRI).count()).toBe(0)
    expect((await getRecord(AGRI, id))?.content['answers']).toEqual({ area: '1' })
  })

  test('a digest that does not match is answered by pulling afresh once, then reported', async () => {
    await door.write(AGRI, 'r1', { type: 'record', form: 'f', answers: {} })
    await exchangeWith(door)
    // A bit flips on the phone: a document is there that the server never had.
    const ghost = await database.copies.get([door.id, AGRI, 'r1'])
    const shown = await database.documents.get([AGRI, 'r1'])
    if (ghost === undefined || shown === undefined) throw new Error('nothing arrived')
    await database.copies.put({ ...ghost, id: 'ghost', mark: 'f'.repeat(32) })
    await database.documents.put({ ...shown, id: 'ghost' })
    await database.servers.update(door.id, { digests: { [AGRI]: 'f'.repeat(32) } })
    await door.write(AGRI, 'r2', { type: 'record', form: 'f', answers: {} })
    await exchangeWith(door)
    expect(await database.documents.get([AGRI, 'ghost'])).toBeUndefined()
    expect(door.requests.at(-1)?.since).not.toHaveProperty(AGRI)
  })

  test('an erased record empties the phone’s own copies', async () => {
    const id = await record({ area: '1' })
    await exchangeWith(door)
    await edit(id, { area: '2' })
    await door.write(AGRI, id, { type: 'record', erased: true }, `9-${'f'.repeat(32)}`)
    await exchangeWith(door)
    expect(await database.revisions.count()).toBe(0)
    expect((await getRecord(AGRI, id))?.content).toEqual({ type: 'record', erased: true })
  })

  test('a record that only says beside its answers that it is erased empties nothing', async () => {
    const id = await record({ area: '1' })
    await exchangeWith(door)
    await edit(id, { area: '2' })
    await door.write(
      AGRI,
      id,
      { type: 'record', form: 'f', answers: { area: '3' }, erased: true },
      `9-${'f'.repeat(32)}`,
    )
    await exchangeWith(door)
    expect(await database.revisions.count()).toBe(2)
  })
})

describe('a server restored from a backup', () => {
  test('gets again what it had acknowledged and lost', async () => {
    const first = await record({ n: '1' })
    await exchangeWith(door)
    const restore = door.snapshot()
    const second = await record({ n: '2' })
    await exchangeWith(door)
    restore()
    expect(door.winner(AGRI, second)).toBeUndefined()
    await exchangeWith(door)
    expect(door.winner(AGRI, second)?.content['answers']).toEqual({ n: '2' })
    expect(door.winner(AGRI, first)?.content['answers']).toEqual({ n: '1' })
    expect(await database.documents.where('database').equals(AGRI).count()).toBe(2)
  })

  test('gets it again even when a newer save came first and the feed has grown past the old place', async () => {
    const restore = door.snapshot()
    const lost = await record({ n: 'lost' })
    await exchangeWith(door)
    restore()
    for (let index = 0; index < 4; index += 1)
      await door.write(AGRI, `other${String(index)}`, { type: 'record', form: 'f', answers: {} })
    await record({ n: 'newer' })
    await exchangeWith(door)
    expect(door.winner(AGRI, lost)?.content['answers']).toEqual({ n: 'lost' })
    expect((await database.servers.get(door.id))?.digests[AGRI]).toBe(await door.digest(AGRI))
  })
})

describe('signing in and out', () => {
  test('an expired access token is renewed inside the one request', async () => {
    await record({ n: '1' })
    door.access = 'another'
    await database.session.update('current', { accessExpiresAt: Date.now() - 1 })
    await exchangeWith(door)
    expect(door.requests).toHaveLength(1)
    const session = await database.session.get('current')
    expect(session).toMatchObject({ accessToken: door.access, refreshToken: door.refresh, expired: 0 })
  })

  test('when nothing renews it, what was saved still leaves by its seal, and a banner asks to sign in', async () => {
    const id = await record({ n: '1' })
    door.access = 'another'
    door.refresh = 'another'
    await exchangeWith(door)
    expect(door.winner(AGRI, id)).toBeDefined()
    expect((await database.session.get('current'))?.expired).toBe(1)
  })

  test('a signed-out person’s work leaves while another person uses the phone', async () => {
    const id = await record({ n: 'of Mai' })
    await storeSignOut()
    await signIn(door, 'vang.a.su')
    const other = await record({ n: 'of Sử' }, {}, 'person-vang.a.su')
    await exchangeWith(door)
    expect(door.winner(AGRI, id)).toBeDefined()
    expect(door.winner(AGRI, other)).toBeDefined()
    expect(door.requests.map(({ enrolment: who }) => who)).toEqual([expect.not.stringMatching(enrolment), enrolment])
    expect(door.requests[1]?.since).toEqual({})
  })

  test('the same key signs in again under the same enrolment and goes on counting', async () => {
    await record({ n: '1' })
    await exchangeWith(door)
    await storeSignOut()
    expect(await signIn(door)).toBe(enrolment)
    await record({ n: '2' })
    const numbers = (await database.revisions.toArray()).map(({ number }) => number)
    expect(numbers.sort()).toEqual([1, 2])
  })
})

describe('files', () => {
  test('follow their records in pieces, and go on where a lost link stopped them', async () => {
    const bytes = new Uint8Array(300_000).map((_, index) => index % 251)
    const ref = await putBlob(new Blob([bytes], { type: 'image/jpeg' }))
    await record({ photo: 'nha.jpg' }, { 'nha.jpg': ref })
    let pieces = 0
    const poor = async (path: string, init?: RequestInit): Promise<Response> => {
      if (init?.method === 'PATCH' && (pieces += 1) === 2) throw new TypeError('no network')
      return door.fetch(path, init)
    }
    await expect(runWith(door, poor)).rejects.toMatchObject({ code: 'offline' })
    expect(door.files.get(ref.sha256)?.data.length).toBe(131_072)
    await runWith(door)
    expect(await sha256(door.files.get(ref.sha256)?.data as Uint8Array<ArrayBuffer>)).toBe(ref.sha256)
    expect(await database.uploads.where('done').equals(0).count()).toBe(0)
  })

  test('wait until the record that names them is with the server', async () => {
    const ref = await putBlob(new Blob(['x'], { type: 'image/jpeg' }))
    await record({ photo: 'a.jpg' }, { 'a.jpg': ref })
    await sendMedia({ api: apiOf(door.fetch), store: database, again: false, progress: () => undefined })
    expect(door.files.size).toBe(0)
  })
})
