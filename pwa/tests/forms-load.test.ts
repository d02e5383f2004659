/**
 * Every demonstration form opens in the phone's form engine and does there what its author meant.
 *
 * The forms are those that the server publishes (`tests/vectors/forms/`): converted, checked, with row identities.
 */
import './fill/browser'
import { readFileSync } from 'node:fs'
import type { DecimalInputNode, RepeatRangeUncontrolledNode, RootNode, SelectNode } from '@getodk/xforms-engine'
import { beforeAll, describe, expect, it } from 'vitest'
import { toAnswers } from '@/domain/answers'
import { parseFormSchema, type FormSchema } from '@/domain/form-schema'
import type { FormContents } from '@/composables/form-contents'
import type { LoadedForm } from '@/composables/form-engine'

const FORMS = [
  'disease_report',
  'forest_plot',
  'heritage_site',
  'homestay_ocop',
  'household_crop',
  'rubber_contribution',
  'shan_tea_tree',
] as const

/** What this test asks of a node of the engine, whose own unions are `any` outside it. */
type Walked = {
  readonly nodeType: string
  readonly currentState: {
    readonly reference: string
    readonly relevant: boolean
    readonly label: { readonly asString: string } | null
    readonly children: readonly Walked[] | null
  }
}

/** Every node that the author wrote; `meta` is the engine's. */
function* walk(parent: Walked): Generator<Walked> {
  for (const node of parent.currentState.children ?? []) {
    if (node.currentState.reference === '/data/meta') continue
    yield node
    yield* walk(node)
  }
}

function find(root: RootNode, name: string): Walked {
  for (const node of walk(root)) {
    if (node.currentState.reference.endsWith(`/${name}`)) return node
  }
  throw new Error(`no node ${name}`)
}

function findAll(root: RootNode, name: string): Walked[] {
  return [...walk(root as unknown as Walked)].filter(({ currentState }) => currentState.reference.endsWith(`/${name}`))
}

function choose(root: RootNode, name: string, value: string): void {
  ;(find(root, name) as unknown as SelectNode).selectValue(value)
}

const contentsOf = (form: string, xform: string): FormContents => ({
  form,
  version: '2026112101',
  titles: {},
  xform,
  list: () => Promise.resolve(undefined),
})
const xmlOf = (root: RootNode): string => root.instanceState.instanceXML
const read = (form: string): string =>
  readFileSync(new URL(`../../tests/vectors/forms/${form}.xml`, import.meta.url), 'utf8')

describe.each(FORMS)('the form %s', (name) => {
  let form: LoadedForm
  let schema: FormSchema

  beforeAll(async () => {
    const { loadEngineForm } = await import('@/composables/form-engine')
    const xform = read(name)
    schema = parseFormSchema(xform)
    form = await loadEngineForm(contentsOf(name, xform))
  })

  it('opens in Vietnamese and has English beside it', () => {
    const root = form.create()
    expect(root.languages.map(({ language }) => language)).toEqual(['Tiếng Việt (vi)', 'English (en)'])
    expect(root.currentState.activeLanguage.language).toBe('Tiếng Việt (vi)')
  })

  it('has a label for every question in both languages', () => {
    const root = form.create()
    choose(root, 'consent', 'yes')
    for (const language of root.languages) {
      if (language.isSyntheticDefault === true) continue
      root.setLanguage(language)
      for (const node of walk(root)) {
        if (node.nodeType === 'model-value' || node.nodeType === 'repeat-instance' || !node.currentState.relevant)
          continue
        expect(node.currentState.label?.asString.trim(), node.currentState.reference).toMatch(/^.*[^\s-].*$/su)
      }
    }
  })

  it('asks for consent, answers it for nobody, and asks nothing of who refuses', () => {
    const root = form.create()
    expect(toAnswers(schema, xmlOf(root))['consent_part']).toEqual({ consent_text: null, consent: null })
    const before = Object.keys(toAnswers(schema, xmlOf(root)))
    choose(root, 'consent', 'no')
    expect(Object.keys(toAnswers(schema, xmlOf(root)))).toEqual(before)
    choose(root, 'consent', 'yes')
    expect(Object.keys(toAnswers(schema, xmlOf(root))).length).toBeGreaterThan(before.length)
  })

  it('keeps the moment of consent and every row identity when it is opened again', async () => {
    const root = form.create()
    choose(root, 'consent', 'yes')
    for (const node of [...walk(root)]) {
      if (node.nodeType !== 'repeat-range:uncontrolled' || !node.currentState.relevant) continue
      ;(node as unknown as RepeatRangeUncontrolledNode).addInstances()
    }
    const first = xmlOf(root)
    const consent = toAnswers(schema, first)['consent_part']
    expect(consent).toMatchObject({ consent: 'yes', consent_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/u) as string })
    const identities = [...first.matchAll(/<_rid>([^<]*)<\/_rid>/gu)].map(([, identity]) => identity)
    expect(new Set(identities).size).toBe(identities.length)
    expect(identities.every((identity) => identity !== undefined && /^[0-9a-f-]{36}$/u.test(identity))).toBe(true)
    const again = await form.restore(first)
    expect(toAnswers(schema, xmlOf(again))).toEqual(toAnswers(schema, first))
  })

  it('offers only the former communes of the chosen commune', () => {
    const root = form.create()
    choose(root, 'commune', '03226')
    const offered = (find(root, 'former_commune') as unknown as SelectNode).currentState.valueOptions
    expect(offered.map(({ value }) => value).sort()).toEqual(['c03223', 'c03226', 'c03229'])
  })

  it('lets a person finish only with every needed answer, each with a sentence', () => {
    const root = form.create()
    choose(root, 'consent', 'yes')
    const { violations } = root.validationState
    expect(violations.length).toBeGreaterThan(5)
    for (const { violation } of violations)
      expect(violation.message?.asString).toBe('Xin trả lời câu này trước khi hoàn thành.')
  })
})

describe('sums over rows', () => {
  it('follow each row as it is entered, and leave blank ones out', async () => {
    const { loadEngineForm } = await import('@/composables/form-engine')
    const xform = read('household_crop')
    const schema = parseFormSchema(xform)
    const root = (await loadEngineForm(contentsOf('household_crop', xform))).create()
    const total = (): unknown => (toAnswers(schema, xmlOf(root))['land'] as Record<string, unknown>)['total_area_m2']
    choose(root, 'consent', 'yes')
    choose(root, 'has_plots', 'yes')
    const rows = find(root, 'plot') as unknown as RepeatRangeUncontrolledNode
    rows.addInstances()
    rows.addInstances()
    expect(total()).toBe('0')
    const [first, second] = findAll(root, 'area_m2') as unknown as DecimalInputNode[]
    first?.setValue(1200)
    expect(total()).toBe('1200')
    second?.setValue(300.5)
    expect(total()).toBe('1500.5')
    choose(root, 'has_plots', 'no')
    expect(total()).toBe('0')
  })
})
