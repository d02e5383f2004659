/** A link of 64 kbit/s that breaks every minute, on a clock of its own: what a phone has to get arrives in the end. */
import { beforeEach, expect, test } from 'vitest'
import type { Fetch } from '@/api/client'
import { sha256 } from '@/domain/canonical'
import { fetchContents } from '@/replication/contents'
import { defaultContext, exchange } from '@/replication/exchange'
import { wholePart } from '@/replication/partial'
import { getLabelFile } from '@/storage/catalog'
import { database, serverState } from '@/storage/database'
import { Door } from './door'
import { AGRI, apiOf, emptyPhone, exchangeWith, record, signIn } from './phone'

const BYTES_A_SECOND = 8_000
const TURN_MS = 600

/** Answers come piece by piece, each taking its time; after `lastsMs` of one answer the link is gone. */
class PoorLink {
  nowMs = 1_800_000_000_000
  bytes = 0

  constructor(
    private readonly door: Door,
    public lastsMs: number,
    private readonly bytesASecond = BYTES_A_SECOND,
  ) {}

  readonly fetch: Fetch = async (path, init) => {
    const start = this.nowMs
    const response = await this.door.fetch(path, init)
    const body = new Uint8Array(await response.arrayBuffer())
    this.nowMs += TURN_MS
    let at = 0
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (at >= body.length) {
          controller.close()
          return
        }
        const piece = body.slice(at, at + 1_000)
        this.nowMs += (piece.length / this.bytesASecond) * 1000
        if (this.nowMs - start > this.lastsMs) {
          controller.error(new TypeError('the link is gone'))
          return
        }
        at += piece.length
        this.bytes += piece.length
        controller.enqueue(piece)
      },
    })
    return new Response(stream, { status: response.status, headers: response.headers })
  }
}

let door: Door

beforeEach(async () => {
  await emptyPhone()
  door = new Door(['catalog', AGRI])
  await signIn(door)
})

async function documents(count: number, characters: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    await door.write(AGRI, `r${String(n)}`, { type: 'record', form: 'f', answers: { text: 'x'.repeat(characters) } })
  }
}

/** Runs of the app until one ends well; returns how many there were. */
async function runs(link: PoorLink, most: number): Promise<number> {
  for (let run = 1; run <= most; run += 1) {
    try {
      await exchange(defaultContext({ fetch: link.fetch, now: () => link.nowMs, store: database }))
      return run
    } catch {
      link.nowMs += 5_000
    }
  }
  throw new Error(`not done after ${String(most)} runs`)
}

test(
  'a large pull ends, also from the largest budget, and costs little more than its bytes',
  { tags: ['slow'] },
  async () => {
    await documents(300, 10_000)
    await database.servers.put({ ...serverState(door.id), maxBytes: 4_000_000 })
    const link = new PoorLink(door, 60_000)
    expect(await runs(link, 4)).toBeLessThanOrEqual(3)
    expect(await database.documents.where('database').equals(AGRI).count()).toBe(300)
    expect(link.bytes).toBeLessThan(4_500_000)
  },
)

test('a link that breaks every eight seconds ends a pull too', { tags: ['slow'] }, async () => {
  await documents(60, 5_000)
  await database.servers.put({ ...serverState(door.id), maxBytes: 4_000_000 })
  await runs(new PoorLink(door, 8_000), 8)
  expect(await database.documents.where('database').equals(AGRI).count()).toBe(60)
})

test('quiet exchanges do not make the budget grow, full ones on a quick link do, slow ones make it small', async () => {
  const budget = async (): Promise<number> => (await database.servers.get(door.id))?.maxBytes ?? 0
  for (let day = 0; day < 6; day += 1) await exchangeWith(door)
  expect(await budget()).toBe(250_000)
  await documents(100, 10_000)
  const quick = new PoorLink(door, 60_000, 1_000_000)
  await runs(quick, 1)
  expect(await budget()).toBe(1_000_000)
  await door.write(AGRI, 'large', { type: 'record', form: 'f', answers: { text: 'x'.repeat(240_000) } })
  await runs(new PoorLink(door, 60_000), 1)
  expect(await budget()).toBeLessThan(500_000)
})

test('of an answer that breaks off, receipts and whole databases are kept', async () => {
  door = new Door([AGRI, 'agri-03227-2025'], 'server-2')
  await signIn(door)
  await door.write(AGRI, 'small', { type: 'record', form: 'f', answers: { text: '"changes":{ \\' } })
  await door.write('agri-03227-2025', 'large', { type: 'record', form: 'f', answers: { text: 'x'.repeat(60_000) } })
  await record({ n: '1' })
  const link = new PoorLink(door, 5_000)
  const context = defaultContext({ fetch: link.fetch, now: () => link.nowMs, store: database })
  await expect(exchange(context)).rejects.toMatchObject({ code: 'answer_broken' })
  expect((await database.revisions.toArray()).map(({ receipts }) => receipts[door.id]?.outcome)).toEqual(['stored'])
  expect(await database.documents.get([AGRI, 'small'])).toBeDefined()
  const state = await database.servers.get(door.id)
  expect(Object.keys(state?.since ?? {})).toEqual([AGRI])
  link.lastsMs = 60_000
  await runs(link, 1)
  expect((await database.servers.get(door.id))?.digests[AGRI]).toBe(await door.digest(AGRI))
  expect(await database.documents.count()).toBe(3)
})

test('wherever an answer breaks off, what is taken of it is a part of it', () => {
  const docs = [{ _id: 'a', _rev: '1-a', text: 'a "quoted" } text \\ with "changes":{"x":[' }]
  const head = { protocol: 2, acks: [{ reason: '"changes":{' }], carry: ['a', 'b'], server: 's' }
  const whole = { ...head, changes: { a: { since: '1-a', docs }, b: { since: '2-b', docs: [...docs, ...docs] } } }
  const text = JSON.stringify(whole)
  for (let at = 0; at <= text.length; at += 1) {
    const part = wholePart(text.slice(0, at))
    if (part === null) continue
    expect({ ...part, changes: {} }).toEqual({ ...head, changes: {} })
    for (const [name, page] of Object.entries(part.changes)) expect(whole.changes).toMatchObject({ [name]: page })
  }
  expect(wholePart(text)).toEqual(whole)
})

test('forms go on where they stopped: each of four large ones arrives, and none is asked for twice', async () => {
  const texts = [1, 2, 3, 4].map((n) => `<form n="${String(n)}">${String(n).repeat(200_000)}</form>`)
  const hashes = await Promise.all(texts.map((text) => sha256(text)))
  hashes.forEach((hash, index) => door.contents.set(hash, texts[index] ?? ''))
  const [xform = '', ...lists] = hashes
  const about = { form: 'f', version: '1', project: 'agri', xform }
  await door.write('catalog', 'form:f:1', { type: 'form', ...about, lists: Object.fromEntries(lists.entries()) })
  await exchangeWith(door)
  const link = new PoorLink(door, 10_000)
  let ended = 0
  for (; (await database.contents.count()) < 4 && ended < 30; ended += 1) {
    await fetchContents(apiOf(link.fetch), () => undefined).catch(() => undefined)
  }
  expect((await database.contents.toArray()).map(({ text }) => text).sort()).toEqual(texts)
  expect(await database.partials.count()).toBe(0)
  expect(link.bytes).toBeLessThan(900_000)
})

test('a picture of a label is kept byte for byte', async () => {
  const bytes = new Uint8Array([0x89, 0x50, 0xff, 0xfe, 0xc3, 0x28, 0])
  const hash = await sha256(bytes)
  door.contents.set(hash, new Blob([bytes], { type: 'image/png' }))
  const about = { form: 'f', version: '1', project: 'agri', xform: hash, lists: {}, media: { 'a.png': hash } }
  await door.write('catalog', 'form:f:1', { type: 'form', ...about })
  await exchangeWith(door)
  await fetchContents(apiOf(door.fetch), () => undefined)
  const kept = await getLabelFile(hash)
  expect(kept?.type).toBe('image/png')
  expect(new Uint8Array((await kept?.arrayBuffer()) ?? new ArrayBuffer())).toEqual(bytes)
})

test('a content that is damaged is fetched from its beginning, and leaves the others their turn', async () => {
  const right = await sha256('right')
  const damaged = await sha256('damaged')
  door.contents.set(right, 'right')
  door.contents.set(damaged, 'something else')
  const about = { form: 'f', version: '1', project: 'agri', xform: damaged, lists: { a: right } }
  await door.write('catalog', 'form:f:1', { type: 'form', ...about })
  await exchangeWith(door)
  expect(await fetchContents(apiOf(door.fetch), () => undefined)).toEqual([damaged])
  expect(await database.contents.toCollection().primaryKeys()).toEqual([right])
  door.contents.set(damaged, 'damaged')
  expect(await fetchContents(apiOf(door.fetch), () => undefined)).toEqual([])
})
