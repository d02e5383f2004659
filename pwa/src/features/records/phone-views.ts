/**
 * The phone's screens, each loaded when it is first gone to, so that the app starts quickly on a poor phone.
 *
 * Once the service worker is active it has them all. On the very first visit, and where there can be no service worker,
 * a screen that was not loaded may be out of reach once the network is gone: there `loadPhoneViews` brings them all while
 * the page is open.
 */
import { loadFormWords } from '@/locales/i18n'

const screens = () => import('./phone-screens')
const formScreens = () => import('./form-screens')

export const phoneViews = {
  home: async () => (await screens()).HomeView,
  forms: async () => (await screens()).FormsView,
  outbox: async () => (await screens()).OutboxView,
  settings: async () => (await screens()).SettingsView,
  fill: async () => (await withFormWords(formScreens())).FillView,
  trial: async () => (await withFormWords(formScreens())).TrialView,
  record: async () => (await withFormWords(formScreens())).RecordView,
  question: async () => (await withFormWords(formScreens())).QuestionCard,
}

async function withFormWords<Screens>(screens: Promise<Screens>): Promise<Screens> {
  const [loaded] = await Promise.all([screens, loadFormWords()])
  return loaded
}

/** Whether the service worker gave this very page; asked at the start, since it may take over later. */
const isFromServiceWorker = (navigator.serviceWorker as ServiceWorkerContainer | undefined)?.controller != null

/** Resolves when every screen of the phone can be shown without a network. */
export async function loadPhoneViews(): Promise<void> {
  if (isFromServiceWorker) return
  await Promise.all(Object.values(phoneViews).map(async (load) => load()))
}
