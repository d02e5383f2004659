/** The row that j and k move to. It is known by its key, so that it stays the same when the list takes in what is new. */
import { computed, ref, type ComputedRef } from 'vue'

export type Selection<Row> = {
  readonly selected: ComputedRef<Row | undefined>
  readonly isSelected: (row: Row) => boolean
  readonly select: (row: Row | undefined) => void
  /** Move for j (down) and k (up), bring the focus there; false for every other key. */
  readonly move: (key: string) => boolean
}

/** `name` is the test id of the element that holds the rows, each with one link. */
export function useSelection<Row>(
  name: string,
  rows: () => readonly Row[],
  keyOf: (row: Row) => string,
): Selection<Row> {
  const chosen = ref<string | null>(null)
  const at = computed(() => rows().findIndex((row) => keyOf(row) === chosen.value))

  function select(row: Row | undefined): void {
    chosen.value = row === undefined ? null : keyOf(row)
  }

  function move(key: string): boolean {
    if (key !== 'j' && key !== 'k') return false
    const to = Math.min(Math.max(at.value + (key === 'j' ? 1 : -1), 0), rows().length - 1)
    select(rows()[to])
    const link = document.querySelectorAll<HTMLElement>(`[data-testid="${name}"] > li > a`)[to]
    link?.focus()
    link?.scrollIntoView({ block: 'nearest' })
    return true
  }

  return {
    selected: computed(() => rows()[at.value]),
    isSelected: (row) => keyOf(row) === chosen.value,
    select,
    move,
  }
}
