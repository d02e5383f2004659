/**
 * A record's answers: the same facts as XML for the form engine and as JSON for documents, converted without loss.
 *
 * The twin of `server/forms/answers/record_answers.py`, proved against it by `tests/vectors/answers.json`. JSON keeps lexical strings
 * exactly as they were entered. An absent key means *not relevant*, null means *blank*; choices of several and ranks are arrays, repeats
 * are arrays of objects whatever their number. What the form does not know is carried under `$extra` of the object that it stood in, as
 * `{name: [node, …]}`, where a node is null, a string, or an object of the same kind with `@attribute` and `$text` beside its children.
 */

import type { Answers, Json, JsonObject } from './record'
import { XFORMS, type Field, type FormSchema } from './form-schema'

export const EXTRA = '$extra'
export const ROW_ID = '_rid'
const TEXT = '$text'
const NODE_NAME = /^(?:\{[^{}\s]*\})?[\p{L}_][\p{L}\p{N}_.-]*$/u
const NOT_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u
/** Anything but the four characters that XML counts as white space. */
const NOT_BLANK = /[^ \t\n\r]/u
const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'
const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/'

/** These answers cannot be converted without losing something; `path` points at the place. */
export class AnswersUnreadable extends Error {
  override readonly name = 'AnswersUnreadable'

  constructor(
    readonly code: 'malformed' | 'shape' | 'text_in_group' | 'nodes_in_answer' | 'unknown' | 'name' | 'characters',
    readonly path: string,
  ) {
    super(`${code} at ${path === '' ? '/' : path}`)
  }
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Return the answers of an instance; throw `AnswersUnreadable` where its XML holds what JSON cannot carry. */
export function toAnswers(schema: FormSchema, xml: string): Answers {
  const document = new DOMParser().parseFromString(xml, 'text/xml')
  if (document.getElementsByTagName('parsererror').length > 0 || document.doctype !== null) {
    throw new AnswersUnreadable('malformed', '')
  }
  return readObject(schema.fields, document.documentElement, '')
}

/** Return the instance that the form engine restores; throw `AnswersUnreadable` where answers don't fit. */
export function toXml(schema: FormSchema, answers: Answers): string {
  const attributes = [
    ...(schema.form === '' ? [] : [` id="${escapeAttribute(schema.form)}"`]),
    ...(schema.version === '' ? [] : [` version="${escapeAttribute(schema.version)}"`]),
  ].join('')
  return element(schema.rootName, attributes, writeObject(schema.fields, answers, ''))
}

function readObject(fields: readonly Field[], parent: Element, path: string): Answers {
  const byName = new Map(fields.map((field) => [field.name, field]))
  const answers: Answers = {}
  const extra: { [name: string]: Json[] } = {}
  for (const node of parent.childNodes) {
    if (node instanceof Text && NOT_BLANK.test(node.data)) throw new AnswersUnreadable('text_in_group', path)
  }
  for (const child of parent.children) {
    const name = nameOf(child, path)
    const field = byName.get(name)
    const where = `${path}/${name}`
    if (field === undefined || (field.kind !== 'repeat' && Object.hasOwn(answers, name))) {
      ;(extra[name] ??= []).push(readExtra(child, path))
    } else if (field.kind === 'repeat') {
      const rows = (answers[name] ??= []) as Json[]
      rows.push(readObject(field.children, child, where))
    } else {
      answers[name] = field.kind === 'group' ? readObject(field.children, child, where) : readLeaf(field, child, where)
    }
  }
  if (Object.keys(extra).length > 0) answers[EXTRA] = extra
  return answers
}

function readLeaf(field: Field, leaf: Element, path: string): Json {
  if (leaf.children.length > 0) throw new AnswersUnreadable('nodes_in_answer', path)
  const text = leaf.textContent
  if (text === '') return null
  // Split at single spaces only, so that odd spacing is kept and not repaired.
  return field.type === 'select_multiple' || field.type === 'rank' ? text.split(' ') : text
}

function readExtra(node: Element, path: string): Json {
  const attributes = [...node.attributes].filter((attribute) => attribute.namespaceURI !== XMLNS_NAMESPACE)
  if (node.children.length === 0 && attributes.length === 0) return node.textContent === '' ? null : node.textContent
  const extra: JsonObject = {}
  for (const { namespaceURI, localName, value } of attributes) {
    extra[`@${namespaceURI === null ? localName : `{${namespaceURI}}${localName}`}`] = value
  }
  for (const child of node.children) {
    const nodes = (extra[nameOf(child, path)] ??= []) as Json[]
    nodes.push(readExtra(child, path))
  }
  const text = [...node.childNodes].map((each) => (each instanceof Text ? each.data : '')).join('')
  if (NOT_BLANK.test(text) || (text !== '' && node.children.length === 0)) extra[TEXT] = text
  return extra
}

function nameOf(node: Element, path: string): string {
  // A key of that name would set an object's prototype instead of an answer.
  if (node.localName === '__proto__') throw new AnswersUnreadable('name', path)
  // The form's own namespace and none mean the same: the engine writes instances without one.
  return node.namespaceURI === null || node.namespaceURI === XFORMS
    ? node.localName
    : `{${node.namespaceURI}}${node.localName}`
}

function writeObject(fields: readonly Field[], answers: Answers, path: string): string {
  const names = new Set([EXTRA, ...fields.map((field) => field.name)])
  const unknown = Object.keys(answers).find((key) => !names.has(key))
  if (unknown !== undefined) throw new AnswersUnreadable('unknown', `${path}/${pointerToken(unknown)}`)
  const inner = fields.map((field) => {
    if (!Object.hasOwn(answers, field.name)) return ''
    const answer = answers[field.name] ?? null
    const where = `${path}/${field.name}`
    if (field.kind === 'leaf') return element(field.name, '', escapeText(leafText(answer, where), where))
    if (field.kind === 'group')
      return element(field.name, '', writeObject(field.children, object(answer, where), where))
    return list(answer, where)
      .map((row) => element(field.name, '', writeObject(field.children, object(row, where), where)))
      .join('')
  })
  const extra = answers[EXTRA]
  if (extra !== undefined) inner.push(writeExtras(object(extra, path), `${path}/${EXTRA}`, ''))
  return inner.join('')
}

function leafText(answer: Json, path: string): string {
  if (answer === null) return ''
  if (typeof answer === 'string') return answer
  return list(answer, path)
    .map((entry) => text(entry, path))
    .join(' ')
}

function writeExtras(extras: JsonObject, path: string, namespace: string): string {
  return Object.entries(extras)
    .flatMap(([name, nodes]) => list(nodes, path).map((node) => writeExtra(name, node, path, namespace)))
    .join('')
}

function writeExtra(name: string, node: Json, path: string, outerNamespace: string): string {
  const { namespace, local } = qualified(name, path)
  const parts: JsonObject = isObject(node) ? node : { [TEXT]: node }
  const attributes = [namespace === outerNamespace ? '' : ` xmlns="${escapeAttribute(namespace)}"`]
  const children: JsonObject = {}
  for (const [key, value] of Object.entries(parts)) {
    if (key.startsWith('@')) attributes.push(writeAttribute(key.slice(1), text(value, path), path, attributes.length))
    else if (!key.startsWith('$')) children[key] = value
  }
  const own = parts[TEXT] ?? null
  const inner = (own === null ? '' : escapeText(text(own, path), path)) + writeExtras(children, path, namespace)
  return element(local, attributes.join(''), inner)
}

function writeAttribute(name: string, value: string, path: string, index: number): string {
  const { namespace, local } = qualified(name, path)
  if (NOT_XML.test(value)) throw new AnswersUnreadable('characters', path)
  const quoted = `"${escapeAttribute(value)}"`
  if (namespace === '') return ` ${local}=${quoted}`
  if (namespace === XML_NAMESPACE) return ` xml:${local}=${quoted}`
  const prefix = `n${String(index)}`
  return ` xmlns:${prefix}="${escapeAttribute(namespace)}" ${prefix}:${local}=${quoted}`
}

function qualified(name: string, path: string): { readonly namespace: string; readonly local: string } {
  if (!NODE_NAME.test(name)) throw new AnswersUnreadable('name', path)
  const match = /^\{(.*)\}(.*)$/u.exec(name)
  return { namespace: match?.[1] ?? '', local: match?.[2] ?? name }
}

function element(name: string, attributes: string, inner: string): string {
  return inner === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${inner}</${name}>`
}

function escapeText(value: string, path: string): string {
  if (NOT_XML.test(value)) throw new AnswersUnreadable('characters', path)
  // A bare carriage return would be read back as a line feed.
  return value.replace(/&/gu, '&amp;').replace(/</gu, '&lt;').replace(/>/gu, '&gt;').replace(/\r/gu, '&#13;')
}

function escapeAttribute(value: string): string {
  return value
    .replace(/&/gu, '&amp;')
    .replace(/</gu, '&lt;')
    .replace(/"/gu, '&quot;')
    .replace(/[\t\n\r]/gu, (character) => `&#${String(character.charCodeAt(0))};`)
}

function object(value: Json, path: string): JsonObject {
  if (!isObject(value)) throw new AnswersUnreadable('shape', path)
  return value
}

function list(value: Json, path: string): Json[] {
  if (!Array.isArray(value)) throw new AnswersUnreadable('shape', path)
  return value
}

function text(value: Json, path: string): string {
  if (typeof value !== 'string') throw new AnswersUnreadable('shape', path)
  return value
}

/** `key` escaped for a JSON Pointer (RFC 6901). */
export function pointerToken(key: string): string {
  return key.replace(/~/gu, '~0').replace(/\//gu, '~1')
}
