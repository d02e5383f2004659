/** A person who answers every question that shows, at random and to its constraints; the same seed, the same answers. */
import type { RootNode } from '@getodk/xforms-engine'
import {
  isAnswerable,
  isRepeat,
  pagesOf,
  questionsIn,
  valueTypeOf,
  visibleChildren,
  type QuestionNode,
  type VisibleNode,
} from '@/features/answers/form-nodes'
import { toLexical, type LexicalType } from '@/domain/lexical'

export type Random = () => number

/** Mulberry32: small, even, and the same everywhere. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const TEXTS = [
  'Lò Văn Ánh',
  'Giàng A Dơ',
  'bản Háng Lìa',
  'Ghi chú: <b> & "ngoặc" – 100 %',
  'Quàng Thị Đón\ndòng hai',
  '𠀀 ả',
]
const CODES = ['0912345678', '011123456789', '01', '12345', 'HD-2019-041', '03226', '2019', '03226-RSX-041', 'SC-0412']
const NUMBERS = [
  0, 1, 2, 3, 5, 7, 12, 20, 27, 40, 60, 80, 100, 120, 150, 300, 1000, 1954, 1990, 2005, 2015, 2020, 2024, 15_000,
]
const DECIMALS = [0.5, 1.25, 2.75, 12.4, 0.05, 33.3, 8]
const DAYS = [0, 1, 3, 30, 90, 400, 3000]
const OUTLINE = '21.3869 103.0194 480 5;21.3879 103.0194 481 4;21.3879 103.0206 482 6;21.3869 103.0194 480 5'

/** Answer what shows, again while answers make more show; returns what no candidate satisfied. */
export function answerAll(root: RootNode, random: Random): string[] {
  const answered = new Set<string>()
  growRepeats(
    pagesOf(root).flatMap((page) => page.nodes),
    random,
  )
  for (let pass = 0; pass < 8; pass += 1) {
    const open = questions(root).filter((node) => !answered.has(node.nodeId) || isWrong(node))
    if (open.length === 0) break
    for (const node of open) {
      answered.add(node.nodeId)
      if (node.currentState.relevant) answerOne(node, random)
    }
  }
  return root.validationState.violations.map(({ reference, violation }) => `${reference} ${violation.condition}`)
}

export function questions(root: RootNode): QuestionNode[] {
  return pagesOf(root)
    .flatMap((page) => questionsIn(page.nodes))
    .filter(isAnswerable)
}

function growRepeats(nodes: readonly VisibleNode[], random: Random): void {
  for (const node of nodes) {
    if (node.nodeType === 'group') growRepeats(visibleChildren(node), random)
    if (!isRepeat(node)) continue
    if (node.nodeType === 'repeat-range:uncontrolled' && random() < 0.7)
      node.addInstances(undefined, 1 + Math.floor(random() * 2))
    for (const row of node.currentState.children) growRepeats(visibleChildren(row), random)
  }
}

function isWrong(node: QuestionNode): boolean {
  return node.validationState.violation !== null
}

function answerOne(node: QuestionNode, random: Random): void {
  const isOptional = !node.currentState.required && node.validationState.violation === null
  if (isOptional && random() < 0.2) return
  for (const answer of shuffled(candidates(node, random), random)) {
    answer()
    if (!isWrong(node)) return
  }
}

function candidates(node: QuestionNode, random: Random): (() => void)[] {
  switch (node.nodeType) {
    case 'select': {
      const values = node.currentState.valueOptions.map((option) => option.value)
      if (node.selectType !== 'select') return values.map((value) => () => void node.selectValue(value))
      const several = values.filter(() => random() < 0.4)
      return [...values.map((value) => () => void node.selectValues([value])), () => void node.selectValues(several)]
    }
    case 'rank':
      return [
        () =>
          void node.setValues(
            shuffled(
              node.currentState.valueOptions.map((option) => option.value),
              random,
            ),
          ),
      ]
    case 'trigger':
      return [() => void node.setValue(true)]
    case 'upload':
      return [() => void node.setValue(new File(['x'], `${String(random()).slice(2)}.jpg`, { type: 'image/jpeg' }))]
    case 'range':
      return [() => void node.setValue(String(node.definition.bounds.start))]
    case 'note':
      return []
    case 'input':
      return texts(valueTypeOf(node)).map((text) => () => {
        const type = valueTypeOf(node) === 'barcode' ? 'string' : (valueTypeOf(node) as LexicalType)
        const lexical = toLexical(type, text)
        if (lexical.kind === 'kept') node.setValue(lexical.value)
      })
  }
}

function texts(valueType: string): string[] {
  switch (valueType) {
    case 'int':
      return NUMBERS.map(String)
    case 'decimal':
      return [...DECIMALS, ...NUMBERS].map((number) => String(number).replace('.', ','))
    case 'date':
      return DAYS.map(daysAgo)
    case 'time':
      return ['08:30', '14:05:30', '6h15']
    case 'dateTime':
      return DAYS.map((days) => `${daysAgo(days)}T08:30`)
    case 'geopoint':
      return ['21.38690001 103.01940002 480.5 4.9', '22.1 102.9 0 12']
    case 'geotrace':
      return ['21.3869 103.0194 480 5;21.3879 103.0194 481 4']
    case 'geoshape':
      return [OUTLINE]
    default:
      return [...TEXTS, ...CODES]
  }
}

function daysAgo(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  return values
    .map((value) => ({ value, order: random() }))
    .sort((one, other) => one.order - other.order)
    .map(({ value }) => value)
}
