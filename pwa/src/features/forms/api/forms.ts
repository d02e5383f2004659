/** The doors of forms for administrators: check a spreadsheet, publish what was checked, list what is published. */
import type { Api } from '@/api/client'
import type { Schemas } from '@/api/schema'

export type Finding = Schemas['FindingAnswer']
/** What the server would write instead; accepted by its key. */
export type Proposal = Schemas['ProposalAnswer']
export type Difference = Schemas['DifferenceAnswer']
export type Change = Schemas['ChangeAnswer']
/** Without an `id` it cannot be published. */
export type CheckedForm = Schemas['CheckedAnswer']
/** What publishing would do to records and phones. */
export type Effect = Schemas['EffectAnswer']
export type PublishedVersion = Schemas['FormAnswer']

export async function fetchForms(api: Api): Promise<PublishedVersion[]> {
  return (await api.json<Schemas['FormsAnswer']>('/api/forms')).forms
}

/** Accepts everything that is proposed. */
export const EVERYTHING = '*'

/** Nothing is kept between checks: the file is sent again with the keys of what its author has accepted. */
export function checkForm(
  api: Api,
  project: string,
  file: File,
  lists: readonly File[],
  accepted: readonly string[],
): Promise<CheckedForm> {
  const body = new FormData()
  body.append('project', project)
  body.append('file', file)
  for (const list of lists) body.append('lists', list)
  for (const key of accepted) body.append('accept', key)
  return api.json('/api/forms/check', { method: 'POST', body, timeoutMs: 120_000 })
}

export function publishForm(api: Api, candidate: string, languages: readonly string[]): Promise<PublishedVersion> {
  const path = `/api/forms/candidates/${encodeURIComponent(candidate)}/publish`
  const json: Schemas['PublishBody'] = { loaded: true, languages: [...languages] }
  return api.json(path, { method: 'POST', json })
}

export function fetchEffect(api: Api, candidate: string): Promise<Effect> {
  return api.json(`/api/forms/candidates/${encodeURIComponent(candidate)}/effect`)
}

/** Retire a version, or bring it back in place of the one that is live. */
export function setStatus(
  api: Api,
  { form, version }: Pick<PublishedVersion, 'form' | 'version'>,
  status: PublishedVersion['status'],
): Promise<PublishedVersion> {
  const json: Schemas['StatusBody'] = { status }
  return api.json(`${pathOf(form, version)}/status`, { method: 'PUT', json })
}

/** The spreadsheet as its author brought it. */
export function fetchSource(api: Api, form: string, version: string): Promise<Blob> {
  return api.blob(`${pathOf(form, version)}/source`)
}

function pathOf(form: string, version: string): string {
  return `/api/forms/${encodeURIComponent(form)}/${encodeURIComponent(version)}`
}

export async function fetchContent(api: Api, sha256: string): Promise<string> {
  return (await api.send(`/api/contents/${sha256}`)).text()
}
