// @vitest-environment jsdom
/** A form on trial comes to the phones of chosen people, stays for the field, and is no form of theirs. */
import { PERSON, signedIn, xformOf } from './fill/phone'
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { sha256 } from '@/domain/canonical'
import ConfirmDialog from '@/ui/ConfirmDialog.vue'
import RunningTrials from '@/features/forms/components/RunningTrials.vue'
import TrialChoice from '@/features/forms/components/TrialChoice.vue'
import { useTrials } from '@/features/forms/composables/useTrials'
import { i18n, loadDeskWords, setLocale } from '@/locales/i18n'
import { listForms, missingContents } from '@/storage/catalog'
import { database } from '@/storage/database'
import { keptTrials, refreshTrials, type Trial } from '@/storage/trials'
import { useSession } from '@/stores/session'

const XFORM = '<h:html/>'
let xform = ''
let shown: VueWrapper | undefined

beforeAll(async () => {
  await loadDeskWords()
  xform = await sha256(XFORM)
})
beforeEach(async () => {
  setLocale('vi')
  setActivePinia(createPinia())
  await signedIn()
})
afterEach(() => {
  shown?.unmount()
  vi.restoreAllMocks()
})

function trial(change: Partial<Trial> = {}): Trial {
  const times = { begun_at: '2026-11-30T00:00:00Z', ends_at: '2099-01-01T00:00:00Z' }
  const named = { id: 'one', form: 'household', version: '2', project: 'agri', title: { vi: 'Hộ' }, languages: ['vi'] }
  return { ...named, ...times, xform, lists: {}, is_mine: true, people: [], ...change }
}

/** What each address answers now, said by a server. */
function server(name: string, trials: readonly Trial[], content = XFORM): string[] {
  const asked: string[] = []
  vi.spyOn(useSession().api, 'send').mockImplementation((path) => {
    asked.push(path)
    const body = path === '/api/forms/trials' ? JSON.stringify({ trials }) : content
    return Promise.resolve(new Response(body, { headers: { 'Nuong-Server': name } }))
  })
  return asked
}

const kept = async (): Promise<string[]> => (await keptTrials(PERSON)).map(({ id }) => id)
const refresh = (): Promise<void> => refreshTrials(useSession().api, PERSON)

test('is kept with what it needs, once, until that server ends it or its time is over', async () => {
  const asked = server('province', [trial(), trial({ id: 'of another', is_mine: false })])
  await refresh()
  await refresh()
  expect(asked).toEqual(['/api/forms/trials', `/api/contents/${xform}`, '/api/forms/trials'])
  expect(await kept()).toEqual(['one'])
  expect(await keptTrials('somebody else')).toEqual([])
  expect(await keptTrials(PERSON, new Date('2099-01-02'))).toEqual([])
  // It is none of the forms that are recorded with.
  expect([await listForms(), await missingContents()]).toEqual([[], []])
  server('hub', [])
  await refresh()
  expect(await kept()).toEqual(['one'])
  server('province', [])
  await refresh()
  expect(await kept()).toEqual([])
})

test('is not shown before the whole of it is here, and damaged contents are not kept', async () => {
  server('province', [trial()], 'something else')
  await expect(refresh()).rejects.toMatchObject({ code: 'content_damaged' })
  expect(await kept()).toEqual([])
  expect(await database.contents.count()).toBe(0)
})

test('is handed to the people that its author chooses, of those who record in its project', async () => {
  const person = (id: string, role: string, project = 'agri', active = true): object => ({
    id,
    name: `Người ${id}`,
    active,
    grants: [{ role, project, unit: '11' }],
  })
  const sent: unknown[] = []
  const people = [
    person('lo', 'field_worker'),
    person('mai', 'field_worker', '*'),
    person('lan', 'field_worker', 'tourism'),
    person('khang', 'supervisor'),
    person('gone', 'field_worker', 'agri', false),
  ]
  vi.spyOn(useSession().api, 'json').mockImplementation((path, request) => {
    if (request?.json !== undefined) sent.push([path, request.json])
    const tried = trial({ people: [{ id: 'mai', name: 'Người mai' }] })
    return Promise.resolve(path === '/api/people' ? { people } : { trials: [tried, trial()] })
  })
  const trials = useTrials(useSession().api)
  const props = { candidate: 'one', project: 'agri', trials }
  shown = mount(TrialChoice, { props, global: { plugins: [i18n] } })
  await flushPromises()
  const boxes = shown.findAll<HTMLInputElement>('[data-testid=trial-person]')
  expect(boxes.map(({ element }) => element.value)).toEqual(['lo', 'mai'])
  expect(shown.get('[data-testid=trial-hand]').attributes('disabled')).toBeDefined()
  await boxes[1]?.setValue(true)
  await shown.get('form').trigger('submit')
  await flushPromises()
  expect(sent).toEqual([['/api/forms/candidates/one/trial', { people: ['mai'] }]])
  expect(shown.emitted('handed')).toHaveLength(1)
  // Those without people are its own to try, of projects in which it publishes nothing.
  expect(trials.trials.value).toHaveLength(1)
})

test('on trial goes live once this browser has loaded it and its author has said so again', async () => {
  HTMLDialogElement.prototype.showModal = () => undefined
  HTMLDialogElement.prototype.close = () => undefined
  const running = trial({ form: 'every_type', languages: ['vi', 'en'], people: [{ id: 'lo', name: 'Lò Văn Ban' }] })
  const sent: [string, unknown][] = []
  vi.spyOn(useSession().api, 'send').mockImplementation(() => Promise.resolve(new Response(xformOf('every_type'))))
  vi.spyOn(useSession().api, 'json').mockImplementation((path, options = {}) => {
    if (options.method === 'POST') sent.push([path, options.json])
    return Promise.resolve(path.endsWith('/effect') ? { phones: 3 } : { trials: [running] })
  })
  const trials = useTrials(useSession().api)
  await trials.load()
  shown = mount(RunningTrials, { props: { trials, titleOf: () => 'Hộ' }, global: { plugins: [i18n] } })
  await shown.find('[data-testid="trial-publish"]').trigger('click')
  await vi.waitFor(() => expect(shown?.text()).toContain('Biểu mẫu đang ở trên 3 máy'), { timeout: 10_000 })
  expect(sent).toEqual([])
  shown.findComponent(ConfirmDialog).vm.$emit('answer', true)
  await flushPromises()
  expect(sent).toEqual([['/api/forms/candidates/one/publish', { loaded: true, languages: ['vi', 'en'] }]])
  expect(shown.emitted('published')).toHaveLength(1)
})
