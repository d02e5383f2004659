/** The doors of forms for administrators: check a spreadsheet, publish what was checked, list what is published. */
import type { Api } from './client'

export type Finding = {
  code: string
  sheet: string | null
  row: number | null
  message: string
  params: Record<string, string>
}

/** Without an `id` it cannot be published. */
export type CheckedForm = {
  id: string | null
  project: string
  form: string | null
  version: string | null
  title: Record<string, string>
  languages: string[]
  errors: Finding[]
  warnings: Finding[]
  xform: string | null
  lists: Record<string, string>
}

export type PublishedVersion = {
  form: string
  version: string
  project: string
  title: Record<string, string>
  languages: string[]
  status: 'live' | 'retired'
  loaded_in_browser: boolean
  published_at: string
}

export async function fetchForms(api: Api): Promise<PublishedVersion[]> {
  return (await api.json<{ forms: PublishedVersion[] }>('/api/forms')).forms
}

export function checkForm(api: Api, project: string, file: File, lists: readonly File[]): Promise<CheckedForm> {
  const body = new FormData()
  body.append('project', project)
  body.append('file', file)
  for (const list of lists) body.append('lists', list)
  return api.json('/api/forms/check', { method: 'POST', body, timeoutMs: 120_000 })
}

export function publishForm(api: Api, candidate: string, languages: readonly string[]): Promise<PublishedVersion> {
  const path = `/api/forms/candidates/${encodeURIComponent(candidate)}/publish`
  return api.json(path, { method: 'POST', json: { loaded: true, languages } })
}

export async function fetchContent(api: Api, sha256: string): Promise<string> {
  return (await api.send(`/api/contents/${sha256}`)).text()
}
