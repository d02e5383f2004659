// @vitest-environment jsdom
/** A draft is filled, saved, killed, reopened, finished and corrected, in each of the seven forms. */
import './browser'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { nextTick } from 'vue'
import { isObject, toAnswers } from '@/domain/answers'
import type { Field } from '@/domain/form-schema'
import { cleanText } from '@/domain/lexical'
import type { Answers, JsonObject } from '@/domain/record'
import { database } from '@/storage/database'
import { beginEdit, getDraft } from '@/storage/drafts'
import { answerAll, questions, seeded } from './answering'
import { begin, FORMS, latest, openDraft, opened, PERSON, SCOPE, signedIn, type OpenDraft } from './phone'

beforeEach(signedIn)

function answersNow({ form }: OpenDraft): Answers {
  const { root, schema } = opened(form)
  return toAnswers(schema, cleanText(root.instanceState.instanceXML))
}

async function settled(): Promise<void> {
  await nextTick()
  await new Promise((resolve) => setTimeout(resolve, 40))
}

describe.each(FORMS)('%s', (name) => {
  test(
    'random answers survive a killed tab, finishing, and reopening without an edit',
    { timeout: 60_000, tags: ['slow'] },
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(), async (seed) => {
          const draft = await begin(name)
          const first = await openDraft(draft.id)
          expect(answerAll(opened(first.form).root, seeded(seed))).toEqual([])
          await settled()
          const before = answersNow(first)
          first.kill()

          const second = await openDraft(draft.id)
          expect(answersNow(second)).toEqual(before)
          await second.form.finish()
          expect(second.form.state.value).toMatchObject({ kind: 'finished', database: SCOPE, record: draft.id })
          second.scope.stop()
          const revision = await latest(draft.id)
          expect(revision.content['answers']).toEqual(before)
          expect(await getDraft(draft.id)).toBeUndefined()

          const { rev, content, title } = revision
          const edit = await beginEdit({ database: SCOPE, id: draft.id, person: PERSON, rev, title, content })
          const third = await openDraft(edit.id)
          await third.form.finish()
          third.scope.stop()
          expect((await latest(draft.id)).content['answers']).toEqual(before)
        }),
        { numRuns: 2, seed: 20_261_121 },
      )
    },
  )

  test('both languages ask the same questions', { timeout: 30_000, tags: ['slow'] }, async () => {
    const draft = await begin(name)
    const open = await openDraft(draft.id)
    const { root } = opened(open.form)
    const labels = (): (string | undefined)[] => questions(root).map((node) => node.currentState.label?.asString)
    const vietnamese = labels()
    open.locale.value = 'en'
    await nextTick()
    const english = labels()
    expect(english).toHaveLength(vietnamese.length)
    expect(english).not.toEqual(vietnamese)
    open.scope.stop()
  })
})

describe('what nobody changed', () => {
  test('keeps the text that it had, and what the form does not know', { tags: ['slow'] }, async () => {
    const draft = await begin('forest_plot')
    const open = await openDraft(draft.id)
    const { root, schema } = opened(open.form)
    expect(answerAll(root, seeded(7))).toEqual([])
    await open.form.finish()
    open.scope.stop()
    const { rev, title, content } = await latest(draft.id)
    const answers = structuredClone(content['answers']) as JsonObject
    const decimals = rewriteDecimals(schema.fields, answers)
    expect(decimals).toBeGreaterThan(0)
    answers['$extra'] = { old_question: ['kept'] }

    const edited = { ...content, answers }
    const edit = await beginEdit({ database: SCOPE, id: draft.id, person: PERSON, rev, title, content: edited })
    const again = await openDraft(edit.id)
    await again.form.finish()
    again.scope.stop()
    expect((await latest(draft.id)).content['answers']).toEqual(answers)
  })
})

/** Write every decimal that a person typed as another program might have: `1.50` for `1.5`. Returns how many. */
function rewriteDecimals(fields: readonly Field[], value: JsonObject): number {
  let count = 0
  for (const field of fields) {
    const inner = value[field.name]
    if (field.kind === 'group' && isObject(inner)) count += rewriteDecimals(field.children, inner)
    if (field.kind === 'repeat' && Array.isArray(inner)) {
      for (const row of inner) if (isObject(row)) count += rewriteDecimals(field.children, row)
    }
    if (field.type === 'decimal' && !field.isCalculated && typeof inner === 'string') {
      value[field.name] = `${inner}0`
      count += 1
    }
  }
  return count
}

describe('a draft that cannot be opened', () => {
  test('whose XML is damaged is kept as it is and says so', async () => {
    const draft = await begin('forest_plot')
    const damaged = '<data id="forest_plot"><unclosed>'
    await database.drafts.update(draft.id, { xml: damaged })
    const open = await openDraft(draft.id)
    expect(open.form.state.value).toMatchObject({ kind: 'failed', reason: 'draft_unreadable' })
    await open.form.save()
    await open.form.finish()
    open.scope.stop()
    expect((await getDraft(draft.id))?.xml).toBe(damaged)
  })

  test('whose form is not on the phone waits for it', async () => {
    const draft = await begin('forest_plot')
    await database.contents.clear()
    const open = await openDraft(draft.id)
    expect(open.form.state.value).toMatchObject({ kind: 'failed', reason: 'form_missing' })
    open.scope.stop()
    expect(await getDraft(draft.id)).toBeDefined()
  })

  test('that is gone is told so', async () => {
    const open = await openDraft('nowhere')
    expect(open.form.state.value).toMatchObject({ kind: 'failed', reason: 'draft_missing' })
    open.scope.stop()
  })
})

describe('saving', () => {
  test('hostile text is cleaned before it is kept, and the draft reopens', { tags: ['slow'] }, async () => {
    const draft = await begin('disease_report')
    const open = await openDraft(draft.id)
    const text = questions(opened(open.form).root).find(
      (node) => node.nodeType === 'input' && node.valueType === 'string',
    )
    if (text?.nodeType !== 'input') throw new Error('no text question')
    // Set past the conversion, as a form's own calculation might.
    text.setValue('a\u0000b\u000Bc\uFFFEd\r\ne')
    await open.form.save()
    open.kill()
    const again = await openDraft(draft.id)
    expect(again.form.state.value.kind).toBe('open')
    expect(opened(again.form).root.instanceState.instanceXML).toContain('abcd\ne')
    again.scope.stop()
  })

  test('that fails says why, and the next save keeps everything', { timeout: 30_000 }, async () => {
    const draft = await begin('forest_plot')
    const open = await openDraft(draft.id)
    const update = database.drafts.update.bind(database.drafts)
    const full = new DOMException('full', 'QuotaExceededError')
    database.drafts.update = () => Promise.reject(full) as never
    answerAll(opened(open.form).root, seeded(3))
    await open.form.save()
    expect(open.form.saving.value).toEqual({ kind: 'failed', problem: 'storage_full' })
    database.drafts.update = update
    await open.form.save()
    expect(open.form.saving.value.kind).toBe('saved')
    expect((await getDraft(draft.id))?.xml).toBe(cleanText(opened(open.form).root.instanceState.instanceXML))
    open.scope.stop()
  })
})

describe('files', () => {
  test(
    'travel under their names while an answer names them, and a replaced one stays behind',
    { tags: ['slow'] },
    async () => {
      const draft = await begin('forest_plot')
      const open = await openDraft(draft.id)
      const { root } = opened(open.form)
      expect(answerAll(root, seeded(11))).toEqual([])
      const photo = questions(root).find((node) => node.nodeType === 'upload')
      if (photo?.nodeType !== 'upload') throw new Error('no photo question')
      for (const name of ['first.jpg', 'second.jpg']) {
        expect(await open.form.keepMedia(name, { sha256: `sha-${name}`, bytes: '3', type: 'image/jpeg' })).toBe(true)
        photo.setValue(new File([], name, { type: 'image/jpeg' }))
      }
      await open.form.finish()
      open.scope.stop()
      const { content, rev, title } = await latest(draft.id)
      expect(content['media']).toEqual({ 'second.jpg': { sha256: 'sha-second.jpg', bytes: '3', type: 'image/jpeg' } })
      expect((await database.uploads.toArray()).map((upload) => upload.name)).toEqual(['second.jpg'])

      // Corrected on a phone that never had the photo: its name and its reference stay.
      await database.blobs.clear()
      const edit = await beginEdit({ database: SCOPE, id: draft.id, person: PERSON, rev, title, content })
      const again = await openDraft(edit.id)
      await again.form.finish()
      again.scope.stop()
      expect((await latest(draft.id)).content['media']).toEqual(content['media'])
    },
  )
})

describe('finishing', () => {
  test('waits while a question is open', async () => {
    const draft = await begin('forest_plot')
    const open = await openDraft(draft.id)
    await open.form.finish()
    expect(open.form.state.value.kind).toBe('open')
    open.scope.stop()
    expect(await getDraft(draft.id)).toBeDefined()
    expect(await database.revisions.count()).toBe(0)
  })
})

test('finishing waits for a file that is being kept', async () => {
  const { id } = await begin('every_type')
  const draft = await openDraft(id)
  const name = questions(opened(draft.form).root)[0]
  if (name?.nodeType !== 'input') throw new Error('no name')
  ;(name as { setValue: (value: string) => unknown }).setValue('Lò Văn Ánh')
  let end: () => void = () => undefined
  void draft.form.whileKeeping('/answers/photo', () => new Promise((resolve) => (end = resolve)))
  const finishing = draft.form.finish()
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(draft.form.state.value.kind).toBe('open')
  end()
  await finishing
  expect(draft.form.state.value.kind).toBe('finished')
  draft.scope.stop()
})
