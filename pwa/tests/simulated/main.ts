/**
 * Phones of simulated worlds, driven over lines of JSON: `node main.mjs app.js`. Each line asks for one thing and is
 * answered by one line once the phone only waits for what comes from outside; before that the phone may ask for its key
 * or a signature, and the next line is the answer. `tests/simulation` holds the other end.
 */
import { readFileSync, readSync, writeSync } from 'node:fs'
import { Script } from 'node:vm'
import { Disk, type Failure } from './disk'
import { Locks } from './locks'
import type { Told } from './response'
import { Chance, Clock, PRELUDE, Tab, type Asked, type Phone, type World } from './tab'
import { enter, settle } from './tasks'

type Faults = { diesIn?: number; failsIn?: number; failures?: number; failsAs?: Failure }
type Line =
  | { do: 'new'; phone: string; seed: string; hasLocks: boolean }
  | {
      do: 'command'
      phone: string
      now: number
      tab: number
      who: string
      id: number
      name: string
      what: string
      faults: Faults
    }
  | { do: 'close'; phone: string; now: number; tab: number }
  | { do: 'answer'; phone: string; now: number; tab: number; request: number; told: Told | null; tookMs: number }
  | { do: 'calm'; phone: string }
  | { do: 'reborn'; phone: string; lost: number }
  | { do: 'lose'; phone: string; rev: string }
  | { do: 'keep' | 'put back'; phone: string }
  | { do: 'rows'; phone: string }
  | { do: 'end' }
type Ended = { id: number; answer?: string; error?: string }

const script = new Script(PRELUDE + readFileSync(process.argv[2] ?? '', 'utf8'), { filename: 'app.js' })
const phones = new Map<string, Device>()
const unhandled: string[] = []
process.on('unhandledRejection', (error) => unhandled.push(said(error)))

/** A phone with its tabs, what they were told to do, and what they have said since they were last listened to. */
class Device implements Phone {
  readonly disk = new Disk()
  readonly clock = new Clock()
  readonly chance: Chance
  locks: Locks | null
  private readonly tabs = new Map<number, Tab>()
  /** In which tab each thing is done. */
  private readonly doing = new Map<number, number>()
  username = ''
  private ended: Ended[] = []

  constructor(
    readonly name: string,
    seed: string,
    private readonly hasLocks: boolean,
  ) {
    this.chance = new Chance(seed)
    this.locks = hasLocks ? new Locks() : null
  }

  async command({ now, tab: number, who, id, name, what, faults }: Line & { do: 'command' }): Promise<void> {
    enter(this.disk.life)
    this.username = who
    // A phone that did nothing in between was asleep: what its app had set itself for later is late by then.
    if (this.doing.size === 0) this.clock.forget()
    this.clock.now = now
    const tab = await this.tab(number)
    Object.assign(this.disk, faults)
    this.doing.set(id, number)
    const done = (ended: Ended): void => {
      this.doing.delete(id)
      this.ended.push(ended)
    }
    tab.run(name, what).then(
      (answer) => done({ id, answer }),
      (error: unknown) => done({ id, error: said(error) }),
    )
    await this.settle()
  }

  async answer({ now, tab, request, told, tookMs }: Line & { do: 'answer' }): Promise<void> {
    enter(this.disk.life)
    this.clock.now = now
    await this.wait(now + tookMs)
    this.tabs.get(tab)?.answer(request, told)
    await this.settle()
  }

  async close({ now, tab: number }: Line & { do: 'close' }): Promise<void> {
    enter(this.disk.life)
    this.clock.now = now
    this.tabs.get(number)?.close()
    this.tabs.delete(number)
    for (const [id, tab] of this.doing) if (tab === number) this.doing.delete(id)
    await this.settle()
  }

  /** Go on until only the world can help; where nothing is asked of it, time does. */
  private async settle(): Promise<void> {
    await settle(this.disk.life)
    while (this.doing.size > 0 && !this.disk.life.isDead && [...this.tabs.values()].every((tab) => tab.pending === 0)) {
      const next = this.clock.next()
      if (next === undefined) throw new Error(`${this.name} waits for nothing`)
      await this.wait(next)
      await settle(this.disk.life)
    }
  }

  private async wait(until: number): Promise<void> {
    for (let run = this.clock.due(until); run !== undefined; run = this.clock.due(until)) {
      run()
      await settle(this.disk.life)
    }
    this.clock.now = until
  }

  private async tab(number: number): Promise<Tab> {
    const known = this.tabs.get(number)
    if (known !== undefined) return known
    const tab = new Tab(this, script, world(this.name))
    this.tabs.set(number, tab)
    const ready = tab.ready()
    await settle(this.disk.life)
    await ready
    this.disk.opened()
    return tab
  }

  reborn(lost: number): number {
    this.tabs.clear()
    this.doing.clear()
    this.ended = []
    this.clock.forget()
    this.locks = this.hasLocks ? new Locks() : null
    return this.disk.reborn(lost)
  }

  lose(rev: string): void {
    this.disk.lose('revisions', (value) => (value as { rev: string }).rev === rev)
    this.reborn(0)
  }

  heard(): object {
    const asked: (Asked & { tab: number })[] = []
    for (const [number, tab] of this.tabs) asked.push(...tab.asked.splice(0).map((one) => ({ ...one, tab: number })))
    const ended = this.ended.splice(0)
    const { disk, clock } = this
    return { asked, ended, now: clock.now, isDead: disk.life.isDead, unhandled: unhandled.splice(0) }
  }
}

function world(phone: string): World {
  return {
    key: (username) => ask({ ask: 'key', phone, username }) as JsonWebKey,
    sign: (username, data) => {
      const signature = ask({ ask: 'sign', phone, username, data: Buffer.from(data).toString('base64') })
      return new Uint8Array(Buffer.from(signature as string, 'base64'))
    },
  }
}

async function obey(line: Line): Promise<object> {
  if (line.do === 'end') {
    phones.clear()
    return {}
  }
  if (line.do === 'new') {
    phones.set(line.phone, new Device(line.phone, line.seed, line.hasLocks))
    return {}
  }
  const phone = phones.get(line.phone)
  if (phone === undefined) throw new Error(`no phone is called ${line.phone}`)
  switch (line.do) {
    case 'rows':
      return phone.disk.rows()
    case 'calm':
      phone.disk.diesIn = phone.disk.failsIn = null
      return {}
    case 'reborn':
      return { lost: phone.reborn(line.lost) }
    case 'lose':
      phone.lose(line.rev)
      return {}
    case 'keep':
      phone.disk.keep()
      return {}
    case 'put back': {
      const isThere = phone.disk.putBack()
      if (isThere) phone.reborn(0)
      return { isThere }
    }
    case 'close':
      await phone.close(line)
      return phone.heard()
    case 'command':
      await phone.command(line)
      return phone.heard()
    case 'answer':
      await phone.answer(line)
      return phone.heard()
  }
}

let rest = Buffer.alloc(0)
const room = Buffer.alloc(65_536)

/** The next line; undefined at the end. It is read while everything waits, so that nothing happens meanwhile. */
function read(): unknown {
  for (;;) {
    const end = rest.indexOf(10)
    if (end >= 0) {
      const line = rest.subarray(0, end).toString('utf8')
      rest = rest.subarray(end + 1)
      return JSON.parse(line)
    }
    const count = readSync(0, room)
    if (count === 0) return undefined
    rest = Buffer.concat([rest, room.subarray(0, count)])
  }
}

function write(value: object): void {
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`)
  for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at)
}

function ask(question: object): unknown {
  write(question)
  return read()
}

function said(error: unknown): string {
  return error instanceof Error || (typeof error === 'object' && error !== null && 'stack' in error)
    ? String((error as Error).stack)
    : String(error)
}

for (let line = read(); line !== undefined; line = read()) {
  try {
    write(await obey(line as Line))
  } catch (error) {
    write({ broken: said(error) })
  }
}
