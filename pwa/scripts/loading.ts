/**
 * How the built app is loaded over a poor link: what comes together, what the page shows before any of it is there, and
 * how many bytes each file is on the way.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import type { Plugin } from 'vite'

/**
 * Files that are loaded together, since on a link of 600 ms a request costs as much as 15 KB. The first screen is two: the
 * libraries stay the same from version to version. Then come the phone's screens, and its forms with their engine, which
 * stays the same too. A desk's screens each come when they are gone to.
 */
export const LOADED_TOGETHER = [
  { name: 'libraries', tags: ['$initial' as const], test: /node_modules|\0|plugin-vue/u, priority: 5 },
  { name: 'first', tags: ['$initial' as const], priority: 4 },
  { name: 'form-engine', test: /xforms-engine|node_modules[\\/]solid-js/u, priority: 3 },
  { name: 'phone', test: /[\\/](?:phone-screens|replication[\\/]sender)\.ts$/u, priority: 2 },
  { name: 'forms', test: /[\\/](?:form-screens|form-words)\.ts$/u, priority: 1 },
]

const STYLESHEET = /\s*<link rel="stylesheet"[^>]*>/gu

/**
 * The page is shown from index.html alone: styles stand behind what it shows at first, where they hold back nothing but
 * the scripts, which wait for them.
 */
export function paintedAtOnce(): Plugin {
  return {
    name: 'painted-at-once',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (html) => {
        const styles = html.match(STYLESHEET) ?? []
        return html.replace(STYLESHEET, '').replace('</body>', () => `${styles.join('').trimStart()}\n  </body>`)
      },
    },
  }
}

type Chunk = {
  type: 'chunk'
  imports: string[]
  dynamicImports: string[]
  moduleIds: string[]
  facadeModuleId: string | null
  viteMetadata?: { importedCss: Set<string> }
}
type Bundle = Record<string, Chunk | { type: 'asset' }>
type Entry = { url: string; revision: string | null; size: number }

const STARTS = /[\\/]src[\\/]main\.ts$/u
const FOR_DESKS = /[\\/]features[\\/](?!account|answers|capture|records)\w+[\\/]|[\\/]desk-words\.ts$/u

/** What the service worker is told of each file: its bytes as it is sent and as it is kept, and whether only a desk needs it. */
export class AppFiles {
  private readonly forPhones = new Set<string>()

  /** Follows what the app imports, but not into a desk's screens. */
  readonly plugin: Plugin = {
    name: 'app-files',
    apply: 'build',
    enforce: 'post',
    generateBundle: (_options, bundle) => {
      const chunks = bundle as unknown as Bundle
      const first = Object.keys(chunks).find((name) => moduleIds(chunks[name]).some((id) => STARTS.test(id)))
      if (first === undefined) throw new Error('no file has src/main.ts: which ones a phone needs cannot be told')
      this.follow(chunks, first)
    },
  }

  constructor(private readonly folder: string) {}

  readonly weigh = (entries: Entry[]): { manifest: Entry[] } => ({
    manifest: entries.map((entry) => {
      const plain = readFileSync(join(this.folder, entry.url))
      const desk = entry.url.startsWith('assets/') && !this.forPhones.has(entry.url)
      return { ...entry, sent: sentBytes(entry.url, plain), plain: plain.length, desk }
    }),
  })

  private follow(chunks: Bundle, name: string): void {
    const chunk = chunks[name]
    if (chunk?.type !== 'chunk' || this.forPhones.has(name)) return
    if (FOR_DESKS.test(chunk.facadeModuleId ?? '')) return
    this.forPhones.add(name)
    for (const styles of chunk.viteMetadata?.importedCss ?? []) this.forPhones.add(styles)
    for (const next of [...chunk.imports, ...chunk.dynamicImports]) this.follow(chunks, next)
  }
}

function moduleIds(chunk: Bundle[string] | undefined): string[] {
  return chunk?.type === 'chunk' ? chunk.moduleIds : []
}

function sentBytes(url: string, plain: Buffer): number {
  return /\.(?:png|woff2)$/u.test(url) ? plain.length : brotliCompressSync(plain).length
}
