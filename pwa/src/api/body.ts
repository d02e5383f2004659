/** The body of an answer, read as it comes: what arrived before a link broke is kept, and its bytes are known. */

const IDLE_MS = 45_000

export type Body = { bytes: Uint8Array<ArrayBuffer>; isWhole: boolean }

/** What is told the bytes so far, after each further `each` of them; it is waited for. */
export type Keeper = { each: number; take: (bytes: Uint8Array<ArrayBuffer>) => Promise<void> }

/**
 * Return the bytes that arrived, and whether they are all. A link that breaks, or says nothing for `idleMs`, ends the body
 * early and throws nothing; what `keeper` throws is thrown.
 */
export async function readBody(response: Response, keeper?: Keeper, idleMs: number = IDLE_MS): Promise<Body> {
  const pieces: Uint8Array[] = []
  const reader = response.body?.getReader()
  if (reader === undefined) return { bytes: new Uint8Array(), isWhole: true }
  let waiting = 0
  for (;;) {
    const piece = await within(reader.read(), idleMs).catch(() => null)
    if (piece === null) {
      void reader.cancel().catch(() => undefined)
      return { bytes: joined(pieces), isWhole: false }
    }
    if (piece.done) return { bytes: joined(pieces), isWhole: true }
    pieces.push(piece.value)
    waiting += piece.value.length
    if (keeper === undefined || waiting < keeper.each) continue
    waiting = 0
    await keeper.take(joined(pieces))
  }
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the link says nothing')), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** Return pieces of bytes as one. */
export function joined(pieces: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
