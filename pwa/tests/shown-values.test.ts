/** Numbers and days as a person reads them. */
import { expect, test } from 'vitest'
import { longDate, shownDate, shownDateTime, shownNumber } from '@/features/answers/shown-values'

test('a year of birth is not set apart like a thousand, and a large count is', () => {
  expect(shownNumber('2003', 'vi')).toBe('2003')
  expect(shownNumber('2003', 'en')).toBe('2003')
  expect(shownNumber('10737', 'vi')).toBe('10.737')
  expect(shownNumber('1.50', 'vi')).toBe('1,5')
})

test('a day that no month has is shown as it was written, not as another day', () => {
  for (const none of ['2023-02-29', '2026-04-31', '2026-13-01', '2026-00-10', '2026-11-31T08:30:00+07:00', 'hôm qua']) {
    expect([shownDate(none, 'vi'), longDate(none, 'en'), shownDateTime(none, 'vi')]).toEqual([none, none, none])
  }
  expect([shownDate('2024-02-29', 'vi'), shownDate('0050-03-01', 'en')]).toEqual(['29/02/2024', '01/03/50'])
  expect(shownDateTime('2026-11-30T08:30:00+07:00', 'vi')).toBe('08:30 30/11/2026')
})
