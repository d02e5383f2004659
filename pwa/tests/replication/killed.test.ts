/**
 * The phone dies: at every step in turn that touches the store or the network, before it, or after the server did its part.
 * Whatever the step, starting again brings server and phone to the same end as if nothing had happened (I2, I3, I7).
 */
import Dexie, { type DBCore, type DBCoreTable, type Middleware } from 'dexie'
import fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { Fetch } from '@/api/client'
import { sha256 } from '@/domain/canonical'
import { database } from '@/storage/database'
import { putBlob } from '@/storage/blobs'
import { Door } from './door'
import { AGRI, edit, emptyPhone, record, runWith, signIn } from './phone'

class Killed extends Error {}

/** Counts every step; from the one that was chosen on, none succeeds any more: power is gone. */
const power = { left: Number.POSITIVE_INFINITY, used: 0 }

function hasPower(): boolean {
  power.used += 1
  power.left -= 1
  return power.left >= 0
}

function step(): void {
  if (!hasPower()) throw new Killed('power is gone')
}

const mortal: Middleware<DBCore> = {
  stack: 'dbcore',
  name: 'mortal',
  create: (core) => ({
    ...core,
    table: (name): DBCoreTable => {
      const table = core.table(name)
      const dying =
        <A extends unknown[], R>(work: (...arguments_: A) => Promise<R>) =>
        (...arguments_: A): Promise<R> => {
          if (hasPower()) return work(...arguments_)
          return Dexie.Promise.reject(new Killed('power is gone'))
        }
      return {
        ...table,
        mutate: dying((request) => table.mutate(request)),
        get: dying((request) => table.get(request)),
        getMany: dying((request) => table.getMany(request)),
        query: dying((request) => table.query(request)),
      }
    },
  }),
}

/** The network, with a step before the request leaves and one before its answer arrives. */
function mortalFetch(door: Door): Fetch {
  return async (path, init) => {
    step()
    const response = await door.fetch(path, init)
    step()
    return response
  }
}

type World = { door: Door; first: string; second: string; photo: string }

/** A phone in the middle of a day: two new records, one with a photo, one corrected record of somebody else. */
async function aDay(): Promise<World> {
  await emptyPhone()
  const door = new Door(['catalog', AGRI])
  const form = '{"xform":true}'
  const hash = await sha256(form)
  door.contents.set(hash, form)
  await door.write('catalog', 'form:household_crop:1', {
    type: 'form',
    form: 'household_crop',
    version: '1',
    xform: hash,
    lists: {},
  })
  await door.write(AGRI, 'theirs', { type: 'record', form: 'household_crop', form_version: '1', answers: { a: '1' } })
  await signIn(door)
  await runWith(door)
  await edit('theirs', { a: '2' })
  await door.write(AGRI, 'new', { type: 'record', form: 'household_crop', form_version: '1', answers: {} })
  const photo = await putBlob(new Blob([new Uint8Array(200_000).fill(7)], { type: 'image/jpeg' }))
  const first = await record({ n: '1', photo: 'a.jpg' }, { 'a.jpg': photo })
  const second = await record({ n: '2' })
  return { door, first, second, photo: photo.sha256 }
}

async function runUntil(steps: number, door: Door): Promise<boolean> {
  power.left = steps
  power.used = 0
  try {
    await runWith(door, mortalFetch(door))
    return true
  } catch {
    return false
  } finally {
    power.left = Number.POSITIVE_INFINITY
  }
}

async function expectWhole({ door, first, second, photo }: World): Promise<void> {
  // Nothing is lost, nothing is doubled: each record is there once, in one branch.
  for (const [id, answers] of [
    [first, { n: '1', photo: 'a.jpg' }],
    [second, { n: '2' }],
    ['theirs', { a: '2' }],
  ] as const) {
    expect(door.winner(AGRI, id)?.content['answers']).toEqual(answers)
    expect(door.leaves(AGRI, id)).toHaveLength(1)
  }
  expect(door.databases.get(AGRI)?.feed).toHaveLength(4)
  expect([...(door.numbers.values().next().value?.received ?? [])].sort()).toEqual([1, 2, 3])
  const own = await database.revisions.toArray()
  expect(own).toHaveLength(3)
  expect(own.every((row) => ['stored', 'duplicate'].includes(row.receipts[door.id]?.outcome ?? ''))).toBe(true)
  expect(door.files.get(photo)?.data.length).toBe(200_000)
  expect(await database.uploads.where('done').equals(0).count()).toBe(0)
  // The phone holds exactly what the server holds.
  expect((await database.servers.get(door.id))?.digests[AGRI]).toBe(await door.digest(AGRI))
  expect(await database.documents.where('database').equals(AGRI).count()).toBe(4)
  for (const row of await database.documents.where('database').equals(AGRI).toArray()) {
    expect(row.rev).toBe(door.winner(AGRI, row.id)?.rev)
    expect(await database.bodies.get([AGRI, row.id, row.rev])).toBeDefined()
  }
}

describe('a phone that dies', { tags: ['slow'], timeout: 240_000 }, () => {
  beforeEach(() => {
    database.close()
    database.use(mortal)
    return database.open()
  })
  afterAll(() => {
    database.close()
    database.unuse({ stack: 'dbcore', name: 'mortal' })
  })

  test('at any one step loses and doubles nothing', async () => {
    await aDay().then(({ door }) => runUntil(Number.POSITIVE_INFINITY, door))
    const steps = power.used
    expect(steps).toBeGreaterThan(40)
    for (let at = 0; at < steps; at += 1) {
      const world = await aDay()
      expect(await runUntil(at, world.door)).toBe(false)
      expect(await runUntil(Number.POSITIVE_INFINITY, world.door)).toBe(true)
      await expectWhole(world)
    }
  })

  test('again and again still comes to the same end', async () => {
    const deaths = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 2, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(deaths, async (points) => {
        const world = await aDay()
        for (const at of points) await runUntil(at, world.door)
        expect(await runUntil(Number.POSITIVE_INFINITY, world.door)).toBe(true)
        await expectWhole(world)
      }),
      { numRuns: 25 },
    )
  })
})
