/**
 * What a finished record saves to records of other forms: ODK's entities, each a record of a published form.
 *
 * The form says it all (`server/forms/entity_marks.py` reads the same marks): which form and version, where each answer goes, and in
 * answers of its own whether a record is made (`create`) or changed (`update`), under which `id`. A correction saves only what it changed.
 */
import { isObject } from './answers'
import { canonical } from './canonical'
import type { FormSchema } from './form-schema'
import { MEDIA_TYPES } from './mentioned-media'
import { stepsOf, valueAt } from './pointers'
import type { Answers, Json, JsonObject } from './record'

const HOLDER = '/meta/entity'
/** How a calculation says yes. */
const YES: ReadonlySet<Json> = new Set(['1', 'true'])

export interface EntityDeclaration {
  /** The group whose answers say what is done; there is one for each row of a repeat around it. */
  readonly path: string
  readonly form: string
  readonly version: string
  readonly project: string
  /** Where the name of such a record stands in its answers. */
  readonly label: string | null
  readonly saves: readonly { readonly from: string; readonly to: string }[]
}

export type EntitySave = {
  readonly form: string
  readonly version: string
  readonly project: string
  readonly id: string
  readonly isMade: boolean
  readonly isChanged: boolean
  readonly title: string
  /** By their pointers there. */
  readonly values: ReadonlyMap<string, Json>
  /** Those of the values that name files. */
  readonly files: readonly string[]
}

/** Return what the binds say, which come by their pointer in the answers. */
export function readEntities(binds: ReadonlyMap<string, Element>): EntityDeclaration[] {
  const holders = [...binds].filter(([, bind]) => bind.hasAttribute('entity_form')).map(([path]) => path)
  const saves = new Map(holders.map((path): [string, { from: string; to: string }[]] => [path, []]))
  for (const [from, bind] of binds) {
    const to = bind.getAttribute('saves_to')
    const around = holders.filter((holder) => from.startsWith(`${containerOf(holder)}/`))
    const nearest = around.reduce((found, each) => (each.length > found.length ? each : found), '')
    if (to !== null) saves.get(nearest)?.push({ from, to })
  }
  return holders.map((path) => {
    const said = (name: string): string | null => binds.get(path)?.getAttribute(name) ?? null
    return {
      path,
      form: said('entity_form') ?? '',
      version: said('entity_version') ?? '',
      project: said('entity_project') ?? '',
      label: said('entity_label'),
      saves: saves.get(path) ?? [],
    }
  })
}

/** Return what these answers save, less what the answers `before` them saved as well. */
export function entitySaves(schema: FormSchema, answers: Answers, before: Answers | null): EntitySave[] {
  const earlier = before === null ? [] : allSaves(schema, before)
  return allSaves(schema, answers).flatMap((save): EntitySave[] => {
    const known = earlier.filter(({ id, form }) => id === save.id && form === save.form)
    if (known.length === 0) return [save]
    const isNews = ([to, value]: [string, Json]): boolean =>
      !known.some(({ values }) => values.has(to) && canonical(values.get(to) ?? null) === canonical(value))
    const values = new Map([...save.values].filter(isNews))
    return values.size === 0 ? [] : [{ ...save, values }]
  })
}

/** Return the answers of a record with these values in them. */
export function withSaved(answers: Answers, values: ReadonlyMap<string, Json>): Answers {
  let saved: JsonObject = answers
  for (const [pointer, value] of values) saved = withValue(saved, stepsOf(pointer), value)
  return saved
}

function withValue(within: JsonObject, [name = '', ...deeper]: string[], value: Json): JsonObject {
  if (deeper.length === 0) return { ...within, [name]: value }
  const inner = within[name]
  return { ...within, [name]: withValue(isObject(inner) ? inner : {}, deeper, value) }
}

function allSaves(schema: FormSchema, answers: Answers): EntitySave[] {
  return schema.entities.flatMap((entity) =>
    rowsAt(schema, answers, containerOf(entity.path)).flatMap((row) => saveOf(schema, entity, row)),
  )
}

function saveOf(schema: FormSchema, entity: EntityDeclaration, row: JsonObject): EntitySave[] {
  const said = (name: string): Json => valueAt(row, `${HOLDER}/${name}`).value
  const [id, label] = [said('id'), said('label')]
  const [isMade, isChanged] = [YES.has(said('create')), YES.has(said('update'))]
  if (!isMade && !isChanged) return []
  const title = typeof label === 'string' ? label : ''
  const values = new Map<string, Json>(entity.label === null || title === '' ? [] : [[entity.label, title]])
  const files: string[] = []
  for (const { from, to } of entity.saves) {
    const { value, is_absent } = valueAt(row, from.slice(containerOf(entity.path).length))
    // What is not relevant here says nothing about the other record.
    if (is_absent) continue
    values.set(to, value)
    if (MEDIA_TYPES.has(schema.byPath.get(from)?.type ?? '') && typeof value === 'string') files.push(value)
  }
  // A row that nobody filled is nothing to make a record of.
  if (!isChanged && title === '' && [...values.values()].every((value) => value === null)) return []
  const { form, version, project } = entity
  return [
    { form, version, project, id: typeof id === 'string' ? id.trim() : '', isMade, isChanged, title, values, files },
  ]
}

/** The objects that stand at a path, one for each row of the repeats on the way; none where it is not relevant. */
function rowsAt(schema: FormSchema, answers: Answers, path: string): JsonObject[] {
  let rows: JsonObject[] = [answers]
  let at = ''
  for (const name of stepsOf(path)) {
    at += `/${name}`
    const isRepeat = schema.byPath.get(at)?.kind === 'repeat'
    rows = rows.flatMap((row) => {
      const inner = row[name]
      if (isRepeat) return Array.isArray(inner) ? inner.filter(isObject) : []
      return isObject(inner) ? [inner] : []
    })
  }
  return rows
}

function containerOf(holder: string): string {
  return holder.slice(0, -HOLDER.length)
}
