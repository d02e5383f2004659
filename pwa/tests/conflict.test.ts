import { describe, expect, test, vi } from 'vitest'

import type { Question } from '@/features/conflicts/api/conflicts'
import { Problem } from '@/api/problem'
import { optionsOf, typedBy } from '@/features/conflicts/composables/conflict-options'
import { sent } from '@/domain/choosing'
import { candidate, desk, page, place, question } from './conflict-world'

const AREA = '/answers/area'
const CROP = '/answers/crop'

describe('settling a conflict', () => {
  test('tries what was chosen first, then saves it naming what was looked at', async () => {
    const settled = page('5-d', [])
    const { conflict, asked } = desk(
      page('4-m', [question(AREA)]),
      { rev: null, warnings: [], page: settled },
      { rev: '5-d', warnings: [], page: settled },
    )
    await conflict.load()
    expect(conflict.canSave.value).toBe(false)
    conflict.choose(AREA, { kind: 'candidate', rev: '2-a' })
    conflict.comment.value = ' Đã hỏi chủ hộ '
    expect(await conflict.submit()).toBe(true)
    const sent = asked.filter(({ path }) => path.endsWith('/decide')).map(({ json }) => json)
    const decision = {
      rev: '4-m',
      leaves: ['4-m'],
      elsewhere: [],
      choices: [{ path: AREA, candidate: '2-a' }],
      comment: 'Đã hỏi chủ hộ',
    }
    expect(sent).toEqual([
      { ...decision, dry_run: true },
      { ...decision, dry_run: false },
    ])
    expect(conflict.save.value).toEqual({ kind: 'saved', rev: '5-d' })
    expect(conflict.choices.value).toEqual({})
  })

  test('names what it saw of the record in other areas', async () => {
    const twice = {
      ...page('4-m', [question('', { kind: 'moved', may: ['stay'] })]),
      elsewhere: [place('agri-2', true)],
    }
    const settled = { rev: null, warnings: [], page: page('4-m', []) }
    const { conflict, asked } = desk(twice, settled, settled)
    await conflict.load()
    conflict.choose('', { kind: 'stay', database: 'agri-1' })
    expect(await conflict.submit()).toBe(true)
    expect(asked.at(-1)?.json).toMatchObject({
      elsewhere: [{ database: 'agri-2', rev: '3-e', leaves: ['3-e', '2-e'] }],
      choices: [{ path: '', stay: 'agri-1' }],
    })
    expect(conflict.save.value).toEqual({ kind: 'saved', rev: null })
  })

  test('says what the result would break before anything is saved, and saves when told to', async () => {
    const broken = [{ path: AREA, label: {}, row: null, message: 'Quá rộng' }]
    const still = page('4-m', [question(AREA)])
    const { conflict, asked } = desk(
      still,
      { rev: null, warnings: broken, page: still },
      { rev: '5-d', warnings: broken, page: page('5-d', []) },
    )
    await conflict.load()
    conflict.choose(AREA, { kind: 'value', value: '900' })
    expect(await conflict.submit()).toBe(false)
    expect(conflict.save.value).toEqual({ kind: 'warned', warnings: broken })
    expect(await conflict.submit(true)).toBe(true)
    expect(asked.at(-1)?.json).toMatchObject({ choices: [{ path: AREA, value: '900' }], dry_run: false })
  })

  test('when somebody was quicker, shows how it stands and keeps every choice', async () => {
    const fresh = page('6-x', [question(CROP)])
    const moved = new Problem('conflict_moved', 409, { rev: '6-x', changed: [AREA], by_names: ['Bình'], page: fresh })
    const { conflict, asked } = desk(
      page('4-m', [question(AREA), question(CROP)]),
      moved,
      { rev: null, warnings: [], page: fresh },
      { rev: '7-y', warnings: [], page: page('7-y', []) },
    )
    await conflict.load()
    conflict.choose(AREA, { kind: 'candidate', rev: '2-a' })
    conflict.choose(CROP, { kind: 'candidate', rev: '3-b' })
    expect(await conflict.submit()).toBe(false)
    expect(conflict.page.value?.rev).toBe('6-x')
    expect(conflict.choices.value).toEqual({ [CROP]: { kind: 'candidate', rev: '3-b' } })
    const { value: save } = conflict.save
    expect(save).toMatchObject({ kind: 'moved', names: ['Bình'], changed: [AREA] })
    const [overtaken] = save.kind === 'moved' ? save.overtaken : []
    expect(overtaken).toMatchObject({ path: AREA, value: { value: '1.2', is_absent: false } })
    conflict.insist(overtaken!)
    expect(await conflict.submit()).toBe(true)
    expect(asked.at(-1)?.json).toMatchObject({
      rev: '6-x',
      choices: [
        { path: CROP, candidate: '3-b' },
        { path: AREA, value: '1.2' },
      ],
    })
  })

  test('what the form changed gives way to a choice made after it', async () => {
    const { conflict, asked } = desk(page('4-m', [question(AREA)]), { rev: null, warnings: [], page: page('4-m', []) })
    await conflict.load()
    conflict.choose(AREA, { kind: 'candidate', rev: '2-a' })
    conflict.edit({
      changes: [
        { path: AREA, value: '1.1' },
        { path: '/answers/name', value: 'Páo' },
      ],
      whole: null,
    })
    expect(conflict.choices.value).toEqual({})
    conflict.choose(AREA, { kind: 'base' })
    await conflict.tryOut()
    expect(asked.at(-1)?.json).toMatchObject({
      choices: [
        { path: AREA, value: '1.0' },
        { path: '/answers/name', value: 'Páo' },
      ],
      dry_run: true,
    })
  })

  test('tells who else looks, and that one has left', async () => {
    const { conflict, asked, leave } = desk(page('4-m', [question(AREA)]))
    await conflict.load()
    await vi.waitFor(() => expect(conflict.others.value.map(({ name }) => name)).toEqual(['Bình']))
    leave()
    expect(asked.at(-1)).toEqual({ path: '/api/conflicts/agri-1/r/claim', json: { leave: true } })
  })

  test('takes a decision back and has its question again', async () => {
    const { conflict, asked } = desk(page('5-d', []), { rev: '6-u', warnings: [], page: page('6-u', [question(AREA)]) })
    await conflict.load()
    expect(await conflict.undo('5-d')).toBe(true)
    expect(asked.at(-1)?.json).toEqual({ rev: '5-d', leaves: ['5-d'], decision: '5-d' })
    expect(conflict.page.value?.questions).toHaveLength(1)
  })
})

describe('what can be chosen', () => {
  const here = { database: 'agri-1', unit_name: 'Sín Chải', may_decide: true }
  const keys = (asked: Question): string[] => optionsOf(asked, here, []).map(({ key, kind }) => `${key} ${kind}`)

  test('sides have numbers, what stood before has b where no side says the same', () => {
    expect(keys(question(AREA))).toEqual(['1 side', '2 side', 'b base'])
    expect(keys(question(AREA, { base: { value: '1.2', is_absent: false } }))).toEqual(['1 side', '2 side'])
    expect(keys(question(AREA, { base: { value: null, is_absent: true } }))).toEqual(['1 side', '2 side'])
  })

  test('a deletion beside an edit is kept or deleted', () => {
    expect(keys(question('', { may: ['keep', 'delete'] }))).toEqual(['1 keep', '2 delete'])
  })

  test('a row that somebody took out is kept with what all edits say of it', () => {
    const row = '/answers/harvests/vu-1'
    const kept = { value: { _rid: 'vu-1', kilos: '320' }, is_absent: false }
    const asked = question(row, {
      kind: 'row',
      base: { value: null, is_absent: true },
      kept,
      may: ['candidate', 'keep', 'confirm'],
    })
    const [, , option] = optionsOf(asked, here, [])
    expect(option).toMatchObject({ kind: 'kept', key: '3', value: kept })
    expect(sent(asked, option!.choice)).toEqual({ path: row, keep: true })
  })

  test('where a record stays is offered to those who manage what it goes from', () => {
    const asked = question('', { kind: 'moved', base: { value: null, is_absent: true }, may: ['stay'] })
    const stays = (...managed: boolean[]): string[] =>
      optionsOf(
        asked,
        here,
        managed.map((may, at) => place(String(at), may)),
      ).map(({ choice }) => (choice.kind === 'stay' ? choice.database : choice.kind))
    expect(stays(true)).toEqual(['agri-1', '0'])
    expect(stays(false)).toEqual(['0'])
    expect(stays(false, true)).toEqual(['0'])
    expect(stays(false, false)).toEqual([])
  })

  test('what stands is confirmed only where no side can be taken', () => {
    expect(keys(question(AREA, { may: ['candidate', 'confirm'] }))).toEqual(['1 side', '2 side'])
    expect(keys(question(AREA, { may: ['confirm', 'value'] }))).toEqual(['1 confirm', 'b base'])
  })

  test('a value is typed only where there is a control for it', () => {
    expect(typedBy(question(AREA))).toBe('decimal')
    expect(typedBy(question(AREA, { type: 'geoshape' }))).toBeNull()
    expect(typedBy(question(AREA, { type: 'select_one' }))).toBeNull()
    const choices = [{ value: 'maize', label: {} }]
    const lists = [candidate('2-a', ''), candidate('3-b', '')].map((each) => ({
      ...each,
      value: { value: ['maize'], is_absent: false },
    }))
    expect(typedBy(question(AREA, { type: 'select_multiple', choices, candidates: lists }))).toBe('choices')
    expect(typedBy(question(AREA, { type: 'select_multiple', choices }))).toBeNull()
    expect(typedBy(question(AREA, { may: ['candidate'] }))).toBeNull()
  })
})
