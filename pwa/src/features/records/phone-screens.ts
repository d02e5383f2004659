/** The screens that every phone opens every day: one file to load. */
export { default as FormsView } from '@/features/capture/views/FormsView.vue'
export { default as SettingsView } from '@/features/account/views/SettingsView.vue'
export { default as HomeView } from './views/HomeView.vue'
export { default as OutboxView } from './views/OutboxView.vue'
