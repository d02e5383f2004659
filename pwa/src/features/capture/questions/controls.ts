/** Which component answers which kind of question, and whether it is a group of controls under one legend. */
import type { Component } from 'vue'
import { isHeading, looks, valueTypeOf, type QuestionNode } from '@/features/answers/form-nodes'
import BarcodeQuestion from './BarcodeQuestion.vue'
import ChoiceQuestion from './ChoiceQuestion.vue'
import DateQuestion from './DateQuestion.vue'
import DrawingQuestion from './DrawingQuestion.vue'
import FileQuestion from './FileQuestion.vue'
import NoteQuestion from './NoteQuestion.vue'
import NumberQuestion from './NumberQuestion.vue'
import OutlineQuestion from './OutlineQuestion.vue'
import PhotoQuestion from './PhotoQuestion.vue'
import PointQuestion from './PointQuestion.vue'
import RangeQuestion from './RangeQuestion.vue'
import RankQuestion from './RankQuestion.vue'
import SoundQuestion from './SoundQuestion.vue'
import TextQuestion from './TextQuestion.vue'
import TriggerQuestion from './TriggerQuestion.vue'
import UnsupportedQuestion from './UnsupportedQuestion.vue'

export type ControlChoice = { readonly component: Component; readonly isGroup: boolean }

const COMPONENTS = {
  barcode: BarcodeQuestion,
  choice: ChoiceQuestion,
  date: DateQuestion,
  drawing: DrawingQuestion,
  file: FileQuestion,
  note: NoteQuestion,
  number: NumberQuestion,
  outline: OutlineQuestion,
  photo: PhotoQuestion,
  point: PointQuestion,
  range: RangeQuestion,
  rank: RankQuestion,
  sound: SoundQuestion,
  text: TextQuestion,
  trigger: TriggerQuestion,
  unsupported: UnsupportedQuestion,
} satisfies Record<string, Component>

const alone = (name: keyof typeof COMPONENTS): ControlChoice => ({ component: COMPONENTS[name], isGroup: false })
const group = (name: keyof typeof COMPONENTS): ControlChoice => ({ component: COMPONENTS[name], isGroup: true })

export function controlFor(node: QuestionNode): ControlChoice {
  switch (node.nodeType) {
    case 'note':
      return group('note')
    case 'select':
      return group(isHeading(node) ? 'note' : 'choice')
    case 'rank':
      return group('rank')
    case 'range':
      return group('range')
    case 'trigger':
      return group('trigger')
    case 'upload':
      return uploadControl(node)
    case 'input':
      return inputControl(valueTypeOf(node))
  }
}

function inputControl(valueType: string): ControlChoice {
  switch (valueType) {
    case 'int':
    case 'decimal':
      return alone('number')
    case 'date':
    case 'time':
    case 'dateTime':
      return alone('date')
    case 'geopoint':
      return group('point')
    case 'geotrace':
    case 'geoshape':
      return group('outline')
    case 'barcode':
      return alone('barcode')
    case 'binary':
    case 'intent':
      return group('unsupported')
    default:
      return alone('text')
  }
}

const DRAWN = ['signature', 'draw', 'annotate']

function uploadControl(node: Extract<QuestionNode, { nodeType: 'upload' }>): ControlChoice {
  if (DRAWN.some((appearance) => looks(node, appearance))) return group('drawing')
  switch (node.nodeOptions.media.type) {
    case 'image':
      return group('photo')
    case 'audio':
      return group('sound')
    default:
      return group('file')
  }
}
