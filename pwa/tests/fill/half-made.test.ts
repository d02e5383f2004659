// @vitest-environment jsdom
/** What is begun and not complete is in the draft from its beginning: it outlives the browser, is asked about, and can be had back. */
import './browser'
import { mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import FormFiller from '@/features/capture/components/FormFiller.vue'
import type { Begun } from '@/domain/begun'
import { i18n, loadFormWords } from '@/locales/i18n'
import { database } from '@/storage/database'
import { saveDraft } from '@/storage/drafts'
import { useUndo } from '@/stores/undo'
import { begin, latest, signedIn } from './phone'

type Filler = Pick<VueWrapper, 'find' | 'findAll' | 'unmount' | 'text'>

const CORNERS = [
  [21.3869, 103.0194],
  [21.3879, 103.0194],
  [21.3879, 103.0206],
] as const
let place: readonly [number, number] = CORNERS[0]
const open: Filler[] = []

beforeAll(async () => {
  await loadFormWords()
  // jsdom has no modal dialogs and does not scroll.
  HTMLDialogElement.prototype.showModal = () => undefined
  HTMLElement.prototype.scrollIntoView = () => undefined
  vi.stubGlobal('scrollTo', () => undefined)
  Object.defineProperty(navigator, 'geolocation', {
    configurable: true,
    value: {
      watchPosition: (found: (position: unknown) => void) => {
        const [latitude, longitude] = place
        setTimeout(() => found({ coords: { latitude, longitude, altitude: null, accuracy: 4 }, timestamp: Date.now() }))
        return 1
      },
      clearWatch: () => undefined,
    },
  })
})
beforeEach(async () => {
  setActivePinia(createPinia())
  await signedIn()
})
afterEach(() => {
  for (const filler of open.splice(0)) filler.unmount()
  vi.restoreAllMocks()
})

async function opened(id: string): Promise<Filler> {
  const filler = mount(FormFiller, { props: { draftId: id }, global: { plugins: [i18n] }, attachTo: document.body })
  await vi.waitFor(() => expect(filler.find('[data-testid="form-filler"]').exists()).toBe(true), { timeout: 20_000 })
  open.push(filler)
  return filler
}

async function fresh(): Promise<{ filler: Filler; id: string }> {
  const { id } = await begin('every_type')
  return { filler: await opened(id), id }
}

/** The same draft on a browser that starts again after it was ended without a last word: it has what the store has. */
async function afterAKill(id: string): Promise<Filler> {
  const stored = await database.drafts.get(id)
  open.pop()?.unmount()
  await new Promise((resolve) => setTimeout(resolve, 50))
  if (stored !== undefined) await database.drafts.put(stored)
  return opened(id)
}

const see = (filler: Filler, name: string): ReturnType<Filler['find']> => filler.find(`[data-testid="${name}"]`)
const press = (filler: Filler, name: string): Promise<void> => see(filler, name).trigger('click')
const begunIn = async (id: string): Promise<Begun[]> => Object.values((await database.drafts.get(id))?.begun ?? {})

async function corner(filler: Filler, at: readonly [number, number], count: number): Promise<void> {
  place = at
  await press(filler, 'corner-outline')
  await vi.waitFor(() => expect(see(filler, 'question-outline').text()).toContain(`Đã ghi ${String(count)} điểm`))
}

async function walked(): Promise<{ filler: Filler; id: string }> {
  const { filler, id } = await fresh()
  await see(filler, 'answer-name').setValue('Lò Văn Ánh')
  await press(filler, 'answer-outline')
  for (const [index, at] of CORNERS.entries()) await corner(filler, at, index + 1)
  return { filler, id }
}

async function toTheEnd(filler: Filler): Promise<void> {
  while (see(filler, 'fill-next').exists()) await press(filler, 'fill-next')
}

async function finished(id: string): Promise<Record<string, unknown>> {
  await vi.waitFor(async () => expect(await database.drafts.get(id)).toBeUndefined(), { timeout: 20_000 })
  return (await latest(id)).content['answers'] as Record<string, unknown>
}

describe('a walk', () => {
  test(
    'is in the draft from its first corner, and goes on after the browser was killed',
    { tags: ['slow'] },
    async () => {
      const { filler, id } = await fresh()
      await press(filler, 'answer-outline')
      await corner(filler, CORNERS[0], 1)
      await vi.waitFor(async () =>
        expect(await begunIn(id)).toMatchObject([{ kind: 'walk', points: '21.3869 103.0194 0 4' }]),
      )
      const again = await afterAKill(id)
      expect(see(again, 'question-outline').text()).toContain('Đã ghi 1 điểm')
      await corner(again, CORNERS[1], 2)
      await corner(again, CORNERS[2], 3)
      await press(again, 'close-outline')
      expect(see(again, 'outline-outline').text()).toContain('3 điểm')
      await vi.waitFor(async () => expect(await begunIn(id)).toEqual([]))
    },
  )

  test(
    'that was not closed is asked about before finishing, and leads to its question',
    { tags: ['slow'] },
    async () => {
      const { filler, id } = await walked()
      await toTheEnd(filler)
      expect(see(filler, 'fill-finish').exists()).toBe(false)
      expect(filler.findAll('[data-kind="missing"]').map((item) => item.text())).toEqual([
        expect.stringMatching(/Ranh giới.*đã ghi 3 điểm, chưa bấm «Khép lại»/u),
      ])
      await press(filler, 'fill-first-missing')
      await vi.waitFor(() => expect(see(filler, 'close-outline').exists()).toBe(true))
      await press(filler, 'close-outline')
      await toTheEnd(filler)
      await press(filler, 'fill-finish')
      expect((await finished(id))['outline']).toMatch(/^21\.3869 103\.0194.*;21\.3869 103\.0194 0\.0 4\.0$/u)
    },
  )

  test('that was given up is brought back, before the corners that were walked since', { tags: ['slow'] }, async () => {
    const { filler, id } = await walked()
    await press(filler, 'cancel-outline')
    expect(see(filler, 'corner-outline').exists()).toBe(false)
    await vi.waitFor(async () => expect(await begunIn(id)).toEqual([]))
    await press(filler, 'answer-outline')
    await corner(filler, [21.387, 103.02], 1)
    await useUndo().undo()
    await vi.waitFor(() => expect(see(filler, 'question-outline').text()).toContain('Đã ghi 4 điểm'))
    const [walk] = await begunIn(id)
    expect(walk).toMatchObject({ points: expect.stringMatching(/^21\.3869 .*;21\.387 103\.02 0 4$/u) as string })
  })

  test('has its last corner back', { tags: ['slow'] }, async () => {
    const { filler, id } = await walked()
    await press(filler, 'back-outline')
    expect(see(filler, 'question-outline').text()).toContain('Đã ghi 2 điểm')
    await useUndo().undo()
    await vi.waitFor(async () =>
      expect(await begunIn(id)).toMatchObject([{ points: expect.stringMatching(/103\.0206 0 4$/u) as string }]),
    )
  })

  test('has no corner back once it is closed', { tags: ['slow'] }, async () => {
    const { filler, id } = await walked()
    await corner(filler, [21.387, 103.02], 4)
    await press(filler, 'back-outline')
    await press(filler, 'close-outline')
    await useUndo().undo()
    await vi.waitFor(() => expect(see(filler, 'outline-outline').text()).toContain('3 điểm'))
    expect(see(filler, 'corner-outline').exists()).toBe(false)
    await vi.waitFor(async () => expect(await begunIn(id)).toEqual([]))
  })

  test('that an earlier version kept in the tab goes on in the draft', async () => {
    const { id } = await begin('every_type')
    const key = `walk:${id}:/data/outline`
    sessionStorage.setItem(key, '21.3869 103.0194 0 4;21.3879 103.0194 0 4')
    const filler = await opened(id)
    expect(see(filler, 'question-outline').text()).toContain('Đã ghi 2 điểm')
    await vi.waitFor(async () => expect(await begunIn(id)).toMatchObject([{ kind: 'walk' }]))
    expect(sessionStorage.getItem(key)).toBeNull()
  })

  test('that makes no shape is not thrown away, although an outline stands', { tags: ['slow'] }, async () => {
    const { filler, id } = await walked()
    await press(filler, 'close-outline')
    await press(filler, 'answer-outline')
    for (const count of [1, 2, 3]) await corner(filler, CORNERS[0], count)
    await press(filler, 'close-outline')
    expect(see(filler, 'question-outline').text()).toContain('Còn ít điểm quá')
    expect(see(filler, 'question-outline').text()).toContain('Đã ghi 3 điểm')
    await vi.waitFor(async () => expect(await begunIn(id)).toMatchObject([{ kind: 'walk', reason: 'too_few_points' }]))
  })
})

describe('what is typed by half', () => {
  test('is a place that stays in the draft, is asked about, and can be had back', { tags: ['slow'] }, async () => {
    const { filler, id } = await fresh()
    await see(filler, 'answer-name').setValue('Lò Văn Ánh')
    await see(filler, 'question-house').findAll('button')[1]?.trigger('click')
    await see(filler, 'latitude-house').setValue('21,3869')
    await vi.waitFor(async () => expect(await begunIn(id)).toMatchObject([{ kind: 'point', latitude: '21,3869' }]))
    const again = await afterAKill(id)
    expect((see(again, 'latitude-house').element as HTMLInputElement).value).toBe('21,3869')
    await toTheEnd(again)
    expect(again.findAll('[data-kind="missing"]').map((item) => item.text())).toEqual([
      expect.stringContaining('Toạ độ đang ghi dở: 21,3869 · …'),
    ])
    await press(again, 'fill-first-missing')
    await vi.waitFor(() => expect(see(again, 'cancel-house').exists()).toBe(true))
    await press(again, 'cancel-house')
    expect(see(again, 'latitude-house').exists()).toBe(false)
    await useUndo().undo()
    await vi.waitFor(() => expect((see(again, 'latitude-house').element as HTMLInputElement).value).toBe('21,3869'))
    await see(again, 'longitude-house').setValue('103,0194')
    await press(again, 'copy-house')
    expect(see(again, 'point-house').text()).toContain('21,38690')
    await vi.waitFor(async () => expect(await begunIn(id)).toEqual([]))
  })

  test('is a number that is none, with what was typed and why', { tags: ['slow'] }, async () => {
    const { filler, id } = await fresh()
    await see(filler, 'answer-members').setValue('5 hoặc 6')
    await see(filler, 'answer-members').trigger('blur')
    await vi.waitFor(async () => expect(await begunIn(id)).toMatchObject([{ kind: 'text', typed: '5 hoặc 6' }]))
    const again = await afterAKill(id)
    expect((see(again, 'answer-members').element as HTMLInputElement).value).toBe('5 hoặc 6')
    expect(see(again, 'question-members').text()).toContain('«5 hoặc 6» không phải là số.')
    await see(again, 'answer-members').setValue('6')
    await vi.waitFor(async () => expect(await begunIn(id)).toEqual([]))
  })

  test('is a day in the picker, which takes no answer away and is asked about', { tags: ['slow'] }, async () => {
    const { filler, id } = await fresh()
    await see(filler, 'answer-name').setValue('Lò Văn Ánh')
    await see(filler, 'answer-visited').setValue('2026-11-01')
    // A browser's picker with a part in it: no value, and nobody is told which part.
    const input = see(filler, 'answer-visited').element as HTMLInputElement
    input.value = ''
    Object.defineProperty(input, 'validity', { configurable: true, value: { badInput: true } })
    await see(filler, 'answer-visited').trigger('change')
    await vi.waitFor(async () => expect(await begunIn(id)).toMatchObject([{ kind: 'text', reason: 'half_typed' }]))
    expect(input.value).toBe('')
    const again = await afterAKill(id)
    expect((see(again, 'answer-visited').element as HTMLInputElement).value).toBe('2026-11-01')
    await toTheEnd(again)
    expect(see(again, 'fill-finish').exists()).toBe(false)
    await press(again, 'fill-first-missing')
    await vi.waitFor(() => expect(see(again, 'cancel-visited').exists()).toBe(true))
    await press(again, 'cancel-visited')
    await toTheEnd(again)
    await press(again, 'fill-finish')
    expect((await finished(id))['visited']).toBe('2026-11-01')
  })

  test('at a question that shows no more holds nothing up', { tags: ['slow'] }, async () => {
    const { filler, id } = await fresh()
    await see(filler, 'answer-name').setValue('Lò Văn Ánh')
    await toTheEnd(filler)
    const begun = { '/answers/gone': { kind: 'text', typed: 'x', reason: 'not_a_number' } } as const
    await vi.waitFor(async () => expect((await database.drafts.get(id))?.step).toBe('finish'))
    await saveDraft(id, { begun })
    const again = await afterAKill(id)
    await press(again, 'fill-finish')
    expect((await finished(id))['name']).toBe('Lò Văn Ánh')
  })
})

test('what is begun in a row stays with that row', async () => {
  const { filler, id } = await fresh()
  while (!see(filler, 'add-plot').exists()) await press(filler, 'fill-next')
  await press(filler, 'add-plot')
  await vi.waitFor(() => expect(see(filler, 'row-plot-2').find('[data-testid="add-tree"]').exists()).toBe(true))
  await see(filler, 'row-plot-2').find('[data-testid="add-tree"]').trigger('click')
  await see(filler, 'row-plot-2').find('[data-testid="answer-girth"]').setValue('to')
  await vi.waitFor(async () => expect(await begunIn(id)).toHaveLength(1))
  const [pointer] = Object.keys((await database.drafts.get(id))?.begun ?? {})
  expect(pointer).toMatch(/^\/answers\/plot\/[^/]{8,}\/tree\/[^/]{8,}\/girth$/u)
  await see(filler, 'row-plot-1').find('.row-head').trigger('click')
  await press(filler, 'remove-plot-1')
  const girth = (): HTMLInputElement =>
    see(filler, 'row-plot-1').find('[data-testid="answer-girth"]').element as HTMLInputElement
  await vi.waitFor(() => expect(girth().value).toBe('to'))
  await vi.waitFor(async () => expect(Object.keys((await database.drafts.get(id))?.begun ?? {})).toEqual([pointer]))
})
