/**
 * Weighs the built app's shell: everything that the first screen needs before the form engine. Fails when it is heavier
 * than the budget, so that nobody adds a library without noticing. What is weighed are the very files that the server
 * sends to a browser: the brotli twin where there is one.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

const BUDGET_BYTES = 130 * 1024
const dist = new URL('../dist/', import.meta.url).pathname
const sent = (path) => (existsSync(join(dist, `${path}.br`)) ? `${path}.br` : path)
const weigh = (path) => statSync(join(dist, sent(path))).size

// What index.html names, what those files import at once, and the screens that everybody opens.
const html = readFileSync(join(dist, 'index.html'), 'utf8')
const assets = readdirSync(join(dist, 'assets')).filter((name) => !/\.(br|gz)$/.test(name))
const shell = new Set([...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(([, path]) => path))
for (const name of assets) {
  if (/^(SignIn|Home|Forms|Outbox|Settings|Missing)View-/.test(name)) shell.add(`assets/${name}`)
}
for (let grew = true; grew;) {
  grew = false
  for (const path of [...shell]) {
    if (!path.endsWith('.js')) continue
    for (const [, name] of readFileSync(join(dist, path), 'utf8').matchAll(/from\s*["']\.\/([^"']+\.js)["']/g)) {
      if (shell.has(`assets/${name}`)) continue
      shell.add(`assets/${name}`)
      grew = true
    }
  }
}

const rows = [...shell, 'index.html'].map((path) => [path, weigh(path)]).sort((a, b) => b[1] - a[1])
for (const [path, bytes] of rows.slice(0, 12)) console.log(`${String(bytes).padStart(8)}  ${path}`)
const total = rows.reduce((sum, [, bytes]) => sum + bytes, 0)
console.log(`app shell: ${(total / 1024).toFixed(1)} KiB as sent, budget ${BUDGET_BYTES / 1024} KiB`)
if (total > BUDGET_BYTES) process.exit(1)
