/** The app starts from what the phone holds; the network is never waited for. */
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import AppFrame from '@/app/AppFrame.vue'
import { i18n } from '@/locales/i18n'
import { usePreferences } from '@/stores/preferences'
import { useTrouble } from '@/stores/trouble'
import { router } from '@/app/router'
import '@/styles/tokens.css'
import '@/styles/base.css'

const app = createApp(AppFrame)
app.use(createPinia())
app.use(i18n)
app.use(router)

const { tell } = useTrouble()
app.config.errorHandler = tell
addEventListener('unhandledrejection', ({ reason }) => tell(reason))

/** Not awaited by this module: what it imports later asks for this very file, and would wait for its end. */
async function start(): Promise<void> {
  await usePreferences().load()
  // Until there is a screen, the page shows what it came with; one that can't be loaded has been told of.
  await router.isReady().catch(() => undefined)
  app.mount('#app')
}
void start()
