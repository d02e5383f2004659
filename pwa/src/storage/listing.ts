/** What lists show of a document, taken out of its content once, when it arrives. */
import { folded } from '@/domain/folding'
import type { JsonObject } from '@/domain/record'
import type { ServerDocument } from './database'

export function listed(
  database: string,
  revision: { id: string; rev: string; deleted: 0 | 1 },
  content: JsonObject,
): Omit<ServerDocument, 'past'> {
  const title = text(at(at(content['answers'], 'meta'), 'instanceName'))
  return {
    database,
    ...revision,
    type: text(content['type']),
    form: text(content['form']),
    version: text(content['form_version']),
    title,
    folded: folded(title),
    by: text(at(content['saved'], 'by')),
    savedAt: text(at(content['saved'], 'at')),
    about: content['type'] === 'record' ? '' : text(content['record']),
    open: openOf(content).length,
  }
}

/** The fields that a person must settle, as a record says it, or the document beside it that names them (`open.ts`). */
export function openOf(content: JsonObject): string[] {
  const { paths } = content
  if (content['type'] === 'open') return Array.isArray(paths) ? paths.filter((each) => typeof each === 'string') : []
  const open = content['open']
  return typeof open === 'object' && open !== null && !Array.isArray(open) ? Object.keys(open) : []
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)[key]
    : undefined
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
