/** What may be shown of a document that nobody has checked: parts that have not even a record's shape are left out, not believed. */
import { isObject } from './answers'
import type { Answers, Json, Media, MediaRef } from './record'

/** Return the answers, none where there is no group of them; single answers are shown as they came. */
export function readableAnswers(answers: Json | undefined): Answers {
  return isObject(answers) ? answers : {}
}

/** Return the files that are described in full; any other cannot be asked for. */
export function readableMedia(media: Json | undefined): Media {
  if (!isObject(media)) return {}
  return Object.fromEntries(Object.entries(media).flatMap(([name, file]) => (isDescribed(file) ? [[name, file]] : [])))
}

function isDescribed(file: Json): file is MediaRef {
  return isObject(file) && ['sha256', 'bytes', 'type'].every((name) => typeof file[name] === 'string')
}
