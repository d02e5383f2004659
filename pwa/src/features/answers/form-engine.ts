/**
 * The ODK form engine behind three calls: load a form, begin an instance, restore one from its XML.
 *
 * Everything the engine fetches comes from the phone; a list that is not here counts as empty rather than stopping the person. The
 * engine's state is made reactive one object deep (`shallowReactive`): its nodes stay themselves, so that they can be compared.
 */
import {
  constants,
  loadForm,
  type FormInstanceConfig,
  type InstantiableLoadFormResult,
  type RootNode,
} from '@getodk/xforms-engine'
import { shallowReactive, shallowRef } from 'vue'
import { languageCode } from '@/domain/form-schema'
import { schemaOf, type FormContents } from './form-contents'
import { pathOf, rangesIn } from './form-nodes'

declare global {
  /** Called by the mended engine (`scripts/engine-patch.ts`) where an expression of a form throws. */
  var formExpressionFailed: ((expression: string) => void) | undefined
}

/** What forms could not compute since `forgetFailing`, by the expression's text; the engine leaves it blank. */
export const failing = shallowRef<ReadonlySet<string>>(new Set())

export function forgetFailing(): void {
  failing.value = new Set()
}

globalThis.formExpressionFailed = (expression) => {
  if (failing.value.has(expression)) return
  failing.value = new Set([...failing.value, expression])
}

export class FormBroken extends Error {
  override readonly name = 'FormBroken'
}

export type EngineOptions = {
  readonly deviceId?: string
  readonly username?: string
  readonly getLocation?: () => Promise<string>
}

export type LoadedForm = {
  /** A new instance, with the form's defaults; throws what the form makes the engine throw. */
  create(): RootNode
  /**
   * The instance that `xml` holds, with the rows that a new one begins with where the form has not asked for them yet; rejects where the
   * engine cannot read it.
   */
  restore(xml: string): Promise<RootNode>
}

/** Throws `FormBroken` with the engine's own words where the form does not load. */
export async function loadEngineForm(contents: FormContents, options: EngineOptions = {}): Promise<LoadedForm> {
  const result = await loadForm(contents.xform, {
    missingResourceBehavior: constants.MISSING_RESOURCE_BEHAVIOR.BLANK,
    fetchFormAttachment: async (resource: URL) => attachment(await contents.list(fileOf(resource.href)), resource.href),
  })
  if (result.status === 'failure') throw new FormBroken(result.error.message)
  return loaded(result, contents, {
    stateFactory: shallowReactive,
    // Names are given when a file is chosen and stay: the record's `media` is keyed by them.
    instanceAttachments: { fileNameFactory: ({ basename, extension }) => `${basename}${extension ?? ''}` },
    preloadProperties: { deviceID: options.deviceId ?? '', username: options.username ?? '' },
    ...(options.getLocation && { geolocationProvider: { getLocation: options.getLocation } }),
  })
}

function loaded(form: InstantiableLoadFormResult, contents: FormContents, config: FormInstanceConfig): LoadedForm {
  /** XML holds nothing of what is not relevant, so that the engine opens a repeat there without the rows of a new record. */
  function addFirstRows(root: RootNode): RootNode {
    for (const range of rangesIn(root)) {
      // Where it is relevant, somebody removed the rows.
      if (range.nodeType !== 'repeat-range:uncontrolled' || range.currentState.relevant) continue
      if (range.currentState.children.length > 0) continue
      const rows = schemaOf(contents).byPath.get(pathOf(range.currentState.reference))?.firstRows ?? 0
      if (rows > 0) range.addInstances(undefined, rows)
    }
    return root
  }

  return {
    create: () => form.createInstance(config).root,
    restore: async (xml) => {
      const name = constants.INSTANCE_FILE_NAME
      const data = new FormData()
      data.append(name, new File([xml], name, { type: constants.INSTANCE_FILE_TYPE }))
      // The engine's own type for a FormData that holds the instance.
      type Data = Parameters<InstantiableLoadFormResult['restoreInstance']>[0]['data']
      return addFirstRows((await form.restoreInstance({ data: [data] as unknown as Data }, config)).root)
    },
  }
}

function fileOf(address: string): string {
  return decodeURIComponent(address.replace(/^.*\//u, ''))
}

function attachment(text: string | undefined, address: string): Response {
  if (text === undefined) return new Response('', { status: 404 })
  const type = address.endsWith('.geojson')
    ? 'application/geo+json'
    : address.endsWith('.xml')
      ? 'text/xml'
      : 'text/csv'
  return new Response(text, { status: 200, headers: { 'Content-Type': type } })
}

/** Let the form speak the person's language, where it has it. */
export function speak(root: RootNode, locale: string): void {
  for (const language of root.languages) {
    if (language.isSyntheticDefault !== true && languageCode(language.language) === locale) root.setLanguage(language)
  }
}
