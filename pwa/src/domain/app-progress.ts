/** How far the app's own files are on their way to the phone, in bytes as they are sent, as the service worker tells it. */
export type AppProgress = { readonly done: number; readonly all: number }

export const APP_PROGRESS = 'nuong-app'

/** What pages ask of the service worker: that a new version takes over, or that a desk's screens are kept as well. */
export type Wish = { readonly type: 'take-over' | 'keep-desk' }
