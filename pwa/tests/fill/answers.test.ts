// @vitest-environment jsdom
/** The cases that `server/forms/answers/record_answers.py` passes, passed here. */
import './browser'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { AnswersUnreadable, toAnswers, toXml } from '@/domain/answers'
import { parseFormSchema } from '@/domain/form-schema'
import type { Answers } from '@/domain/record'

const vectors = resolve(import.meta.dirname, '../../../tests/vectors')

type Vectors = {
  xform: string
  cases: { name: string; xml: string; answers: Answers }[]
  read_only: { name: string; xml: string; answers: Answers }[]
  unreadable: { name: string; xml: string; code: string; path: string }[]
  unwritable: { name: string; answers: Answers; code: string; path: string }[]
}

const given = JSON.parse(readFileSync(resolve(vectors, 'answers.json'), 'utf8')) as Vectors
const schema = parseFormSchema(readFileSync(resolve(vectors, given.xform), 'utf8'))

describe('answers from XML and back', () => {
  test.each(given.cases)('$name', ({ xml, answers }) => {
    expect(toAnswers(schema, xml)).toEqual(answers)
    // The same facts, not the same bytes: prefixes and the form of empty tags are the writer's own.
    expect(toAnswers(schema, toXml(schema, answers))).toEqual(answers)
  })

  test.each(given.read_only)('$name', ({ xml, answers }) => {
    expect(toAnswers(schema, xml)).toEqual(answers)
  })

  test.each(given.unreadable)('what would be lost is refused: $name', ({ xml, code, path }) => {
    expect(refusal(() => toAnswers(schema, xml))).toEqual({ code, path })
  })

  test.each(given.unwritable)('what does not fit is refused: $name', ({ answers, code, path }) => {
    expect(refusal(() => toXml(schema, answers))).toEqual({ code, path })
  })
})

function refusal(work: () => unknown): { code: string; path: string } | null {
  try {
    work()
    return null
  } catch (error) {
    if (!(error instanceof AnswersUnreadable)) throw error
    return { code: error.code, path: error.path }
  }
}
