/** What tests of a conflict arrange: its page, its sides, and a desk whose server answers as it is told. */
import { effectScope } from 'vue'
import { vi } from 'vitest'

import { ApiClient } from '@/api/client'
import type { Candidate, ConflictPage, Elsewhere, Question } from '@/features/conflicts/api/conflicts'
import { useConflict, type Conflict } from '@/features/conflicts/composables/useConflict'

const tokens = { access: () => Promise.resolve('t'), renew: () => Promise.resolve(false) }

export function candidate(rev: string, value: string, more: Partial<Candidate> = {}): Candidate {
  return {
    rev,
    value: { value, is_absent: false },
    is_decision: false,
    is_deleted: false,
    is_after_approval: false,
    is_parent_unknown: false,
    by_person: `person-${rev}`,
    by_name: rev,
    device: '',
    recorded_at: '',
    received_at: '2026-11-21T08:00:00Z',
    changed: [],
    ...more,
  }
}

export function question(path: string, more: Partial<Question> = {}): Question {
  return {
    path,
    kind: 'value',
    label: { vi: path },
    row: null,
    parents: [],
    type: 'decimal',
    choices: [],
    list_file: null,
    base: { value: '1.0', is_absent: false },
    candidates: [candidate('3-b', '0.8'), candidate('2-a', '1.2')],
    proposal: { rev: null, value: { value: null, is_absent: true }, why: 'stands' },
    geometry: null,
    broken: {},
    asked: [],
    kept: null,
    may: ['candidate', 'value'],
    ...more,
  }
}

export function page(rev: string, questions: Question[]): ConflictPage {
  return {
    database: 'agri-1',
    record: 'r',
    rev,
    leaves: [rev],
    form: 'f',
    form_version: '1',
    form_title: {},
    title: 'Hộ ông Páo',
    project: 'agri',
    unit: '1',
    unit_name: 'Sín Chải',
    languages: ['vi'],
    waiting: null,
    may_decide: true,
    doc: { _id: 'r', _rev: rev },
    questions,
    merged: [],
    history: [],
    decisions: [],
    claims: [],
    elsewhere: [],
    media: {},
  }
}

export function place(database: string, mayDecide: boolean): Elsewhere {
  return {
    database,
    unit: database,
    unit_name: database,
    project: 'agri',
    rev: '3-e',
    leaves: ['3-e', '2-e'],
    title: '',
    by_name: '',
    received_at: '2026-11-21T08:00:00Z',
    doc: { _id: 'r', _rev: '3-e' },
    changed: [],
    may_decide: mayDecide,
  }
}

export type Asked = { path: string; json: unknown }

/** A desk whose server gives these answers to all but claims. */
export function desk(...answers: unknown[]): { conflict: Conflict; asked: Asked[]; leave: () => void } {
  const api = new ApiClient(tokens)
  const asked: Asked[] = []
  vi.spyOn(api, 'json').mockImplementation((path, request) => {
    asked.push({ path, json: request?.json })
    if (path.endsWith('/claim'))
      return Promise.resolve({ claims: [{ person: 'p', name: 'Bình', until: '', is_me: false }] })
    const answer = answers.shift()
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
  })
  const scope = effectScope()
  const conflict = scope.run(() => useConflict(api, 'agri-1', 'r', { choices: {}, comment: '' }))!
  return { conflict, asked, leave: () => scope.stop() }
}
