/** An answer of the world's network, as far of `Response` as the app reads: its body comes whole, or breaks off. */

export type Told = { status: number; headers: Record<string, string>; body: string; isBroken: boolean }

export class WorldResponse {
  readonly status: number
  readonly ok: boolean
  readonly headers: { get(name: string): string | null }
  private readonly bytes: Uint8Array
  private readonly isBroken: boolean

  constructor({ status, headers, body, isBroken }: Told) {
    this.status = status
    this.ok = status >= 200 && status < 300
    this.headers = { get: (name) => headers[name.toLowerCase()] ?? null }
    this.bytes = Buffer.from(body, 'base64')
    this.isBroken = isBroken
  }

  get body(): { getReader(): Pick<ReadableStreamDefaultReader<Uint8Array>, 'read' | 'cancel'> } {
    const pieces = this.bytes.length > 0 ? [this.bytes] : []
    const read = (): ReturnType<ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>['read']> => {
      const value = pieces.shift() as Uint8Array<ArrayBuffer> | undefined
      if (value !== undefined) return Promise.resolve({ done: false, value })
      if (this.isBroken) return Promise.reject(new TypeError('the link broke'))
      return Promise.resolve({ done: true, value: undefined })
    }
    return { getReader: () => ({ read, cancel: () => Promise.resolve() }) }
  }

  async text(): Promise<string> {
    if (this.isBroken) throw new TypeError('the link broke')
    return Promise.resolve(new TextDecoder().decode(this.bytes))
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    if (this.isBroken) throw new TypeError('the link broke')
    return Promise.resolve(new Uint8Array(this.bytes).buffer)
  }
}
