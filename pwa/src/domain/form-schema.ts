/**
 * A published form as a tree of fields: what can stand in a record's answers, of which type, under which label.
 *
 * Read from the XForm itself, the twin of `server/forms/schema.py`; both read the same binds, body and itext, so that phone and
 * server agree on what is a repeat, what is a list of choices and what is calculated. It evaluates nothing: relevance, constraints and
 * filters are the form engine's business. Throws `FormSchemaError` for a text that is no XForm.
 */

import { readEntities, type EntityDeclaration } from './entities'
import { isOnce } from './once'
import { recordedOf, type Recorded } from './recorded'

export type FieldKind = 'group' | 'repeat' | 'leaf'

export type FieldType =
  | ''
  | 'text'
  | 'note'
  | 'integer'
  | 'decimal'
  | 'date'
  | 'time'
  | 'dateTime'
  | 'geopoint'
  | 'geotrace'
  | 'geoshape'
  | 'select_one'
  | 'select_multiple'
  | 'rank'
  | 'trigger'
  | 'image'
  | 'audio'
  | 'video'
  | 'file'

/** A label's text, or a place in it where the answer at `path` is read out. */
export type LabelPart = string | { readonly path: string }

/** A label by language code; a form without translations has it under the empty code. */
export type Labels = ReadonlyMap<string, readonly LabelPart[]>

export interface Choice {
  readonly value: string
  readonly labels: Labels
}

/** A list of choices that stands outside the form, such as `villages.csv`. */
export interface ExternalList {
  readonly file: string
  readonly valueColumn: string
  readonly labelColumn: string
}

export interface Field {
  readonly name: string
  /** A JSON Pointer from the answers' root, rows of repeats left out: `/household/area`. */
  readonly path: string
  readonly kind: FieldKind
  readonly type: FieldType
  readonly labels: Labels
  /** Advice that a person opens when unsure. */
  readonly guidance: Labels
  readonly choices: readonly Choice[]
  readonly list: ExternalList | null
  /** Computed again on every opening; one that a `once(…)` wraps is not. */
  readonly isCalculated: boolean
  readonly isOnce: boolean
  readonly isRequired: boolean
  readonly isSensitive: boolean
  /** It stands in the form's body, so that a person is asked. */
  readonly isAsked: boolean
  /** Of a date that is asked as a month or a year alone. */
  readonly precision?: 'month-year' | 'year'
  readonly merge: string | null
  /** Its value is the name of a file that the phone makes by itself while the form is filled. */
  readonly recorded?: Recorded
  /** Of a repeat: how many rows a new record begins with. */
  readonly firstRows: number
  readonly children: readonly Field[]
}

export interface FormSchema {
  readonly form: string
  readonly version: string
  readonly title: string
  readonly rootName: string
  /** The default first; `name` is the author's own: `Tiếng Việt (vi)`. */
  readonly languages: readonly Language[]
  readonly fields: readonly Field[]
  readonly byPath: ReadonlyMap<string, Field>
  /** The records of other forms that a record of this one is saved to. */
  readonly entities: readonly EntityDeclaration[]
}

export interface Language {
  readonly code: string
  readonly name: string
}

export class FormSchemaError extends Error {
  override readonly name = 'FormSchemaError'
}

export const XFORMS = 'http://www.w3.org/2002/xforms'
/** Marks the guidance of a hint among the texts by id. */
const GUIDANCE = '#guidance'
const XHTML = 'http://www.w3.org/1999/xhtml'
const JAVAROSA = 'http://openrosa.org/javarosa'

const BIND_TYPES: ReadonlyMap<string, FieldType> = new Map([
  ['int', 'integer'],
  ['integer', 'integer'],
  ['decimal', 'decimal'],
  ['date', 'date'],
  ['time', 'time'],
  ['dateTime', 'dateTime'],
  ['geopoint', 'geopoint'],
  ['geotrace', 'geotrace'],
  ['geoshape', 'geoshape'],
  ['binary', 'file'],
  ['odk:rank', 'rank'],
] satisfies [string, FieldType][])
const CONTROL_TYPES: ReadonlyMap<string, FieldType> = new Map([
  ['select1', 'select_one'],
  ['select', 'select_multiple'],
  ['rank', 'rank'],
  ['trigger', 'trigger'],
] satisfies [string, FieldType][])
const MEDIA_TYPES: ReadonlyMap<string, FieldType> = new Map([
  ['image', 'image'],
  ['audio', 'audio'],
  ['video', 'video'],
] satisfies [string, FieldType][])
const NOT_CONTROLS = new Set(['label', 'hint', 'value', 'itemset', 'output', 'copy', 'setvalue', 'repeat'])

/** The code in a language's name, `vi` of `Tiếng Việt (vi)`; the name itself where it carries none. */
export function languageCode(name: string): string {
  return /\(([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)\)\s*$/u.exec(name)?.[1] ?? name
}

/** The parts of a label in the language `code`, or in the first language that has one. */
export function labelParts(labels: Labels, code: string): readonly LabelPart[] {
  const first = labels.values().next()
  return labels.get(code) ?? (first.done === true ? [] : first.value)
}

/** A question in plain words: without emphasis, and with … where it reads out an answer. */
export function plainLabel(field: Field, code: string): string {
  const parts = labelParts(field.labels, code).map((part) => (typeof part === 'string' ? part : '…'))
  const text = parts.join('').replace(/\*\*|__/gu, '')
  return text.replace(/<[^>]*>/gu, '').trim() || field.name
}

/** Return the schema of `xform`; throw `FormSchemaError` for a text that is no XForm. */
export function parseFormSchema(xform: string): FormSchema {
  const document = new DOMParser().parseFromString(xform, 'text/xml')
  const model = document.getElementsByTagNameNS(XFORMS, 'model')[0]
  if (document.getElementsByTagName('parsererror').length > 0 || model === undefined) {
    throw new FormSchemaError('not an XForm')
  }
  const instances = elements(model, 'instance')
  const root = instances[0]?.firstElementChild
  if (!root) throw new FormSchemaError('no primary instance')
  const body = document.getElementsByTagNameNS(XHTML, 'body')[0]
  const reader = new Reader(model, instances, body, root)
  const fields = reader.fieldsOf(root, '')
  const byPath = new Map<string, Field>()
  const remember = (field: Field): void => {
    byPath.set(field.path, field)
    field.children.forEach(remember)
  }
  fields.forEach(remember)
  return {
    form: root.getAttribute('id') ?? '',
    version: root.getAttribute('version') ?? '',
    title: document.getElementsByTagNameNS(XHTML, 'title')[0]?.textContent ?? '',
    rootName: root.localName,
    languages: reader.languages,
    fields,
    byPath,
    entities: readEntities(reader.binds),
  }
}

function isTemplate(element: Element): boolean {
  return element.hasAttributeNS(JAVAROSA, 'template')
}

/** The rows of a repeat that stand in the form's own instance. */
function rowsBeside(element: Element): number {
  const { parentElement } = element
  return parentElement === null
    ? 0
    : elements(parentElement, element.localName).filter((row) => !isTemplate(row)).length
}

/** From one to the next: a list that follows its document is made anew at each look. */
function* childrenOf(parent: Element): Generator<Element> {
  for (let child = parent.firstElementChild; child !== null; child = child.nextElementSibling) yield child
}

function elements(parent: Element, localName: string): Element[] {
  return [...childrenOf(parent)].filter((element) => element.localName === localName)
}

/** One pass over binds, itext and body; then the instance's tree is read against them. */
class Reader {
  readonly languages: readonly Language[]
  private readonly itext = new Map<string, Map<string, readonly LabelPart[]>>()
  readonly binds = new Map<string, Element>()
  private readonly controls = new Map<string, Element>()
  private readonly repeats = new Set<string>()
  /** Where an action of the model records sound; a row has no beginning and no end to record from and to. */
  private readonly sounds: ReadonlySet<string>
  private readonly secondary = new Map<string, Element>()
  private readonly lists = new Map<Element, readonly Choice[]>()
  private readonly rootPath: string

  constructor(model: Element, instances: readonly Element[], body: Element | undefined, root: Element) {
    this.rootPath = `/${root.localName}`
    this.languages = this.readItext(model)
    for (const bind of elements(model, 'bind')) this.binds.set(this.relative(bind.getAttribute('nodeset')), bind)
    for (const instance of instances.slice(1)) this.secondary.set(instance.getAttribute('id') ?? '', instance)
    for (const element of body?.getElementsByTagName('*') ?? []) {
      const target = element.getAttribute('ref') ?? element.getAttribute('nodeset')
      if (!target?.startsWith(this.rootPath)) continue
      if (element.localName === 'repeat') this.repeats.add(this.relative(target))
      else if (!NOT_CONTROLS.has(element.localName)) this.controls.set(this.relative(target), element)
    }
    const rows = [...this.repeats].map((path) => `${path}/`)
    const recording = elements(model, 'recordaudio').map((action) => this.relative(action.getAttribute('ref')))
    this.sounds = new Set(recording.filter((path) => !rows.some((row) => path.startsWith(row))))
  }

  fieldsOf(parent: Element, path: string): Field[] {
    const fields = new Map<string, Field>()
    for (const element of childrenOf(parent)) {
      const name = element.localName
      if (fields.has(name)) continue
      // A repeat stands twice in the instance, as template and as first row: of the same shape, but only a row has first rows inside.
      const shown = elements(parent, name).find((each) => !isTemplate(each)) ?? element
      fields.set(name, this.field(shown, name, `${path}/${name}`))
    }
    return [...fields.values()]
  }

  private field(element: Element, name: string, path: string): Field {
    const bind = this.binds.get(path)
    const control = this.controls.get(path)
    const isRepeat = this.repeats.has(path)
    const isLeaf = !isRepeat && element.firstElementChild === null && control?.localName !== 'group'
    const calculate = bind?.getAttribute('calculate') ?? null
    const precision = precisionOf(control)
    const recorded = isLeaf && control === undefined ? recordedOf(bind, path, this.sounds) : undefined
    return {
      name,
      path,
      kind: isRepeat ? 'repeat' : isLeaf ? 'leaf' : 'group',
      type: isLeaf ? typeOf(bind, control) : '',
      labels: this.labelsOf(control),
      guidance: this.itext.get(`${this.rootPath}${path}:hint${GUIDANCE}`) ?? new Map(),
      choices: isLeaf && control ? this.choicesOf(control) : [],
      list: isLeaf && control ? this.listOf(control) : null,
      isCalculated: calculate !== null && !isOnce(calculate),
      isOnce: calculate !== null && isOnce(calculate),
      isRequired: (bind?.getAttribute('required') ?? 'false()') !== 'false()',
      isSensitive: /^(?:yes|true|true\(\)|1)$/iu.test(bind?.getAttribute('sensitive')?.trim() ?? ''),
      isAsked: isRepeat || control !== undefined,
      ...(precision !== undefined && { precision }),
      merge: bind?.getAttribute('merge')?.trim() ?? null,
      ...(recorded !== undefined && { recorded }),
      firstRows: isRepeat ? rowsBeside(element) : 0,
      children: isLeaf ? [] : this.fieldsOf(element, path),
    }
  }

  private readItext(model: Element): Language[] {
    const itext = elements(model, 'itext')[0]
    const languages: Language[] = []
    for (const translation of itext ? elements(itext, 'translation') : []) {
      const name = translation.getAttribute('lang') ?? ''
      const language = { code: languageCode(name), name }
      if (translation.hasAttribute('default')) languages.unshift(language)
      else languages.push(language)
      for (const text of elements(translation, 'text')) {
        const id = text.getAttribute('id') ?? ''
        for (const value of elements(text, 'value')) {
          const form = value.getAttribute('form')
          if (form === null) this.remember(id, language.code, value)
          else if (form === 'guidance') this.remember(id + GUIDANCE, language.code, value)
        }
      }
    }
    return languages
  }

  private remember(id: string, language: string, value: Element): void {
    const known = this.itext.get(id) ?? new Map<string, readonly LabelPart[]>()
    known.set(language, this.parts(value))
    this.itext.set(id, known)
  }

  private parts(value: Element): LabelPart[] {
    const parts: LabelPart[] = []
    for (const node of value.childNodes) {
      if (node.nodeType === Node.ELEMENT_NODE) {
        parts.push({ path: this.relative((node as Element).getAttribute('value')) })
      } else if (node.textContent) parts.push(node.textContent)
    }
    return parts
  }

  private labelsOf(owner: Element | undefined): Labels {
    const label = owner && elements(owner, 'label')[0]
    if (!label) return new Map()
    const id = /^jr:itext\('(.+)'\)$/u.exec(label.getAttribute('ref') ?? '')?.[1]
    return id === undefined ? new Map([['', this.parts(label)]]) : (this.itext.get(id) ?? new Map())
  }

  private choicesOf(control: Element): readonly Choice[] {
    const inline = elements(control, 'item')
    if (inline.length > 0) {
      return inline.map((item) => ({
        value: elements(item, 'value')[0]?.textContent ?? '',
        labels: this.labelsOf(item),
      }))
    }
    const itemset = elements(control, 'itemset')[0]
    const instance = itemset && this.secondary.get(instanceOf(itemset))
    if (!instance || instance.hasAttribute('src')) return []
    // One list serves many questions, and a long one is read once.
    const known = this.lists.get(instance) ?? this.readList(itemset, instance)
    this.lists.set(instance, known)
    return known
  }

  private readList(itemset: Element, instance: Element): Choice[] {
    const valueName = elements(itemset, 'value')[0]?.getAttribute('ref') ?? 'name'
    const items = instance.firstElementChild ? elements(instance.firstElementChild, 'item') : []
    return items.map((item) => {
      const cells = new Map([...childrenOf(item)].map((cell) => [cell.localName, cell.textContent]))
      const textId = cells.get('itextId')
      return {
        value: cells.get(valueName) ?? '',
        labels:
          textId === undefined ? new Map([['', [cells.get('label') ?? '']]]) : (this.itext.get(textId) ?? new Map()),
      }
    })
  }

  private listOf(control: Element): ExternalList | null {
    const itemset = elements(control, 'itemset')[0]
    const source = itemset && this.secondary.get(instanceOf(itemset))?.getAttribute('src')
    if (!itemset || !source) return null
    return {
      file: source.replace(/^.*\//u, ''),
      valueColumn: elements(itemset, 'value')[0]?.getAttribute('ref') ?? 'name',
      labelColumn: elements(itemset, 'label')[0]?.getAttribute('ref') ?? 'label',
    }
  }

  /** `/data/household/area`, with spaces round it or not, as `/household/area`. */
  private relative(reference: string | null): string {
    const path = (reference ?? '').trim()
    return path.startsWith(`${this.rootPath}/`) ? path.slice(this.rootPath.length) : path
  }
}

function instanceOf(itemset: Element): string {
  return /^instance\('([^']+)'\)/u.exec(itemset.getAttribute('nodeset') ?? '')?.[1] ?? ''
}

function typeOf(bind: Element | undefined, control: Element | undefined): FieldType {
  const dataType = BIND_TYPES.get(bind?.getAttribute('type') ?? 'string') ?? 'text'
  if (control === undefined) return dataType
  const type = CONTROL_TYPES.get(control.localName)
  if (type !== undefined) return type
  if (control.localName === 'upload') {
    return MEDIA_TYPES.get((control.getAttribute('mediatype') ?? '').split('/')[0] ?? '') ?? 'file'
  }
  const isNote = bind?.getAttribute('readonly') === 'true()' && !bind.hasAttribute('calculate')
  return control.localName === 'input' && dataType === 'text' && isNote ? 'note' : dataType
}

function precisionOf(control: Element | undefined): 'month-year' | 'year' | undefined {
  const words = (control?.getAttribute('appearance') ?? '').split(/\s+/u)
  return (['month-year', 'year'] as const).find((each) => words.includes(each))
}
