import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'

const SCRIPT = 'const nương = 1\n'.repeat(200)
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twins-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

test('each built file that gets smaller has twins beside it, which hold the same', () => {
  mkdirSync(join(folder, 'assets'))
  writeFileSync(join(folder, 'assets/index-a1.js'), SCRIPT)
  writeFileSync(join(folder, 'tiny.js'), '1')
  writeFileSync(join(folder, 'icon.png'), SCRIPT)
  execFileSync(process.execPath, [join(import.meta.dirname, '../scripts/twins.mjs'), folder])
  expect(brotliDecompressSync(readFileSync(join(folder, 'assets/index-a1.js.br'))).toString()).toBe(SCRIPT)
  expect(gunzipSync(readFileSync(join(folder, 'assets/index-a1.js.gz'))).toString()).toBe(SCRIPT)
  expect(readFileSync(join(folder, 'assets/index-a1.js'), 'utf8')).toBe(SCRIPT)
  for (const name of ['tiny.js.br', 'tiny.js.gz', 'icon.png.br']) expect(existsSync(join(folder, name))).toBe(false)
})
