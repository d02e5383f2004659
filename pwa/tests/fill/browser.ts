/**
 * A browser's globals for the form engine under Node: it reads `__dirname` and `require` while it loads, and needs a DOM with XPath.
 * Import this before anything that imports the engine.
 */
import { createRequire } from 'node:module'
import { JSDOM } from 'jsdom'

const taken = [
  'window',
  'document',
  'DOMParser',
  'XMLSerializer',
  'Node',
  'Element',
  'Document',
  'XMLDocument',
  'Attr',
  'Text',
  'Comment',
  'CDATASection',
  'ProcessingInstruction',
  'NodeFilter',
  'NamedNodeMap',
  'HTMLElement',
  'HTMLInputElement',
  'HTMLTextAreaElement',
  'SVGElement',
  'Event',
  'CustomEvent',
  'FileReader',
  'sessionStorage',
] as const

Object.assign(globalThis, { __dirname: import.meta.dirname, require: createRequire(import.meta.url) })

// Tests of components run in vitest's own jsdom, because only there are they compiled for a browser.
if (typeof document === 'undefined') {
  const { window } = new JSDOM('<!doctype html><html lang="vi"><body></body></html>', { url: 'http://localhost/' })
  for (const name of taken) {
    Object.defineProperty(globalThis, name, { value: window[name], configurable: true, writable: true })
  }
  for (const name of ['addEventListener', 'removeEventListener', 'dispatchEvent'] as const) {
    Object.defineProperty(globalThis, name, { value: window[name].bind(window), configurable: true, writable: true })
  }
}
