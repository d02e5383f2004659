import { expect, test } from 'vitest'

import type { ConflictEvent } from '@/features/conflicts/api/conflicts'
import { Problem } from '@/api/problem'
import { changedBeside } from '@/features/conflicts/composables/conflict-words'
import { desk, page, question } from './conflict-world'

const AREA = '/answers/area'
const CROP = '/answers/crop'

test('when somebody was quicker, what was changed in the form is kept or shown beside what they said', async () => {
  const opened = {
    ...page('4-m', [question(AREA)]),
    doc: { _id: 'r', _rev: '4-m', form_version: '1', answers: { area: '1.0', name: 'Páo', crop: 'ngô' } },
  }
  const fresh = {
    ...page('6-x', []),
    doc: { _id: 'r', _rev: '6-x', form_version: '1', answers: { area: '1.3', name: 'Páo', crop: 'lúa' } },
  }
  const moved = new Problem('conflict_moved', 409, { rev: '6-x', changed: [AREA], by_names: ['Bình'], page: fresh })
  const { conflict, asked } = desk(
    opened,
    moved,
    { rev: null, warnings: [], page: fresh },
    { rev: '7-y', warnings: [], page: page('7-y', []) },
  )
  await conflict.load()
  const changes = [
    { path: AREA, value: '1.1' },
    { path: '/answers/name', value: 'Pó' },
  ]
  conflict.edit({ changes, whole: null })
  expect(await conflict.submit()).toBe(false)
  const { value: save } = conflict.save
  const [overtaken, ...none] = save.kind === 'moved' ? save.overtaken : []
  expect(none).toEqual([])
  expect(overtaken).toMatchObject({ path: AREA, value: { value: '1.1' }, mayInsist: true })
  expect(conflict.edits.value).toEqual({ changes: [{ path: '/answers/name', value: 'Pó' }], whole: null })
  expect(conflict.canSave.value).toBe(true)
  conflict.insist(overtaken!)
  expect([...conflict.insisted.value]).toEqual([AREA])
  expect(await conflict.submit()).toBe(true)
  expect(asked.at(-1)?.json).toMatchObject({
    rev: '6-x',
    choices: [
      { path: '/answers/name', value: 'Pó' },
      { path: AREA, value: '1.1' },
    ],
  })
})

test('when somebody was quicker, a row that was added in the form stands among what they said', async () => {
  const [one, two, mine] = [
    { _rid: 'a', crop: 'ngô' },
    { _rid: 'b', crop: 'lúa' },
    { _rid: 'c', crop: 'chè' },
  ]
  const doc = { _id: 'r', _rev: '4-m', form_version: '1', answers: { area: '1.0', name: 'Páo', plots: [one] } }
  const now = { ...doc, _rev: '6-x', answers: { area: '1.3', name: 'Páo', plots: [one, two] } }
  const fresh = { ...page('6-x', [question(CROP)]), doc: now }
  const moved = new Problem('conflict_moved', 409, { rev: '6-x', changed: [AREA], by_names: ['Bình'], page: fresh })
  const { conflict } = desk({ ...page('4-m', [question(AREA), question(CROP)]), doc }, moved)
  await conflict.load()
  conflict.choose(CROP, { kind: 'value', value: 'rau' })
  const changes = [
    { path: AREA, value: '1.1' },
    { path: '/answers/plots/c/crop', value: 'chè' },
  ]
  const answers = { area: '1.1', name: 'Páo', plots: [one, mine], crop: 'rau' }
  conflict.edit({ changes, whole: { answers, version: '1' } })
  expect(await conflict.submit()).toBe(false)
  expect(conflict.edits.value?.whole).toEqual({
    version: '1',
    answers: { area: '1.3', name: 'Páo', plots: [one, two, mine], crop: 'rau' },
  })
  expect(conflict.save.value).toMatchObject({ kind: 'moved', overtaken: [{ path: AREA, value: { value: '1.1' } }] })
})

test('when the form itself has become another one, everything that was changed in it is handed back', async () => {
  const doc = { _id: 'r', _rev: '4-m', form_version: '1', answers: { name: 'Páo' } }
  const fresh = { ...page('6-x', []), doc: { ...doc, _rev: '6-x', form_version: '2' } }
  const problem = { rev: '6-x', changed: ['/answers'], by_names: ['Bình'], page: fresh }
  const { conflict } = desk({ ...page('4-m', []), doc }, new Problem('conflict_moved', 409, problem))
  await conflict.load()
  const changes = [{ path: '/answers/name', value: 'Pó' }]
  conflict.edit({ changes, whole: { answers: { name: 'Pó' }, version: '1' } })
  expect(await conflict.submit()).toBe(false)
  expect(conflict.edits.value).toBeNull()
  expect(conflict.save.value).toMatchObject({ overtaken: [{ path: '/answers/name', value: { value: 'Pó' } }] })
})

test('what others changed beside an edit is what neither knew of the other', () => {
  const event = (rev: string, parent: string | null, path: string, merged: string[] = []): ConflictEvent => ({
    rev,
    parent,
    merged,
    kind: merged.length > 0 ? 'merge' : 'edit',
    by_person: null,
    by_name: '',
    device: '',
    recorded_at: '',
    received_at: '2026-11-21T08:00:00Z',
    is_deleted: false,
    is_winner: false,
    is_branch: false,
    changed: [
      { path, label: {}, row: null, before: { value: '1', is_absent: false }, after: { value: rev, is_absent: false } },
    ],
    comment: '',
    decided: [],
    undoes: [],
  })
  const history = [
    event('1-a', null, AREA),
    event('2-b', '1-a', CROP),
    event('2-c', '1-a', AREA),
    event('3-m', '2-c', CROP, ['2-b']),
    event('4-e', '3-m', AREA),
  ]
  expect(changedBeside(history, '2-b', CROP).map(({ path, after }) => [path, after.value])).toEqual([[AREA, '2-c']])
})
