// @vitest-environment jsdom
/**
 * The vectors of the server's evaluator are what the phone's form engine says of the same answers at the same moment.
 *
 * `NUONG_WRITE_VECTORS=1` writes what the engine says instead of comparing it, after `python -m tests.vectors.make_evaluate`.
 */
import './fill/browser'
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { RootNode } from '@getodk/xforms-engine'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { toAnswers, toXml } from '@/domain/answers'
import { parseFormSchema, type Field, type FormSchema } from '@/domain/form-schema'
import type { Answers } from '@/domain/record'
import type { LoadedForm } from '@/features/answers/form-engine'

type Expected = {
  calculated: Record<string, unknown>
  irrelevant: string[]
  broken: Record<string, string | null>
  missing: string[]
}
type Case = { form: string; name: string; answers: Answers; expected: Expected | null }
type Vectors = { about: string; now: string; lists: Record<string, string>; cases: Case[] }

/** What this test asks of a node of the engine. */
type Walked = {
  readonly nodeType: string
  readonly currentState: {
    readonly reference: string
    readonly relevant: boolean
    readonly required: boolean
    readonly instanceValue?: string
    readonly children: readonly Walked[] | null
  }
}

const VECTORS = resolve(import.meta.dirname, '../../tests/vectors')
const FILE = resolve(VECTORS, 'evaluate.json')
const vectors = JSON.parse(readFileSync(FILE, 'utf8')) as Vectors
const isWriting = process.env['NUONG_WRITE_VECTORS'] === '1'
const forms = [...new Set(vectors.cases.map(({ form }) => form))]

const rowOf = (row: Answers): string => row['_rid'] as string

/** `/data/plot[2]/area` as a JSON Pointer into the document, the row by its identity. */
function pointerOf(reference: string, answers: Answers): string {
  let at: unknown = answers
  let pointer = '/answers'
  const steps = [...reference.matchAll(/\/([^/[]+)(?:\[(\d+)\])?/gu)].slice(1)
  for (const [, name = '', index] of steps) {
    at = (at as Answers | undefined)?.[name]
    pointer += `/${name}`
    if (index === undefined || !Array.isArray(at)) continue
    at = (at as Answers[])[Number(index) - 1]
    pointer += `/${rowOf(at as Answers)}`
  }
  return pointer
}

function* irrelevant(parent: Walked): Generator<string> {
  for (const node of parent.currentState.children ?? []) {
    if (!node.currentState.relevant) yield node.currentState.reference
    else yield* irrelevant(node)
  }
}

/** What is asked for and blank. The engine's own violations say so of some choices that are not offered, by when they were looked at. */
function* missing(parent: Walked): Generator<string> {
  for (const node of parent.currentState.children ?? []) {
    const { relevant, required, instanceValue, reference, children } = node.currentState
    if (!relevant) continue
    if (children === null && required && instanceValue === '') yield reference
    yield* missing(node)
  }
}

/** Every calculated field that came out, by its path. */
function* calculated(fields: readonly Field[], answers: Answers, path: string): Generator<[string, unknown]> {
  for (const field of fields) {
    const value = answers[field.name]
    if (value === undefined) continue
    const here = `${path}/${field.name}`
    if (field.kind === 'group') yield* calculated(field.children, value as Answers, here)
    else if (field.kind === 'repeat')
      for (const row of value as Answers[]) yield* calculated(field.children, row, `${here}/${rowOf(row)}`)
    else if (field.isCalculated) yield [here, value]
  }
}

function said(schema: FormSchema, root: RootNode): Expected {
  const answers = toAnswers(schema, root.instanceState.instanceXML)
  const broken: [string, string | null][] = []
  for (const { reference, violation } of root.validationState.violations) {
    if (violation.condition !== 'constraint') continue
    broken.push([pointerOf(reference, answers), violation.message?.asString ?? null])
  }
  return {
    calculated: Object.fromEntries(calculated(schema.fields, answers, '/answers')),
    irrelevant: [...irrelevant(root as unknown as Walked)].map((reference) => pointerOf(reference, answers)).sort(),
    broken: Object.fromEntries(broken),
    missing: [...missing(root as unknown as Walked)].map((reference) => pointerOf(reference, answers)).sort(),
  }
}

beforeAll(() => {
  // One moment for everything that asks what now is, in the phones' time (`vite.config.ts`).
  vi.useFakeTimers({ toFake: ['Date'], now: new Date(vectors.now) })
})

afterAll(() => {
  vi.useRealTimers()
  if (!isWriting) return
  const { cases, ...head } = vectors
  const lines = cases.map((one) => JSON.stringify(one)).join(',\n')
  writeFileSync(FILE, `${JSON.stringify(head, null, 1).slice(0, -2)},\n "cases": [\n${lines}\n]\n}\n`)
})

describe.each(forms)('answers to %s', { tags: ['slow'] }, (name) => {
  let form: LoadedForm
  let schema: FormSchema

  beforeAll(async () => {
    const { loadEngineForm } = await import('@/features/answers/form-engine')
    const xform = readFileSync(resolve(VECTORS, `forms/${name}.xml`), 'utf8')
    schema = parseFormSchema(xform)
    form = await loadEngineForm({
      form: name,
      version: '1',
      titles: {},
      xform,
      list: (file) => Promise.resolve(vectors.lists[file]),
    })
  })

  const SLOW_MS = 60_000
  it.each(vectors.cases.filter((one) => one.form === name))(
    'are judged as written down: $name',
    async (one) => {
      const root = await form.restore(toXml(schema, one.answers))
      const expected = said(schema, root)
      if (isWriting) one.expected = expected
      expect(expected).toEqual(one.expected)
    },
    SLOW_MS,
  )
})
