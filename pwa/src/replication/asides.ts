/**
 * What a server can't take although it takes the rest: a record on which it fails, or one that is too large for it. Such
 * a record is set aside with its reason, the others go on, and it is tried again by itself, ever more seldom, and as
 * soon as a person asks.
 */
import type { Problem } from '@/api/problem'
import type { NuongDatabase, SetAside } from '@/storage/database'

const FIRST_MS = 15 * 60_000
const LAST_MS = 24 * 3_600_000
/** Whether our server may have failed because of what it was given, and would take something else. */
export function isAboutContent({ status, server, code }: Problem): boolean {
  if (server === null || code === 'disk_full') return false
  return status === 500 || [400, 404, 409, 413, 415, 422].includes(status)
}

/** Whether a revision, or a file, is not to be tried yet. */
export function isResting(aside: SetAside | undefined, now: number): boolean {
  if (aside === undefined) return false
  const rest = Math.min(LAST_MS, FIRST_MS * 4 ** (aside.tries - 1))
  // A clock that was put back must not make it wait for years.
  return now < aside.at + rest && now > aside.at - LAST_MS
}

/** What is remembered of one more failure. */
export function asideAfter(before: SetAside | undefined, problem: Problem, now: number): SetAside {
  const reason = problem.status === 413 ? 'record_too_large' : problem.code
  return { reason, at: now, tries: (before?.tries ?? 0) + 1 }
}

/** Set revisions aside at a server, each with its reason. */
export async function setAside(
  suspects: ReadonlyMap<string, Problem>,
  server: string,
  now: number,
  store: NuongDatabase,
): Promise<void> {
  await store.transaction('rw', store.revisions, async () => {
    for (const [rev, problem] of suspects) {
      const row = await store.revisions.get(rev)
      if (row === undefined) continue
      const aside = { ...row.aside, [server]: asideAfter(row.aside?.[server], problem, now) }
      await store.revisions.update(rev, { aside })
    }
  })
}
