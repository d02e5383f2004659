/**
 * One phone between two servers, as it is where a commune has a hub: the app's address leads to the hub in the office's
 * Wi-Fi and to the province everywhere else, and the two exchange only now and then.
 */
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Fetch } from '@/api/client'
import { EMPTY_DIGEST } from '@/domain/digest'
import { putBlob } from '@/storage/blobs'
import { database } from '@/storage/database'
import { discardUnsent, getRecord } from '@/storage/records'
import { readWorklist } from '@/storage/worklist'
import { Door } from './door'
import { AGRI, edit, emptyPhone, exchangeWith, record, remove, runWith, signIn } from './phone'

const MAI = 'person-lo.thi.mai'
let province: Door
let hub: Door
let enrolment: string

beforeEach(async () => {
  await emptyPhone()
  province = new Door(['catalog', AGRI], 'province')
  hub = new Door(['catalog', AGRI], 'hub')
  enrolment = await signIn(hub)
  await signIn(province)
})

/** The phone holds of each server exactly what that server holds. */
async function expectWhole(...doors: Door[]): Promise<void> {
  for (const door of doors) {
    const state = await database.servers.get(door.id)
    expect(state?.digests[AGRI] ?? EMPTY_DIGEST, `digest of ${door.id}`).toBe(await door.digest(AGRI))
    expect(state?.afresh).toEqual({})
    for (const { id, rev } of await database.copies.where('[server+database]').equals([door.id, AGRI]).toArray()) {
      expect(rev).toBe(door.winner(AGRI, id)?.rev)
      expect(await database.bodies.get([AGRI, id, rev])).toBeDefined()
    }
  }
}

const valueOf = async (id: string): Promise<unknown> => (await getRecord(AGRI, id))?.content['answers']
const pulledAfresh = (door: Door): number => door.requests.slice(1).filter(({ since }) => !(AGRI in since)).length

describe('a phone that meets one server one day and the other the next', () => {
  test('loses and doubles nothing, and reads neither from the beginning again', { tags: ['slow'] }, async () => {
    const ids: string[] = []
    for (let day = 0; day < 6; day += 1) {
      const here = day % 2 === 0 ? hub : province
      const id = await record({ day: String(day) })
      ids.push(id)
      if (day > 1) await edit(ids[day - 2] ?? '', { day: `${String(day - 2)} again` })
      await here.write(AGRI, `of-${here.id}-${String(day)}`, { type: 'record', form: 'f', answers: {} })
      await exchangeWith(here)
      await expectWhole(here)
    }
    await exchangeWith(hub)
    for (const id of ids) {
      expect(province.leaves(AGRI, id)).toHaveLength(1)
      expect(hub.winner(AGRI, id)?.rev).toBe(province.winner(AGRI, id)?.rev)
    }
    for (const door of [hub, province]) {
      const numbers = [...(door.numbers.get(enrolment)?.received ?? [])]
      expect(new Set(numbers).size).toBe(numbers.length)
      expect(pulledAfresh(door)).toBe(0)
    }
    await expectWhole(hub, province)
    expect((await readWorklist(MAI)).sent).toHaveLength(6)
  })

  test('is let in by each with its own tokens, and asked for a password only where it never signed in', async () => {
    await exchangeWith(hub)
    expect((await database.session.get('current'))?.server).toBe('hub')
    await exchangeWith(province)
    expect(await database.session.get('current')).toMatchObject({ server: 'province', expired: 0 })
    const stranger = new Door(['catalog', AGRI], 'another-hub')
    stranger.keys = province.keys
    const id = await record({ n: '1' })
    await exchangeWith(stranger)
    // Its seal is enough to hand over what was saved.
    expect(stranger.winner(AGRI, id)).toBeDefined()
    expect(await database.session.get('current')).toMatchObject({ server: 'another-hub', expired: 1 })
    await exchangeWith(province)
    expect(await database.session.get('current')).toMatchObject({ server: 'province', expired: 0 })
    expect(province.winner(AGRI, id)).toBeDefined()
  })

  test('never takes an older state of one for the newer of the other', async () => {
    const first = await province.write(AGRI, 'r1', plot('1'))
    await hub.take(province)
    await exchangeWith(hub)
    await province.write(AGRI, 'r1', plot('2'), first)
    await exchangeWith(province)
    expect(await valueOf('r1')).toEqual({ area: '2' })
    await hub.write(AGRI, 'r2', plot('x'))
    await exchangeWith(hub)
    expect(await valueOf('r1')).toEqual({ area: '2' })
    await expectWhole(hub, province)
  })

  test('shows what one deleted as deleted, though the other has not heard of it', async () => {
    const first = await province.write(AGRI, 'r1', plot('1'))
    await hub.take(province)
    await exchangeWith(hub)
    await exchangeWith(province)
    await province.write(AGRI, 'r1', { type: 'record' }, first, true)
    await exchangeWith(province)
    expect((await getRecord(AGRI, 'r1'))?.deleted).toBe(true)
    await hub.write(AGRI, 'r2', plot('x'))
    await exchangeWith(hub)
    expect((await getRecord(AGRI, 'r1'))?.deleted).toBe(true)
    expect((await readWorklist(MAI)).all.map(({ id }) => id)).toEqual(['r2'])
  })

  test('its own deletion stands at the server that took it, and reaches the other', async () => {
    const id = await record({ n: '1' })
    await exchangeWith(hub)
    await exchangeWith(province)
    await remove(id)
    await exchangeWith(province)
    expect(await database.copies.get(['province', AGRI, id])).toMatchObject({ deleted: 1 })
    expect((await getRecord(AGRI, id))?.deleted).toBe(true)
    expect(pulledAfresh(province)).toBe(0)
    await exchangeWith(hub)
    expect(hub.winner(AGRI, id)?.deleted).toBe(true)
    await expectWhole(hub, province)
  })

  test('tells each of them which numbers were discarded', async () => {
    await record({ n: '1' })
    const [own] = await database.revisions.toArray()
    await discardUnsent(own?.rev ?? '')
    await exchangeWith(hub)
    await exchangeWith(province)
    await exchangeWith(hub)
    const told = (door: Door): string[][] => door.requests.map(({ holding }) => holding.discarded)
    expect([told(hub), told(province).slice(-1)]).toEqual([[['1'], []], [['1']]])
  })

  test('gives each its files', async () => {
    const photo = await putBlob(new Blob(['photo'], { type: 'image/jpeg' }))
    await record({ photo: 'a.jpg' }, { 'a.jpg': photo })
    await runWith(hub)
    expect((await readWorklist(MAI)).sent).toMatchObject([{ filesWaiting: 0 }])
    expect(province.files.size).toBe(0)
    await runWith(province)
    expect(province.files.get(photo.sha256)?.data).toHaveLength(5)
  })

  test('keeps what belongs to another commune for a server that takes it', async () => {
    const elsewhere = 'agri-03203-2025'
    province = new Door(['catalog', AGRI, elsewhere], 'province')
    await signIn(province)
    await exchangeWith(province)
    await exchangeWith(hub)
    const id = await record({ n: '1' }, {}, MAI, elsewhere)
    hub.refuse.add(id)
    await exchangeWith(hub)
    expect(hub.requests.at(-1)).toMatchObject({ push: [], holding: { unsent: ['1'] } })
    expect((await readWorklist(MAI)).waiting.map((item) => item.id)).toEqual([id])
    await exchangeWith(province)
    expect(province.winner(elsewhere, id)).toBeDefined()
  })

  test('sends a server what it takes from now on as soon as it says so', async () => {
    const FORESTRY = 'forestry-03226-2025'
    province.carry = ['catalog', AGRI, FORESTRY]
    await province.write(FORESTRY, 'there', { type: 'record' })
    await exchangeWith(hub)
    await exchangeWith(province)
    const id = await record({ n: '1' }, {}, MAI, FORESTRY)
    hub.carry = ['catalog', AGRI, FORESTRY]
    await hub.write(FORESTRY, 'here', { type: 'record' })
    await exchangeWith(hub)
    expect(hub.leaves(FORESTRY, id)).toHaveLength(1)
  })

  test('an erasure at one empties what the other still holds', async () => {
    const first = await province.write(AGRI, 'r1', plot('secret'))
    await hub.take(province)
    await exchangeWith(hub)
    await exchangeWith(province)
    await province.write(AGRI, 'r1', { type: 'record', erased: true }, first)
    await exchangeWith(province)
    expect(JSON.stringify(await database.bodies.toArray())).not.toContain('secret')
    await database.servers.where('id').equals('hub').modify({ since: {} })
    await exchangeWith(hub)
    expect(JSON.stringify(await database.bodies.toArray())).not.toContain('secret')
    expect((await getRecord(AGRI, 'r1'))?.content).toEqual({ type: 'record', erased: true })
  })
})

describe('a server restored from a backup', () => {
  test('gets back also the save that a later one of the same record follows', async () => {
    const id = await record({ n: '1' })
    await exchangeWith(province)
    const restore = province.snapshot()
    const lost = await edit(id, { n: '2' })
    await exchangeWith(province)
    restore()
    await province.write(AGRI, 'other', plot('x'))
    await province.write(AGRI, 'another', plot('x'))
    const last = await edit(id, { n: '3' })
    await exchangeWith(province)
    expect(province.winner(AGRI, id)?.rev).toBe(last)
    expect([...(province.databases.get(AGRI)?.revisions.get(id)?.keys() ?? [])]).toContain(lost)
    await expectWhole(province)
  })

  test('does not make the phone doubt the other', async () => {
    await record({ n: '1' })
    await exchangeWith(hub)
    await exchangeWith(province)
    const restore = province.snapshot()
    const id = await record({ n: '2' })
    await exchangeWith(province)
    await exchangeWith(hub)
    restore()
    await exchangeWith(province)
    expect(province.winner(AGRI, id)).toBeDefined()
    const before = hub.requests.length
    await exchangeWith(hub)
    expect(hub.requests.slice(before)).toMatchObject([{ push: [] }])
    await expectWhole(hub, province)
  })
})

describe('whatever happens between the two', () => {
  const steps = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constant({ kind: 'record' as const }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('edit' as const), which: fc.nat(20) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), which: fc.nat(20) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constantFrom('changed' as const, 'deleted' as const),
          which: fc.nat(20),
          at: fc.nat(1),
        }),
      },
      { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('meet' as const, 'lose' as const), at: fc.nat(1) }) },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constantFrom('bring' as const, 'restore' as const), at: fc.nat(1) }),
      },
    ),
    { minLength: 5, maxLength: 30 },
  )

  test('in the end all three hold the same, and the phone shows it', { tags: ['slow'], timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (story) => {
        await emptyPhone()
        const doors = [new Door(['catalog', AGRI], 'hub'), new Door(['catalog', AGRI], 'province')] as const
        for (const door of doors) await signIn(door)
        const backups = doors.map((door) => door.snapshot())
        const ids: string[] = []
        let count = 0
        for (const step of story) {
          const here = doors['at' in step && step.at === 1 ? 1 : 0]
          const there = doors[here === doors[0] ? 1 : 0]
          const id = ids['which' in step ? step.which % Math.max(1, ids.length) : 0]
          const view = id === undefined ? undefined : await getRecord(AGRI, id)
          const winner = id === undefined ? undefined : here.winner(AGRI, id)
          const n = String((count += 1))
          if (step.kind === 'record') ids.push(await record({ n }))
          else if (step.kind === 'edit' && id !== undefined && view?.deleted === false) await edit(id, { n })
          else if (step.kind === 'delete' && id !== undefined && view?.deleted === false) await remove(id)
          else if (step.kind === 'changed' && id !== undefined && winner !== undefined)
            await here.write(AGRI, id, plot(n), winner.rev)
          else if (step.kind === 'deleted' && id !== undefined && winner?.deleted === false)
            await here.write(AGRI, id, { type: 'record', n }, winner.rev, true)
          else if (step.kind === 'meet') await exchangeWith(here)
          else if (step.kind === 'lose') await exchangeWith(here, losing(here)).catch(() => undefined)
          else if (step.kind === 'bring') await here.take(there)
          else if (step.kind === 'restore') backups[here === doors[0] ? 0 : 1]?.()
        }
        for (const door of doors) await exchangeWith(door)
        await doors[0].take(doors[1])
        await doors[1].take(doors[0])
        for (const door of doors) await exchangeWith(door)
        await expectWhole(...doors)
        const own = await database.revisions.toArray()
        for (const row of own) {
          for (const door of doors) expect(door.databases.get(AGRI)?.revisions.get(row.id)?.has(row.rev)).toBe(true)
        }
        for (const id of ids) {
          const winner = doors[0].winner(AGRI, id)
          expect(doors[1].winner(AGRI, id)?.rev).toBe(winner?.rev)
          const view = await getRecord(AGRI, id)
          expect(view === undefined || view.deleted ? null : view.rev).toBe(
            winner?.deleted === true ? null : winner?.rev,
          )
        }
      }),
      { numRuns: 40 },
    )
  })
})

/** The request arrives, its answer does not. */
function losing(door: Door): Fetch {
  return async (path, init) => {
    await door.fetch(path, init)
    throw new TypeError('connection reset')
  }
}

function plot(area: string): { type: string; form: string; form_version: string; answers: { area: string } } {
  return { type: 'record', form: 'f', form_version: '1', answers: { area } }
}
