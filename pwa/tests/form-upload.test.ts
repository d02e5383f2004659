import { describe, expect, test, vi } from 'vitest'

import { ApiClient } from '@/api/client'
import type { CheckedForm } from '@/features/forms/api/forms'
import { Problem } from '@/api/problem'
import { useFormUpload } from '@/features/forms/composables/useFormUpload'

const tokens = { access: () => Promise.resolve('t'), renew: () => Promise.resolve(false) }
const file = new File(['x'], 'tea.xlsx')
const checked: CheckedForm = {
  id: 'candidate',
  project: 'agri',
  form: 'tea',
  version: '1',
  title: { vi: 'Chè' },
  languages: ['vi', 'en'],
  errors: [],
  warnings: [],
  accepted: [],
  difference: null,
  xform: '<x/>',
  lists: {},
}

function serverAnswering(...answers: unknown[]): { api: ApiClient; asked: [string, unknown][] } {
  const api = new ApiClient(tokens)
  const asked: [string, unknown][] = []
  vi.spyOn(api, 'json').mockImplementation((path, request) => {
    const body = request?.body
    asked.push([path, body instanceof FormData ? body.getAll('accept') : request?.json])
    const answer = answers.shift()
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
  })
  return { api, asked }
}

describe('a form on its way to the phones', () => {
  test('is loaded by the browser before it can be published', async () => {
    const { api, asked } = serverAnswering(checked, { form: 'tea', version: '1' })
    const upload = useFormUpload(api, () => Promise.resolve({ languages: ['vi', 'en'], questions: 4 }))
    await upload.check('agri', file, [])
    expect(upload.state.value).toMatchObject({ kind: 'ready', languages: ['vi', 'en'], questions: 4 })
    await upload.publish()
    expect(asked[1]).toEqual(['/api/forms/candidates/candidate/publish', { loaded: true, languages: ['vi', 'en'] }])
    expect(upload.state.value.kind).toBe('published')
  })

  test('with errors is not loaded at all', async () => {
    const load = vi.fn()
    const { api } = serverAnswering({ ...checked, id: null, xform: null })
    const upload = useFormUpload(api, load)
    await upload.check('agri', file, [])
    expect(upload.state.value.kind).toBe('refused')
    expect(load).not.toHaveBeenCalled()
  })

  test("that the phones' engine does not take stays unpublished", async () => {
    const { api, asked } = serverAnswering(checked)
    const upload = useFormUpload(api, () => Promise.reject(new Error('unknown function foo()')))
    await upload.check('agri', file, [])
    expect(upload.state.value).toMatchObject({ kind: 'broken', words: 'unknown function foo()' })
    await upload.publish()
    expect(asked).toHaveLength(1)
  })

  test('is checked again with what its author accepts, and forgets that with another file', async () => {
    const refused = { ...checked, id: null, xform: null }
    const { api, asked } = serverAnswering(refused, refused, checked, refused)
    const upload = useFormUpload(api, () => Promise.resolve({ languages: ['vi', 'en'], questions: 4 }))
    await upload.check('agri', file, [])
    await upload.accept(['form_id:settings:2:form_id'])
    expect(upload.state.value.kind).toBe('refused')
    await upload.accept(['*'])
    expect(upload.state.value.kind).toBe('ready')
    await upload.check('agri', new File(['y'], 'rice.xlsx'), [])
    expect(asked.map(([, keys]) => keys)).toEqual([
      [],
      ['form_id:settings:2:form_id'],
      ['form_id:settings:2:form_id', '*'],
      [],
    ])
  })

  test('says why the server did not take it', async () => {
    const { api } = serverAnswering(new Problem('too_large', 413))
    const upload = useFormUpload(api)
    await upload.check('agri', file, [])
    expect(upload.state.value).toMatchObject({ kind: 'failed', code: 'upload_too_large', again: null })
  })

  test('is published once more where the answer got lost, without another check', async () => {
    const { api, asked } = serverAnswering(checked, new Problem('timeout'), { form: 'tea', version: '1' })
    const upload = useFormUpload(api, () => Promise.resolve({ languages: ['vi', 'en'], questions: 4 }))
    await upload.check('agri', file, [])
    await upload.publish()
    const failed = upload.state.value
    if (failed.kind !== 'failed') throw new Error(failed.kind)
    await failed.again?.()
    expect(upload.state.value.kind).toBe('published')
    expect(asked.map(([path]) => path.split('/').at(-1))).toEqual(['check', 'publish', 'publish'])
  })

  test('whose lists cannot be fetched is not said to be broken', async () => {
    const { api } = serverAnswering(checked)
    const upload = useFormUpload(api, () => Promise.reject(new Problem('offline')))
    await upload.check('agri', file, [])
    expect(upload.state.value).toMatchObject({ kind: 'failed', code: 'offline' })
  })
})
