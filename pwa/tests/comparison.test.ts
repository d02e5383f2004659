import { describe, expect, test } from 'vitest'

import { comparison, labelAt } from '@/features/conflicts/composables/comparison'
import { placesIn } from '@/features/conflicts/composables/usePlaces'
import type { Field, FormSchema } from '@/domain/form-schema'

function field(name: string, path: string, more: Partial<Field> = {}): Field {
  return {
    name,
    path,
    kind: 'leaf',
    type: 'text',
    labels: new Map([['vi', [`Câu ${name}`]]]),
    guidance: new Map(),
    choices: [],
    list: null,
    isCalculated: false,
    isOnce: false,
    isRequired: false,
    isSensitive: false,
    isAsked: true,
    merge: null,
    firstRows: 0,
    children: [],
    ...more,
  }
}

const area = field('area', '/home/area')
const crop = field('crop', '/rows/crop')
const fields = [
  field('home', '/home', { kind: 'group', children: [area, field('place', '/home/place', { type: 'geopoint' })] }),
  field('rows', '/rows', { kind: 'repeat', children: [crop] }),
]
const byPath = new Map([
  ['/home', fields[0]!],
  ['/home/area', area],
  ['/rows', fields[1]!],
  ['/rows/crop', crop],
])
const schema = { fields, byPath, form: 'f', version: '1' } as unknown as FormSchema

describe('two branches side by side', () => {
  test('show only the questions that they answer differently, with what each says', () => {
    const shown = { home: { area: '1' }, rows: [{ _rid: 'a', crop: 'rice' }] }
    const other = { home: { area: '2' }, rows: [{ _rid: 'a', crop: 'maize' }] }
    const found = comparison(schema, shown, other, 'vi')
    expect(found.map(({ label, shown: one, other: two }) => [label, one, two])).toEqual([
      ['Câu home · Câu area', '1', '2'],
      ['Câu rows 1 · Câu crop', 'rice', 'maize'],
    ])
  })

  test('show nothing where they agree', () => {
    expect(comparison(schema, { home: { area: '1' } }, { home: { area: '1' } }, 'vi')).toEqual([])
  })
})

describe('a pinned comment', () => {
  test.each([
    ['/answers/home/area', 'Câu area'],
    ['/answers/rows/4f1c/crop', 'Câu crop'],
    ['/answers/gone/now', 'gone › now'],
  ])('%s is named %s', (pointer, label) => {
    expect(labelAt(schema, pointer, 'vi')).toBe(label)
  })
})

describe('the places of a record', () => {
  test('are found through groups, under their label', () => {
    const [place] = placesIn(fields, { home: { area: '1', place: '22.05 103.25 600 5' } }, 'vi')
    expect(place).toMatchObject({ label: 'Câu place', points: [{ latitude: 22.05, longitude: 103.25 }] })
  })

  test('are none where an answer is no place', () => {
    expect(placesIn(fields, { home: { place: 'far' }, rows: 'no rows' }, 'vi')).toEqual([])
  })
})
