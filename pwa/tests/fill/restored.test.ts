// @vitest-environment jsdom
/** A draft that is opened again is the same form: every question and row that a fresh one has, at every stage of filling. */
import './browser'
import type { RootNode, SelectNode } from '@getodk/xforms-engine'
import { beforeEach, describe, expect, test } from 'vitest'
import { pagesOf, questionsIn, rangesIn, type QuestionNode } from '@/features/answers/form-nodes'
import { openDraft, begin, FORMS, opened, signedIn, type OpenDraft } from './phone'

beforeEach(signedIn)

type Walked = {
  readonly nodeType: string
  readonly currentState: {
    readonly reference: string
    readonly relevant: boolean
    readonly required: boolean
    readonly readonly: boolean
    readonly instanceValue?: string
    readonly valueOptions?: readonly unknown[]
    readonly children: readonly Walked[] | null
  }
}

/** Every node as a line: where it stands, what it is, what it holds; moments and identities are each instance's own. */
function lines(parent: Walked): string[] {
  return (parent.currentState.children ?? []).flatMap((node) => {
    const { reference, relevant, required, readonly, instanceValue, valueOptions } = node.currentState
    const isOwn = /\/(_rid|instanceID|consent_at|started_at|ended_at)$/u.test(reference)
    const state = [relevant && 'relevant', required && 'required', readonly && 'readonly'].filter(Boolean).join(' ')
    const value = isOwn ? (instanceValue === '' ? '' : 'own') : (instanceValue ?? '')
    return [`${reference} ${node.nodeType} ${state} ${String(valueOptions?.length ?? '')} ${value}`, ...lines(node)]
  })
}

function screens(root: RootNode): string[] {
  return pagesOf(root).flatMap((page) => [
    page.step,
    ...questionsIn(page.nodes).map((node) => `  ${node.currentState.reference}`),
  ])
}

const questionsOf = (root: RootNode): QuestionNode[] => pagesOf(root).flatMap((page) => questionsIn(page.nodes))

/** Choose what opens more of the form: the first choice that makes more questions show. */
function goOn(root: RootNode): boolean {
  for (const node of questionsOf(root)) {
    if (node.nodeType !== 'select' || node.currentState.instanceValue !== '') continue
    const before = screens(root).length
    for (const { value } of node.currentState.valueOptions) {
      node.selectValue(value)
      if (screens(root).length > before) return true
    }
    node.selectValue(null)
  }
  return false
}

async function again(open: OpenDraft, id: string): Promise<OpenDraft> {
  await open.form.save()
  open.kill()
  return openDraft(id)
}

/** How many choices are made between one opening and the next: each opening takes a second. */
const AT_ONCE = 4

const asItWasBegun = (name: (typeof FORMS)[number]): void => {
  test('restored at each stage is the form that was begun', { timeout: 120_000 }, async () => {
    const { id } = await begin(name)
    const other = await begin(name)
    const fresh = await openDraft(id)
    let restored = await again(await openDraft(other.id), other.id)
    for (let stage = 0, isFurther = true; isFurther; stage += 1) {
      const [one, two] = [opened(fresh.form).root, opened(restored.form).root]
      expect(screens(two), `screens at stage ${String(stage)}`).toEqual(screens(one))
      expect(lines(two as unknown as Walked), `stage ${String(stage)}`).toEqual(lines(one as unknown as Walked))
      for (let choice = 0; choice < AT_ONCE && isFurther; choice += 1) {
        isFurther = goOn(one)
        expect(goOn(two)).toBe(isFurther)
      }
      if (isFurther) restored = await again(restored, other.id)
    }
    fresh.scope.stop()
    restored.scope.stop()
  })
}

describe.each(FORMS)('%s', { tags: ['slow'] }, asItWasBegun)

test('rows that somebody removed stay removed', { tags: ['slow'] }, async () => {
  const { id } = await begin('heritage_site')
  const first = await openDraft(id)
  const { root } = opened(first.form)
  const find = (from: RootNode, name: string): QuestionNode =>
    questionsOf(from).find((node) => node.currentState.reference.endsWith(`/${name}`)) as QuestionNode
  ;(find(root, 'consent') as SelectNode).selectValue('yes')
  ;(find(root, 'heritage_kind') as SelectNode).selectValue('intangible')
  const [holders] = [...rangesIn(root)].filter((range) => range.currentState.reference.endsWith('/holder'))
  if (holders?.nodeType !== 'repeat-range:uncontrolled') throw new Error('no holders')
  expect(holders.currentState.children).toHaveLength(1)
  holders.removeInstances(0)
  const second = await again(first, id)
  const [kept] = [...rangesIn(opened(second.form).root)].filter((range) =>
    range.currentState.reference.endsWith('/holder'),
  )
  expect(kept?.currentState).toMatchObject({ relevant: true, children: [] })
  second.scope.stop()
})
