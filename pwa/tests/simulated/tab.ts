/**
 * A tab: a JavaScript realm of its own with the app in it, and the browser around it as a world wants it. The clock stands
 * still until the world moves it, chance comes from the phone's seed, keys and signatures from the world, and `fetch` hands
 * the request to the world's network. Browsers without `CompressionStream` pack with the app's own library: here it does.
 */
import { createHash } from 'node:crypto'
import { createContext, type Script } from 'node:vm'
import { IDBKeyRange } from 'fake-indexeddb'
import { WorldBlob, bytesOf } from './blob'
import type { Disk } from './disk'
import type { Locks } from './locks'
import { WorldResponse, type Told } from './response'
import { enqueue } from './tasks'

/** What only the world knows; both are answered at once. */
export type World = {
  key: (username: string) => JsonWebKey
  sign: (username: string, data: Uint8Array) => Uint8Array
}

export type Asked = { id: number; method: string; path: string; headers: Record<string, string>; body: string | null }

type Timer = { at: number; order: number; run: () => void }
type App = { run(name: string, what: string): Promise<string>; ready(): Promise<unknown> }
type Waiting = { resolve: (response: WorldResponse) => void; reject: (error: unknown) => void }

/** A phone's clock, chance and timers, which all its tabs share. */
export class Clock {
  now = 0
  private readonly timers = new Map<number, Timer>()
  private count = 0

  set(run: () => void, ms = 0): number {
    this.count += 1
    this.timers.set(this.count, { at: this.now + Math.max(0, ms), order: this.count, run })
    return this.count
  }

  clear(id: number | undefined): void {
    if (id !== undefined) this.timers.delete(id)
  }

  forget(): void {
    this.timers.clear()
  }

  /** The time at which the next timer goes off; undefined where none is set. */
  next(): number | undefined {
    return this.first()?.[1].at
  }

  /** Take the next timer that goes off by `until`, and put the clock there. */
  due(until: number): (() => void) | undefined {
    const first = this.first()
    if (first === undefined || first[1].at > until) return undefined
    this.timers.delete(first[0])
    this.now = Math.max(this.now, first[1].at)
    return first[1].run
  }

  private first(): [number, Timer] | undefined {
    return [...this.timers].sort(([, one], [, other]) => one.at - other.at || one.order - other.order)[0]
  }
}

/** Bytes that a seed gives: the same in every run, and in whoever computes them from the same seed. */
export class Chance {
  private count = 0
  constructor(private readonly seed: string) {}

  fill(bytes: Uint8Array): Uint8Array {
    for (let at = 0; at < bytes.length; at += 32) {
      this.count += 1
      const some = createHash('sha256')
        .update(`${this.seed} ${String(this.count)}`)
        .digest()
      bytes.set(some.subarray(0, Math.min(32, bytes.length - at)), at)
    }
    return bytes
  }
}

/** `username` is whoever holds it: a key that is made now is theirs. */
export type Phone = { disk: Disk; clock: Clock; chance: Chance; locks: Locks | null; username: string }

export class Tab {
  readonly asked: Asked[] = []
  private readonly app: App
  private readonly waiting = new Map<number, Waiting>()
  private count = 0
  private isClosed = false

  constructor(
    private readonly phone: Phone,
    script: Script,
    world: World,
  ) {
    const context = createContext(this.globals(world))
    script.runInContext(context)
    this.app = context as unknown as App
  }

  ready(): Promise<unknown> {
    return this.app.ready()
  }

  run(name: string, what: string): Promise<string> {
    return this.app.run(name, what)
  }

  /** Requests that the world has not answered. */
  get pending(): number {
    return this.waiting.size
  }

  /** Its person closes it: nothing of it goes on, and nobody waits for what it has asked. */
  close(): void {
    this.isClosed = true
    this.asked.length = 0
    this.waiting.clear()
    this.phone.locks?.drop(this)
  }

  /** Give the app the world's answer to one of its requests. */
  answer(id: number, told: Told | null): void {
    const waiting = this.waiting.get(id)
    this.waiting.delete(id)
    if (told === null) waiting?.reject(new TypeError('Failed to fetch'))
    else waiting?.resolve(new WorldResponse(told, (ms) => new Promise((resolve) => this.later(resolve, ms))))
  }

  private fetch(path: string, init: RequestInit = {}): Promise<WorldResponse> {
    const { signal, method = 'GET', body } = init
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error)
        return
      }
      this.count += 1
      const id = this.count
      this.waiting.set(id, { resolve, reject })
      signal?.addEventListener('abort', () => {
        this.waiting.delete(id)
        reject(signal.reason as Error)
      })
      const headers = { ...(init.headers as Record<string, string> | undefined) }
      this.asked.push({ id, method, path, headers, body: sent(body)?.toString('base64') ?? null })
    })
  }

  private later(run: () => void, ms?: number): number {
    return this.phone.clock.set(() => {
      if (!this.isClosed) run()
    }, ms)
  }

  private globals(world: World): Record<string, unknown> {
    const { phone } = this
    const { clock, chance, disk, locks } = phone
    const subtle = {
      generateKey: () => Promise.resolve({ publicKey: phone.username, privateKey: { of: phone.username } }),
      exportKey: (_: string, key: string) => Promise.resolve(world.key(key)),
      sign: (_: unknown, key: { of: string }, data: Uint8Array) => Promise.resolve(world.sign(key.of, data).buffer),
      digest: (_: string, data: ArrayBuffer | Uint8Array) =>
        Promise.resolve(new Uint8Array(createHash('sha256').update(bytesOf(data)).digest()).buffer),
    }
    return {
      __now: () => clock.now,
      __random: () => chance.fill(new Uint8Array(4)).reduce((sum, byte) => sum / 256 + byte, 0) / 256,
      console,
      indexedDB: disk.factory,
      IDBKeyRange,
      fetch: (path: string, init?: RequestInit) => this.fetch(path, init),
      Response: WorldResponse,
      setTimeout: (run: () => void, ms?: number) => this.later(run, ms),
      clearTimeout: (id?: number) => clock.clear(id),
      setImmediate: enqueue,
      queueMicrotask,
      crypto: { subtle, getRandomValues: (bytes: Uint8Array) => chance.fill(bytes) },
      performance: { now: () => clock.now },
      navigator: { onLine: true, userAgent: 'simulated', locks: locks?.of(this) },
      ...{
        TextEncoder,
        TextDecoder,
        btoa,
        atob,
        Blob: WorldBlob,
        URL,
        DOMException,
        Event,
        EventTarget,
        AbortController,
      },
      AbortSignal: {
        any: (signals: AbortSignal[]) => AbortSignal.any(signals),
        timeout: (ms: number) => {
          const controller = new AbortController()
          this.later(() => controller.abort(new DOMException('too late', 'TimeoutError')), ms)
          return controller.signal
        },
      },
    }
  }
}

function sent(body: unknown): Buffer | null {
  if (body instanceof WorldBlob) return Buffer.from(body.bytes)
  return typeof body === 'string' ? Buffer.from(body) : ArrayBuffer.isView(body) ? bytesOf(body) : null
}

/** Runs in a tab before the app: the realm's own clock and chance are the world's. */
export const PRELUDE = `{
  const now = globalThis.__now
  const Real = Date
  globalThis.Date = class Date extends Real {
    constructor(...parts) { if (parts.length === 0) super(now()); else super(...parts) }
    static now() { return now() }
  }
  Math.random = globalThis.__random
  globalThis.self = globalThis
}
`
