// @vitest-environment jsdom
/** An author reads what is wrong with a form where they wrote it, accepts what is proposed, and sees what differs before it is live. */
import { xformOf } from './fill/phone'
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { Problem } from '@/api/problem'
import type { CheckedForm, Difference, Effect, Finding, Proposal } from '@/features/forms/api/forms'
import FormEffect from '@/features/forms/components/FormEffect.vue'
import FindingsTable from '@/features/forms/components/FindingsTable.vue'
import VersionDifference from '@/features/forms/components/VersionDifference.vue'
import FormsAdminView from '@/features/forms/views/FormsAdminView.vue'
import { i18n, loadDeskWords, setLocale, type Locale } from '@/locales/i18n'
import type { Session } from '@/storage/database'
import { useSession } from '@/stores/session'

const ID: Proposal = {
  key: 'form_id:settings:2:form_id',
  changes: [{ sheet: 'settings', row: 2, column: 'form_id', before: 'Hộ dân', after: 'ho_dan' }],
}
const UNFIT: Finding = {
  code: 'form_id',
  sheet: 'settings',
  row: 2,
  message: 'the id in English',
  params: {},
  proposal: ID,
}
const CONVERTER: Finding = {
  code: 'converter',
  sheet: null,
  row: null,
  message: 'Invalid | {braces} <b>',
  params: {},
  proposal: null,
}
const GOOD: CheckedForm = {
  id: 'candidate',
  project: 'agri',
  form: 'every_type',
  version: '1',
  title: { vi: 'Mọi kiểu', en: 'Every type' },
  languages: ['vi', 'en'],
  errors: [],
  warnings: [],
  accepted: [ID],
  difference: { version: '0', questions: [{ kind: 'added', path: '/name', before: '', after: 'Tên' }] },
  xform: xformOf('every_type'),
  lists: {},
}
const REFUSED: CheckedForm = {
  ...GOOD,
  id: null,
  xform: null,
  errors: [UNFIT, CONVERTER],
  accepted: [],
  difference: null,
}

let shown: VueWrapper | undefined
beforeAll(loadDeskWords)
beforeEach(() => {
  // jsdom has dialogs without their methods.
  HTMLDialogElement.prototype.showModal = () => undefined
  HTMLDialogElement.prototype.close = () => undefined
  setLocale('vi')
  setActivePinia(createPinia())
})
afterEach(() => {
  shown?.unmount()
  vi.restoreAllMocks()
})

describe('what is wrong with a form', () => {
  function findings(...given: Finding[]): VueWrapper {
    const props = { findings: given, title: 'Lỗi', tone: 'danger' as const, isBusy: false }
    shown = mount(FindingsTable, { props, global: { plugins: [i18n] } })
    return shown
  }

  test.each<[Locale, string]>([
    ['vi', 'chữ thường không dấu'],
    ['en', 'lower-case letters'],
  ])('is said in %s with its sheet and row, and the words of the converter as they are', (locale, words) => {
    setLocale(locale)
    const [ours, theirs] = findings(UNFIT, CONVERTER).findAll('tbody tr')
    expect(ours?.findAll('td').map((cell) => cell.text())).toEqual(['settings', '2', expect.stringContaining(words)])
    expect(theirs?.findAll('td').map((cell) => cell.text())).toEqual(['–', '–', 'Invalid | {braces} <b>'])
  })

  test('shows each cell before and after, and is accepted by its key', async () => {
    const table = findings(UNFIT)
    const proposal = table.get('[data-testid=proposal]')
    expect([proposal.get('del').text(), proposal.get('ins').text()]).toEqual(['Hộ dân', 'ho_dan'])
    await proposal.get('button').trigger('click')
    expect(table.emitted('accept')).toEqual([[ID.key]])
  })

  test('that many cells share shows three of them and how many more, and says where one becomes empty', () => {
    const change = { sheet: 'survey', row: 7, column: 'appearance', before: 'draw', after: '' }
    const rows = [7, 8, 9, 10, 11].map((row) => ({ ...change, row }))
    const proposal = findings({ ...UNFIT, proposal: { key: 'k', changes: rows } }).get('[data-testid=proposal]')
    const lines = proposal.findAll('li').map((line) => line.text())
    expect(lines).toHaveLength(4)
    expect(lines[0]).toMatch(/Dòng 7, appearance.*draw.*để trống/u)
    expect(lines[3]).toBe('và 2 ô nữa')
  })
})

describe('what differs from the version in use', () => {
  // A kind that the server gains and the app cannot name does not compile.
  const kinds = {
    added: 1,
    removed: 1,
    renamed: 1,
    type: 1,
    label: 1,
    choices_added: 1,
    choices_removed: 1,
    list_file: 1,
    relevant: 1,
    constraint: 1,
    required: 1,
    calculate: 1,
    readonly: 1,
  } satisfies Record<Difference['questions'][number]['kind'], 1>
  const questions = Object.keys(kinds).map((kind) => ({
    kind: kind as keyof typeof kinds,
    path: `/a/${kind}`,
    before: 'trước',
    after: 'sau',
  }))
  function differing(given: Difference['questions']): VueWrapper {
    const props = { difference: { version: '7', questions: given } }
    shown = mount(VersionDifference, { props, global: { plugins: [i18n] } })
    return shown
  }

  test.each<Locale>(['vi', 'en'])('is named in words in %s, question by question', (locale) => {
    setLocale(locale)
    const rows = differing(questions).findAll('tbody tr')
    expect(rows).toHaveLength(questions.length)
    const named = rows.map((row) => row.findAll('td')[1]?.text() ?? '')
    expect(named.filter((name) => name === '' || name.includes('desk.'))).toEqual([])
    expect(new Set(named).size).toBe(questions.length)
    expect(rows.map((row) => row.findAll('td')[0]?.text())).toEqual(questions.map((each) => each.path))
  })

  test('is said to be nothing where no question differs', () => {
    expect(differing([]).text()).toContain('Không câu nào khác.')
    expect(shown?.find('table').exists()).toBe(false)
  })
})

describe('what a new version does to records', () => {
  const NOTHING: Effect = {
    phones: 3,
    silent: 0,
    records: 0,
    looked_at: 0,
    same: 0,
    changes: 0,
    sets_aside: 0,
    waits: 0,
  }
  function told(effect: Partial<Effect>): VueWrapper {
    shown = mount(FormEffect, { props: { effect: { ...NOTHING, ...effect } }, global: { plugins: [i18n] } })
    return shown
  }

  test.each<Locale>(['vi', 'en'])('is told in %s, each outcome that there is', (locale) => {
    setLocale(locale)
    const all = told({ records: 10, looked_at: 10, same: 1, changes: 2, sets_aside: 3, waits: 4 })
    expect(all.findAll('li').map((line) => [line.attributes('data-outcome'), /\d+/u.exec(line.text())?.[0]])).toEqual([
      ['same', '1'],
      ['changes', '2'],
      ['sets_aside', '3'],
      ['waits', '4'],
    ])
    expect(all.text()).not.toContain('desk.')
    const some = told({ records: 2, looked_at: 2, same: 2 })
    expect(some.findAll('li').map((line) => line.attributes('data-outcome'))).toEqual(['same'])
  })

  test('says that there are no records, and how many it has not looked at', () => {
    expect(told({}).text()).toContain('Chưa có phiếu nào')
    expect(shown?.find('[data-testid=effect-silent]').exists()).toBe(false)
    expect(told({ silent: 2 }).get('[data-testid=effect-silent]').text()).toContain('2 máy')
    expect(told({ records: 1200, looked_at: 500, same: 500 }).text()).toContain('500 trong 1.200')
  })
})

describe('the screen of forms', () => {
  type Answer = CheckedForm | Problem | Promise<CheckedForm>
  let checks: string[][]
  let published: number
  let effect: Effect | Problem

  beforeEach(() => {
    effect = { phones: 12, silent: 0, records: 4, looked_at: 4, same: 3, changes: 0, sets_aside: 1, waits: 0 }
  })

  /** The screen with a file chosen, before a server that answers each check in turn. */
  async function chosen(...answers: Answer[]): Promise<VueWrapper> {
    checks = []
    published = 0
    const session = useSession()
    const grants = [
      { role: 'administrator', project: 'agri', unit: '11', unit_name: 'Điện Biên' },
      { role: 'administrator', project: 'tourism', unit: '03226-2025', unit_name: 'Sín Chải' },
    ]
    session.session = { person: { id: 'p', username: 'p', name: 'P', locale: 'vi', grants } } as unknown as Session
    const projects = ['agri', 'tourism'].map((id) => ({ id, name_vi: `vi ${id}`, name_en: `en ${id}` }))
    vi.spyOn(session.api, 'send').mockImplementation(() => Promise.resolve(new Response('name,label\n')))
    vi.spyOn(session.api, 'json').mockImplementation((path, request = {}) => {
      if (path === '/api/areas') return Promise.resolve({ on: '', units: [], projects })
      if (path === '/api/forms') return Promise.resolve({ forms: [] })
      if (path.endsWith('/effect')) return effect instanceof Problem ? Promise.reject(effect) : Promise.resolve(effect)
      if (path.endsWith('/publish')) {
        published += 1
        return Promise.resolve({ ...GOOD, status: 'live' })
      }
      checks.push((request.body as FormData).getAll('accept').map(String))
      const answer = answers.shift()
      return answer instanceof Problem ? Promise.reject(answer) : Promise.resolve(answer)
    })
    shown = mount(FormsAdminView, { attachTo: document.body, global: { plugins: [i18n] } })
    await flushPromises()
    await choose('form.xlsx')
    return shown
  }

  async function choose(name: string, file: Partial<File> = new File(['x'], name)): Promise<void> {
    const picker = shown?.get('[data-testid=form-file]')
    Object.defineProperty(picker?.element, 'files', { value: [file], configurable: true })
    await picker?.trigger('change')
  }

  async function check(): Promise<void> {
    await shown?.get('form').trigger('submit')
    await flushPromises()
  }

  const state = (): string | undefined => shown?.get('[data-testid=form-state]').attributes('data-state')
  const reached = (kind: string): Promise<void> => vi.waitFor(() => expect(state()).toBe(kind), { timeout: 20_000 })

  test('offers only projects that the person may publish in', async () => {
    const view = await chosen()
    expect(view.findAll('[data-testid=form-project] option').map((each) => each.text())).toEqual(['vi agri'])
  })

  test('takes one proposal, then all, opens the form as a phone does, and publishes it', async () => {
    const view = await chosen(REFUSED, REFUSED, GOOD)
    await check()
    expect(state()).toBe('refused')
    await view.get('[data-testid=proposal-accept]').trigger('click')
    await flushPromises()
    await view.get('[data-testid=proposals-accept]').trigger('click')
    await reached('ready')
    expect(checks).toEqual([[], [ID.key], [ID.key, '*']])
    expect(view.get('[data-testid=difference]').text()).toContain('/name')
    expect(view.get('[data-testid=proposals-accepted]').text()).toContain('1')
    expect(view.get('[data-testid=effect]').text()).toContain('1 phiếu có câu trả lời của câu đã bỏ')
    await view.get('[data-testid=form-publish]').trigger('click')
    expect(view.get('dialog').text()).toContain('12 máy')
    await view.get('[data-testid=dialog-no]').trigger('click')
    await flushPromises()
    expect([state(), published]).toEqual(['ready', 0])
    await view.get('[data-testid=form-publish]').trigger('click')
    await view.get('[data-testid=dialog-yes]').trigger('click')
    await reached('published')
    expect(published).toBe(1)
    expect(view.get('[data-testid=form-published]').text()).toContain('Mọi kiểu')
  })

  test('says so where records could not be looked at, and lets the author publish all the same', async () => {
    effect = new Problem('timeout')
    const view = await chosen(GOOD)
    await check()
    await reached('ready')
    await flushPromises()
    expect(view.get('[data-testid=effect-trouble]').text()).toContain('Chưa xem được')
    await view.get('[data-testid=form-publish]').trigger('click')
    expect(view.get('dialog').text()).toContain('mọi điện thoại')
    effect = { phones: 2, silent: 0, records: 0, looked_at: 0, same: 0, changes: 0, sets_aside: 0, waits: 0 }
    await view.get('[data-testid=effect-trouble] button').trigger('click')
    await flushPromises()
    expect(view.get('[data-testid=effect]').text()).toContain('Chưa có phiếu nào')
  })

  test('keeps the findings in view, and the keyboard there, while an accepted proposal is checked', async () => {
    let answer: (checked: CheckedForm) => void = () => undefined
    const view = await chosen(REFUSED, new Promise<CheckedForm>((resolve) => (answer = resolve)))
    await check()
    const button = view.get('[data-testid=proposal-accept]')
    await button.trigger('click')
    await flushPromises()
    expect(state()).toBe('checking')
    expect(button.attributes('disabled')).toBeDefined()
    expect(document.activeElement).toBe(view.get('[data-testid=form-state]').element)
    answer(REFUSED)
    await flushPromises()
    expect(button.attributes('disabled')).toBeUndefined()
  })

  test('never publishes a form whose file is no longer the one that is chosen', async () => {
    let answer: (checked: CheckedForm) => void = () => undefined
    const view = await chosen(new Promise<CheckedForm>((resolve) => (answer = resolve)))
    await check()
    await choose('another.xlsx')
    answer(GOOD)
    await flushPromises()
    expect(state()).toBe('idle')
    expect(view.find('[data-testid=form-publish]').exists()).toBe(false)
  })

  test('tries again with what was accepted where the network failed, and offers that for no other failure', async () => {
    const view = await chosen(REFUSED, new Problem('offline'), REFUSED, new Problem('too_large', 413))
    await check()
    await view.get('[data-testid=proposals-accept]').trigger('click')
    await flushPromises()
    expect(state()).toBe('failed')
    await view.get('[data-testid=form-again]').trigger('click')
    await flushPromises()
    expect([state(), checks.at(-1)]).toEqual(['refused', ['*']])
    await check()
    expect(view.get('[data-testid=form-state]').text()).toContain('lớn hơn mức máy chủ nhận')
    expect(view.find('[data-testid=form-again]').exists()).toBe(false)
  })

  test('asks for a file again that was saved since it was chosen', async () => {
    const view = await chosen()
    const gone = { slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException('', 'NotReadableError')) }) }
    await choose('form.xlsx', gone as unknown as File)
    await check()
    expect(checks).toEqual([])
    expect(view.get('[data-testid=form-state]').text()).toContain('Hãy chọn lại tệp')
  })
})
