/** Areas and projects as the desk names them; read once a visit. */
import { computed, shallowRef, type ComputedRef, type ShallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { fetchAreas, type Areas, type Unit } from '@/features/areas/api/areas'
import { asProblem } from '@/api/problem'
import { useSession } from '@/stores/session'

export type NamedScope = { readonly name: string; readonly label: string }

export type AreasDesk = {
  readonly areas: ShallowRef<Areas | null>
  readonly failure: ShallowRef<string | null>
  /** The scopes that the person's grants cover, by name. */
  readonly scopes: ComputedRef<NamedScope[]>
  readonly projectName: (id: string) => string
  readonly load: (on?: string) => Promise<void>
}

export function useAreas(): AreasDesk {
  const { locale, t } = useI18n()
  const session = useSession()
  const areas = shallowRef<Areas | null>(null)
  const failure = shallowRef<string | null>(null)

  async function load(on = ''): Promise<void> {
    try {
      areas.value = await fetchAreas(session.api, on)
      failure.value = null
    } catch (error) {
      failure.value = asProblem(error).code
    }
  }

  function projectName(id: string): string {
    if (id === '*') return t('desk.project.every.name')
    const found = areas.value?.projects.find((project) => project.id === id)
    return found === undefined ? id : locale.value === 'vi' ? found.name_vi : found.name_en
  }

  const scopes = computed(() => {
    const { units, projects } = areas.value ?? { units: [], projects: [] }
    const grants = session.person?.grants ?? []
    const covers = (project: string, unit: string): boolean =>
      grants.some((grant) => ['*', project].includes(grant.project) && [PROVINCE, unit].includes(grant.unit))
    const found = units
      .filter(isCommune)
      .flatMap((unit) =>
        projects
          .filter((project) => covers(project.id, unit.id))
          .map((project) => ({ name: `${project.id}-${unit.id}`, label: `${unit.name} · ${projectName(project.id)}` })),
      )
    return found.sort((one, other) => one.label.localeCompare(other.label, locale.value))
  })

  return { areas, failure, scopes, projectName, load }
}

export const PROVINCE = '11'

/** Records are kept under communes and wards, not under the province. */
export function isCommune(unit: Unit): boolean {
  return unit.id !== PROVINCE && unit.valid_from !== null
}
