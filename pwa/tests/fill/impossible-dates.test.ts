// @vitest-environment jsdom
/** Whatever text is typed where a form reckons with days, its draft opens again and later values compute. */
import './browser'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Api } from '@/api/client'
import type { CheckedForm } from '@/features/forms/api/forms'
import { loadInBrowser } from '@/features/forms/composables/useFormUpload'
import { beginDraft } from '@/storage/drafts'
import { questions } from './answering'
import { answersOf, carry, latest, openDraft, opened, PERSON, SCOPE, signedIn, typeInto } from './phone'

const CALCULATIONS = {
  written: "format-date(/data/day, '%d/%m/%Y')",
  next: 'date(decimal-date-time(/data/picked) + 1)',
  read: 'date(/data/day)',
  days: 'number(/data/day)',
  clock: "format-date-time(concat('2024-05-05T', /data/day), '%H:%M')",
  literal: "format-date('2023-02-29', '%d/%m/%Y')",
  // What only a form's author can get wrong: no choices stand there.
  lost: "jr:choice-name(/data/day, ' /data/note ')",
}
const names = Object.keys(CALCULATIONS)

const DATES = `<?xml version="1.0" encoding="utf-8"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
 xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>Dates</h:title><model>
<instance><data id="dates" version="1"><day/><picked/><note/>${names.map((name) => `<${name}/>`).join('')}
<meta><instanceID/></meta></data></instance>
<bind nodeset="/data/day" type="string"/><bind nodeset="/data/picked" type="date"/>
<bind nodeset="/data/note" type="string" relevant="jr:choice-name(/data/day, ' /data/day ') != 'never'"/>
${Object.entries(CALCULATIONS)
  .map(([name, text]) => `<bind nodeset="/data/${name}" type="string" calculate="${text.replaceAll('"', '&quot;')}"/>`)
  .join('\n')}
<bind nodeset="/data/meta/instanceID" type="string" readonly="true()" jr:preload="uid"/>
</model></h:head><h:body><input ref="/data/day"/><input ref="/data/picked"/><input ref="/data/note"/></h:body></h:html>`

beforeEach(signedIn)

async function begun(): Promise<string> {
  const version = await carry('dates', DATES)
  return (await beginDraft({ database: SCOPE, person: PERSON, form: 'dates', version })).id
}

describe('an impossible date', () => {
  test.each(['2024-02-30', '2023-02-29', '2024-13-01', '2024-04-31T10:00:00', '2024-02-30T10:00:00+07:00', '25:61'])(
    '%s leaves the draft readable, its calculations blank and later ones computed',
    async (impossible) => {
      const id = await begun()
      const first = await openDraft(id)
      typeInto(first, 'day', '2024-02-29')
      expect(answersOf(first)).toMatchObject({ written: '29/02/2024' })
      typeInto(first, 'day', impossible)
      expect(answersOf(first)).toMatchObject({ day: impossible, written: null, read: null, literal: null })
      typeInto(first, 'note', 'giữ lại')
      await first.form.save()
      first.kill()

      const second = await openDraft(id)
      expect(answersOf(second)).toMatchObject({ day: impossible, note: 'giữ lại', written: null })
      typeInto(second, 'day', '2024-03-01')
      expect(answersOf(second)).toMatchObject({ written: '01/03/2024', read: '2024-03-01' })
      await second.form.finish()
      second.scope.stop()
      expect((await latest(id)).content['answers']).toMatchObject({ day: '2024-03-01', note: 'giữ lại' })
    },
  )

  test('and no date at all are blank, never a sentence of the engine', async () => {
    const open = await openDraft(await begun())
    expect(answersOf(open)).toMatchObject({ next: null, read: null, days: null, literal: null })
    typeInto(open, 'day', 'hôm qua')
    expect(answersOf(open)).toMatchObject({ read: null, written: null })
    typeInto(open, 'picked', '2024-02-28')
    expect(answersOf(open)).toMatchObject({ next: '2024-02-29' })
    open.scope.stop()
  })
})

describe('an expression that throws', () => {
  test('is blank, is told, and hides no question', async () => {
    const open = await openDraft(await begun())
    expect(answersOf(open)).toMatchObject({ lost: null })
    expect(questions(opened(open.form).root).map((node) => node.currentState.reference)).toEqual([
      '/data/day',
      '/data/picked',
      '/data/note',
    ])
    expect([...open.form.failing.value].join(' ')).toContain('choice-name')
    open.scope.stop()
  })

  test('is named to the author before the form goes live', async () => {
    const names = { id: 'candidate', project: 'agri', form: 'dates', version: '1', title: {}, languages: ['vi'] }
    const checked: CheckedForm = {
      ...names,
      errors: [],
      warnings: [],
      accepted: [],
      difference: null,
      xform: DATES,
      lists: {},
    }
    await expect(loadInBrowser(checked, {} as Api)).rejects.toThrow('choice-name')
    const fine = DATES.replaceAll(/jr:choice-name\([^)]*\)/gu, "''")
    await expect(loadInBrowser({ ...checked, xform: fine }, {} as Api)).resolves.toMatchObject({ questions: 11 })
  })
})
