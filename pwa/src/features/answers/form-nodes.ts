/**
 * The engine's nodes as the screens walk them: what a person sees, in order, and where it stands.
 *
 * The engine's own unions lean on a package that it doesn't publish and are `any` outside it, so that they are written out here.
 */
import type {
  AnyInputNode,
  AnyModelValueNode,
  GroupNode,
  NoteNode,
  RangeNode,
  RankNode,
  RepeatInstanceNode,
  RepeatRangeControlledNode,
  RepeatRangeUncontrolledNode,
  RootNode,
  SelectNode,
  TriggerNode,
  UploadNode,
} from '@getodk/xforms-engine'

export type QuestionNode = AnyInputNode | NoteNode | RangeNode | RankNode | SelectNode | TriggerNode | UploadNode
export type RepeatRangeNode = RepeatRangeControlledNode | RepeatRangeUncontrolledNode
type ChildNode = QuestionNode | AnyModelValueNode | GroupNode | RepeatRangeNode
export type VisibleNode = QuestionNode | GroupNode | RepeatRangeNode
export type ParentNode = RootNode | GroupNode | RepeatInstanceNode

/** One screen of a form: a group, a repeat, or the questions that stand between two of them. */
export type Page = {
  /** Stable while the form is open: the first node's id. */
  readonly key: string
  /** Where it stands in the form, the same after reopening: `/data/household`. */
  readonly step: string
  readonly title: GroupNode | RepeatRangeNode | null
  readonly nodes: readonly VisibleNode[]
}

export function isRepeat(node: { readonly nodeType: string }): node is RepeatRangeNode {
  return node.nodeType.startsWith('repeat-range')
}

function childrenOf(parent: ParentNode): readonly ChildNode[] {
  return parent.currentState.children as readonly ChildNode[]
}

/** What a question's answer is typed as: `string`, `int`, `geopoint` … */
export function valueTypeOf(node: { readonly valueType: unknown }): string {
  return String(node.valueType)
}

/** Whether the form's author asked for this look. */
export function looks(node: { readonly appearances: unknown }, appearance: string): boolean {
  return (node.appearances as Readonly<Record<string, boolean | undefined>> | null)?.[appearance] === true
}

/** The children that a person sees now; calculated and hidden values are none. */
export function visibleChildren(parent: ParentNode): VisibleNode[] {
  return childrenOf(parent).filter(isVisible)
}

function isVisible(node: ChildNode): node is VisibleNode {
  if (node.nodeType === 'model-value' || !node.currentState.relevant) return false
  if (node.nodeType === 'group') return visibleChildren(node).length > 0
  if (isRepeat(node)) return node.nodeType === 'repeat-range:uncontrolled' || node.currentState.children.length > 0
  return true
}

export function pagesOf(root: RootNode): Page[] {
  const pages: Page[] = []
  let loose: VisibleNode[] = []
  const close = (): void => {
    const [first] = loose
    if (first) pages.push({ key: first.nodeId, step: first.currentState.reference, title: null, nodes: loose })
    loose = []
  }
  for (const node of visibleChildren(root)) {
    if (node.nodeType !== 'group' && !isRepeat(node)) {
      loose.push(node)
      continue
    }
    close()
    const nodes = node.nodeType === 'group' ? visibleChildren(node) : [node]
    pages.push({ key: node.nodeId, step: node.currentState.reference, title: node, nodes })
  }
  close()
  return pages
}

/** Every question in these nodes that a person sees, in order. */
export function questionsIn(nodes: readonly VisibleNode[]): QuestionNode[] {
  return nodes.flatMap((node) => {
    if (node.nodeType === 'group') return questionsIn(visibleChildren(node))
    if (isRepeat(node)) return node.currentState.children.flatMap((row) => questionsIn(visibleChildren(row)))
    return [node]
  })
}

/** The question that stands at a pointer, if a person sees it. */
export function questionAt(root: RootNode, pointer: string): QuestionNode | undefined {
  const nodes = pagesOf(root).flatMap((page) => page.nodes)
  return questionsIn(nodes).find((node) => pointerOf(node) === pointer)
}

/** Whether it only heads a table with the names of its choices, which every row of the table shows here by itself. */
export function isHeading(node: QuestionNode): boolean {
  return node.nodeType === 'select' && looks(node, 'label')
}

/** Whether a person answers it; notes and the heads of tables are only read. */
export function isAnswerable(node: QuestionNode): boolean {
  return node.nodeType !== 'note' && !isHeading(node) && !node.currentState.readonly
}

/** Every repeat below, relevant or not, outer ones first. */
export function* rangesIn(parent: ParentNode): Generator<RepeatRangeNode> {
  for (const node of childrenOf(parent)) {
    if (node.nodeType === 'group') yield* rangesIn(node)
    if (!isRepeat(node)) continue
    yield node
    for (const row of node.currentState.children) yield* rangesIn(row)
  }
}

/** `/data/animals[2]/count` as `/animals/count`. */
export function pathOf(reference: string): string {
  return reference.replace(/\[\d+\]/gu, '').replace(/^\/[^/]+/u, '')
}

/** An id for the page's elements that no selector trips over. */
export function elementId(node: { readonly nodeId: string }, part = 'question'): string {
  return `${part}-${node.nodeId.replace(/[^A-Za-z0-9_-]/gu, '-')}`
}

/** Where a question's answer stands in its record, rows by their `_rid`: `/answers/animals/<_rid>/count`. */
export function pointerOf(node: QuestionNode): string {
  const steps: string[] = []
  let current: QuestionNode | ParentNode | RepeatRangeNode = node
  while (current.nodeType !== 'root') {
    if (current.nodeType === 'repeat-instance') steps.unshift(rowId(current))
    else steps.unshift(current.definition.nodeset.replace(/^.*\//u, ''))
    current = current.parent
  }
  return ['', 'answers', ...steps].join('/')
}

function rowId(row: RepeatInstanceNode): string {
  const id = childrenOf(row).find((child) => child.definition.nodeset.endsWith('/_rid'))
  return id?.nodeType === 'model-value' ? id.currentState.instanceValue : ''
}
