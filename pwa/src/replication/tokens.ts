/**
 * Access tokens for requests outside the exchange. Renewal takes a lock over all tabs: a refresh token rotates, and two
 * tabs that use the same one would sign the slower one out.
 */
import { problemOf } from '@/api/problem'
import { reached, whoAnswered, type Fetch, type TokenSource } from '@/api/client'
import { currentSession, markExpired, storeTokens } from '@/storage/session'
import { withLock } from './locks'

type Renewed = { access_token: string; expires_in: number; refresh_token: string }

export function sessionTokens(fetch: Fetch = (input, init) => globalThis.fetch(input, init)): TokenSource {
  return {
    access: async () => (await currentSession())?.accessToken ?? null,
    renew: (stale) =>
      withLock('nuong-tokens', async () => {
        const session = await currentSession()
        if (session === undefined) return false
        if (session.accessToken !== stale) return true
        const body = JSON.stringify({ refresh_token: session.refreshToken })
        const headers = { 'Content-Type': 'application/json', Accept: 'application/json' }
        const response = await reached(fetch, '/api/auth/refresh', { method: 'POST', headers, body })
        if (response.status === 401) {
          // Another server than the tokens are for says nothing about them; the next exchange turns to it.
          if ((whoAnswered(response) ?? session.server) === session.server) await markExpired()
          return false
        }
        if (!response.ok) throw await problemOf(response)
        const renewed = (await response.json()) as Renewed
        await storeTokens({
          accessToken: renewed.access_token,
          accessExpiresAt: Date.now() + renewed.expires_in * 1000,
          refreshToken: renewed.refresh_token,
        })
        return true
      }),
  }
}
