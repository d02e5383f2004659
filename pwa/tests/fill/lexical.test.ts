// @vitest-environment jsdom
/** What is typed, and what is kept of it. */
import './browser'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { area_ha, length_m, parsePoints, pointsText } from '@/domain/geometry'
import { cleanText, toLexical, type Lexical, type LexicalType } from '@/domain/lexical'

const plus7 = (): string => '+07:00'
const kept = (value: string): Lexical => ({ kind: 'kept', value })
const misfit = (reason: string): unknown => ({ kind: 'misfit', reason })

describe('what is kept of what was typed', () => {
  test.each<[LexicalType, string, unknown]>([
    ['decimal', '1,25', kept('1.25')],
    ['decimal', '1.25', kept('1.25')],
    ['decimal', '1.250,5', kept('1250.5')],
    ['decimal', '1,250.5', kept('1250.5')],
    ['decimal', '1.250.000', kept('1250000')],
    ['decimal', ' -0,50 ', kept('-0.50')],
    ['decimal', '-0', kept('0')],
    ['decimal', ',5', kept('0.5')],
    ['decimal', '5,', kept('5')],
    ['decimal', '007', kept('7')],
    ['decimal', '1e3', misfit('not_a_number')],
    ['decimal', '1,2,3', misfit('not_a_number')],
    ['decimal', '.', misfit('not_a_number')],
    ['decimal', '1234567890123,4567', misfit('too_big')],
    ['int', '12', kept('12')],
    ['int', '1.200', kept('1200')],
    ['int', '1 200 000', kept('1200000')],
    ['int', '3,0', kept('3')],
    ['int', '3,5', misfit('not_whole')],
    ['int', 'abc', misfit('not_a_number')],
    ['int', '12a', misfit('not_a_number')],
    ['int', '2147483648', misfit('too_big')],
    ['int', '', { kind: 'blank' }],
    ['date', '2026-11-01', kept('2026-11-01')],
    ['date', '01/11/2026', kept('2026-11-01')],
    ['date', '1.2.2026', kept('2026-02-01')],
    ['date', '2026-02-29', misfit('not_a_date')],
    ['date', '31/11/2026', misfit('not_a_date')],
    ['month-year', '2024-03', kept('2024-03-01')],
    ['month-year', '3/2024', kept('2024-03-01')],
    ['month-year', '13/2024', misfit('not_a_date')],
    ['year', '1999', kept('1999-01-01')],
    ['year', '99', misfit('not_a_date')],
    ['time', '08:30', kept('08:30:00')],
    ['time', '8h30', kept('08:30:00')],
    ['time', '08:30:15.000+07:00', kept('08:30:15.000+07:00')],
    ['time', '25:00', misfit('not_a_time')],
    ['dateTime', '2026-11-01T08:30', kept('2026-11-01T08:30:00+07:00')],
    ['dateTime', '2026-11-01T08:30:00Z', kept('2026-11-01T08:30:00Z')],
    ['dateTime', '2026-11-01', misfit('not_a_time')],
    ['geopoint', '21.38690 103.01940', kept('21.3869 103.0194')],
    ['geopoint', '21.38690 103.01940 480.5 4.9', kept('21.3869 103.0194 480.5 4.9')],
    ['geopoint', '0 0 0 0', misfit('not_a_point')],
    ['geopoint', '91 103', misfit('not_a_point')],
    ['geopoint', '21', misfit('not_a_point')],
    ['geotrace', '21 103', misfit('too_few_points')],
    ['geoshape', '21 103;21.1 103;21.1 103.1', kept('21 103;21.1 103;21.1 103.1;21 103')],
    ['geoshape', '21 103;21.1 103;21 103', misfit('too_few_points')],
    ['string', 'a\u0000b\r\nc\uFFFF', kept('ab\nc')],
    ['string', 'Đie\u0323\u0302n', kept('Điện')],
  ])('%s %j', (type, typed, expected) => {
    expect(toLexical(type, typed, plus7)).toEqual(expected)
  })

  test('what is kept is kept again unchanged', () => {
    const types: LexicalType[] = [
      'string',
      'int',
      'decimal',
      'date',
      'time',
      'dateTime',
      'geopoint',
      'geotrace',
      'geoshape',
    ]
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.oneof(fc.string(), fc.stringMatching(/^[-+ 0-9.,:;/TZ]{0,24}$/u)),
        (type, typed) => {
          const once = toLexical(type, typed, plus7)
          if (once.kind !== 'kept') return
          expect(toLexical(type, once.value, plus7)).toEqual(once)
        },
      ),
    )
  })

  test('any clean text goes through XML as it is', { tags: ['slow'] }, () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const clean = cleanText(text)
        const element = document.implementation.createDocument(null, 'a')
        element.documentElement.textContent = clean
        const xml = new XMLSerializer().serializeToString(element)
        expect(new DOMParser().parseFromString(xml, 'text/xml').documentElement.textContent).toBe(clean)
      }),
    )
  })
})

describe('lengths and areas', () => {
  test('a hundred metres square is a hectare, wherever it closes', () => {
    const side = { latitude: 100 / 110_732, longitude: 100 / 103_700 }
    const [south, west] = [21.3869, 103.0194]
    const corners = [
      [south, west],
      [south + side.latitude, west],
      [south + side.latitude, west + side.longitude],
      [south, west + side.longitude],
    ]
    const text = corners.map((corner) => corner.join(' ')).join(';')
    const open = parsePoints(text) ?? []
    expect(area_ha(open)).toBeCloseTo(1, 2)
    expect(area_ha([...open, open[0]!])).toBeCloseTo(area_ha(open), 9)
    expect(length_m(open)).toBeCloseTo(300, 0)
  })

  test('no altitude or accuracy is made up', () => {
    expect(pointsText([{ latitude: 21.5, longitude: 103, altitude_m: null, accuracy_m: null }])).toBe('21.5 103')
  })
})
