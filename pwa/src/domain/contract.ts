// Made by `make api-types` from `sync/contract`: do not edit.

/** Members of one revision that only servers and desks write: a correction leaves them out. */
export const SERVERS_PARTS: ReadonlySet<string> = new Set([
  'merged',
  'open',
  'resolved',
  'forwarded',
  'decided',
  'undoes',
  'comment',
])

/** The outcomes of what a server has for good. */
export const STORED: ReadonlySet<string> = new Set(['duplicate', 'stored'])

/** Why the server keeps something aside until a person has looked. */
export const REASONS = [
  'attachments',
  'rights_lost',
  'saved_from_elsewhere',
  'not_a_record',
  'foreign_save',
  'servers_only',
  'unknown_member',
  'unknown_form',
  'misfit_answers',
  'known_id_other_content',
  'parent_quarantined',
  'forged_generation',
  'too_many_leaves',
] as const
