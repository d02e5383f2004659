/**
 * What a person does with the app, as commands of a simulated world. It runs inside a tab (`tab.ts`) over the app's own
 * `replication` and `storage`; nothing of them is replaced here.
 */
import { Sender, type Reason } from '@/replication/sender'
import { beginDraft, beginEdit, saveDraft } from '@/storage/drafts'
import { putBlob } from '@/storage/blobs'
import { database, type Person } from '@/storage/database'
import { discardUnsent, finishDraft, getRecord } from '@/storage/records'
import { keyFor, storeSignIn, storeSignOut } from '@/storage/session'
import type { Answers, Media } from '@/domain/record'

const sender = new Sender(undefined, () => 0.5)

type SignIn = {
  person: Person
  server: string
  access: string
  expiresIn: number
  refresh: string
  highest: number
}

/** A photo, in base64, with the question that it answers. */
type File = { name: string; type: string; data: string }
type Filled = { draft: string; answers: Answers; files: File[]; form: string; version: string }

const commands = {
  /** The key that this phone offers for a name: the sign-in's first half. */
  async key({ username }: { username: string }) {
    const { id, jwk } = await keyFor(username)
    return { id, jwk }
  },

  /** The sign-in's second half: what the server answered. The simulated key store gives a name the same key again. */
  async signedIn({ person, server, access, expiresIn, refresh, highest }: SignIn) {
    const { username } = person
    const { id, key, jwk } = await keyFor(username)
    const tokens = { accessToken: access, accessExpiresAt: Date.now() + expiresIn * 1000, refreshToken: refresh }
    await storeSignIn({
      person,
      server,
      ...tokens,
      enrolment: { id, username, key, jwk, label: 'simulated', highestNumber: highest },
    })
    return id
  },

  async signOut() {
    await storeSignOut()
    return null
  },

  /** Open a record as the screen shows it, or a new one where the phone knows nothing of it. */
  async open({ name, id, form, version }: { name: string; id: string | null; form: string; version: string }) {
    const person = await signedInPerson()
    const view = id === null ? undefined : await getRecord(name, id)
    if (view === undefined || view.deleted) return beginDraft({ database: name, person, form, version })
    const { rev, title, content } = view
    return beginEdit({ database: name, id: view.id, person, rev, title, content })
  },

  /** Finish a draft with these answers and files, filled in that form's version; returns the revision that stands. */
  async finish({ draft, answers, files, ...filled }: Filled) {
    await database.drafts.update(draft, filled)
    const media: Media = { ...(await database.drafts.get(draft))?.media }
    for (const { name, type, data } of files)
      media[name] = await putBlob(new Blob([Uint8Array.from(atob(data), (char) => char.charCodeAt(0))], { type }))
    await saveDraft(draft, { step: 'the end', media })
    const opened = await database.drafts.get(draft)
    if (opened === undefined) throw new Error('no such draft')
    return finishDraft(opened, answers, media)
  },

  async discard({ rev }: { rev: string }) {
    return discardUnsent(rev)
  },

  /** Let the app send, as it does when a network comes back (`online`) or when its person asks for it; returns how it ended. */
  async exchange({ reason }: { reason: Reason }) {
    await sender.wake(reason)
    return sender.status.current
  },
}

async function signedInPerson(): Promise<string> {
  const session = await database.session.get('current')
  if (session === undefined) throw new Error('nobody is signed in')
  return session.person.id
}

type Command = (what: unknown) => Promise<unknown>

/** Run a command told as JSON; the answer is JSON too, so that no object of one tab reaches another. */
async function run(name: string, what: string): Promise<string> {
  const command = commands[name as keyof typeof commands] as Command
  const answer = await command(JSON.parse(what))
  return JSON.stringify(answer ?? null)
}

Object.assign(globalThis, { run, ready: () => database.open() })
