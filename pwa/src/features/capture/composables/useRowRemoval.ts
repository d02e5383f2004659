/**
 * Removing a row of a repeat, with the way back.
 *
 * The engine has no call that puts a row back with its identity, so that the row's own XML is kept and set in again where it stood:
 * `_rid`, answers and photos are the same afterwards, and what was answered elsewhere in between stays.
 */
import { at } from './useMediaAnswer'
import type { RepeatRangeNode } from '@/features/answers/form-nodes'
import { useFill } from './fill-context'

export type RowRemoval = { remove(range: RepeatRangeNode, index: number): () => Promise<void> }

export function useRowRemoval(): RowRemoval {
  const fill = useFill()

  /** Remove the row and return what brings it back. */
  function remove(range: RepeatRangeNode, index: number): () => Promise<void> {
    const root = fill.root()
    if (range.nodeType !== 'repeat-range:uncontrolled' || root === null) return () => Promise.resolve()
    const reference = range.currentState.reference
    const before = new DOMParser().parseFromString(root.instanceState.instanceXML, 'text/xml')
    const row = at(before, `${reference}[${String(index + 1)}]`)
    const following = siblingsAfter(row)
    range.removeInstances(index)
    void fill.form.save()
    return () =>
      fill.form.rework((instance) => {
        const parent = at(instance, reference.replace(/\/[^/]+$/u, ''))
        if (row === null || parent === null) return
        const rows = [...parent.children].filter((each) => each.localName === row.localName)
        // Before the row that came after it; where it was the last or only one, before what follows the repeat in the form.
        const next = rows[index] ?? [...parent.children].find((each) => following.has(each.localName)) ?? null
        parent.insertBefore(instance.importNode(row, true), next)
      })
  }

  return { remove }
}

function siblingsAfter(row: Element | null): ReadonlySet<string> {
  const names = new Set<string>()
  for (let next = row?.nextElementSibling ?? null; next !== null; next = next.nextElementSibling) {
    if (next.localName !== row?.localName) names.add(next.localName)
  }
  return names
}
