/** How far the app's own files are on their way to the phone, as the service worker tells the open pages. */
export type AppProgress = { readonly done: number; readonly all: number }

export const APP_PROGRESS = 'nuong-app'
