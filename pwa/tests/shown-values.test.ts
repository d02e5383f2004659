/** Numbers as a person reads them. */
import { expect, test } from 'vitest'
import { shownNumber } from '@/features/answers/shown-values'

test('a year of birth is not set apart like a thousand, and a large count is', () => {
  expect(shownNumber('2003', 'vi')).toBe('2003')
  expect(shownNumber('2003', 'en')).toBe('2003')
  expect(shownNumber('10737', 'vi')).toBe('10.737')
  expect(shownNumber('1.50', 'vi')).toBe('1,5')
})
