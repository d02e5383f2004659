/**
 * The phone's screens, each loaded when it is first gone to, so that the app starts quickly on a poor phone.
 *
 * From its second start on, the service worker has them all. On the very first visit it takes over only while the page
 * is already running, and a screen that was not loaded by then may be out of reach once the network is gone: there
 * `loadPhoneViews` brings them all before the phone says that it is ready for the field.
 */
export const phoneViews = {
  forms: () => import('./FormsView.vue'),
  fill: () => import('./fill/FillView.vue'),
  record: () => import('./RecordView.vue'),
  outbox: () => import('./OutboxView.vue'),
  settings: () => import('./SettingsView.vue'),
}

/** Whether the service worker gave this very page; asked at the start, since it may take over later. */
const isFromServiceWorker = (navigator.serviceWorker as ServiceWorkerContainer | undefined)?.controller != null

/** Resolves when every screen of the phone can be shown without a network. */
export async function loadPhoneViews(): Promise<void> {
  if (isFromServiceWorker) return
  await Promise.all(Object.values(phoneViews).map(async (load) => load()))
}
