// @vitest-environment jsdom
/** `start` and `end` of a form: when the phone writes them, and what a correction makes of them. */
import './browser'
import { beforeEach, expect, test } from 'vitest'
import type { OwnRevision } from '@/storage/database'
import { beginDraft, beginEdit } from '@/storage/drafts'
import { questions } from './answering'
import { carry, latest, openDraft, opened, PERSON, SCOPE, signedIn, type OpenDraft } from './phone'

const TIMED = `<?xml version="1.0" encoding="utf-8"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
 xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>Timed</h:title><model>
<instance><data id="timed" version="1"><start/><end/><note/><meta><instanceID/></meta></data></instance>
<bind nodeset="/data/start" type="dateTime" jr:preload="timestamp" jr:preloadParams="start"/>
<bind nodeset="/data/end" type="dateTime" jr:preload="timestamp" jr:preloadParams="end"/>
<bind nodeset="/data/note" type="string"/>
<bind nodeset="/data/meta/instanceID" type="string" readonly="true()" jr:preload="uid"/>
</model></h:head><h:body><input ref="/data/note"/></h:body></h:html>`
/** The form's clock counts milliseconds: two moments of a test must not be one. */
const APART_MS = 5

beforeEach(signedIn)

function type(open: OpenDraft, value: string): void {
  const [note] = questions(opened(open.form).root)
  if (note?.nodeType !== 'input') throw new Error('no question')
  ;(note.setValue as (text: string) => void)(value)
}

async function finished(draft: string, note: string): Promise<void> {
  const open = await openDraft(draft)
  await new Promise((done) => setTimeout(done, APART_MS))
  type(open, note)
  await open.form.finish()
  open.scope.stop()
}

function times({ content }: OwnRevision): { start: string; end: string } {
  return content['answers'] as { start: string; end: string }
}

test('start is when the form was begun, end when it was finished, and a correction moves end alone', async () => {
  const version = await carry('timed', TIMED)
  const { id, record } = await beginDraft({ database: SCOPE, person: PERSON, form: 'timed', version })
  await finished(id, 'one')
  const first = await latest(record)
  const before = times(first)
  expect(before.end > before.start).toBe(true)

  const edit = { database: SCOPE, id: record, person: PERSON, rev: first.rev, title: '', content: first.content }
  await finished((await beginEdit(edit)).id, 'two')
  const after = times(await latest(record))
  expect(after).toMatchObject({ note: 'two', start: before.start })
  expect(after.end > before.end).toBe(true)
})
