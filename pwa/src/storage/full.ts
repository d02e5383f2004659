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

function isQuota(error: unknown): boolean {
  for (let current: unknown = error; current !== undefined && current !== null;) {
    if (typeof current !== 'object') return false
    const { name, inner } = current as { name?: unknown; inner?: unknown }
    if (name === 'QuotaExceededError') return true
    current = inner
  }
  return false
}
