// @vitest-environment jsdom
/** What is begun outlives what a person does meanwhile: they leave, remove its row, give up another, fill the phone. */
import './browser'
import { mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import FormFiller from '@/features/capture/components/FormFiller.vue'
import { i18n, loadFormWords } from '@/locales/i18n'
import { getBlob } from '@/storage/blobs'
import { database } from '@/storage/database'
import { beginDraft, saveDraft } from '@/storage/drafts'
import { putPieces } from '@/storage/pieces'
import { useUndo } from '@/stores/undo'
import { Microphone } from './microphone'
import { begin, carry, PERSON, SCOPE, signedIn, xformOf } from './phone'

type Filler = Pick<VueWrapper, 'find' | 'findAll' | 'unmount' | 'text' | 'vm'>

const open: Filler[] = []
const getUserMedia = vi.fn<() => Promise<unknown>>()

beforeAll(async () => {
  await loadFormWords()
  HTMLDialogElement.prototype.showModal = function show(): void {
    this.open = true
  }
  HTMLDialogElement.prototype.close = function close(): void {
    this.open = false
  }
  HTMLElement.prototype.scrollIntoView = () => undefined
  vi.stubGlobal('scrollTo', () => undefined)
  vi.stubGlobal('MediaRecorder', Microphone)
  vi.stubGlobal('URL', Object.assign(URL, { createObjectURL: () => 'blob:x', revokeObjectURL: () => undefined }))
  Object.defineProperty(navigator, 'mediaDevices', { configurable: true, value: { getUserMedia } })
})
beforeEach(async () => {
  setActivePinia(createPinia())
  getUserMedia.mockReset().mockResolvedValue({ getTracks: () => [] })
  await signedIn()
})
afterEach(() => {
  vi.restoreAllMocks()
  for (const filler of open.splice(0)) filler.unmount()
})

const wait = { timeout: 20_000 }
const see = (filler: Filler, name: string): ReturnType<Filler['find']> => filler.find(`[data-testid="${name}"]`)
const press = (filler: Filler, name: string): Promise<void> => see(filler, name).trigger('click')
const shows = (filler: Filler, name: string): Promise<void> =>
  vi.waitFor(() => expect(see(filler, name).exists(), name).toBe(true), wait)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const mayLeave = (filler: Filler): Promise<boolean> =>
  (filler.vm as unknown as { mayLeave: () => Promise<boolean> }).mayLeave()
const begunIn = async (id: string): Promise<Readonly<Record<string, unknown>>> =>
  (await database.drafts.get(id))?.begun ?? {}

async function opened(id: string): Promise<Filler> {
  const filler = mount(FormFiller, { props: { draftId: id }, global: { plugins: [i18n] }, attachTo: document.body })
  open.push(filler)
  await vi.waitFor(() => expect(filler.find('[data-testid="form-filler"]').exists(), filler.text()).toBe(true), {
    timeout: 20_000,
  })
  return filler
}

async function fresh(): Promise<{ filler: Filler; id: string }> {
  const { id } = await begin('every_type')
  return { filler: await opened(id), id }
}

/** The form of every type, changed into a version of its own, because forms are read once. */
async function changed(version: string, change: (xform: string) => string): Promise<string> {
  const xform = change(xformOf('every_type')).replace(
    'id="every_type" version="1"',
    `id="every_type" version="${version}"`,
  )
  await carry('every_type', xform)
  return (await beginDraft({ database: SCOPE, person: PERSON, form: 'every_type', version })).id
}

async function record(filler: Filler, name: string, ...said: string[]): Promise<void> {
  await press(filler, `record-${name}`)
  await shows(filler, `stop-${name}`)
  for (const piece of said) Microphone.latest?.second(piece)
}

async function pick(filler: Filler, photo: File, name = 'photo'): Promise<void> {
  const input = see(filler, `answer-${name}`)
  Object.defineProperty(input.element, 'files', { configurable: true, value: [photo] })
  await input.trigger('change')
}

/** The bytes that answer a question, once nothing is begun any more. */
async function kept(id: string, name: string): Promise<string> {
  let text = ''
  await vi.waitFor(async () => {
    const draft = await database.drafts.get(id)
    const [, file = ''] = new RegExp(`<${name}[^>]*>([^<]+)</`, 'u').exec(draft?.xml ?? '') ?? []
    expect(draft?.begun).toEqual({})
    text = (await (await getBlob(draft?.media[file]?.sha256 ?? ''))?.blob.text()) ?? ''
    expect(text).not.toBe('')
  }, wait)
  return text
}

/** A draft whose recording was broken off after a second. */
async function brokenOff(): Promise<{ filler: Filler; id: string }> {
  const { id } = await begin('every_type')
  const bytes = new TextEncoder().encode('cũ')
  await putPieces([{ recording: 'old', number: 0, draft: id, bytes, addedAt: new Date().toISOString() }])
  const sound = { kind: 'sound', recording: 'old', type: 'audio/webm', reason: null } as const
  await saveDraft(id, { begun: { '/answers/voice': sound } })
  const filler = await opened(id)
  await shows(filler, 'broken-voice')
  return { filler, id }
}

test('a form is left only when the photo that is being made small is its answer', { tags: ['slow'] }, async () => {
  const { filler, id } = await fresh()
  let fail: () => void = () => undefined
  const decoding = new Promise((_, reject) => (fail = () => reject(new Error('unreadable'))))
  // On a busy machine it fails before anybody waits for it.
  decoding.catch(() => undefined)
  vi.stubGlobal('createImageBitmap', () => decoding)
  await pick(filler, new File(['as it came'], 'IMG_1.heic', { type: 'image/heic' }))
  const hasLeft = vi.fn()
  const leaving = mayLeave(filler).then(hasLeft)
  await pause(100)
  expect(hasLeft).not.toHaveBeenCalled()
  fail()
  await leaving
  expect(hasLeft).toHaveBeenCalledWith(true)
  expect(await begunIn(id)).toEqual({})
  expect(await kept(id, 'photo')).toBe('as it came')
})

test('a form is left only when what was recorded is its answer', async () => {
  const { filler, id } = await fresh()
  await record(filler, 'voice', 'xin ', 'chào')
  expect(await mayLeave(filler)).toBe(true)
  expect(await begunIn(id)).toEqual({})
  expect(await kept(id, 'voice')).toBe('xin chào')
})

test('what is begun and of which nothing is left goes when it is to be kept', { tags: ['slow'] }, async () => {
  const { filler, id } = await brokenOff()
  await database.pieces.clear()
  await press(filler, 'keep-voice')
  await shows(filler, 'record-voice')
  await vi.waitFor(async () => expect(await begunIn(id)).toEqual({}), wait)
})

test('a row that is removed while it records has its recording when it comes back', { tags: ['slow'] }, async () => {
  const id = await changed('said', (xform) =>
    xform
      .replaceAll('<plot_name/>', '<plot_name/><said/>')
      .replace('<bind nodeset="/data/photo"', '<bind nodeset="/data/plot/said" type="binary"/>$&')
      .replace(
        '<group ref="/data/plot/tree">',
        '<upload ref="/data/plot/said" mediatype="audio/*"><label>Lời</label></upload>$&',
      ),
  )
  const filler = await opened(id)
  while (!see(filler, 'add-plot').exists()) await press(filler, 'fill-next')
  if (!see(filler, 'record-said').exists()) await press(filler, 'add-plot')
  await shows(filler, 'record-said')
  await record(filler, 'said', 'xin ', 'chào')
  await press(filler, 'remove-plot-1')
  await vi.waitFor(() => expect(Microphone.latest?.state).toBe('inactive'), wait)
  // Brought back before it is kept, the row would have it as its answer at once.
  expect(await mayLeave(filler)).toBe(true)
  await useUndo().undo()
  await shows(filler, 'broken-said')
  await press(filler, 'keep-said')
  expect(await kept(id, 'said')).toBe('xin chào')
  await vi.waitFor(async () => expect(await database.pieces.count()).toBe(0), wait)
})

test(
  'a row that is removed while its photo is made small has the photo when it comes back',
  { tags: ['slow'] },
  async () => {
    const id = await changed('seen', (xform) =>
      xform
        .replaceAll('<plot_name/>', '<plot_name/><seen/>')
        .replace('<bind nodeset="/data/photo"', '<bind nodeset="/data/plot/seen" type="binary"/>$&')
        .replace(
          '<group ref="/data/plot/tree">',
          '<upload ref="/data/plot/seen" mediatype="image/*"><label>Ảnh thửa</label></upload>$&',
        ),
    )
    const filler = await opened(id)
    while (!see(filler, 'add-plot').exists()) await press(filler, 'fill-next')
    let fail: () => void = () => undefined
    const decoding = new Promise((_, reject) => (fail = () => reject(new Error('unreadable'))))
    // On a busy machine it fails before anybody waits for it.
    decoding.catch(() => undefined)
    vi.stubGlobal('createImageBitmap', () => decoding)
    await pick(filler, new File(['as it came'], 'IMG_1.heic', { type: 'image/heic' }), 'seen')
    await vi.waitFor(async () => expect(Object.values(await begunIn(id))).toMatchObject([{ kind: 'file' }]), wait)
    await press(filler, 'remove-plot-1')
    fail()
    expect(await mayLeave(filler)).toBe(true)
    await useUndo().undo()
    await shows(filler, 'broken-seen')
    await press(filler, 'keep-seen')
    expect(await kept(id, 'seen')).toBe('as it came')
  },
)

test('what was given up does not come back over what was begun since', async () => {
  const { filler, id } = await brokenOff()
  await press(filler, 'cancel-voice')
  await shows(filler, 'record-voice')
  await record(filler, 'voice', 'mới')
  await useUndo().undo()
  await press(filler, 'stop-voice')
  expect(await kept(id, 'voice')).toBe('mới')
  await vi.waitFor(async () => expect(await database.pieces.count()).toBe(0), wait)
})

test('a photo settles what was given up before it', async () => {
  const { filler, id } = await brokenOff()
  await press(filler, 'cancel-voice')
  expect(useUndo().current).not.toBeNull()
  vi.stubGlobal('createImageBitmap', () => Promise.reject(new Error('unreadable')))
  await pick(filler, new File(['as it came'], 'IMG_1.heic', { type: 'image/heic' }))
  expect(await kept(id, 'photo')).toBe('as it came')
  expect(useUndo().current).toBeNull()
})

test(
  'on a full phone a recording goes on, is asked about on leaving, and is kept whole once there is room',
  { tags: ['slow'] },
  async () => {
    const { filler, id } = await fresh()
    const full = [database.pieces, database.blobs].flatMap((table) => [
      vi.spyOn(table, 'put').mockRejectedValue(new DOMException('no room', 'QuotaExceededError')),
      vi.spyOn(table, 'bulkPut').mockRejectedValue(new DOMException('no room', 'QuotaExceededError')),
    ])
    const isHeld = (): boolean => {
      const closing = new Event('beforeunload', { cancelable: true })
      dispatchEvent(closing)
      return closing.defaultPrevented
    }
    const stays = async (): Promise<void> => {
      const leaving = mayLeave(filler)
      await vi.waitFor(() => expect(filler.find<HTMLDialogElement>('dialog').element.open).toBe(true), wait)
      await press(filler, 'dialog-no')
      expect(await leaving).toBe(false)
    }
    await record(filler, 'voice', 'xin ', 'chào')
    await vi.waitFor(() => expect(filler.text()).toContain('cứ để máy ghi'), wait)
    expect(isHeld()).toBe(true)
    await stays()
    expect(Microphone.latest?.state).toBe('recording')
    await press(filler, 'stop-voice')
    await vi.waitFor(() => expect(see(filler, 'broken-voice').text()).toContain('2 giây'), wait)
    expect(isHeld()).toBe(true)
    await stays()
    for (const spy of full) spy.mockRestore()
    await press(filler, 'keep-voice')
    expect(await kept(id, 'voice')).toBe('xin chào')
    expect(isHeld()).toBe(false)
    expect(await mayLeave(filler)).toBe(true)
  },
)

test('two taps on the microphone begin one recording, and one that does not begin lets the microphone go', async () => {
  const { filler } = await fresh()
  const stop = vi.fn()
  let grant: (stream: unknown) => void = () => undefined
  getUserMedia.mockReturnValue(new Promise((resolve) => (grant = resolve)))
  await press(filler, 'record-voice')
  await press(filler, 'record-voice')
  expect(getUserMedia).toHaveBeenCalledTimes(1)
  vi.spyOn(Microphone.prototype, 'start').mockImplementation(() => {
    throw new DOMException('no encoder', 'NotSupportedError')
  })
  grant({ getTracks: () => [{ stop }] })
  await vi.waitFor(() => expect(stop).toHaveBeenCalledTimes(1), wait)
  vi.restoreAllMocks()
  await record(filler, 'voice', 'xin chào')
})

test('what is begun at a question that turned read-only holds nothing up', async () => {
  const id = await changed('readonly', (xform) =>
    xform.replace('<bind nodeset="/data/members"', `$& readonly="/data/name = 'Ánh'"`),
  )
  const filler = await opened(id)
  await see(filler, 'answer-members').setValue('5 hoặc 6')
  await see(filler, 'answer-members').trigger('blur')
  await vi.waitFor(async () => expect(Object.keys(await begunIn(id))).toHaveLength(1), wait)
  await see(filler, 'answer-name').setValue('Ánh')
  while (see(filler, 'fill-next').exists()) await press(filler, 'fill-next')
  await press(filler, 'fill-finish')
  await vi.waitFor(async () => expect(await database.drafts.get(id)).toBeUndefined(), wait)
})

test('a photo that the phone can not read just now is kept as it is', async () => {
  const { filler, id } = await fresh()
  vi.stubGlobal('createImageBitmap', () => Promise.reject(new Error('out of memory')))
  await pick(filler, new File(['no photo'], 'IMG_1.jpg', { type: 'image/jpeg' }))
  await vi.waitFor(() => expect(see(filler, 'question-photo').find('[role="alert"]').exists()).toBe(true), wait)
  const heads = [
    [0xff, 0xd8, 0xff, 0xe0],
    [...Buffer.from('\x89PNG\r\n', 'latin1')],
    [...Buffer.from('RIFF\xff\n..WEBP', 'latin1')],
  ]
  for (const [index, head] of heads.entries()) {
    await pick(filler, new File([new Uint8Array(head), `photo ${String(index)}`], 'IMG_1.jpg', { type: 'image/jpeg' }))
    await vi.waitFor(async () => expect(await kept(id, 'photo')).toContain(`photo ${String(index)}`), wait)
  }
})

test('two tabs of one draft keep what is begun in either', { tags: ['slow'] }, async () => {
  const { filler, id } = await fresh()
  const other = await opened(id)
  for (const [tab, name] of [
    [filler, 'members'],
    [other, 'area'],
    [filler, 'members'],
  ] as const) {
    await see(tab, `answer-${name}`).setValue('vài')
    await see(tab, `answer-${name}`).trigger('blur')
    await vi.waitFor(async () => expect(Object.keys(await begunIn(id))).toContain(`/answers/${name}`), wait)
  }
  expect(Object.keys(await begunIn(id)).sort()).toEqual(['/answers/area', '/answers/members'])
  await see(other, 'answer-area').setValue('2')
  await vi.waitFor(async () => expect(Object.keys(await begunIn(id))).toEqual(['/answers/members']), wait)
})
