/**
 * A full disk, told apart from other failures. IndexedDB aborts the whole transaction, so what was stored before stands;
 * what the person just typed is still in the form, which shows this error's sentence and saves again after room is made.
 */
export class StorageFull extends Error {
  readonly code = 'storage_full'
}

/** Run storage work; a quota failure, however deep it is wrapped, comes out as `StorageFull`. */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isQuota(error)) throw new StorageFull('the disk is full', { cause: error })
    throw error
  }
}

/** Whether a full disk is in it: as it is, inside an aborted transaction, or among the failures of a bulk write. */
export function isQuota(error: unknown, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > 5) return false
  const { name, inner, cause, failures } = error as Record<'name' | 'inner' | 'cause' | 'failures', unknown>
  if (name === 'QuotaExceededError' || error instanceof StorageFull) return true
  const within = [inner, cause, ...(Array.isArray(failures) ? (failures.slice(0, 5) as unknown[]) : [])]
  return within.some((one) => isQuota(one, depth + 1))
}
