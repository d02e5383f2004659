/**
 * Forms, choice lists and areas as the catalog brought them; contents are kept by hash and never change.
 */
import type { AreaDocument, FormDocument } from '@/domain/record'
import { database, type NuongDatabase } from './database'

export const CATALOG = 'catalog'

/** Every form version that the catalog holds, live and retired. */
export async function listForms(store: NuongDatabase = database): Promise<FormDocument[]> {
  return catalog<FormDocument>('form:', store)
}

export async function getForm(form: string, version: string): Promise<FormDocument | undefined> {
  const id = `form:${form}:${version}`
  const row = await database.documents.get([CATALOG, id])
  const body = row === undefined || row.deleted === 1 ? undefined : await database.bodies.get([CATALOG, id, row.rev])
  return body?.content as unknown as FormDocument | undefined
}

export async function listAreas(): Promise<AreaDocument[]> {
  return catalog<AreaDocument>('area:', database)
}

async function catalog<T>(prefix: string, store: NuongDatabase): Promise<T[]> {
  const rows = await store.documents
    .where('[database+id]')
    .between([CATALOG, prefix], [CATALOG, `${prefix}\uffff`])
    .filter(({ deleted }) => deleted === 0)
    .toArray()
  const bodies = await store.bodies.bulkGet(rows.map(({ id, rev }): [string, string, string] => [CATALOG, id, rev]))
  return bodies.flatMap((body) => (body === undefined ? [] : [body.content as unknown as T]))
}

/** The text behind a hash (an XForm, a list); undefined while it has not been fetched. */
export async function getContent(sha256: string): Promise<string | undefined> {
  return (await database.contents.get(sha256))?.text
}

/** The picture, sound or film behind a hash; undefined while it has not been fetched. */
export async function getLabelFile(sha256: string): Promise<Blob | undefined> {
  return (await database.contents.get(sha256))?.blob
}

/** Hashes that the forms of the carried projects name and this phone has not fetched yet. */
export async function missingContents(store: NuongDatabase = database): Promise<string[]> {
  const [forms, servers] = await Promise.all([listForms(store), store.servers.toArray()])
  // A scope is called `<project>-<unit>`. The server gives the contents of other projects to nobody outside them.
  const projects = new Set(servers.flatMap(({ carry }) => carry).map((scope) => scope.split('-')[0]))
  const wanted = new Set<string>()
  for (const form of forms) {
    if (!projects.has(form.project)) continue
    wanted.add(form.xform)
    for (const sha256 of [...Object.values(form.lists), ...Object.values(form.media ?? {})]) wanted.add(sha256)
  }
  const have = new Set(await store.contents.toCollection().primaryKeys())
  return [...wanted].filter((sha256) => !have.has(sha256))
}
