// @vitest-environment jsdom
/** A form is left with nothing lost: what could not be saved is asked about, and nothing that was offered in it outlives it. */
import './browser'
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import FormFiller from '@/features/capture/components/FormFiller.vue'
import { i18n, loadFormWords } from '@/locales/i18n'
import { database } from '@/storage/database'
import { useUndo } from '@/stores/undo'
import { begin, signedIn } from './phone'

type Filler = Pick<VueWrapper, 'find' | 'unmount' | 'vm'>

beforeAll(async () => {
  await loadFormWords()
  // jsdom has no modal dialogs and does not scroll.
  HTMLDialogElement.prototype.showModal = function show(): void {
    this.open = true
  }
  HTMLDialogElement.prototype.close = function close(): void {
    this.open = false
  }
  HTMLElement.prototype.scrollIntoView = () => undefined
  vi.stubGlobal('scrollTo', () => undefined)
})
beforeEach(async () => {
  setActivePinia(createPinia())
  await signedIn()
})
afterEach(() => vi.restoreAllMocks())

async function opened(form: string): Promise<{ filler: Filler; id: string }> {
  const { id } = await begin(form)
  const filler = mount(FormFiller, {
    props: { draftId: id },
    global: { plugins: [i18n] },
    attachTo: document.body,
  })
  await vi.waitFor(() => expect(filler.find('[data-testid="form-filler"]').exists()).toBe(true), { timeout: 20_000 })
  return { filler, id }
}

const mayLeave = (filler: Filler): Promise<boolean> =>
  (filler.vm as unknown as { mayLeave: () => Promise<boolean> }).mayLeave()
const isAsked = (filler: Filler): boolean => filler.find<HTMLDialogElement>('dialog').element.open

async function write(filler: Filler, village: string): Promise<void> {
  const answer = filler.find('[data-testid="answer-village"]')
  await answer.setValue(village)
  await answer.trigger('blur')
}

describe('a form that is left', () => {
  test('goes without a question when everything is saved', { tags: ['slow'] }, async () => {
    const { filler, id } = await opened('shan_tea_tree')
    await write(filler, 'Hấu Chua')
    expect(await mayLeave(filler)).toBe(true)
    expect((await database.drafts.get(id))?.xml).toContain('Hấu Chua')
    filler.unmount()
  })

  test(
    'on a full phone asks first, and keeps what stands on the screen for those who stay',
    { tags: ['slow'] },
    async () => {
      const { filler, id } = await opened('shan_tea_tree')
      const full = vi
        .spyOn(database.drafts, 'update')
        .mockRejectedValue(new DOMException('no room', 'QuotaExceededError'))
      await write(filler, 'Hấu Chua')
      const left = mayLeave(filler)
      await vi.waitFor(() => expect(isAsked(filler)).toBe(true))
      const closing = new Event('beforeunload', { cancelable: true })
      dispatchEvent(closing)
      expect(closing.defaultPrevented).toBe(true)
      await filler.find('[data-testid="dialog-no"]').trigger('click')
      expect(await left).toBe(false)

      full.mockRestore()
      expect(await mayLeave(filler)).toBe(true)
      expect((await database.drafts.get(id))?.xml).toContain('Hấu Chua')
      filler.unmount()
    },
  )

  test('can be left all the same', { tags: ['slow'] }, async () => {
    const { filler } = await opened('shan_tea_tree')
    vi.spyOn(database.drafts, 'update').mockRejectedValue(new DOMException('no room', 'QuotaExceededError'))
    await write(filler, 'Hấu Chua')
    const left = mayLeave(filler)
    await vi.waitFor(() => expect(isAsked(filler)).toBe(true))
    await filler.find('[data-testid="dialog-yes"]').trigger('click')
    expect(await left).toBe(true)
    filler.unmount()
  })

  test('takes with it the offer to bring a row back', async () => {
    const { filler } = await opened('shan_tea_tree')
    const undo = useUndo()
    const offer = { message: 'Đã xoá mục 1', undo: vi.fn(() => Promise.resolve()) }
    undo.offer(offer)
    filler.unmount()
    await flushPromises()
    expect(undo.current).toBeNull()
    expect(offer.undo).not.toHaveBeenCalled()
  })

  test('leaves alone what was offered before it was opened', async () => {
    const undo = useUndo()
    undo.offer({ message: 'Đã xoá bản nháp', undo: () => Promise.resolve() })
    const { filler } = await opened('shan_tea_tree')
    filler.unmount()
    expect(undo.current?.message).toBe('Đã xoá bản nháp')
  })
})
