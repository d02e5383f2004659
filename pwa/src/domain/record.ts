/**
 * What travels: documents as the server and the phone exchange them. Content holds strings, null, true, arrays and
 * objects only, never a number, so that every side computes the same revision id from it.
 */
export type Json = string | boolean | null | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/** A form's answers under the form's own names: absent means not relevant, null means blank. */
export type Answers = JsonObject

/** A file that answers name; `bytes` is a decimal string, as documents hold no numbers. */
export type MediaRef = { sha256: string; bytes: string; type: string }
export type Media = { [name: string]: MediaRef }

/**
 * Who saved a revision, on which enrolment, as which of its saves; `at` is device time: shown, never used to decide. `from` is the record
 * that saved it, where a person did not do so themselves.
 */
export type Saved = {
  by: string
  number: string
  at: string
  from?: { record: string; form: string; form_version: string }
}

/** The content of a record: everything but `_id`, `_rev` and `_deleted`. */
export type RecordContent = {
  type: 'record'
  form: string
  form_version: string
  answers: Answers
  media: Media
  of?: string
  saved: Saved
}

export type Document = { _id: string; _rev: string; _deleted?: true } & JsonObject

/** A catalog document that makes a form known: where its XForm and its lists are, by hash. */
export type FormDocument = {
  type: 'form'
  form: string
  version: string
  project: string
  title: Record<string, string>
  languages: string[]
  status: 'live' | 'retired'
  xform: string
  lists: Record<string, string>
  /** What its labels show, by name; absent where that is nothing. */
  media?: Record<string, string>
  points?: string[]
}

/** A catalog document that names an area's unit. */
export type AreaDocument = { type: 'area'; unit: string; code: string; name: string; kind: string }

/** A supervisor's decision about one exact revision of a record; comments are pinned to answers by JSON Pointer. */
export type ReviewDocument = {
  type: 'review'
  record: string
  rev: string
  decision: 'approved' | 'returned' | 'rejected'
  comment: string
  comments: Record<string, string>
  by: string
  by_name: string
  at: string
  follows: string[]
}

/** The project and the unit of a scope's name, `agri-03226-2025`; the catalog has neither. */
export function partsOfScope(database: string): { project: string; unit: string } | null {
  const dash = database.indexOf('-')
  return dash < 1 ? null : { project: database.slice(0, dash), unit: database.slice(dash + 1) }
}
