// @vitest-environment jsdom
/** Sound while a record is filled: only after a yes, over a killed browser, and the record says why where there is none. */
import './browser'
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { JsonObject, Media } from '@/domain/record'
import { getBlob } from '@/storage/blobs'
import { database } from '@/storage/database'
import { beginDraft, getDraft } from '@/storage/drafts'
import { PHONE_FILES } from '@/features/capture/composables/fill-place'
import {
  MAX_SECONDS,
  useBackgroundSound,
  type BackgroundSound,
} from '@/features/capture/composables/useBackgroundSound'
import type { ConsentState } from '@/features/capture/composables/useConsent'
import { Microphone } from './microphone'
import { carry, latest, openDraft, PERSON, SCOPE, signedIn, type OpenDraft } from './phone'

const TALKING = `<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
 xmlns:jr="http://openrosa.org/javarosa" xmlns:odk="http://www.opendatakit.org/xforms"><h:head><h:title>Talking</h:title><model>
<instance><data id="talking" version="1"><talk/><name/><meta><instanceID/></meta></data></instance>
<bind nodeset="/data/talk" type="binary"/><odk:recordaudio ref="/data/talk" event="odk-instance-load"/>
<bind nodeset="/data/name" type="string"/>
<bind nodeset="/data/meta/instanceID" type="string" readonly="true()" jr:preload="uid"/>
</model></h:head><h:body><input ref="/data/name"/></h:body></h:html>`

let microphones = 0
let isAllowed = true

beforeAll(() => {
  vi.stubGlobal('MediaRecorder', Microphone)
  const getUserMedia = (): Promise<unknown> => {
    microphones += 1
    if (!isAllowed) return Promise.reject(new DOMException('no', 'NotAllowedError'))
    return Promise.resolve({ getTracks: () => [] })
  }
  Object.defineProperty(navigator, 'mediaDevices', { configurable: true, value: { getUserMedia } })
})
beforeEach(async () => {
  ;[microphones, isAllowed] = [0, true]
  await signedIn()
})

async function begun(): Promise<string> {
  const version = await carry('talking', TALKING)
  return (await beginDraft({ database: SCOPE, person: PERSON, form: 'talking', version })).id
}

type Sounding = OpenDraft & { readonly sound: BackgroundSound }

async function open(draft: string, consent: ConsentState): Promise<Sounding> {
  let sound: BackgroundSound | undefined
  const phone: OpenDraft = await openDraft(draft, () => {
    const save = (): void => void phone.form.save()
    sound = useBackgroundSound({ draftId: draft, files: PHONE_FILES, isTrial: false, save })
    return [sound]
  })
  if (sound === undefined) throw new Error('no sound')
  sound.follow(consent)
  if (consent === 'agreed') await vi.waitFor(() => expect(sound?.state.value.kind).not.toBe('idle'))
  return { ...phone, sound }
}

async function answerOf(record: string): Promise<{ talk: string; media: Media }> {
  const { content } = await latest(record)
  return { talk: (content['answers'] as JsonObject)['talk'] as string, media: content['media'] as Media }
}

test('each sitting is a file of the record, over a killed browser, and no piece stays behind', async () => {
  const draft = await begun()
  const first = await open(draft, 'agreed')
  Microphone.latest?.second('one')
  await vi.waitFor(async () => expect(await database.pieces.count()).toBe(1))
  await vi.waitFor(async () => expect((await getDraft(draft))?.sound?.recordings).toHaveLength(1))
  // Killed: the recorder hands on nothing more.
  Object.assign(Microphone.latest ?? {}, { state: 'inactive', stop: () => undefined })
  first.kill()

  const second = await open(draft, 'agreed')
  Microphone.latest?.second('two')
  await second.form.finish()
  second.scope.stop()
  const { talk, media } = await answerOf(draft)
  expect(talk).toMatch(/^talk-[^.]*\.webm$/u)
  expect(Object.keys(media)).toEqual([talk, talk.replace('.', '.2.')])
  const said = Object.values(media).map(async ({ sha256 }) => (await getBlob(sha256))?.blob.text())
  expect(await Promise.all(said)).toEqual(['one', 'two'])
  expect(await database.pieces.count()).toBe(0)
})

test.each([
  ['unasked', 'not_asked', 0],
  ['declined', 'declined', 0],
  ['agreed', 'no_microphone', 1],
] as const)('whoever has %s records nothing, and the record says %s', async (consent, why, asked) => {
  isAllowed = false
  const draft = await begun()
  const phone = await open(draft, consent)
  await phone.form.finish()
  phone.scope.stop()
  expect(await answerOf(draft)).toEqual({ talk: why, media: {} })
  expect(microphones).toBe(asked)
})

test('it ends after an hour, or when its person ends it, and is not begun again for this record', async () => {
  const draft = await begun()
  const phone = await open(draft, 'agreed')
  const microphone = Microphone.latest
  for (let second = 0; second < MAX_SECONDS; second += 1) microphone?.second('x')
  await vi.waitFor(() => expect(phone.sound.state.value.kind).toBe('idle'), { timeout: 5000 })
  phone.scope.stop()
  await vi.waitFor(async () => expect((await getDraft(draft))?.sound?.isEnded).toBe(true))
  const again = await openDraft(draft)
  again.scope.stop()
  microphones = 0
  const sound = await open(draft, 'declined')
  sound.sound.follow('agreed')
  expect(microphones).toBe(0)
  sound.scope.stop()
})
