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

await usePreferences().load()
app.mount('#app')
