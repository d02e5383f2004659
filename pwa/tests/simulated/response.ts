/** An answer of the world's network, as far of `Response` as the app reads: its body comes whole, in time, or breaks off. */

export type Told = {
  status: number
  headers: Record<string, string>
  body: string
  isBroken: boolean
  /** How long the body takes; at once where it is left out. */
  bodyMs?: number
}

/** A slow body comes in pieces, each after so long. */
const PIECE_MS = 5_000

export class WorldResponse {
  readonly status: number
  readonly ok: boolean
  readonly headers: { get(name: string): string | null }
  private readonly bytes: Uint8Array
  private readonly isBroken: boolean
  private readonly bodyMs: number

  constructor(
    { status, headers, body, isBroken, bodyMs = 0 }: Told,
    private readonly wait: (ms: number) => Promise<void>,
  ) {
    this.status = status
    this.ok = status >= 200 && status < 300
    this.headers = { get: (name) => headers[name.toLowerCase()] ?? null }
    this.bytes = Buffer.from(body, 'base64')
    this.isBroken = isBroken
    this.bodyMs = bodyMs
  }

  get body(): { getReader(): Pick<ReadableStreamDefaultReader<Uint8Array>, 'read' | 'cancel'> } {
    const count = Math.max(1, Math.ceil(this.bodyMs / PIECE_MS))
    const size = Math.ceil(this.bytes.length / count)
    let at = 0
    const read = async (): ReturnType<ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>['read']> => {
      if (this.bodyMs > 0 && at < this.bytes.length) await this.wait(this.bodyMs / count)
      const value = this.bytes.slice(at, at + size)
      at += size
      if (value.length > 0) return { done: false, value }
      if (this.isBroken) throw new TypeError('the link broke')
      return { done: true, value: undefined }
    }
    return { getReader: () => ({ read, cancel: () => Promise.resolve() }) }
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.arrayBuffer())
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    if (this.bodyMs > 0) await this.wait(this.bodyMs)
    if (this.isBroken) throw new TypeError('the link broke')
    return new Uint8Array(this.bytes).buffer
  }
}
