/** A form that was checked, as the form engine takes it; its lists and what its labels show come from the server, for no phone has them yet. */
import type { Api } from '@/api/client'
import type { FormContents } from '@/features/answers/form-contents'
import { fetchContent, type CheckedForm } from '@/features/forms/api/forms'

/** What of a checked form the engine needs; a form on trial has it too. */
export type LoadableForm = Pick<CheckedForm, 'form' | 'version' | 'title' | 'xform' | 'lists' | 'languages'>

export function contentsOf(checked: LoadableForm, api: Api): FormContents {
  return {
    form: checked.form ?? '',
    version: checked.version ?? '',
    titles: checked.title,
    xform: checked.xform ?? '',
    list: async (file) => {
      const sha256 = checked.lists[file]
      return sha256 === undefined ? undefined : fetchContent(api, sha256)
    },
    labelFile: async (file) => {
      const sha256 = checked.lists[file]
      return sha256 === undefined ? undefined : api.blob(`/api/contents/${sha256}`)
    },
  }
}
