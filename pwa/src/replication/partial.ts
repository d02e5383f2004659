/**
 * An answer whose body broke off. A server writes what concerns own work first, then one database after the other; each
 * database that arrived to its closing brace is as good as in a whole answer, as it brings its own checkpoint.
 */
import type { SyncAnswer } from './wire'

const OPENING = '"changes":{'

/** Return the answer without the database in which it broke off; null when not even the part about own work arrived. */
export function wholePart(text: string): SyncAnswer | null {
  // Inside a text of JSON a quotation mark has a backslash before it, so this stands there as a name alone.
  const start = text.indexOf(OPENING)
  if (start < 0) return null
  const end = lastWhole(text, start + OPENING.length)
  try {
    const answer = JSON.parse(`${text.slice(0, end)}}}`) as Partial<SyncAnswer>
    const isHead = typeof answer.server === 'string' && Array.isArray(answer.acks) && answer.carry !== undefined
    return isHead ? (answer as SyncAnswer) : null
  } catch {
    return null
  }
}

/** The place after the last member of an object, begun before `from`, that is there to its end. */
function lastWhole(text: string, from: number): number {
  let end = from
  let depth = 0
  let isText = false
  for (let at = from; at < text.length && depth >= 0; at += 1) {
    const char = text[at]
    if (isText) {
      if (char === '\\') at += 1
      else if (char === '"') isText = false
    } else if (char === '"') isText = true
    else if (char === '{' || char === '[') depth += 1
    else if (char === '}' || char === ']') {
      depth -= 1
      if (depth === 0) end = at + 1
    }
  }
  return end
}
