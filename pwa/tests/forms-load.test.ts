// @vitest-environment jsdom
/**
 * Every demonstration form opens in the phone's form engine and does there what its author meant.
 *
 * The forms are those that the server publishes (`tests/vectors/forms/`): converted, checked, with row identities.
 */
import './fill/browser'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { DecimalInputNode, RepeatRangeUncontrolledNode, RootNode, SelectNode } from '@getodk/xforms-engine'
import { beforeAll, describe, expect, it } from 'vitest'
import { toAnswers, toXml } from '@/domain/answers'
import { parseFormSchema, type FormSchema } from '@/domain/form-schema'
import type { Answers } from '@/domain/record'
import type { FormContents } from '@/features/answers/form-contents'
import type { LoadedForm } from '@/features/answers/form-engine'

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
  readFileSync(resolve(import.meta.dirname, `../../tests/vectors/forms/${form}.xml`), 'utf8')

const asItsAuthorMeant = (name: string): void => {
  let form: LoadedForm
  let schema: FormSchema

  beforeAll(async () => {
    const { loadEngineForm } = await import('@/features/answers/form-engine')
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

  it('keeps the moment of consent and every row identity when it is opened again', { tags: ['slow'] }, async () => {
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
}

// The engine needs a second for each; while coding, two of them tell most.
describe.each(FORMS.slice(0, 2))('the form %s', asItsAuthorMeant)
describe.each(FORMS.slice(2))('the form %s', { tags: ['slow'] }, asItsAuthorMeant)

/** What each form computes from a few answers: [form, answers, what it makes of them]. */
const COMPUTED: readonly (readonly [(typeof FORMS)[number], Answers, Answers])[] = [
  [
    'household_crop',
    {
      village: 'Hấu Chua',
      household: { head_name: 'Sùng A Páo' },
      land: {
        has_plots: 'yes',
        plot: [{ area_m2: '12000.0', crops: ['maize'], main_crop: 'maize', yield_kg: '3600.0' }],
      },
    },
    {
      land: { total_area_m2: '12000', plot: [{ area_ha: '1.2', yield_t_ha: '3' }] },
      meta: { instanceName: 'Sùng A Páo – Hấu Chua' },
    },
  ],
  [
    'forest_plot',
    {
      position: { plot_area_m2: '1000.0' },
      stand: {
        tree: [
          { dbh_cm: '40.0', height_m: '20.0' },
          { dbh_cm: '55.5', height_m: '25.0' },
        ],
      },
    },
    { stand: { tree_count: '2', stock_m3_ha: '38.5', stock_class: 'exhausted' } },
  ],
  [
    'rubber_contribution',
    {
      contract: { contract_date: '2011-05-20', term_years: '27' },
      land: { parcel: [{ area_ha: '1.25' }, { area_ha: '0.3333' }] },
      money: {
        has_payments: 'yes',
        payment: [
          { paid_area_ha: '1.25', mean_yield_kg_ha: '4200.0', latex_price_vnd: '15000.0', paid_vnd: '7000000' },
        ],
      },
    },
    {
      contract: { end_year: '2038' },
      land: { total_area_ha: '1.5833' },
      money: { total_paid_vnd: '7000000', payment: [{ due_vnd: '7875000' }] },
    },
  ],
  [
    'shan_tea_tree',
    {
      tree: { tree_code: 'SC-0412' },
      size: { canopy_ns_m: '4.5', canopy_ew_m: '5.0', base_girth_cm: '157.0', stem: [{ stem_girth_cm: '31.5' }] },
      harvest: { is_picked: 'yes', picking: [{ fresh_kg: '3.5' }, { fresh_kg: null }] },
    },
    { size: { canopy_mean_m: '4.75', base_diameter_cm: '50', stem_count: '1' }, harvest: { fresh_total_kg: '3.5' } },
  ],
  [
    'disease_report',
    {
      report_date: '2026-11-20',
      subject: 'animal',
      village: 'Na Vai',
      case: { species: 'pig', disease: 'asf', onset: '2026-11-14' },
      animals: { at_risk: '30', dead: '4' },
    },
    {
      case: { days_ill: '6' },
      animals: { mortality_pct: '13.3' },
      meta: { instanceName: 'Dịch tả lợn châu Phi – Na Vai' },
    },
  ],
  [
    'homestay_ocop',
    {
      business: { activities: ['homestay', 'ocop'] },
      homestay: {
        standard: { access_ok: 'yes', security_ok: 'yes', sign_ok: 'no' },
        room: [{ beds: '3', capacity: '6' }, { beds: '2' }],
      },
      products: { product: [{ decision_date: '2024-03-01' }] },
    },
    {
      homestay: { met_count: '2', bed_total: '5', capacity_total: '6' },
      products: { product: [{ valid_year: '2027' }] },
    },
  ],
  [
    'heritage_site',
    {
      heritage_kind: 'intangible',
      practice: { holder: [{ holder_name: 'Lò Văn Ơn', pupil: [{ pupil_name: 'Lò Thị Mai' }] }, {}] },
    },
    { practice: { holder_count: '2' } },
  ],
]

describe('a form computes', () => {
  it.each(COMPUTED)('what its author meant: %s', async (form, answers, computed) => {
    const { loadEngineForm } = await import('@/features/answers/form-engine')
    const xform = read(form)
    const schema = parseFormSchema(xform)
    const given = { ...answers, consent_part: { consent: 'yes' } }
    const root = await (await loadEngineForm(contentsOf(form, xform))).restore(toXml(schema, given))
    expect(toAnswers(schema, xmlOf(root))).toMatchObject(computed)
    // What was answered says nothing against the form's own constraints.
    const broken = root.validationState.violations.filter(({ violation }) => violation.condition === 'constraint')
    expect(broken.map(({ reference }) => reference)).toEqual([])
  })
})

describe('sums over rows', () => {
  it('follow each row as it is entered, and leave blank ones out', { tags: ['slow'] }, async () => {
    const { loadEngineForm } = await import('@/features/answers/form-engine')
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
