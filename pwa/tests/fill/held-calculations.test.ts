// @vitest-environment jsdom
/**
 * A calculation comes to rest, with an answer or blank: once() inside a larger one, as forms that are live already have it, and numbers
 * without end.
 */
import './browser'
import { beforeEach, expect, test } from 'vitest'
import { beginDraft } from '@/storage/drafts'
import { answersOf, carry, openDraft, PERSON, SCOPE, signedIn, typeInto } from './phone'

const CALCULATIONS = {
  days: 'once(today()) - /data/born',
  greeting: "if(/data/name = '', '', concat('once(', once(/data/name)))",
  named: "concat('once(x) ', /data/name)",
  share: '100 div /data/count',
  said: "concat(-1 div /data/count, ' %')",
}

const FORM = `<?xml version="1.0" encoding="utf-8"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
 xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>Held</h:title><model>
<instance><data id="held" version="1"><name/><born/><count/>${Object.keys(CALCULATIONS)
  .map((name) => `<${name}/>`)
  .join('')}<meta><instanceID/></meta></data></instance>
<bind nodeset="/data/name" type="string"/><bind nodeset="/data/born" type="date"/><bind nodeset="/data/count" type="int"/>
${Object.entries(CALCULATIONS)
  .map(([name, text]) => `<bind nodeset="/data/${name}" type="string" calculate="${text}"/>`)
  .join('\n')}
<bind nodeset="/data/meta/instanceID" type="string" readonly="true()" jr:preload="uid"/>
</model></h:head><h:body><input ref="/data/name"/><input ref="/data/born"/><input ref="/data/count"/></h:body></h:html>`

beforeEach(signedIn)

async function begun(): Promise<string> {
  const version = await carry('held', FORM)
  return (await beginDraft({ database: SCOPE, person: PERSON, form: 'held', version })).id
}

test('once() inside a larger calculation keeps the first result, and the draft opens again', async () => {
  const id = await begun()
  const first = await openDraft(id)
  typeInto(first, 'born', '1990-03-02')
  typeInto(first, 'name', 'Vừ Thị Sua')
  const { days } = answersOf(first)
  expect(Number(days)).toBeGreaterThan(13_000)
  expect(answersOf(first)).toMatchObject({ greeting: 'once(Vừ Thị Sua', named: 'once(x) Vừ Thị Sua' })
  typeInto(first, 'name', 'Vừ A Chu')
  expect(answersOf(first)).toMatchObject({ days, greeting: 'once(Vừ Thị Sua', named: 'once(x) Vừ A Chu' })
  await first.form.save()
  first.kill()

  const second = await openDraft(id)
  expect(answersOf(second)).toMatchObject({ days, greeting: 'once(Vừ Thị Sua', named: 'once(x) Vừ A Chu' })
  typeInto(second, 'count', '4')
  expect(answersOf(second)).toMatchObject({ days, share: '25' })
  second.scope.stop()
})

test('a number without end is blank, in a text too, and comes back when it has one', async () => {
  const open = await openDraft(await begun())
  typeInto(open, 'count', '0')
  expect(answersOf(open)).toMatchObject({ share: null, said: ' %' })
  typeInto(open, 'count', '-8')
  expect(answersOf(open)).toMatchObject({ share: '-12.5', said: '0.125 %' })
  open.scope.stop()
})
