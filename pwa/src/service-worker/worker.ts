/**
 * Keeps the whole app on the phone, so that it starts and fills every form with no network, and sends what waits when the
 * browser says that the network is back. It answers no request of `/api/`: what travels there is the app's own business.
 */
import { APP_PROGRESS, type AppProgress, type Wish } from '@/domain/app-progress'
import { SENDER_LOCK, withFreeLock } from '@/replication/locks'
import { runOnce } from '@/replication/run'
import { StatusChannel } from '@/replication/status'
import { Keeper, type AppFile } from './keeping'

declare const self: ServiceWorkerGlobalScope & {
  __WB_MANIFEST: (Pick<AppFile, 'url' | 'revision'> & Partial<AppFile>)[]
}

const CACHE = 'nuong-app'
const PAGE = new URL('/index.html', self.registration.scope).href
/** What is no page of the app. */
const ELSEWHERE = /^\/(?:(?:api|db|docs|schema|\.well-known)(?:\/|$)|(?:healthz|readyz|metrics)$)/u

const pages = new BroadcastChannel(APP_PROGRESS)
const keeper = new Keeper(
  // The manifest for installing is added without its weight.
  self.__WB_MANIFEST.map((file) => ({ sent: 0, plain: 0, desk: false, ...file })),
  self.registration.scope,
  () => caches.open(CACHE),
  (request) => fetch(request),
  (done, all) => pages.postMessage({ done, all } satisfies AppProgress),
)

self.addEventListener('install', (event) => event.waitUntil(keeper.install()))
self.addEventListener('activate', (event) => event.waitUntil(Promise.all([clear(), self.clients.claim()])))

async function clear(): Promise<void> {
  const others = (await caches.keys()).filter((name) => name !== CACHE)
  await Promise.all([keeper.clear(), ...others.map((name) => caches.delete(name))])
}

self.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== self.location.origin) return
  const isPage = request.mode === 'navigate' && !ELSEWHERE.test(pathname)
  const answer = keeper.answer(origin + pathname) ?? (isPage ? keeper.answer(PAGE) : undefined)
  if (answer !== undefined) event.respondWith(answer)
})

self.addEventListener('message', (event) => {
  const wish = event.data as Wish | null
  // The new version takes over only when its person said so.
  if (wish?.type === 'take-over') void self.skipWaiting()
  // What does not come now comes when it is gone to, or with the next start.
  if (wish?.type === 'keep-desk') event.waitUntil(keeper.keepDesk().catch(() => undefined))
})

type SyncEvent = ExtendableEvent & { tag: string }
self.addEventListener('sync' as 'message', (event) => {
  const sync = event as unknown as SyncEvent
  if (sync.tag === 'nuong-send') {
    sync.waitUntil(withFreeLock(SENDER_LOCK, () => runOnce(new StatusChannel(), { again: false })))
  }
})
