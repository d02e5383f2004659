/** What administrators see of a phone: the app's version, its free space, and whether the browser keeps its store. */
import type { Schemas } from '@/api/schema'

type Device = Required<Schemas['Device']>

/** What this browser says of itself now; null for what it doesn't say. */
export async function deviceNow(): Promise<Device> {
  const device: Device = { app: __APP_VERSION__, free_bytes: null, persistent: null }
  try {
    const { usage = 0, quota } = await navigator.storage.estimate()
    device.persistent = await navigator.storage.persisted()
    if (quota !== undefined) device.free_bytes = Math.max(0, Math.floor(quota - usage))
  } catch {
    // An old browser, or one in which storage is closed: the exchange does not depend on it.
  }
  return device
}
