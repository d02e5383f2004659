/**
 * Writes beside each built file its twins as brotli and gzip, which the server sends to whoever takes them: compressing
 * as hard as this at each request would cost seconds. A file that hardly gets smaller (pictures, fonts) has none.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'

const WORTH = 0.95
const folder = process.argv[2] ?? new URL('../dist/', import.meta.url).pathname
for (const name of readdirSync(folder, { recursive: true })) {
  if (!/\.(js|css|html|svg|json|webmanifest|wasm)$/.test(name)) continue
  const path = join(folder, name)
  const plain = readFileSync(path)
  // At its default quality, 11, brotli is as small as it gets.
  for (const [ending, twin] of Object.entries({ br: brotliCompressSync(plain), gz: gzipSync(plain, { level: 9 }) })) {
    if (twin.length < plain.length * WORTH) writeFileSync(`${path}.${ending}`, twin)
  }
}
