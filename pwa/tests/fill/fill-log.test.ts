// @vitest-environment jsdom
/** A form that asks for a log (ODK's `audit`): what the record gets, and what it costs when a browser dies. */
import './browser'
import { beforeEach, expect, test } from 'vitest'
import { logCsv, MAX_EVENTS, withEvent, type LogEvent } from '@/domain/fill-log'
import type { LogOptions } from '@/domain/recorded'
import type { JsonObject, Media } from '@/domain/record'
import { getBlob } from '@/storage/blobs'
import { beginDraft, beginEdit, getDraft } from '@/storage/drafts'
import { useFillLog } from '@/features/capture/composables/useFillLog'
import { PHONE_FILES } from '@/features/capture/composables/fill-place'
import type { FillLog } from '@/features/capture/composables/useFillLog'
import { questions } from './answering'
import { carry, latest, openDraft, opened, PERSON, SCOPE, signedIn, typeInto, type OpenDraft } from './phone'

function form(parameters: string): string {
  return `<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
 xmlns:jr="http://openrosa.org/javarosa" xmlns:odk="http://www.opendatakit.org/xforms"><h:head><h:title>Logged</h:title><model>
<instance><data id="logged" version="1"><name/><note/><meta><audit/><instanceID/></meta></data></instance>
<bind nodeset="/data/name" type="string"/><bind nodeset="/data/note" type="string"/>
<bind nodeset="/data/meta/audit" type="binary"${parameters}/>
<bind nodeset="/data/meta/instanceID" type="string" readonly="true()" jr:preload="uid"/>
</model></h:head><h:body><input ref="/data/name"/><input ref="/data/note"/></h:body></h:html>`
}
const PLACES = ' odk:location-priority="balanced" odk:location-min-interval="60" odk:location-max-age="120"'
const PLAIN: LogOptions = { places: null, hasChanges: false, hasUser: false }

let clock = 1000

beforeEach(async () => {
  clock = 1000
  await signedIn()
})

type Logged = OpenDraft & { readonly log: FillLog }

async function open(draft: string): Promise<Logged> {
  let log: FillLog | undefined
  const place = { latitude: 22.05, longitude: 103.25, accuracy_m: 8 }
  const phone = await openDraft(draft, () => {
    log = useFillLog({ files: PHONE_FILES, username: 'lo.anh', place: () => place, now: () => clock })
    return [log]
  })
  if (log === undefined) throw new Error('no log')
  return { ...phone, log }
}

async function begun(parameters = ''): Promise<string> {
  const version = await carry('logged', form(parameters))
  return (await beginDraft({ database: SCOPE, person: PERSON, form: 'logged', version })).id
}

function ask({ form: filled, log }: Logged, name: string): void {
  const node = questions(opened(filled).root).find((each) => each.currentState.reference === `/data/${name}`)
  log.question(node ?? null)
}

async function fileOf(record: string): Promise<{ name: string; lines: string[] }> {
  const { content } = await latest(record)
  const name = ((content['answers'] as JsonObject)['meta'] as JsonObject)['audit'] as string
  const file = (content['media'] as Media)[name]
  return { name, lines: (await (await getBlob(file?.sha256 ?? ''))?.blob.text())?.split('\n') ?? [] }
}

test('the record gets a file of when each question was begun and ended, over a killed browser, without an answer', async () => {
  const draft = await begun()
  const first = await open(draft)
  first.log.page('/data/name')
  ask(first, 'name')
  clock = 4000
  typeInto(first, 'name', 'secret')
  await first.form.save()
  first.kill()

  clock = 9000
  const second = await open(draft)
  second.log.page('/data/name')
  ask(second, 'note')
  clock = 9500
  second.log.page(null)
  clock = 9900
  await second.form.finish()
  second.scope.stop()

  const { name, lines } = await fileOf(draft)
  expect(name).toMatch(/^audit-.*\.csv$/u)
  expect(lines).toEqual([
    'event,node,start,end',
    'form start,,1000,',
    'question,/data/name,1000,4000',
    'group questions,/data/name,1000,4000',
    'form resume,,9000,',
    'question,/data/note,9000,9500',
    'group questions,/data/name,9000,9500',
    'end screen,,9500,9900',
    'form finalize,,9900,',
    '',
  ])
})

test('with its parameters it tells places, changes and who; a correction has a log of its own, and the same answers', async () => {
  const draft = await begun(`${PLACES} odk:track-changes="true" odk:identify-user="true"`)
  const phone = await open(draft)
  ask(phone, 'name')
  typeInto(phone, 'name', 'A, "B"')
  phone.log.question(null)
  phone.scope.stop()
  await phone.form.save()
  expect((await getDraft(draft))?.log?.map(({ event }) => event)).toEqual([
    ...['form start', 'question', 'form save', 'form exit'],
  ])
  const again = await open(draft)
  await again.form.finish()
  const first = await fileOf(draft)
  expect(first.lines.slice(0, 3)).toEqual([
    'event,node,start,end,latitude,longitude,accuracy,old-value,new-value,user',
    'form start,,1000,,22.050000,103.250000,8.0,,,lo.anh',
    'question,/data/name,1000,1000,22.050000,103.250000,8.0,,"A, ""B""",lo.anh',
  ])

  const { rev, title, content } = await latest(draft)
  const edit = await open((await beginEdit({ database: SCOPE, id: draft, person: PERSON, rev, title, content })).id)
  await edit.form.finish()
  const corrected = await latest(draft)
  const second = await fileOf(draft)
  expect(second.name).not.toBe(first.name)
  expect(Object.keys(corrected.content['media'] as Media)).toEqual([second.name])
  const meta = { ...((content['answers'] as JsonObject)['meta'] as JsonObject), audit: second.name }
  expect(corrected.content['answers']).toEqual({ ...(content['answers'] as JsonObject), meta })
})

test('a log is bounded, says where it ends, and keeps how the form was left', () => {
  const question: LogEvent = { event: 'question', node: '/data/name', start: 1, end: 2 }
  let events: readonly LogEvent[] = []
  for (let count = 0; count < MAX_EVENTS + 5; count += 1) events = withEvent(events, question)
  events = withEvent(events, { event: 'form finalize', node: '', start: 3, end: null })
  const lines = logCsv(events, PLAIN, '').split('\n')
  expect(lines).toHaveLength(MAX_EVENTS + 4)
  expect(lines.slice(-3)).toEqual(['log full,,1,', 'form finalize,,3,', ''])
})
