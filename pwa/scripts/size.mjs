/**
 * Weighs the first screen of the built app as a browser gets it: a server is started (or NUONG_URL is asked), and every byte
 * counts that it sends for what index.html names, heads too. Fails above the budget, so that nobody adds a library
 * without noticing; and where a file imports one that the page does not name, which would cost another round trip.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'

const BUDGET_BYTES = 130 * 1024
const PATIENCE_MS = 60_000
const root = new URL('../../', import.meta.url).pathname
const one = new Agent({ keepAlive: true, maxSockets: 1 })

/** What the server sends for a path: all bytes of the connection, and the text that they unpack to. */
function sent(url) {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: one, headers: { 'accept-encoding': 'gzip, deflate, br, zstd' } }, (answer) => {
      const { socket } = answer
      const before = socket.weighed ?? 0
      const parts = []
      answer.on('data', (part) => parts.push(part))
      answer.on('error', reject)
      answer.on('end', () => {
        socket.weighed = socket.bytesRead
        if (answer.statusCode !== 200) return reject(new Error(`${url}: ${answer.statusCode}`))
        resolve({ bytes: socket.bytesRead - before, text: unpacked(answer, Buffer.concat(parts)) })
      })
    })
    request.on('error', reject)
  })
}

function unpacked({ headers }, body) {
  const coding = headers['content-encoding']
  if (coding === undefined) return body.toString()
  return (coding === 'br' ? brotliDecompressSync(body) : gunzipSync(body)).toString()
}

async function firstScreen(server) {
  const page = await sent(`${server}/`)
  const weights = new Map([['/', page.bytes]])
  const unnamed = []
  const named = [...page.text.matchAll(/<(?:script|link)\b[^>]*?(?:src|href)="(\/[^"]+)"/gu)].map(([, path]) => path)
  for (const path of new Set(named)) {
    // Asked for by the browser only when the app is put on the phone's first page.
    if (path.endsWith('.png')) continue
    const { bytes, text } = await sent(server + path)
    weights.set(path, bytes)
    for (const [, name] of text.matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/gu)) {
      if (path.endsWith('.js') && !named.includes(`/assets/${name}`)) unnamed.push(`${path} imports ${name}`)
    }
  }
  return { weights, unnamed }
}

async function withServer(work) {
  if (process.env.NUONG_URL !== undefined) return work(process.env.NUONG_URL.replace(/\/$/u, ''))
  const folder = mkdtempSync(join(tmpdir(), 'nuong-size-'))
  const port = await freePort()
  const env = {
    ...process.env,
    NUONG_PORT: String(port),
    NUONG_DATABASE_URL: `sqlite:///${folder}/nuong.db`,
    NUONG_MEDIA_DIR: join(folder, 'media'),
    NUONG_SECRET_FILE: join(folder, 'secret'),
    NUONG_PWA_DIR: join(root, 'pwa/dist'),
  }
  const command = join(root, '.venv/bin/nuong')
  const { status, stderr } = spawnSync(command, ['migrate'], { env })
  if (status !== 0) throw new Error(`${command} migrate: ${stderr}`)
  const server = spawn(command, ['serve'], { env, stdio: 'ignore' })
  try {
    await ready(`http://127.0.0.1:${port}/readyz`)
    return await work(`http://127.0.0.1:${port}`)
  } finally {
    one.destroy()
    server.kill()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

async function ready(url) {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
    if ((await fetch(url).catch(() => null))?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${url} did not answer`)
}

const { weights, unnamed } = await withServer(firstScreen)
for (const [path, bytes] of weights) console.log(`${String(bytes).padStart(8)}  ${path}`)
const total = [...weights.values()].reduce((sum, bytes) => sum + bytes, 0)
const kib = (total / 1024).toFixed(1)
console.log(`first screen: ${kib} KiB in ${weights.size} requests as sent, budget ${BUDGET_BYTES / 1024} KiB`)
for (const told of unnamed) console.log(`not named by the page: ${told}`)
process.exitCode = total > BUDGET_BYTES || unnamed.length > 0 ? 1 : 0
