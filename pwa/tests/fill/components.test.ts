// @vitest-environment jsdom
/** Labels are built as elements and never from HTML; a record reads in its person's language, with what changed beside it. */
import './browser'
import type { MarkdownNode, TextRange } from '@getodk/xforms-engine'
import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { MarkdownText } from '@/features/answers/components/MarkdownText'
import RecordSummary from '@/features/answers/components/RecordSummary.vue'
import type { Answers } from '@/domain/record'
import { i18n, loadFormWords } from '@/locales/i18n'
import { carry, signedIn, xformOf } from './phone'

beforeAll(loadFormWords)
beforeEach(signedIn)

function text(asString: string, formatted: MarkdownNode[]): TextRange<'label'> {
  return { role: 'label', asString, formatted } as unknown as TextRange<'label'>
}

describe('a label', () => {
  const child = (value: string): MarkdownNode => ({ id: value, role: 'child', value })

  test('shows the text of HTML and none of its elements', () => {
    const hostile = '<img src=x onerror="globalThis.hurt = true">chữ'
    const label = mount(MarkdownText, {
      props: { text: text(hostile, [{ id: '1', role: 'html', unsafeHtml: hostile }]) },
    })
    expect(label.find('img').exists()).toBe(false)
    expect(label.text()).toBe('chữ')
  })

  test('links only to the web', () => {
    const link = (url: string): MarkdownNode =>
      ({ id: url, role: 'parent', elementName: 'a', children: [child('x')], url }) as MarkdownNode
    const label = mount(MarkdownText, {
      props: { text: text('x', [link('javascript:alert(1)'), link('https://example.org/'), link('data:text/html,x')]) },
    })
    expect(label.findAll('a').map((each) => each.attributes('href'))).toEqual(['https://example.org/'])
  })

  test('that begins with a number keeps it', () => {
    const list = { id: '1', role: 'parent', elementName: 'ol', children: [] } as unknown as MarkdownNode
    expect(mount(MarkdownText, { props: { text: text('2. Họ và tên', [list]) } }).text()).toBe('2. Họ và tên')
  })
})

describe('a record that is read', () => {
  async function shown(
    form: string,
    answers: Answers,
    more: { previous?: Answers; comments?: Record<string, string> } = {},
  ): Promise<string> {
    setActivePinia(createPinia())
    const version = form === 'every_type' ? await carry(form, xformOf(form)) : '1'
    const summary = mount(RecordSummary, {
      props: { form, version, answers, media: {}, language: 'vi', ...more },
      global: { plugins: [i18n] },
    })
    await vi.waitFor(() => expect(summary.find('[role="status"]').exists()).toBe(false), { timeout: 20_000 })
    return summary.text().replace(/\s+/gu, ' ')
  }

  test('has the words of its form, a decimal comma, days and degrees, and a dash for what is blank', async () => {
    const text = await shown('every_type', {
      name: 'Lò Văn Ánh',
      area: '1.50',
      members: null,
      visited: '2026-11-01',
      house: '21.3869 103.0194 480.0 4.9',
      crops: ['maize', 'rice'],
      needs: ['rice'],
      total: '9',
      plot: [{ _rid: 'r1', plot_name: 'Na Vai' }],
      meta: { instanceName: 'không hiện' },
    })
    for (const part of [
      'Tên Lò Văn Ánh',
      'Diện tích 1,5',
      'Số người —',
      'Ngày 01/11/2026',
      'Nhà 21,38690° B, 103,01940° Đ (sai số 4,9 m)',
      'Cây của Lò Văn Ánh Ngô, Lúa',
      'Thửa · Mục 1',
      'Tên thửa Na Vai',
    ]) {
      expect(text).toContain(part)
    }
    for (const hidden of ['không hiện', 'r1', 'Ghi âm']) expect(text).not.toContain(hidden)
  })

  test('shows what stood before, and the comment on the question that it is about', async () => {
    const text = await shown(
      'every_type',
      { name: 'B', plot: [{ _rid: 'r1', plot_name: 'Na Vai' }] },
      {
        previous: { name: 'A', plot: [{ _rid: 'r1', plot_name: 'Na Vai' }] },
        comments: { '/answers/plot/r1/plot_name': 'Ghi rõ bản nào' },
      },
    )
    expect(text).toMatch(/Đã đổi\s*Trước:\s*A\s*Nay:\s*B/u)
    expect(text).toMatch(/Tên thửa\s*Na Vai\s*Góp ý:\s*Ghi rõ bản nào/u)
  })

  test('whose form is not here shows its answers as they were kept', async () => {
    const text = await shown('gone', { house: { rooms: '3' } })
    expect(text).toContain('house › rooms')
    expect(text).toContain('3')
  })
})
