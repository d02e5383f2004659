/** What the form engine reads under Node while it loads. Import this before anything that imports the engine, in jsdom: it needs a DOM with XPath. */
import { createRequire } from 'node:module'

Object.assign(globalThis, { __dirname: import.meta.dirname, require: createRequire(import.meta.url) })

if (typeof document === 'undefined')
  throw new Error('write in the first line of this file: // @vitest-environment jsdom')
