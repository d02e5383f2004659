// @vitest-environment jsdom
/** Answers as they are read, and what differs from the revision before. */
import './browser'
import { describe, expect, test } from 'vitest'
import { parseFormSchema } from '@/domain/form-schema'
import type { Answers } from '@/domain/record'
import { extrasOf, hasChanges, summaryOf, type SummaryLine } from '@/domain/summary'
import { keepUnchanged } from '@/domain/unchanged'
import { xformOf } from './phone'

const schema = parseFormSchema(xformOf('every_type'))

function told(lines: readonly SummaryLine[]): string[] {
  return lines.flatMap((line) => {
    if (line.kind === 'answer') return [`${line.pointer} ${JSON.stringify(line.value)} ${line.change}`]
    return [`${line.pointer} ${line.kind === 'row' ? line.change : 'group'}`, ...told(line.lines)]
  })
}

describe('a summary', () => {
  test('names rows by their identity, leaves out what is absent, and shows what is blank', () => {
    const answers: Answers = { name: 'Lò Văn Ánh', area: null, plot: [{ _rid: 'r1', crop: 'rice' }] }
    const lines = told(summaryOf(schema, answers))
    expect(lines).toContain('/answers/name "Lò Văn Ánh" same')
    expect(lines).toContain('/answers/area null same')
    expect(lines).toContain('/answers/plot/r1 same')
    expect(lines.some((line) => line.includes('_rid'))).toBe(false)
  })

  test('tells what changed, came and went, whatever the order of rows', () => {
    const before: Answers = { name: 'A', area: '1.5', plot: [{ _rid: 'r1' }, { _rid: 'r2' }] }
    const now: Answers = { name: 'B', plot: [{ _rid: 'r3' }, { _rid: 'r2' }] }
    const lines = summaryOf(schema, now, before)
    const all = told(lines)
    expect(all).toContain('/answers/name "B" changed')
    expect(all).toContain('/answers/area undefined removed')
    expect(all).toContain('/answers/plot/r3 added')
    expect(all).toContain('/answers/plot/r2 same')
    expect(all).toContain('/answers/plot/r1 removed')
    expect(lines.some(hasChanges)).toBe(true)
    expect(summaryOf(schema, now, now).some(hasChanges)).toBe(false)
  })

  test('shows what the form does not know', () => {
    expect(extrasOf({ name: 'A', $extra: { old: ['x', { '@by': 'y' }] } })).toEqual([{ name: 'old', text: 'x, y' }])
  })
})

describe('what nobody changed', () => {
  test('is put back as it was, row by row, and what was changed stands', () => {
    const base: Answers = {
      name: 'A',
      area: '1.50',
      plot: [{ _rid: 'r1', $extra: { old: ['x'] } }, { _rid: 'r2' }],
      $extra: { o: ['y'] },
    }
    const opened: Answers = { name: 'A', area: '1.5', plot: [{ _rid: 'r1' }, { _rid: 'r2' }] }
    const saved: Answers = { name: 'B', area: '1.5', plot: [{ _rid: 'r1' }, { _rid: 'r9' }] }
    expect(keepUnchanged(schema, base, opened, saved)).toEqual({
      name: 'B',
      area: '1.50',
      plot: [{ _rid: 'r1', $extra: { old: ['x'] } }, { _rid: 'r9' }],
      $extra: { o: ['y'] },
    })
  })

  test('an answer that was blanked by a person stays blank', () => {
    expect(keepUnchanged(schema, { area: '1.50' }, { area: '1.5' }, { area: null })).toEqual({ area: null })
  })
})
