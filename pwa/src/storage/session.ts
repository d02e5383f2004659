/**
 * Who is signed in on this phone, and the keys of everybody who ever was. Signing out drops the server's copies, which the
 * next person may have no right to see, and keeps everybody's unsent work.
 */
import type { Table } from 'dexie'
import { hex } from '@/domain/canonical'
import { foldedUsername } from '@/domain/username'
import { database, type Credentials, type Enrolment, type NuongDatabase, type Person, type Session } from './database'

export async function currentSession(): Promise<Session | undefined> {
  return database.session.get('current')
}

/**
 * A key for a person signing in here: the one this phone already has for that name, as it is typed or however it is, else a
 * new one that cannot leave it.
 */
export async function keyFor(username: string): Promise<{ id: string; key: CryptoKey; jwk: JsonWebKey }> {
  const folded = foldedUsername(username)
  const all = await database.enrolments.toArray()
  const alike = all.filter((one) => one.isRevoked !== true && foldedUsername(one.username) === folded)
  const known = alike.find((one) => one.username === username) ?? alike[0]
  if (known !== undefined) return known
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const pair = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])
  const { crv, kty, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  const jwk = { crv, kty, x, y } as JsonWebKey
  return { id: await thumbprint(jwk), key: pair.privateKey, jwk }
}

/** Never offer a key again that a server trusts no more; what it sealed stays on the phone. False for an unknown key. */
export async function forsakeKey(id: string): Promise<boolean> {
  return (await database.enrolments.update(id, { isRevoked: true })) > 0
}

/** RFC 7638: base64url of SHA-256 over the required members in order. */
async function thumbprint({ crv, kty, x, y }: JsonWebKey): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify({ crv, kty, x, y }))
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
}

export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '')
}

export type SignedIn = {
  person: Person
  server: string
  accessToken: string
  accessExpiresAt: number
  refreshToken: string
  enrolment: { id: string; username: string; key: CryptoKey; jwk: JsonWebKey; label: string; highestNumber: number }
}

/** Write a successful sign-in; another person's copies of the server go, the person's own stay where they are. */
export async function storeSignIn(signedIn: SignedIn): Promise<void> {
  await database.transaction('rw', [database.enrolments, ...serverTables()], async () => {
    const before = await database.session.get('current')
    if (before?.person.id !== signedIn.person.id) await dropServerCopies()
    const { id, username, key, jwk, label, highestNumber } = signedIn.enrolment
    const known = await database.enrolments.get(id)
    const enrolment: Enrolment = {
      id,
      person: signedIn.person.id,
      username,
      key,
      jwk,
      label,
      // The greater of both: a number must never be given twice.
      highestNumber: Math.max(known?.highestNumber ?? 0, highestNumber),
      exchange: known?.exchange ?? 0,
      discarded: known?.discarded ?? [],
    }
    await database.enrolments.put(enrolment)
    const { person, server, accessToken, accessExpiresAt, refreshToken } = signedIn
    const credentials = { accessToken, accessExpiresAt, refreshToken, expired: 0 } as const
    const isSame = before !== undefined && before.person.id === person.id && before.enrolment === id
    const elsewhere = isSame ? facing(before, server).elsewhere : {}
    await database.session.put({ id: 'current', person, enrolment: id, server, ...credentials, elsewhere })
  })
}

/**
 * Change what a server lets in, as an answer to `used` says; false when nothing was changed, because somebody else has
 * signed in meanwhile, or the same person anew.
 */
export async function changeCredentials(
  used: Pick<Session, 'enrolment' | 'server' | 'refreshToken'>,
  change: Partial<Credentials>,
  store: NuongDatabase = database,
): Promise<boolean> {
  return store.transaction('rw', store.session, async () => {
    const current = await store.session.get('current')
    if (current?.enrolment !== used.enrolment) return false
    if (current.server === used.server) {
      if (current.refreshToken !== used.refreshToken) return false
      await store.session.put({ ...current, ...change })
      return true
    }
    // The address leads to another server by now; what the first one lets in is kept for when it is back.
    const known = current.elsewhere[used.server]
    if (known?.refreshToken !== used.refreshToken) return false
    const elsewhere = { ...current.elsewhere, [used.server]: { ...known, ...change } }
    await store.session.put({ ...current, elsewhere })
    return true
  })
}

/** The session with another server before it; one that has not let this person in yet asks for the password. */
export function facing(session: Session, server: string): Session {
  if (session.server === server) return session
  const { accessToken, accessExpiresAt, refreshToken, expired } = session
  const elsewhere = { ...session.elsewhere, [session.server]: { accessToken, accessExpiresAt, refreshToken, expired } }
  const { [server]: known = STRANGER, ...others } = elsewhere
  return { ...session, ...known, server, elsewhere: others }
}

const STRANGER: Credentials = { accessToken: '', accessExpiresAt: 0, refreshToken: '', expired: 1 }

/** Forget who is signed in and what servers sent them; drafts, own revisions, files and keys stay. */
export async function storeSignOut(): Promise<void> {
  await database.transaction('rw', serverTables(), async () => {
    await dropServerCopies()
    await database.session.clear()
  })
}

function serverTables(): Table[] {
  return [database.session, database.copies, database.documents, database.bodies, database.servers]
}

async function dropServerCopies(): Promise<void> {
  const { copies, documents, bodies, servers } = database
  await Promise.all([copies.clear(), documents.clear(), bodies.clear(), servers.clear()])
}

/** A short random name for this device until its person gives it a better one. */
export function deviceLabel(): string {
  const random = crypto.getRandomValues(new Uint8Array(2))
  const mobile = /Android|iPhone|Mobile/.test(navigator.userAgent)
  return `${mobile ? 'phone' : 'computer'}-${hex(random)}`
}
