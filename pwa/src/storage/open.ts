/**
 * Which fields of a record wait for a person, as servers tell it.
 *
 * A merge says so itself, but the next plain edit of another field says nothing of it. So a server writes it beside the
 * record (`open:<record>`), and that document alone counts once there is one: whoever edits the record leaves it as it is.
 */
import { database } from './database'
import { openOf } from './listing'

type Place = readonly [database: string, id: string]

/** Return the open fields of each of these records; none of one that is not here. May be called inside a transaction. */
export async function openAmong(records: readonly Place[]): Promise<string[][]> {
  const { documents, bodies } = database
  const beside = await documents.bulkGet(records.map(([name, id]): [string, string] => [name, besideOf(id)]))
  const own = await documents.bulkGet(records.map(([name, id]): [string, string] => [name, id]))
  const telling = records.flatMap((_, index) => {
    const row = [beside[index], own[index]].find((each) => each?.deleted === 0)
    return row === undefined ? [] : [{ index, row }]
  })
  const told = await bodies.bulkGet(telling.map(({ row }): Key => [row.database, row.id, row.rev]))
  const open = records.map((): string[] => [])
  telling.forEach(({ index }, at) => (open[index] = openOf(told[at]?.content ?? {})))
  return open
}

type Key = [string, string, string]

function besideOf(id: string): string {
  return `open:${id}`
}
