/**
 * What a form asks the phone to record by itself while it is filled: a log of what was done when (ODK's `audit`), and sound.
 *
 * Such a field stands in no screen. Its answer is the name of a file, which the phone makes; merging, comparisons and the people at the
 * desk pass it over. The twin of `recorded` in `server/forms/schema.py`.
 */
import type { Field, FormSchema } from './form-schema'
import { isObject } from './answers'
import type { Answers, Json, Media } from './record'

export type LogOptions = {
  /** Where the phone was at each event; null where the form asks for no places. */
  readonly places: { readonly isExact: boolean; readonly interval_s: number; readonly maxAge_s: number } | null
  /** What each answer was before and after. */
  readonly hasChanges: boolean
  readonly hasUser: boolean
}

export type Recorded = { readonly kind: 'log'; readonly options: LogOptions } | { readonly kind: 'sound' }

export type RecordedField<K extends Recorded['kind']> = Field & { readonly recorded: Recorded & { readonly kind: K } }

const ODK = 'http://www.opendatakit.org/xforms'
const LOG = '/meta/audit'

/** What a hidden field's bind says; `sounds` are the paths for which the model has an action that records. */
export function recordedOf(bind: Element | undefined, path: string, sounds: ReadonlySet<string>): Recorded | undefined {
  if (bind?.getAttribute('type') !== 'binary') return undefined
  if (path === LOG) return { kind: 'log', options: logOptions(bind) }
  return sounds.has(path) ? { kind: 'sound' } : undefined
}

function logOptions(bind: Element): LogOptions {
  const seconds = (name: string): number => Number(bind.getAttributeNS(ODK, name) ?? '') || 0
  const priority = bind.getAttributeNS(ODK, 'location-priority')
  return {
    // `no-power` takes what other apps have asked for, which no browser tells.
    places:
      priority === null || priority === 'no-power'
        ? null
        : {
            isExact: priority === 'high-accuracy',
            interval_s: seconds('location-min-interval'),
            maxAge_s: seconds('location-max-age'),
          },
    hasChanges: bind.getAttributeNS(ODK, 'track-changes') === 'true',
    hasUser: bind.getAttributeNS(ODK, 'identify-user') === 'true',
  }
}

/** The field that a form has of this kind, the first if it has several. */
export function recordedField<K extends Recorded['kind']>(schema: FormSchema, kind: K): RecordedField<K> | undefined {
  return [...schema.byPath.values()].find((field): field is RecordedField<K> => field.recorded?.kind === kind)
}

/** Why a record has no sound, as its answer says. */
export type NoSound = 'declined' | 'not_asked' | 'no_microphone' | 'nothing_recorded'

/** What the files of one answer share, up to the first dot. */
export function fileStem(name: string): string {
  return name.split('.', 1)[0] ?? ''
}

/** `talk-1.webm`, `talk-1.2.webm`: the sound of a form that was opened again is a further file. */
export function soundPartName(first: string, index: number): string {
  return index === 0 ? first : first.replace('.', `.${String(index + 1)}.`)
}

/** The answers with a field's value; unchanged where the group around it is not relevant. */
export function withRecorded(answers: Answers, field: Field, value: string): Answers {
  return put(answers, field.path.split('/').slice(1), value)
}

function put(answers: Answers, [name = '', ...inner]: readonly string[], value: string): Answers {
  if (inner.length === 0) return { ...answers, [name]: value }
  const group = answers[name]
  return isObject(group) ? { ...answers, [name]: put(group, inner, value) } : answers
}

/** What people said, without the log: two phones never log the same. */
export function withoutLog(answers: Json | undefined, media: Json | undefined): readonly [Json, Json] {
  const meta = isObject(answers) ? answers['meta'] : undefined
  const log = isObject(meta) ? meta['audit'] : undefined
  if (!isObject(answers) || !isObject(meta) || typeof log !== 'string') return [answers ?? null, media ?? null]
  const files = isObject(media) ? media : {}
  return [{ ...answers, meta: { ...meta, audit: null } }, without(files as Media, log)]
}

function without(media: Media, name: string): Media {
  return Object.fromEntries(Object.entries(media).filter(([each]) => each !== name))
}
