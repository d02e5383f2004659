// @vitest-environment jsdom
/** What has become of a person's save, and what managers ask about it, as the phone says it. */
import './browser'
import { mount, RouterLinkStub, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import QuestionCard from '@/features/records/components/QuestionCard.vue'
import RecordChanges from '@/features/records/components/RecordChanges.vue'
import { changesSince, type Deed } from '@/domain/changed'
import { parseFormSchema } from '@/domain/form-schema'
import type { Answers } from '@/domain/record'
import { i18n, loadFormWords } from '@/locales/i18n'
import { database, type Session } from '@/storage/database'
import type { Question } from '@/storage/questions'
import { useSession } from '@/stores/session'
import { carry, PERSON, signedIn, xformOf } from './phone'

const FORM = 'every_type'
const schema = parseFormSchema(xformOf(FORM))
const edited: Deed = { name: 'Lò Thị Hoa', decided: [], comment: '' }
const decided: Deed = { name: 'Bình', decided: ['/answers/area'], comment: 'Đã đo lại' }
let version: string

beforeAll(loadFormWords)
beforeEach(async () => {
  await signedIn()
  setActivePinia(createPinia())
  version = await carry(FORM, xformOf(FORM))
})

const textOf = (wrapper: { text: () => string }): string => wrapper.text().replace(/\s+/gu, ' ')

describe('what differs from a save', () => {
  test('was decided, or is open, or was changed by somebody', () => {
    const mine: Answers = { name: 'A', area: '1.2', members: '4', plot: [{ _rid: 'r1', plot_name: 'Nà' }] }
    const now: Answers = { name: 'B', area: '0.8', members: '5', plot: [{ _rid: 'r1', plot_name: 'Nậm' }] }
    const changes = changesSince(schema, mine, now, [edited, decided], ['/answers/members', '/answers/plot/r1'])
    const reasons = Object.fromEntries(changes.map(({ pointer, why }) => [pointer, why.kind]))
    expect(reasons).toEqual({
      '/answers/name': 'changed',
      '/answers/area': 'decided',
      '/answers/members': 'open',
      '/answers/plot/r1/plot_name': 'open',
    })
  })

  test('is not explained by what was asked or decided about the record as a whole', () => {
    const kept: Deed = { name: 'Bình', decided: [''], comment: 'Giữ phiếu' }
    const [change] = changesSince(schema, { name: 'A' }, { name: 'B' }, [kept, edited], [''])
    expect(change?.why).toEqual({ kind: 'changed' })
  })
})

describe('a record that others carried on', () => {
  async function shown(
    by: Deed[],
    now: Answers,
    more: { isCombined?: boolean; comment?: string } = {},
  ): Promise<string> {
    const wrapper = mount(RecordChanges, {
      props: {
        form: FORM,
        version,
        mine: { answers: { name: 'A', area: '1.2' }, media: {} },
        now: { answers: now, media: {} },
        by,
        open: [],
        isCombined: false,
        comment: '',
        ...more,
      },
      global: { plugins: [i18n] },
    })
    await vi.waitFor(() => expect(wrapper.find('.fields, [data-testid="changes-none"]').exists()).toBe(true))
    return textOf(wrapper)
  }

  test('says whose it was combined with, who decided and why, and what the person wrote', async () => {
    const text = await shown([edited, decided], { name: 'A', area: '0.8' }, { isCombined: true })
    expect(text).toContain('Phiếu đã gộp với phần ghi của Lò Thị Hoa.')
    expect(text).toMatch(/Anh chị đã ghi\s?1,2\s?Hiện dùng\s?0,8\s?Bình đã quyết định: Đã đo lại/u)
  })

  test('says so where nothing of the person’s was touched', async () => {
    const text = await shown([edited, decided], { name: 'A', area: '1.2' })
    expect(text).toContain('Những gì anh chị ghi vẫn giữ nguyên.')
    expect(text).toMatch(/Bình đã quyết định\s?“Đã đo lại”/u)
  })

  test('speaks of somebody where the phone was not told who', async () => {
    const text = await shown([], { name: 'A', area: '0.8' }, { comment: 'Đã đo lại' })
    expect(text).toMatch(/Người quản lý dữ liệu đã quyết định\s?“Đã đo lại”/u)
    expect(await shown([], { name: 'B', area: '1.2' })).toContain('Người khác đã sửa phiếu này sau anh chị.')
  })
})

describe('a question', () => {
  const question: Question = {
    id: 'question:r1:1',
    database: 'agri-03226-2025',
    record: 'r1',
    title: 'Lò Văn A',
    form: FORM,
    version: '',
    path: '/answers/area',
    label: { vi: 'Diện tích', en: 'Area' },
    candidates: [
      { rev: '2-a', name: 'Lò Văn Anh', isMine: true, value: '1.2' },
      { rev: '2-b', name: 'Lò Thị Hoa', isMine: false, value: '0.8' },
    ],
    text: '',
    askedBy: 'Bình',
    at: '2026-11-21T08:00:00Z',
    isOpen: true,
    reply: null,
    draft: null,
  }

  async function card(change: Partial<Question> = {}, isBrief = false): Promise<VueWrapper> {
    useSession().session = { person: { id: PERSON } } as unknown as Session
    const wrapper = mount(QuestionCard, {
      props: { question: { ...question, version, ...change }, isBrief },
      global: { plugins: [i18n], stubs: { RouterLink: RouterLinkStub } },
    })
    await vi.waitFor(() => expect(textOf(wrapper)).toContain('1,2'))
    return wrapper
  }

  test('on a list says what each has said, and leads to the record', async () => {
    const wrapper = await card({}, true)
    expect(textOf(wrapper)).toMatch(/Lò Văn A.*Anh chị ?1,2 ?Lò Thị Hoa ?0,8 ?Ai ghi đúng, vì sao\?/u)
    expect(wrapper.find('form').exists()).toBe(false)
    expect(wrapper.findComponent(RouterLinkStub).props('to')).toMatchObject({ params: { id: 'r1' } })
  })

  test('is answered by picking a value, which is kept at once, and words', async () => {
    const wrapper = await card()
    expect(wrapper.get('[data-testid="send-reply"]').attributes('disabled')).toBeDefined()
    await wrapper.get('input[value="2-a"]').setValue()
    await vi.waitFor(async () => expect((await database.begunReplies.get([PERSON, question.id]))?.choice).toBe('2-a'))
    await wrapper.get('textarea').setValue('Đo lại hôm qua')
    await wrapper.get('form').trigger('submit')
    await vi.waitFor(async () => expect(await database.revisions.count()).toBe(1))
    const [reply] = await database.revisions.toArray()
    expect(reply?.content).toMatchObject({ question: question.id, value: '1.2', text: 'Đo lại hôm qua' })
    expect(await database.begunReplies.count()).toBe(0)
  })

  test('where none is right needs words', async () => {
    const wrapper = await card()
    await wrapper.get('[data-testid="choice-none"]').setValue()
    expect(wrapper.get('[data-testid="send-reply"]').attributes('disabled')).toBeDefined()
    await wrapper.get('textarea').setValue('1 héc-ta')
    expect(wrapper.get('[data-testid="send-reply"]').attributes('disabled')).toBeUndefined()
  })

  test('begun before is as it was left; once answered it says what and where the answer is', async () => {
    const draft = { question: question.id, person: PERSON, choice: '2-b', text: 'nửa chừng', updatedAt: '' }
    const begun = await card({ draft })
    expect(begun.get<HTMLTextAreaElement>('textarea').element.value).toBe('nửa chừng')
    const reply = { candidate: question.candidates[0] ?? null, text: 'Đo lại', at: '', state: 'waiting' } as const
    const answered = await card({ reply })
    expect(answered.get('[data-testid="reply"]').text()).toMatch(/Anh chị ghi đúng\.\s*Đo lại/u)
    expect(answered.get('[data-testid="reply-state"]').text()).toBe('Chờ gửi')
  })
})
