/** The five lists and everything in them, for all screens of the phone. */
import { liveQuery, type Subscription } from 'dexie'
import { defineStore } from 'pinia'
import { computed, shallowRef, watch } from 'vue'
import type { FormDocument } from '@/domain/record'
import { CATALOG, listAreas, listForms, missingContents } from '@/storage/catalog'
import { database, type ServerState } from '@/storage/database'
import { readQuestions, type Question } from '@/storage/questions'
import { EMPTY_WORKLIST, readWorklist, type Worklist } from '@/storage/worklist'
import { useSession } from './session'

const NOT_TAKEN: ReadonlySet<string> = new Set(['refused', 'aside'])

export const useWork = defineStore('work', () => {
  const session = useSession()
  const lists = shallowRef<Worklist>(EMPTY_WORKLIST)
  const forms = shallowRef<FormDocument[]>([])
  const areaNames = shallowRef(new Map<string, string>())
  const servers = shallowRef<ServerState[]>([])
  const questions = shallowRef<Question[]>([])
  const lacksContents = shallowRef(true)
  const isRead = shallowRef(false)
  const subscriptions: Subscription[] = []

  watch(
    () => session.session?.person.id,
    (person) => {
      for (const subscription of subscriptions.splice(0)) subscription.unsubscribe()
      lists.value = EMPTY_WORKLIST
      servers.value = []
      questions.value = []
      lacksContents.value = true
      isRead.value = false
      if (person === undefined) return
      follow(
        async () => readWorklist(person),
        (found) => {
          lists.value = found
          isRead.value = true
        },
      )
      follow(
        async () => readQuestions(person),
        (found) => (questions.value = found),
      )
      follow(listForms, (found) => (forms.value = found))
      follow(
        () => missingContents(),
        (found) => (lacksContents.value = found.length > 0),
      )
      follow(listAreas, (found) => (areaNames.value = new Map(found.map(({ unit, name }) => [unit, name]))))
      follow(
        () => database.servers.toArray(),
        (found) => (servers.value = found),
      )
    },
    { immediate: true },
  )

  function follow<T>(query: () => Promise<T>, next: (value: T) => void): void {
    subscriptions.push(liveQuery(query).subscribe({ next, error: (error) => console.error(error) }))
  }

  /** Whether everything that this person needs is on the phone, each form with what stands behind it. */
  const isReady = computed(() => servers.value.some(({ complete }) => complete === 1) && !lacksContents.value)

  /** What this person is asked and has not answered, or answered and not sent yet. */
  const asked = computed(() =>
    questions.value.filter(({ isOpen, reply }) => (reply === null ? isOpen : reply.state !== 'sent')),
  )

  const unsentReplies = computed(() => questions.value.filter(({ reply }) => reply !== null && reply.state !== 'sent'))

  /** Photos and files of this person that no server has. */
  const filesWaiting = computed(() => lists.value.all.reduce((sum, item) => sum + item.filesWaiting, 0))

  const lastExchangeAt = computed(() =>
    servers.value.reduce<string | null>(
      (last, { lastExchangeAt: at }) => (at !== null && (last === null || at > last) ? at : last),
      null,
    ),
  )

  function formTitle(form: string, language: string): string {
    const versions = forms.value.filter((one) => one.form === form)
    const latest = versions.reduce<FormDocument | undefined>(
      (best, one) => (best === undefined || one.version > best.version ? one : best),
      undefined,
    )
    return latest?.title[language] ?? latest?.title['vi'] ?? form
  }

  /** A unit's name: the catalog's, else the one in the person's rights. */
  function areaName(unit: string): string {
    const granted = session.person?.grants.find((grant) => grant.unit === unit)?.unit_name
    return areaNames.value.get(unit) ?? granted ?? unit
  }

  /** The databases in which this person records: a hub assigns those of its commune, the province all of them. */
  const scopes = computed(() => [
    ...new Set(servers.value.flatMap(({ carry }) => carry).filter((name) => name !== CATALOG)),
  ])

  /** Saves that a server would not take, or could not. */
  const notTaken = computed(() => lists.value.fix.filter(({ state }) => NOT_TAKEN.has(state.kind)).length)

  return {
    notTaken,
    lists,
    forms,
    questions,
    asked,
    unsentReplies,
    filesWaiting,
    isRead,
    isReady,
    lastExchangeAt,
    scopes,
    formTitle,
    areaName,
  }
})
