/**
 * Which fields of a record wait for a person, as servers tell it.
 *
 * A merge says so itself, but the next plain edit of another field says nothing of it. So a server writes it beside the
 * record (`open:<record>`), and that document alone counts once there is one: whoever edits the record leaves it as it is.
 */
import type { JsonObject } from '@/domain/record'
import { database } from './database'
import { openOf } from './listing'

type Place = readonly [database: string, id: string]

/** Return the open fields of each of these records; none of one that is not here. May be called inside a transaction. */
export async function openAmong(records: readonly Place[]): Promise<string[][]> {
  const beside = await contentsOf(records.map(([name, id]) => [name, `open:${id}`]))
  const own = await contentsOf(records)
  return records.map((_, index) => {
    const record = own[index] ?? {}
    const told = openOf(beside[index] ?? record)
    // What was decided just now may not have been told beside the record yet.
    const decided = Array.isArray(record['decided']) ? record['decided'] : []
    return told.filter((path) => !decided.includes(path))
  })
}

async function contentsOf(places: readonly Place[]): Promise<(JsonObject | undefined)[]> {
  const rows = await database.documents.bulkGet(places.map(([name, id]): [string, string] => [name, id]))
  const live = rows.flatMap((row, index) => (row?.deleted === 0 ? [{ row, index }] : []))
  const bodies = await database.bodies.bulkGet(live.map(({ row }): Key => [row.database, row.id, row.rev]))
  const found = places.map((): JsonObject | undefined => undefined)
  live.forEach(({ index }, at) => (found[index] = bodies[at]?.content))
  return found
}

type Key = [string, string, string]
