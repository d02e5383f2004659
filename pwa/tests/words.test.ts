/** What a screen says is loaded with it: whatever the phone shows before any form or record is opened has its words at once. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { i18n, LOCALES } from '@/locales/i18n'

const SRC = resolve(import.meta.dirname, '../src')
/** The app itself, and the phone's screens: all but those of a form and of a record, which bring words of their own. */
const PLACES = ['app', 'features/account/views', 'features/records/views', 'features/capture/views']
const LATER = ['RecordView.vue', 'FillView.vue', 'TrialView.vue']
const VIEWS = PLACES.flatMap((place) =>
  readdirSync(resolve(SRC, place)).flatMap((name) =>
    /View\.vue$|Frame\.vue$/u.test(name) ? [`${place}/${name}`] : [],
  ),
).filter((path) => !LATER.some((name) => path.endsWith(name)))
const ENTRIES = ['main.ts', ...VIEWS]

/** A module and all that comes with it; what is imported later brings words of its own. */
function together(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen
  seen.add(path)
  for (const [, name = ''] of readFileSync(path, 'utf8').matchAll(
    /^(?:import|export)\b(?! type\b)[^'"`;(]*'([^']+)'/gmu,
  )) {
    const at = name.startsWith('@/') ? resolve(SRC, name.slice(2)) : resolve(dirname(path), name)
    if (!/^(?:@\/|\.)/u.test(name) || name.endsWith('.css')) continue
    together([at, `${at}.ts`].find((each) => /\.(?:ts|vue)$/u.test(each) && existsSync(each)) ?? at, seen)
  }
  return seen
}

test.each(LOCALES)('the words of the first screens are there from the start in %s', (locale) => {
  const modules = new Set(ENTRIES.flatMap((entry) => [...together(resolve(SRC, entry))]))
  expect(modules).toContain(resolve(SRC, 'features/records/components/RecordCard.vue'))
  const keys = [...modules].flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/['`]([a-z_]+(?:\.[a-z_]+){2,})['`]/gu)].map(([, key = '']) => key),
  )
  expect(keys.length).toBeGreaterThan(100)
  // The frame around the desk is the phone's, too, and says there what is the desk's.
  expect(keys.filter((key) => !key.startsWith('desk.') && !i18n.global.te(key, locale))).toEqual([])
})
