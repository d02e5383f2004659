/** What the built app says is what stands in its words. */
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { createI18n } from 'vue-i18n'
import { compiled, type Messages } from '../scripts/messages'

const folder = resolve(import.meta.dirname, '../src/locales')

/** Every message and its compiled one, by the path to it. */
function* pairs(text: Messages, other: Messages, path = ''): Generator<[string, string, unknown]> {
  for (const [key, told] of Object.entries(text)) {
    if (typeof told === 'string') yield [path + key, told, other[key]]
    else yield* pairs(told as Messages, other[key] as Messages, `${path}${key}.`)
  }
}

test.each(['vi', 'en'])('every message says compiled what it says as text: %s', (locale) => {
  let withPlaces = 0
  for (const name of readdirSync(resolve(folder, locale))) {
    const text = JSON.parse(readFileSync(resolve(folder, locale, name), 'utf8')) as Messages
    const made = compiled(text)
    const { t } = createI18n({
      legacy: false,
      messages: { text, made } as Record<string, Record<string, string>>,
    }).global
    for (const [key, plain, other] of pairs(text, made)) {
      if (plain === other) continue
      const places = [...plain.matchAll(/\{(\w+)\}/gu)].map(([, place = '']) => place)
      const named: Record<string, string> = Object.fromEntries(places.map((place) => [place, `<${place}>`]))
      withPlaces += places.length
      for (const plural of plain.includes('|') ? [0, 1, 2] : [1]) {
        const said = t(key, named, { locale: 'made', plural })
        expect(said).toBe(t(key, named, { locale: 'text', plural }))
        for (const value of Object.values(named)) if (!plain.includes('|')) expect(said).toContain(value)
      }
    }
  }
  expect(withPlaces).toBeGreaterThan(100)
})

test('a message that no phone could say ends the build', () => {
  expect(() => compiled({ broken: 'Còn {count phiếu' })).toThrow('Còn {count phiếu')
})

test('words without places stay as they are', () => {
  expect(compiled({ sign: { in: 'Đăng nhập' } })).toEqual({ sign: { in: 'Đăng nhập' } })
})
