/** The cases that the server's Python passes too. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { sealedPayload } from '@/replication/wire'
import { canonical, sha256 } from '@/domain/canonical'
import { EMPTY_DIGEST, counts, mark, plus } from '@/domain/digest'
import { toLexical } from '@/domain/lexical'
import type { JsonObject } from '@/domain/record'
import { revisionId, wins } from '@/domain/revision'
import { foldedUsername } from '@/domain/username'

function vectors(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../tests/vectors/${name}.json`, import.meta.url), 'utf8'))
}

type Canonical = {
  canonical: { name: string; json: string; canonical: string; sha256: string }[]
  malformed: { name: string; json?: string; only_strict_readers: boolean }[]
}
type Leaf = { rev: string; deleted: boolean }
type Revisions = {
  revisions: { name: string; id: string; deleted: boolean; parent: string | null; content: JsonObject; rev: string }[]
  winners: { name: string; leaves: Leaf[]; winner: string }[]
}
type Seals = {
  enrolment: string
  jwk: JsonWebKey
  cases: {
    name: string
    exchange: string
    push: [string, string, string][]
    holding: { unsent: string[]; discarded: string[]; drafts: number; media: number }
    verdicts: string[]
    payload: string
    jws: string
  }[]
}
type Digest = { cases: { name: string; documents: { id: string; rev: string; deleted: boolean }[]; digest: string }[] }

type Numbers = { cases: { text: string; typed: { int: string | null; decimal: string | null } }[] }

type Usernames = { cases: { name: string; typed: string; folded: string }[] }

const written = vectors('canonical') as Canonical
const graph = vectors('revision_ids') as Revisions

describe('the canonical form of', () => {
  test.each(written.canonical)('$name', async ({ json, canonical: expected, sha256: hash }) => {
    expect(canonical(JSON.parse(json))).toBe(expected)
    expect(await sha256(expected)).toBe(hash)
  })
})

describe('no canonical form has', () => {
  const refused = written.malformed.filter((one) => one.json !== undefined && !one.only_strict_readers)
  test.each(refused)('$name', ({ json }) => {
    expect(() => canonical(JSON.parse(json ?? ''))).toThrow()
  })
})

describe('the revision id of', () => {
  test.each(graph.revisions)('$name', async ({ id, deleted, parent, content, rev }) => {
    expect(await revisionId(id, { deleted, parent, content })).toBe(rev)
  })
})

describe('the winner of', () => {
  test.each(graph.winners)('$name', ({ leaves, winner }) => {
    expect(leaves.reduce((best, leaf) => (wins(leaf, best) ? leaf : best)).rev).toBe(winner)
  })
})

describe('the digest of', () => {
  test.each((vectors('digest') as Digest).cases)('$name', async ({ documents, digest }) => {
    const live = documents.filter(({ id, deleted }) => !deleted && counts(id))
    const marks = await Promise.all(live.map(({ id, rev }) => mark(id, rev)))
    expect(marks.reduce(plus, EMPTY_DIGEST)).toBe(digest)
  })
})

describe('the seal of a request with', () => {
  const { enrolment, jwk, cases } = vectors('seal') as Seals
  test.each(cases)('$name', async ({ exchange, push, holding, verdicts, payload, jws }) => {
    const items = push.map(([db, _id, _rev]) => ({ db, doc: { _id, _rev }, ancestors: [] }))
    expect(await sealedPayload({ enrolment, exchange, push: items, holding, verdicts })).toBe(payload)
    const [header = '', , signature = ''] = jws.split('.')
    const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify'])
    const input = new TextEncoder().encode(`${header}.${payload}`)
    const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
    expect(await crypto.subtle.verify(algorithm, key, Buffer.from(signature, 'base64url'), input)).toBe(true)
  })
})

describe('the username that is kept of', () => {
  test.each((vectors('usernames') as Usernames).cases)('$name', ({ typed, folded }) => {
    expect(foldedUsername(typed)).toBe(folded)
  })
})

describe('a number as a person types it', () => {
  const { cases } = vectors('numbers') as Numbers
  test.each(cases)('$text', ({ text, typed }) => {
    for (const kind of ['int', 'decimal'] as const) {
      const lexical = toLexical(kind, text)
      expect(lexical.kind === 'kept' ? lexical.value : null, kind).toBe(typed[kind])
    }
  })
})
