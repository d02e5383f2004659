/** Where a form is filled: on this phone for good, or tried by its author, with nothing kept. */
import { withBegun } from '@/domain/begun'
import type { MediaRef } from '@/domain/record'
import { dropUnnamed, getBlob, hashed, putBlob } from '@/storage/blobs'
import type { Piece, StoredBlob } from '@/storage/database'
import { newDraft } from '@/storage/drafts'
import { dropPieces, piecesOf, putPieces } from '@/storage/pieces'
import type { FormContents } from '@/features/answers/form-contents'
import type { FillPorts } from './useForm'

/** The files of a form that is open, by their hash, and the pieces of its recordings. */
export type FillFiles = {
  put(blob: Blob): Promise<MediaRef>
  get(sha256: string): Promise<Pick<StoredBlob, 'blob' | 'type'> | undefined>
  /** Drop what nothing names. */
  drop(hashes: string[]): Promise<void>
  putPieces(pieces: readonly Piece[]): Promise<void>
  piecesOf(recording: string): Promise<Uint8Array<ArrayBuffer>[]>
  dropPieces(recording: string): Promise<void>
}

export type FillPlace = {
  /** Nothing is kept, and the screen says so instead of when it was saved. */
  readonly isTrial: boolean
  readonly ports: FillPorts
  readonly files: FillFiles
}

export const PHONE_FILES: FillFiles = {
  put: putBlob,
  get: getBlob,
  drop: dropUnnamed,
  putPieces,
  piecesOf,
  dropPieces,
}

/** A place in memory for one trial of a form; it is gone with whoever holds it. */
export function trialPlace(contents: FormContents): FillPlace {
  const { form, version } = contents
  let draft = newDraft({ id: 'trial', record: '', database: '', person: '', form, version })
  return {
    isTrial: true,
    files: filesInMemory(),
    ports: {
      getDraft: () => Promise.resolve(draft),
      saveDraft: (_, { begun = {}, ...change }) => {
        draft = { ...draft, ...change, begun: withBegun(draft.begun ?? {}, begun) }
        return Promise.resolve(true)
      },
      finishDraft: () => Promise.resolve(''),
      contents: () => Promise.resolve(contents),
    },
  }
}

function filesInMemory(): FillFiles {
  const blobs = new Map<string, Pick<StoredBlob, 'blob' | 'type'>>()
  const recordings = new Map<string, Uint8Array<ArrayBuffer>[]>()
  return {
    put: async (blob) => {
      const reference = await hashed(blob)
      blobs.set(reference.sha256, { blob, type: reference.type })
      return reference
    },
    get: (sha256) => Promise.resolve(blobs.get(sha256)),
    // An original that was made smaller; what is named as well as what is not goes with the trial.
    drop: () => Promise.resolve(),
    putPieces: (pieces) => {
      for (const { recording, bytes } of pieces)
        recordings.set(recording, [...(recordings.get(recording) ?? []), bytes])
      return Promise.resolve()
    },
    piecesOf: (recording) => Promise.resolve(recordings.get(recording) ?? []),
    dropPieces: (recording) => {
      recordings.delete(recording)
      return Promise.resolve()
    },
  }
}
