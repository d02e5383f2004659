/** OpenAPI (JSON) on standard input becomes TypeScript on standard output: the schemas of bodies, as `Schemas`. */
import openapiTS, { astToString } from 'openapi-typescript'
import { factory } from 'typescript'

const reference = (name) => factory.createTypeReferenceNode(name)

/** The app's own words for what the server calls by a title or leaves open. */
const NAMED = { Document: 'Document', Answers: 'Answers' }

const NOTES = new Set(['default', 'description', 'title'])

/** Whether anything fits: no schema at all, `true`, or nothing in it but notes. */
const isOpen = (schema) =>
  schema === true || (typeof schema === 'object' && Object.keys(schema).every((key) => NOTES.has(key)))

const chunks = []
for await (const chunk of process.stdin) chunks.push(chunk)
const openapi = JSON.parse(Buffer.concat(chunks).toString('utf8'))

const nodes = await openapiTS(
  { ...openapi, paths: {} },
  {
    // A member with a default may be left out of what is sent; the server fills it in.
    defaultNonNullable: false,
    transform(schema) {
      if (schema.title in NAMED) return reference(NAMED[schema.title])
      if (isOpen(schema)) return reference('Json')
      if (schema.type !== 'object' || schema.properties !== undefined) return undefined
      return isOpen(schema.additionalProperties) ? reference('JsonObject') : undefined
    },
  },
)
const body = astToString(nodes.filter((node) => node.name?.text === 'components'))
process.stdout.write(
  `import type { Answers, Document, Json, JsonObject } from '@/domain/record'\n\n${body}\nexport type Schemas = components['schemas']\n`,
)
