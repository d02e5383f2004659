/**
 * Access tokens for requests outside the exchange. Renewal takes a lock over all tabs: a refresh token rotates, and two
 * tabs that use the same one would sign the slower one out.
 *
 * A phone is shared: while a request is on its way another person may sign in. No request is repeated with another
 * person's token, and no answer to one person's renewal is kept for another.
 */
import { Problem, problemOf } from '@/api/problem'
import { reached, whoAnswered, type Fetch, type TokenSource } from '@/api/client'
import type { Schemas } from '@/api/schema'
import type { Session } from '@/storage/database'
import { changeCredentials, currentSession } from '@/storage/session'
import { withLock } from './locks'

/** Whose work a run does, and at which server. */
export type Owner = Pick<Session, 'person' | 'enrolment' | 'server'>

/** Whether that person, with that key, is still before the phone, and that server before the person. */
export function isOwner(session: Session | undefined, owner: Owner): boolean {
  const { person, enrolment, server } = owner
  return session?.person.id === person.id && session.enrolment === enrolment && session.server === server
}

/** The tokens of whoever is signed in; with an owner only that one's, and only while that server is before the phone. */
export function sessionTokens(
  fetch: Fetch = (input, init) => globalThis.fetch(input, init),
  owner?: Owner,
): TokenSource {
  /** Whose each token was that this source gave out. */
  const owners = new Map<string, string>()
  return {
    access: async () => {
      const session = await currentSession()
      if (owner !== undefined && !isOwner(session, owner)) throw new Problem('session_changed')
      if (session === undefined) return null
      owners.set(session.accessToken, session.enrolment)
      return session.accessToken
    },
    renew: (stale) =>
      withLock('nuong-tokens', async () => {
        const session = await currentSession()
        if (session === undefined || owners.get(stale) !== session.enrolment) return false
        if (session.accessToken !== stale) return true
        const body = JSON.stringify({ refresh_token: session.refreshToken })
        const headers = { 'Content-Type': 'application/json', Accept: 'application/json' }
        const response = await reached(fetch, '/api/auth/refresh', { method: 'POST', headers, body })
        if (!response.ok && response.status !== 401) throw await problemOf(response)
        // Only the server that gave the tokens says anything about them: no captive portal, and no other of ours.
        if (whoAnswered(response) === null) throw new Problem('not_our_server')
        if (whoAnswered(response) !== session.server) return false
        if (response.status === 401) {
          await changeCredentials(session, { expired: 1 })
          return false
        }
        const renewed = (await response.json()) as Schemas['TokensAnswer']
        return changeCredentials(session, {
          accessToken: renewed.access_token,
          accessExpiresAt: Date.now() + renewed.expires_in * 1000,
          refreshToken: renewed.refresh_token,
          expired: 0,
        })
      }),
  }
}
