/**
 * Sound while it is recorded, second by second: what was said until the browser ended is here, whatever ended it. The pieces of a
 * recording go when it is kept as a file, is given up, or its draft is no more.
 */
import Dexie from 'dexie'
import { database, type Piece } from './database'
import { guarded } from '@/domain/storage-full'

/** Write pieces of a recording; one that is there already is written again. Throws `StorageFull`. */
export async function putPieces(pieces: readonly Piece[]): Promise<void> {
  await guarded(() => database.pieces.bulkPut([...pieces]))
}

/** The bytes of a recording's pieces, in order; each holds about a second. */
export async function piecesOf(recording: string): Promise<Uint8Array<ArrayBuffer>[]> {
  const { minKey, maxKey } = Dexie
  const range = database.pieces.where('[recording+number]').between([recording, minKey], [recording, maxKey])
  return (await range.sortBy('number')).map(({ bytes }) => bytes)
}

export async function dropPieces(recording: string): Promise<void> {
  const { minKey, maxKey } = Dexie
  await database.pieces.where('[recording+number]').between([recording, minKey], [recording, maxKey]).delete()
}
