/**
 * Builds the app's replication and storage, and the browser around them, for simulated worlds (`tests/simulation`):
 * `node simulated-phone.mjs FOLDER [MISTAKE]`. A mistake is JSON, `{"file", "from", "to"}`: that text of that file under
 * `src/` is replaced in what is built, never in the tree; a text that does not stand there exactly once ends the build.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = fileURLToPath(new URL('..', import.meta.url))
const [folder, told] = process.argv.slice(2)
const mistake = told === undefined ? undefined : JSON.parse(told)

function mistaken({ file, from, to }) {
  const path = join(root, 'src', file)
  return {
    name: 'mistake',
    enforce: 'pre',
    transform(code, id) {
      if (id !== path) return undefined
      const parts = code.split(from)
      if (parts.length !== 2) throw new Error(`${file} has this ${String(parts.length - 1)} times: ${from}`)
      return parts.join(to)
    },
  }
}

/** One file of plain JavaScript out of an entry and all that it imports. */
async function bundle(entry, name, format, options) {
  const { output, ...others } = options
  await build({
    configFile: false,
    root,
    logLevel: 'error',
    define: { __APP_VERSION__: '"simulated"' },
    resolve: { alias: { '@': join(root, 'src') } },
    plugins: mistake === undefined ? [] : [mistaken(mistake)],
    ...others,
    build: {
      target: 'es2022',
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      copyPublicDir: false,
      ...others.build,
      rolldownOptions: {
        input: join(root, 'tests/simulated', entry),
        output: { format, entryFileNames: name, ...output },
      },
    },
  })
}

mkdirSync(folder, { recursive: true })
await bundle('app.ts', 'app.js', 'iife', { output: { codeSplitting: false } })
if (mistake === undefined)
  await bundle('main.ts', 'main.mjs', 'es', { ssr: { noExternal: true }, build: { ssr: true }, output: {} })
