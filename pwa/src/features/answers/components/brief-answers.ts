/** The first answers of a row in a few words, so that a closed card can be told from the others. */
import type { RepeatInstanceNode } from '@getodk/xforms-engine'
import { questionsIn, valueTypeOf, visibleChildren, type QuestionNode } from '@/features/answers/form-nodes'
import { shownDate, shownDateTime, shownNumber, shownTime } from '@/features/answers/shown-values'

const MOST = 3

export function briefAnswers(row: RepeatInstanceNode, locale: string): string {
  return questionsIn(visibleChildren(row))
    .map((node) => briefAnswer(node, locale))
    .filter((text) => text !== '')
    .slice(0, MOST)
    .join(' · ')
}

function briefAnswer(node: QuestionNode, locale: string): string {
  const value = node.currentState.instanceValue
  if (value === '') return ''
  switch (node.nodeType) {
    case 'select':
      return node.currentState.value.map((each) => node.getValueOption(each)?.label.asString ?? each).join(', ')
    case 'input':
      return briefInput(valueTypeOf(node), value, locale)
    case 'range':
      return shownNumber(value, locale)
    case 'note':
    case 'rank':
    case 'trigger':
    case 'upload':
      return ''
  }
}

function briefInput(valueType: string, value: string, locale: string): string {
  switch (valueType) {
    case 'int':
    case 'decimal':
      return shownNumber(value, locale)
    case 'date':
      return shownDate(value, locale)
    case 'time':
      return shownTime(value)
    case 'dateTime':
      return shownDateTime(value, locale)
    case 'string':
      return value
    default:
      return ''
  }
}
