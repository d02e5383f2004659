/** The app's words are compiled when it is built, so that no phone loads a compiler for them. */
import { baseCompile } from '@intlify/message-compiler'
import type { Plugin } from 'vite'

export type Messages = { [key: string]: string | object }

/** The same words, those with places for numbers and names as vue-i18n reads them compiled; throws where one has a fault. */
export function compiled(messages: Messages): Messages {
  return Object.fromEntries(
    Object.entries(messages).map(([key, told]) => [
      key,
      typeof told === 'string' ? compiledMessage(told) : compiled(told as Messages),
    ]),
  )
}

function compiledMessage(text: string): string | object {
  const fail = (error: Error): never => {
    throw new Error(`${error.message}: ${text}`)
  }
  const { ast } = baseCompile(text, { jit: true, minify: true, location: false, onError: fail })
  return (ast as { b?: { s?: string } }).b?.s === text ? text : ast
}

/** In a build alone: while coding and in tests, words are compiled as they are first said. */
export function compiledMessages(): Plugin {
  return {
    name: 'compiled-messages',
    apply: 'build',
    enforce: 'pre',
    config: () => ({ define: { __INTLIFY_DROP_MESSAGE_COMPILER__: 'true' } }),
    transform(text, id) {
      if (!/\/src\/locales\/\w+\/\w+\.json$/u.test(id)) return undefined
      return { code: JSON.stringify(compiled(JSON.parse(text) as Messages)), map: null }
    },
  }
}
