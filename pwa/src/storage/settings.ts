/** What a person chose on this phone: language, theme, the device's name. */
import type { Json } from '@/domain/record'
import { database } from './database'
import { guarded } from '@/domain/storage-full'

export async function getSetting<T extends Json>(key: string, otherwise: T): Promise<T> {
  return ((await database.settings.get(key))?.value as T | undefined) ?? otherwise
}

/** Throws `StorageFull`. */
export async function putSetting(key: string, value: Json): Promise<void> {
  await guarded(() => database.settings.put({ key, value }))
}
