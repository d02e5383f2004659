/**
 * Who is signed in, as the screens see it; follows the phone's store, so that every tab agrees.
 */
import { liveQuery } from 'dexie'
import { defineStore } from 'pinia'
import { computed, markRaw, ref } from 'vue'
import { ApiClient, whoAnswered } from '@/api/client'
import { Problem, asProblem } from '@/api/problem'
import type { Schemas } from '@/api/schema'
import type { Session } from '@/storage/database'
import { currentSession, deviceLabel, forsakeKey, keyFor, storeSignIn, storeSignOut } from '@/storage/session'
import { getSetting, putSetting } from '@/storage/settings'
import { sessionTokens } from '@/replication/tokens'

const signedOut = { access: () => Promise.resolve(null), renew: () => Promise.resolve(false) }

export const useSession = defineStore('session', () => {
  const session = ref<Session | null>(null)
  const isKnown = ref(false)
  const api = markRaw(new ApiClient(sessionTokens()))
  const doorstep = new ApiClient(signedOut)

  const person = computed(() => session.value?.person ?? null)
  const isExpired = computed(() => session.value?.expired === 1)

  let loading: Promise<void> | null = null

  /** Read the session once and follow it from then on; resolves when it is known. */
  function load(): Promise<void> {
    loading ??= new Promise((resolve) => {
      liveQuery(currentSession).subscribe({
        next: (found) => {
          session.value = found ?? null
          isKnown.value = true
          resolve()
        },
        error: () => {
          isKnown.value = true
          resolve()
        },
      })
    })
    return loading
  }

  /** Sign in over the network; throws `Problem` (`wrong_password`, `account_locked`, `offline`, …). */
  async function signIn(username: string, password: string): Promise<void> {
    const name = username.trim()
    const { id, key, jwk } = await keyFor(name)
    const label = await getSetting('device-label', deviceLabel())
    const json = { username: name, password, enrolment: { jwk, label } }
    const request = { method: 'POST', json, timeoutMs: 45_000 } as const
    let response: Response
    try {
      response = await doorstep.send('/api/auth/login', request)
    } catch (error) {
      // The password was right, the key is not wanted: another one is made, and this one not offered again.
      const { code, server } = asProblem(error)
      const isKey = code === 'enrolment_revoked' || code === 'enrolment_of_another'
      if (!isKey || server === null || !(await forsakeKey(id))) throw error
      return signIn(username, password)
    }
    if (whoAnswered(response) === null) throw new Problem('not_our_server')
    const answer = (await response.json()) as Schemas['LoginAnswer']
    await putSetting('device-label', label)
    const highestNumber = Number(answer.enrolment?.highest_number ?? 0)
    await storeSignIn({
      person: answer.person,
      server: answer.server,
      accessToken: answer.access_token,
      accessExpiresAt: Date.now() + answer.expires_in * 1000,
      refreshToken: answer.refresh_token,
      enrolment: {
        id: answer.enrolment?.id ?? id,
        username: answer.person.username,
        key,
        jwk,
        label,
        highestNumber,
      },
    })
    session.value = (await currentSession()) ?? null
  }

  /** Sign out here at once, and tell the server if it can be reached. Unsent work stays on the phone. */
  async function signOut(): Promise<void> {
    const refreshToken = session.value?.refreshToken
    await storeSignOut()
    session.value = null
    if (refreshToken === undefined) return
    const json = { refresh_token: refreshToken }
    await doorstep.send('/api/auth/logout', { method: 'POST', json, timeoutMs: 10_000 }).catch(() => undefined)
  }

  function hasRole(...roles: string[]): boolean {
    return person.value?.grants.some((grant) => roles.includes(grant.role)) ?? false
  }

  return { session, person, isKnown, isExpired, api, load, signIn, signOut, hasRole }
})
