/**
 * The addresses of the app. Everything but the sign-in asks for a person; the form engine and the desk are loaded only
 * by those who go there. The router keeps the scroll position and moves the focus to the new page's heading.
 */
import { nextTick } from 'vue'
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { loadDeskWords } from '@/locales/i18n'
import { useSession } from '@/stores/session'
import SignInView from '@/features/account/views/SignInView.vue'
import { phoneViews } from '@/features/records/phone-views'

declare module 'vue-router' {
  interface RouteMeta {
    /** Who may see it without signing in. */
    open?: boolean
    /** Which frame it stands in; `bare` has no navigation. */
    frame?: 'phone' | 'desk' | 'bare'
    /** Roles that have something to do there; absent: everybody. */
    roles?: string[]
  }
}

const desk = (path: string, name: string, component: RouteRecordRaw['component'], roles: string[]): RouteRecordRaw =>
  ({ path, name, component, meta: { frame: 'desk', roles } }) as RouteRecordRaw

const routes: RouteRecordRaw[] = [
  {
    path: '/signin',
    name: 'signin',
    component: SignInView,
    meta: { open: true, frame: 'bare' },
  },
  { path: '/', name: 'home', component: phoneViews.home },
  { path: '/forms', name: 'forms', component: phoneViews.forms },
  {
    path: '/fill/:draftId',
    name: 'fill',
    component: phoneViews.fill,
    props: true,
    meta: { frame: 'bare' },
  },
  { path: '/trial/:trialId', name: 'trial', component: phoneViews.trial, props: true, meta: { frame: 'bare' } },
  { path: '/record/:database/:id', name: 'record', component: phoneViews.record, props: true },
  { path: '/outbox', name: 'outbox', component: phoneViews.outbox },
  { path: '/settings', name: 'settings', component: phoneViews.settings },
  desk('/desk/review', 'desk-review', () => import('@/features/review/views/ReviewListView.vue'), [
    'supervisor',
    'data_manager',
    'administrator',
  ]),
  {
    path: '/desk/review/:database/:id',
    name: 'desk-review-record',
    component: () => import('@/features/review/views/ReviewRecordView.vue'),
    props: true,
    meta: { frame: 'desk', roles: ['supervisor', 'data_manager', 'administrator'] },
  },
  desk('/desk/conflicts', 'desk-conflicts', () => import('@/features/conflicts/views/ConflictsView.vue'), [
    'data_manager',
    'administrator',
  ]),
  desk(
    '/desk/conflicts/alike',
    'desk-conflicts-alike',
    () => import('@/features/conflicts/views/ConflictsAlikeView.vue'),
    ['data_manager'],
  ),
  {
    path: '/desk/conflicts/:database/:record',
    name: 'desk-conflict',
    component: () => import('@/features/conflicts/views/ConflictView.vue'),
    props: true,
    meta: { frame: 'desk', roles: ['data_manager', 'administrator'] },
  },
  desk('/desk/duplicates', 'desk-pairs', () => import('@/features/duplicates/views/PairsView.vue'), [
    'data_manager',
    'administrator',
  ]),
  {
    path: '/desk/duplicates/:database/:one/:other',
    name: 'desk-pair',
    component: () => import('@/features/duplicates/views/PairView.vue'),
    props: true,
    meta: { frame: 'desk', roles: ['data_manager', 'administrator'] },
  },
  desk('/desk/quarantine', 'desk-quarantine', () => import('@/features/quarantine/views/QuarantineView.vue'), [
    'data_manager',
    'administrator',
  ]),
  desk('/desk/forms', 'desk-forms', () => import('@/features/forms/views/FormsAdminView.vue'), ['administrator']),
  desk('/desk/people', 'desk-people', () => import('@/features/people/views/PeopleView.vue'), ['administrator']),
  desk('/desk/areas', 'desk-areas', () => import('@/features/areas/views/AreasView.vue'), [
    'administrator',
    'data_manager',
  ]),
  desk('/desk/peers', 'desk-peers', () => import('@/features/peers/views/PeersView.vue'), ['administrator']),
  { path: '/:path(.*)*', name: 'missing', component: () => import('./MissingView.vue') },
]

export const router = createRouter({
  history: createWebHistory(),
  routes,
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- what shall replace it is still experimental
  scrollBehavior: (to, _from, saved) => saved ?? (to.hash === '' ? { top: 0 } : { el: to.hash, top: 16 }),
})

router.beforeEach(async (to) => {
  const session = useSession()
  await session.load()
  if (session.person === null && to.meta.open !== true) {
    return { name: 'signin', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
  }
  if (to.meta.roles !== undefined && !session.hasRole(...to.meta.roles)) return { name: 'home' }
  if (to.meta.frame === 'desk') await loadDeskWords()
  // Who only works at the desk has no lists of a phone to come home to.
  if (to.name === 'home' && !session.hasRole('field_worker')) {
    if (session.hasRole('supervisor', 'data_manager')) return { name: 'desk-review' }
    if (session.hasRole('administrator')) return { name: 'desk-forms' }
  }
  return true
})

router.afterEach(async (to, from) => {
  if (to.path === from.path) return
  await nextTick()
  // A screen reader starts at the page's heading, not somewhere in the page that is gone.
  document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true })
})
