// @vitest-environment jsdom
/** On a full phone every write says that the phone is full, whichever screen or setting it was. */
import './fill/browser'
import { flushPromises, mount } from '@vue/test-utils'
import Dexie, { type DBCore, type Middleware } from 'dexie'
import { createPinia, setActivePinia } from 'pinia'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { asProblem } from '@/api/problem'
import AppBanners from '@/app/AppBanners.vue'
import { i18n } from '@/locales/i18n'
import { database, serverState } from '@/storage/database'
import { beginDraft, deleteDraft, restoreDraft, saveDraft } from '@/storage/drafts'
import { putPieces } from '@/storage/pieces'
import { saveReplyDraft } from '@/storage/questions'
import { discardUnsent, finishDraft } from '@/storage/records'
import { storeSignIn } from '@/storage/session'
import { putSetting } from '@/storage/settings'
import { useSession } from '@/stores/session'
import { useTrouble } from '@/stores/trouble'
import { usePreferences } from '@/stores/preferences'
import FormsView from '@/features/capture/views/FormsView.vue'
import { carry, PERSON, SCOPE, signedIn, xformOf } from './fill/phone'

let isFull = false
const SENTENCE = 'Máy này hết chỗ.'

/** A disk on which nothing more fits, once `isFull`. */
const disk: Middleware<DBCore> = {
  stack: 'dbcore',
  name: 'disk',
  create: (core) => ({
    ...core,
    table: (name) => {
      const table = core.table(name)
      return {
        ...table,
        mutate: (request) =>
          isFull && request.type !== 'delete' && request.type !== 'deleteRange'
            ? Dexie.Promise.reject(new DOMException('no room', 'QuotaExceededError'))
            : table.mutate(request),
      }
    },
  }),
}

beforeEach(async () => {
  isFull = false
  database.close()
  database.use(disk)
  await database.open()
  setActivePinia(createPinia())
  await signedIn()
})
afterEach(() => {
  isFull = false
  vi.restoreAllMocks()
})
afterAll(() => {
  database.close()
  database.unuse({ stack: 'dbcore', name: 'disk' })
})

test('every write of the phone’s store is told as a full phone', async () => {
  const draft = await beginDraft({ database: SCOPE, person: PERSON, form: 'f', version: '1' })
  const other = await beginDraft({ database: SCOPE, person: PERSON, form: 'f', version: '1' })
  const rev = await finishDraft(other, { a: '1' }, {})
  await deleteDraft(draft.id)
  const session = await database.session.get('current')
  const enrolment = { id: 'e2', username: 'u', key: {} as CryptoKey, jwk: {}, label: '', highestNumber: 0 }
  isFull = true
  const writes: Record<string, () => Promise<unknown>> = {
    putSetting: () => putSetting('locale', 'en'),
    beginDraft: () => beginDraft({ database: SCOPE, person: PERSON, form: 'f', version: '1' }),
    saveDraft: () => saveDraft(draft.id, { title: 'x' }),
    deleteDraft: () => deleteDraft(draft.id),
    restoreDraft: () => restoreDraft(draft.id),
    finishDraft: () => finishDraft(draft, { a: '1' }, {}),
    discardUnsent: () => discardUnsent(rev),
    saveReplyDraft: () => saveReplyDraft({ question: 'q', person: PERSON, choice: null, text: 'x' }),
    putPieces: () => putPieces([{ recording: 'r', number: 0, draft: draft.id, bytes: new Uint8Array(3), addedAt: '' }]),
    bulk: () => database.settings.bulkPut([{ key: 'a', value: '1' }]),
    storeSignIn: () => storeSignIn({ ...(session as object), enrolment } as Parameters<typeof storeSignIn>[0]),
  }
  const codes: Record<string, string> = {}
  for (const [name, write] of Object.entries(writes)) {
    codes[name] = await write().then(
      () => 'written',
      (error: unknown) => asProblem(error).code,
    )
  }
  expect(codes).toEqual(Object.fromEntries(Object.keys(writes).map((name) => [name, 'storage_full'])))
})

test('beginning a record on a full phone says that it is full', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  await carry('shan_tea_tree', xformOf('shan_tea_tree'))
  await database.servers.put({ ...serverState('province'), carry: [SCOPE], complete: 1 })
  await useSession().load()
  const component = { template: '<div />' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/', name: 'home', component },
      { path: '/fill/:draftId', name: 'fill', component },
    ],
  })
  const view = mount(FormsView, { global: { plugins: [i18n, router] } })
  await vi.waitFor(() => expect(view.find('[data-testid="form-shan_tea_tree"]').attributes('disabled')).toBeUndefined())
  await vi.waitFor(() => expect(view.find('[data-testid="form-shan_tea_tree"]').exists()).toBe(true))
  isFull = true
  await view.find('[data-testid="form-shan_tea_tree"]').trigger('click')
  await vi.waitFor(() => expect(view.find('[role="alert"]').text()).toContain(SENTENCE))

  // A setting that finds no room must not keep a record from being begun.
  isFull = false
  const put = vi.spyOn(database.settings, 'put').mockRejectedValue(new DOMException('no room', 'QuotaExceededError'))
  await view.find('[data-testid="form-shan_tea_tree"]').trigger('click')
  await vi.waitFor(() => expect(router.currentRoute.value.name).toBe('fill'))
  put.mockRestore()
  view.unmount()
})

test('a write that no screen catches is told on top of the page until it is seen', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const component = { template: '<div />' }
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/', name: 'home', component }] })
  const banners = mount(AppBanners, { global: { plugins: [i18n, router] } })
  isFull = true
  await usePreferences().chooseTheme('outdoor').catch(useTrouble().tell)
  await flushPromises()
  expect(banners.find('[data-testid="banner-full"]').text()).toContain(SENTENCE)
  await banners.find('[data-testid="full-seen"]').trigger('click')
  expect(banners.find('[data-testid="banner-full"]').exists()).toBe(false)
  banners.unmount()
})
