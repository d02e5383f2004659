/** The table (table.ts) at work: where an exchange stands, what one event makes of it, and its effects in turn. */
import { troubleEvent, type Event, type Kind, type Wake } from './events'
import { failToo, type Memory } from './memory'
import { TABLE, type Cell, type Heard, type State } from './table'

export type Standing = { state: State; memory: Memory }

/** What an event makes of where the exchange stands. Throws for an event that the state does not hear. */
export function transition({ state, memory }: Standing, event: Event): Standing {
  const row = TABLE[state] as Partial<Record<Kind, Cell<Kind>>>
  const cell = row[event.kind]
  if (cell === undefined) throw new Error(`an exchange that is ${state} does not hear ${event.kind}`)
  return { state: cell.to ?? state, memory: cell.note?.(memory, event) ?? memory }
}

/** What each of some states does; each may report what its state hears, and nothing else. */
export type Effects<S extends State> = { [K in S]: (memory: Memory) => Promise<Event<Exclude<Heard[K], Wake>>> }

/** One exchange as it goes on; events from outside (a person's wish) may come between those of its effects. */
export class Machine {
  constructor(public at: Standing) {}

  hear(event: Event): void {
    this.at = transition(this.at, event)
  }

  /** End the run that is under way, whatever it was at; one that has come to its end knows what was in its way. */
  giveUp(thrown: unknown): void {
    this.at = { state: 'concluding', memory: failToo(this.at.memory, troubleEvent(thrown)) }
  }

  /** Go on as long as it is in a state with an effect. Never throws: whatever fails is an event. */
  async run<S extends State>(effects: Effects<S>): Promise<void> {
    const all = effects as Partial<Record<State, (memory: Memory) => Promise<Event>>>
    for (let effect = all[this.at.state]; effect !== undefined; effect = all[this.at.state]) {
      this.hear(await effect(this.at.memory).catch(troubleEvent))
    }
  }
}
