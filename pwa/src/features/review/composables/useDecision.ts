/**
 * One record under review: loaded, decided once, and what the decision came to. A record that moved on while it was being read is loaded
 * anew and said so; what the person has written stays, also while they look at another page, until it is sent.
 */
import { computed, reactive, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import { asProblem } from '@/api/problem'
import { fetchRecord, sendDecision, type ReviewPage } from '@/features/review/api/review'
import type { Api } from '@/api/client'
import type { ReviewState, Verdict } from '@/domain/review'

export type PageState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'open'; readonly page: ReviewPage }
  | { readonly kind: 'failed'; readonly code: string; readonly params: Record<string, unknown> }

export type DecisionState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'sending' }
  | { readonly kind: 'decided'; readonly state: ReviewState; readonly verdict: Verdict }
  /** The record has another revision now; it is on the screen. */
  | { readonly kind: 'moved_on' }
  /** Somebody decided since the page was read; nothing was written. */
  | { readonly kind: 'meanwhile'; readonly verdict: Verdict; readonly byName: string; readonly at: string }
  /** Nothing was said about why: a return needs a comment. */
  | { readonly kind: 'comment_missing' }
  | { readonly kind: 'failed'; readonly code: string; readonly params: Record<string, unknown> }

export type Review = {
  readonly page: ShallowRef<PageState>
  readonly decision: ShallowRef<DecisionState>
  readonly comment: Ref<string>
  /** By JSON Pointer from the document's root, `/answers/area`. */
  readonly comments: Record<string, string>
  readonly pinned: ComputedRef<string[]>
  readonly load: () => Promise<void>
  readonly decide: (verdict: Verdict) => Promise<void>
  readonly pin: (pointer: string, text: string) => void
  readonly unpin: (pointer: string) => void
}

type Words = { readonly comment: Ref<string>; readonly comments: Record<string, string> }

/** What was written and not sent, by who wrote it and about which record; it goes with the page. */
const unsent = new Map<string, Words>()

/** Whether anything was written that a decision has not taken with it. */
export function hasUnsentWords(): boolean {
  return [...unsent.values()].some(({ comment, comments }) =>
    [comment.value, ...Object.values(comments)].some((text) => text.trim() !== ''),
  )
}

function wordsAbout(key: string): Words {
  const known = unsent.get(key) ?? { comment: ref(''), comments: reactive<Record<string, string>>({}) }
  unsent.set(key, known)
  return known
}

function meanwhile(params: Record<string, unknown>): DecisionState {
  const { decision, by_name: byName, at } = params as { decision: Verdict; by_name: string; at: string }
  return { kind: 'meanwhile', verdict: decision, byName, at }
}

export function useDecision(api: Api, database: string, id: string, person = ''): Review {
  const page = shallowRef<PageState>({ kind: 'loading' })
  const decision = shallowRef<DecisionState>({ kind: 'idle' })
  const { comment, comments } = wordsAbout(`${person} ${database} ${id}`)
  const pinned = computed(() => Object.keys(comments).sort())
  /** Decisions that the person was told of when theirs was not taken: the page that is read then may not have them yet. */
  const told = new Set<string>()

  async function load(): Promise<void> {
    try {
      page.value = { kind: 'open', page: await fetchRecord(api, database, id) }
    } catch (error) {
      const { code, params } = asProblem(error)
      page.value = { kind: 'failed', code, params }
    }
  }

  async function decide(verdict: Verdict): Promise<void> {
    if (page.value.kind !== 'open' || decision.value.kind === 'sending') return
    const said = Object.fromEntries(Object.entries(comments).filter(([, text]) => text.trim() !== ''))
    if (verdict !== 'approved' && comment.value.trim() === '' && Object.keys(said).length === 0) {
      decision.value = { kind: 'comment_missing' }
      return
    }
    decision.value = { kind: 'sending' }
    const { rev, reviews } = page.value.page
    const follows = [...new Set([...reviews.map((each) => each.id), ...told])]
    try {
      const sent = { rev, decision: verdict, comment: comment.value, comments: said, follows }
      const { state } = await sendDecision(api, database, id, sent)
      decision.value = { kind: 'decided', state, verdict }
      comment.value = ''
      for (const pointer of Object.keys(comments)) Reflect.deleteProperty(comments, pointer)
    } catch (error) {
      const { code, params } = asProblem(error)
      if (code !== 'record_moved_on' && code !== 'decided_meanwhile') {
        decision.value = { kind: 'failed', code, params }
        return
      }
      if (code === 'decided_meanwhile') told.add(String(params['id']))
      // Sending until the new page is here: nobody decides on the old one.
      await load()
      decision.value = code === 'record_moved_on' ? { kind: 'moved_on' } : meanwhile(params)
    }
  }

  return {
    page,
    decision,
    comment,
    comments,
    pinned,
    load,
    decide,
    pin: (pointer, text) => {
      comments[pointer] = text
    },
    unpin: (pointer) => {
      Reflect.deleteProperty(comments, pointer)
    },
  }
}
