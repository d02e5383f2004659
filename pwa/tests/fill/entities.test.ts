// @vitest-environment jsdom
/** A form written for ODK Entities makes and changes records of other forms, over the real engine and the real store. */
import { beforeEach, expect, test } from 'vitest'
import { discardUnsent, getRecord } from '@/storage/records'
import { beginEdit } from '@/storage/drafts'
import { database, serverState, type OwnRevision } from '@/storage/database'
import { listed } from '@/storage/listing'
import { prepared } from '@/replication/request'
import type { Answers, JsonObject } from '@/domain/record'
import { rangesIn } from '@/features/answers/form-nodes'
import { questions } from './answering'
import { begin, carry, openDraft, opened, PERSON, SCOPE, signedIn, typeInto, xformOf, type OpenDraft } from './phone'

const PLANTS = SCOPE.replace('agri', 'tourism')

beforeEach(async () => {
  await signedIn()
  await carry('tree_visit', xformOf('tree_visit'))
})

async function visited(answers: Record<string, string>): Promise<OpenDraft> {
  const open = await openDraft((await begin('tree_visit')).id)
  for (const [name, value] of Object.entries(answers)) typeInto(open, name, value)
  return open
}

async function finished({ form, kill }: OpenDraft): Promise<OwnRevision> {
  await form.finish()
  if (form.state.value.kind !== 'finished') throw new Error(`not finished: ${JSON.stringify(form.saving.value)}`)
  const own = await database.revisions.get(form.state.value.rev)
  kill()
  if (own === undefined) throw new Error('nothing was saved')
  return own
}

async function saved(form: string): Promise<OwnRevision[]> {
  const all = await database.revisions.toArray()
  return all.filter(({ content }) => content['form'] === form)
}

function answersOf({ content }: OwnRevision): Answers {
  return content['answers'] as Answers
}

async function corrected(own: OwnRevision, answers: Record<string, string>): Promise<OwnRevision> {
  const draft = await beginEdit({ ...own, person: PERSON })
  const open = await openDraft(draft.id)
  for (const [name, value] of Object.entries(answers)) typeInto(open, name, value)
  return finished(open)
}

async function aTree(id: string, content: JsonObject = {}): Promise<void> {
  const answers = { species: 'Shan', size: { height: '9' }, meta: { instanceName: 'Old' } }
  const record = { type: 'record', form: 'tree', form_version: '1', answers, media: {}, ...content }
  const revision = { id, rev: '3-abc', deleted: 0 } as const
  await database.documents.put({ ...listed(SCOPE, revision, record), past: [] })
  await database.bodies.put({ database: SCOPE, id, rev: revision.rev, content: record })
}

test('a finished record makes a record of another form, with numbers of its own', async () => {
  const open = await visited({ kind: 'Chè', metres: '7' })
  const visit = await finished(open)
  const [tree, ...others] = await saved('tree')
  expect(others).toEqual([])
  expect(tree).toMatchObject({ database: SCOPE, parent: null, number: visit.number + 1, title: 'Chè', frozen: 0 })
  expect(tree?.content).toMatchObject({
    type: 'record',
    form_version: '1',
    of: visit.id,
    answers: { species: 'Chè', size: { height: '7' }, alive: null, photo: null, meta: { instanceName: 'Chè' } },
    saved: { from: { record: visit.id, form: 'tree_visit', form_version: '1' } },
  })
  const { entity } = answersOf(visit)['meta'] as { entity: JsonObject }
  expect(entity).toEqual({ create: 'true', update: 'false', id: tree?.id, label: 'Chè' })
})

test('each row makes one, in the database of its project', async () => {
  const open = await visited({ kind: 'Chè', metres: '1' })
  const { root } = opened(open.form)
  const [range] = rangesIn(root)
  if (range?.nodeType !== 'repeat-range:uncontrolled') throw new Error('no rows')
  range.addInstances()
  const names = ['Lim', 'Sến']
  for (const node of questions(root)) {
    if (node.nodeType === 'input' && node.currentState.reference.endsWith('/sort'))
      (node.setValue as (text: string) => void)(names.shift() ?? '')
  }
  await finished(open)
  const plants = await saved('plant')
  expect(plants.map((each) => [each.database, answersOf(each)['species']]).sort()).toEqual([
    [PLANTS, 'Lim'],
    [PLANTS, 'Sến'],
  ])
  // What is not relevant says nothing.
  expect(Object.keys(answersOf((await saved('tree'))[0] as OwnRevision))).not.toContain('alive')
})

test('a correction changes what it changes of it, before it is sent and after', async () => {
  const visit = await finished(await visited({ kind: 'Chè', metres: '7' }))
  const again = await corrected(visit, { metres: '8' })
  const [tree] = await saved('tree')
  expect(answersOf(tree as OwnRevision)).toMatchObject({ species: 'Chè', size: { height: '8' } })
  expect(await saved('tree')).toHaveLength(1)
  await database.revisions.toCollection().modify({ frozen: 1 })
  await corrected(again, { kind: 'Chè dây' })
  const [, second] = await saved('tree')
  expect(second).toMatchObject({ id: tree?.id, parent: tree?.rev, title: 'Chè dây' })
  expect(answersOf(second as OwnRevision)).toMatchObject({ species: 'Chè dây', size: { height: '8' } })
  // The same answers once more say nothing new.
  await corrected((await saved('tree_visit')).at(-1) as OwnRevision, { which: '' })
  expect(await saved('tree')).toHaveLength(2)
})

test('a record that is here is changed field by field, from where it stands', async () => {
  await aTree('tree-1')
  const visit = await finished(await visited({ which: 'tree-1', kind: 'Chè', metres: '1' }))
  const [tree] = await saved('tree')
  expect(tree).toMatchObject({ id: 'tree-1', parent: '3-abc' })
  expect(tree?.content).not.toHaveProperty('of')
  expect(answersOf(tree as OwnRevision)).toMatchObject({ species: 'Chè', size: { height: '1' } })
  expect(visit.missed).toBeUndefined()
})

test('what cannot be changed is told, and the record itself is whole', async () => {
  await aTree('house-1', { form: 'house' })
  for (const [which, why] of [
    ['nowhere', 'not_here'],
    ['house-1', 'other_form'],
  ]) {
    const visit = await finished(await visited({ which: which ?? '', kind: 'Chè', metres: '7' }))
    expect(visit.missed).toEqual([{ form: 'tree', id: which, title: 'Chè', why }])
    expect(answersOf(visit)['kind']).toBe('Chè')
  }
  expect(await saved('tree')).toEqual([])
})

test('taking back a save takes back what it saved to other records', async () => {
  const visit = await finished(await visited({ kind: 'Chè', metres: '7' }))
  const [tree] = await saved('tree')
  expect(await discardUnsent(visit.rev)).toBe(true)
  expect(await database.revisions.count()).toBe(0)
  expect(await getRecord(SCOPE, tree?.id ?? '')).toBeUndefined()
})

test('what a save made goes in the same request, however little a link carries', async () => {
  const first = await finished(await visited({}))
  await finished(await visited({ kind: 'B', metres: '1' }))
  // The tree that only its correction makes gets the last number.
  await corrected(first, { kind: 'A' })
  expect((await saved('tree')).map(({ number }) => number).sort()).toEqual([3, 4])
  const server = serverState('province')
  await database.servers.put({ ...server, maxBytes: 1_500 })
  const { request } = await prepared('enrolment-1', 'province', { pull: true, again: false })
  expect(request.push.map(({ doc }) => [doc['form'], doc['of'] ?? doc._id])).toEqual([
    ['tree_visit', first.id],
    ['tree', first.id],
  ])
})
