/**
 * Keeps the whole app on the phone, so that it starts and fills every form with no network, and sends what waits when the
 * browser says that the network is back. It answers no request of `/api/`: what travels there is the app's own business.
 */
import { addPlugins, cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching'
import { NavigationRoute, registerRoute } from 'workbox-routing'
import { APP_PROGRESS, type AppProgress } from '@/domain/app-progress'
import { SENDER_LOCK, withFreeLock } from '@/replication/locks'
import { runOnce } from '@/replication/run'
import { StatusChannel } from '@/replication/status'

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: { url: string; revision: string | null }[] }

const files = self.__WB_MANIFEST
const pages = new BroadcastChannel(APP_PROGRESS)
let done = 0

addPlugins([
  {
    // Files come one after the other, those that an earlier attempt brought at once.
    handlerDidComplete: ({ event, error }) => {
      if (event.type !== 'install' || error !== undefined) return Promise.resolve()
      done += 1
      pages.postMessage({ done, all: files.length } satisfies AppProgress)
      return Promise.resolve()
    },
  },
])
precacheAndRoute(files)
cleanupOutdatedCaches()
registerRoute(
  new NavigationRoute(createHandlerBoundToURL('/index.html'), {
    denylist: [/^\/(api|db|docs|schema|\.well-known)(\/|$)/, /^\/(healthz|readyz|metrics)$/],
  }),
)

self.addEventListener('message', (event) => {
  // The new version takes over only when its person said so.
  if ((event.data as { type?: string } | null)?.type === 'take-over') void self.skipWaiting()
})

self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))

type SyncEvent = ExtendableEvent & { tag: string }
self.addEventListener('sync' as 'message', (event) => {
  const sync = event as unknown as SyncEvent
  if (sync.tag === 'nuong-send') {
    sync.waitUntil(withFreeLock(SENDER_LOCK, () => runOnce(new StatusChannel(), { again: false })))
  }
})
