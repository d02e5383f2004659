/**
 * A form version's XForm and lists: from the phone's store, and for a desk that carries no forms from the server.
 *
 * Contents are named by their hash and never change, so that a version once read is remembered.
 */
import { getContent, getForm, getLabelFile } from '@/storage/catalog'
import { parseFormSchema, type ExternalList, type FormSchema } from '@/domain/form-schema'

export type FormContents = {
  readonly form: string
  readonly version: string
  /** By language; empty where only the XForm is known. */
  readonly titles: Readonly<Record<string, string>>
  readonly xform: string
  /** A list's text; undefined where this phone does not have it. */
  readonly list: (file: string) => Promise<string | undefined>
  /** A picture, sound or film that a label shows; undefined where it is not here. */
  readonly labelFile?: (file: string) => Promise<Blob | undefined>
}

/** Reads a text over the network; null for a screen that must do without. */
export type Download = ((path: string) => Promise<string>) | null

/** The contents of a form version; null where the phone does not have it and it cannot be downloaded. */
export async function formContents(
  form: string,
  version: string,
  download: Download = null,
): Promise<FormContents | null> {
  const document = await getForm(form, version)
  const local = document === undefined ? undefined : await getContent(document.xform)
  const list = async (file: string): Promise<string | undefined> => {
    const sha256 = document?.lists[file]
    if (sha256 === undefined) return undefined
    return (await getContent(sha256)) ?? (await attempted(download, `/api/contents/${sha256}`))
  }
  const labelFile = async (file: string): Promise<Blob | undefined> => {
    const sha256 = document?.media?.[file]
    return sha256 === undefined ? undefined : getLabelFile(sha256)
  }
  const address = `/api/forms/${encodeURIComponent(form)}/${encodeURIComponent(version)}/xform`
  const xform = local ?? (await attempted(download, address))
  return xform === undefined ? null : { form, version, titles: document?.title ?? {}, xform, list, labelFile }
}

async function attempted(download: Download, path: string): Promise<string | undefined> {
  if (download === null) return undefined
  try {
    return await download(path)
  } catch {
    return undefined
  }
}

const schemas = new Map<string, FormSchema>()

/** The schema of an XForm, parsed once; throws `FormSchemaError`. */
export function schemaOf({ xform }: FormContents): FormSchema {
  const known = schemas.get(xform) ?? parseFormSchema(xform)
  schemas.set(xform, known)
  return known
}

/** The labels of a list outside the form by their values; empty where the list is not here. */
export async function listLabels(contents: FormContents, list: ExternalList): Promise<ReadonlyMap<string, string>> {
  const text = await contents.list(list.file)
  if (text !== undefined && list.file.endsWith('.geojson')) return featureLabels(text, list)
  const [header, ...rows] = text === undefined ? [] : csvRows(text)
  const value = header?.indexOf(list.valueColumn) ?? -1
  const label = header?.indexOf(list.labelColumn) ?? -1
  if (value < 0 || label < 0) return new Map()
  return new Map(rows.map((row) => [row[value] ?? '', row[label] ?? '']))
}

/** The server publishes only features that have these, the value as text or number. */
function featureLabels(text: string, list: ExternalList): ReadonlyMap<string, string> {
  type Value = string | number | boolean | null
  type Feature = { readonly id?: string | number; readonly properties?: Readonly<Record<string, Value>> | null }
  const { features } = JSON.parse(text) as { readonly features: readonly Feature[] }
  const valueOf = (feature: Feature, name: string): string =>
    String((name === 'id' ? feature.id : undefined) ?? feature.properties?.[name] ?? '')
  return new Map(features.map((each) => [valueOf(each, list.valueColumn), valueOf(each, list.labelColumn)]))
}

/** RFC 4180: quoted cells may hold commas, quotes and line ends. */
export function csvRows(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let cell = ''
  let isQuoted = false
  const source = text.replace(/^\uFEFF/u, '')
  for (let index = 0; index < source.length; index += 1) {
    const character = source.charAt(index)
    if (isQuoted) {
      if (character !== '"') cell += character
      else if (source.charAt(index + 1) === '"') {
        cell += '"'
        index += 1
      } else isQuoted = false
    } else if (character === '"' && cell === '') isQuoted = true
    else if (character === ',') {
      row.push(cell)
      cell = ''
    } else if (character === '\n' || character === '\r') {
      if (character === '\r' && source.charAt(index + 1) === '\n') index += 1
      rows.push([...row, cell])
      row = []
      cell = ''
    } else cell += character
  }
  if (cell !== '' || row.length > 0) rows.push([...row, cell])
  return rows.filter((each) => each.some((value) => value !== ''))
}
