/** What the screens say about an answer that is only begun. */
import type { Begun } from '@/domain/begun'
import { parsePoints } from '@/domain/geometry'

/** The sentence about a begun answer: its key among the form's words, and what it names. */
export function begunWords(begun: Begun): { readonly key: string; readonly named: Readonly<Record<string, unknown>> } {
  if (begun.kind === 'text') return { key: `fill.misfit.${begun.reason}`, named: { typed: begun.typed } }
  if (begun.kind === 'sound' || begun.kind === 'file') return { key: `fill.begun.${begun.kind}`, named: {} }
  if (begun.kind === 'walk') {
    const count = parsePoints(begun.points)?.length ?? 0
    const key = begun.reason === null ? `fill.begun.${begun.shape}` : `fill.misfit.${begun.reason}`
    return { key, named: { count, typed: begun.points } }
  }
  const typed = [begun.latitude, begun.longitude].map((part) => (part.trim() === '' ? '…' : part.trim())).join(' · ')
  return { key: begun.reason === null ? 'fill.begun.point' : `fill.misfit.${begun.reason}`, named: { typed } }
}
