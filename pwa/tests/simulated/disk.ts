/**
 * A phone's IndexedDB: fake-indexeddb over records that outlive its tabs, as it stood at the end of each transaction, with
 * the faults that a world asks for. A phone dies at any step of its storage or right after a commit; a transaction
 * fails at its commit, for want of space or for no reason; and relaxed storage goes back by a few commits.
 *
 * It reaches into fake-indexeddb, whose types say nothing of what is inside: `Raw…` are the parts that it relies on.
 */
import { IDBFactory, IDBTransaction } from 'fake-indexeddb'
import type { Life } from './tasks'

type RawRecord = { key: unknown; value: unknown }
type RawRecords = { values(): Iterable<RawRecord>; put(record: RawRecord): void }
type RawIndex = {
  name: string
  keyPath: unknown
  multiEntry: boolean
  unique: boolean
  initialized: boolean
  storeRecord(record: RawRecord): void
}
type RawStore = {
  name: string
  keyPath: unknown
  autoIncrement: boolean
  records: RawRecords
  rawIndexes: Map<string, RawIndex>
}
type RawDatabase = { name: string; version: number; rawObjectStores: Map<string, RawStore> }
type RawTransaction = {
  db: { _rawDatabase: RawDatabase }
  mode: string
  error: unknown
  _state: string
  _scope: Set<string>
  _requests: { request: { readyState: string } }[]
  _rollbackLog: (() => void)[]
  _start(): void
  _abort(name: string | null): void
  _markFinished(): void
}

/** All records of a database at one moment, by the names of its stores; the stores themselves never change. */
type Image = Map<string, readonly RawRecord[]>

/** How many commits a pulled battery takes at most from relaxed storage. */
const MOST_LOST = 4

const devices = new WeakMap<RawDatabase, Disk>()

class Died extends Error {}

export type Failure = 'QuotaExceededError' | 'UnknownError'

export class Disk {
  factory = new IDBFactory()
  life: Life = { isDead: false }
  /** After so many steps of storage the phone dies. */
  diesIn: number | null = null
  /** After so many commits transactions fail, so often. */
  failsIn: number | null = null
  failures = 0
  failsAs: Failure = 'QuotaExceededError'
  steps = 0
  commits = 0
  private raw: RawDatabase | undefined
  private image: Image = new Map()
  private copy: Image | undefined
  private before: Image[] = []

  /** What the disk of a phone that was just opened for the first time holds is known from then on. */
  opened(): void {
    const databases = (this.factory as unknown as { _databases: Map<string, RawDatabase> })._databases
    const raw = databases.get('nuong')
    if (raw === undefined) throw new Error('the app has no database')
    this.raw = raw
    devices.set(raw, this)
    this.image = imageOf(raw, new Map(), raw.rawObjectStores.keys())
  }

  /** Begin another life over what is durable, `lost` commits ago; returns how many were there to lose. */
  reborn(lost: number): number {
    this.life.isDead = true
    this.life = { isDead: false }
    this.diesIn = this.failsIn = null
    const count = Math.min(lost, this.before.length)
    if (count > 0) {
      this.image = this.before[this.before.length - count] ?? this.image
      this.before = this.before.slice(0, -count)
    }
    const { raw } = this
    if (raw === undefined) return count
    this.raw = copyOf(raw, this.image)
    this.factory = new IDBFactory()
    ;(this.factory as unknown as { _databases: Map<string, RawDatabase> })._databases.set('nuong', this.raw)
    devices.set(this.raw, this)
    return count
  }

  /** Copy all of it, as somebody does who backs a phone up. */
  keep(): void {
    this.copy = this.image
  }

  /** Put the copy back in place of what is there; false where none was made. */
  putBack(): boolean {
    if (this.copy === undefined) return false
    this.image = this.copy
    this.before = []
    return true
  }

  /** What each store holds now. */
  rows(): Record<string, unknown[]> {
    return Object.fromEntries([...this.image].map(([name, records]) => [name, records.map(({ value }) => value)]))
  }

  /** Drop rows as a broken disk does, behind the app's back. */
  lose(store: string, key: (value: unknown) => boolean): void {
    this.image.set(
      store,
      (this.image.get(store) ?? []).filter(({ value }) => !key(value)),
    )
    this.before = []
    this.reborn(0)
  }

  /** Count a step of storage; the phone may die at it. */
  step(): void {
    this.steps += 1
    if (this.diesIn === null) return
    this.diesIn -= 1
    if (this.diesIn <= 0) this.die()
  }

  /** Whether the transaction that is about to commit fails. */
  isFailing(): boolean {
    if (this.failsIn === null) return false
    if (this.failsIn > 0) {
      this.failsIn -= 1
      return false
    }
    this.failures -= 1
    if (this.failures <= 0) this.failsIn = null
    return true
  }

  committed(raw: RawDatabase, stores: Iterable<string>): void {
    this.before = [...this.before, this.image].slice(-MOST_LOST)
    this.image = imageOf(raw, this.image, stores)
    this.commits += 1
    this.step()
  }

  private die(): never {
    this.diesIn = null
    this.life.isDead = true
    throw new Died()
  }
}

function imageOf(raw: RawDatabase, before: Image, stores: Iterable<string>): Image {
  const image = new Map(before)
  for (const name of stores) image.set(name, [...(raw.rawObjectStores.get(name)?.records.values() ?? [])])
  return image
}

type Maker<T> = new (...parts: unknown[]) => T

/** A database of the same shape that holds these records, free of every transaction of the old one. */
function copyOf(raw: RawDatabase, image: Image): RawDatabase {
  const copy = new (raw.constructor as Maker<RawDatabase>)(raw.name, raw.version)
  for (const store of raw.rawObjectStores.values()) {
    const { name, keyPath, autoIncrement } = store
    const twin = new (store.constructor as Maker<RawStore>)(copy, name, keyPath, autoIncrement)
    for (const index of store.rawIndexes.values()) {
      const { multiEntry, unique } = index
      const made = new (index.constructor as Maker<RawIndex>)(twin, index.name, index.keyPath, multiEntry, unique)
      made.initialized = true
      twin.rawIndexes.set(index.name, made)
    }
    for (const record of image.get(name) ?? []) {
      twin.records.put(record)
      for (const index of twin.rawIndexes.values()) index.storeRecord(record)
    }
    copy.rawObjectStores.set(name, twin)
  }
  return copy
}

const transaction = IDBTransaction.prototype as unknown as RawTransaction
const { _start: start, _abort: abort, _markFinished: markFinished } = transaction
const aborted = new WeakSet<RawTransaction>()

transaction._abort = function (name) {
  aborted.add(this)
  abort.call(this, name)
}

transaction._markFinished = function () {
  markFinished.call(this)
  const disk = devices.get(this.db._rawDatabase)
  if (disk !== undefined && this.mode === 'readwrite' && !aborted.has(this))
    disk.committed(this.db._rawDatabase, this._scope)
}

transaction._start = function () {
  const disk = devices.get(this.db._rawDatabase)
  if (disk === undefined) {
    start.call(this)
    return
  }
  try {
    disk.step()
    const isEnd = this._state !== 'finished' && !this._requests.some(({ request }) => request.readyState !== 'done')
    if (isEnd && this.mode === 'readwrite' && disk.isFailing()) this._abort(disk.failsAs)
    else start.call(this)
  } catch (error) {
    if (!(error instanceof Died)) throw error
  }
}
