/**
 * A file of a tab, its bytes at hand at once: Node reads its own Blob at a moment that no seed decides. A store keeps the
 * same one, since nothing ever changes in it.
 */
export class WorldBlob {
  readonly type: string
  readonly bytes: Uint8Array

  constructor(
    parts: readonly (string | ArrayBuffer | ArrayBufferView | WorldBlob)[],
    { type = '' }: { type?: string } = {},
  ) {
    this.bytes = Buffer.concat(parts.map(partOf))
    this.type = type
  }

  get size(): number {
    return this.bytes.length
  }

  slice(start = 0, end = this.size): WorldBlob {
    return new WorldBlob([this.bytes.subarray(start, end)], { type: this.type })
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return Promise.resolve(new Uint8Array(this.bytes).buffer)
  }

  /** How it stands among the rows that a world reads. */
  toJSON(): { size: number } {
    return { size: this.size }
  }
}

function partOf(part: string | ArrayBuffer | ArrayBufferView | WorldBlob): Uint8Array {
  if (typeof part === 'string') return Buffer.from(part, 'utf8')
  return part instanceof WorldBlob ? part.bytes : bytesOf(part)
}

export function bytesOf(part: ArrayBuffer | ArrayBufferView): Buffer {
  return ArrayBuffer.isView(part) ? Buffer.from(part.buffer, part.byteOffset, part.byteLength) : Buffer.from(part)
}

const clone = globalThis.structuredClone

/** fake-indexeddb asks for it whenever a row comes or goes; the app keeps a file in a member of its row. */
globalThis.structuredClone = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null || !('blob' in value) || !(value.blob instanceof WorldBlob))
    return clone(value)
  const { blob, ...others } = value
  return { ...clone(others), blob } as T
}
