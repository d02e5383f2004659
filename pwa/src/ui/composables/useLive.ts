/** A value read from the phone's store that follows every change of it, in this tab or another. */
import { liveQuery } from 'dexie'
import { onScopeDispose, shallowRef, watch, type Ref } from 'vue'

/** `undefined` until first read. `sources` are getters whose change starts the query anew. */
export function useLive<T>(query: () => Promise<T>, ...sources: (() => unknown)[]): Ref<T | undefined> {
  // Shallow: what was read is handed back to the store as it is, and a deep proxy can't be stored.
  const value = shallowRef<T>()
  let subscription: { unsubscribe(): void } | undefined
  const start = (): void => {
    subscription?.unsubscribe()
    subscription = liveQuery(query).subscribe({
      next: (found) => (value.value = found),
      error: (error) => console.error(error),
    })
  }
  if (sources.length === 0) start()
  else watch(sources, start, { immediate: true })
  onScopeDispose(() => subscription?.unsubscribe())
  return value
}
