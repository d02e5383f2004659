// A PouchDB replica that a test drives from outside: a command a line on standard input, an answer a line on standard
// output, both JSON.
//
//   → {"id": 7, "verb": "call", "at": PLACE, "method": "get", "with": ["a", {"conflicts": true}]}
//   ← {"id": 7, "ok": {…}}   or   {"id": 7, "error": {"name", "status", "message"}}
//
// A PLACE is {"memory": NAME}, {"folder": PATH} (LevelDB, which outlives this process) or {"url": URL} with "auth"
// (name and password) or "token" (bearer). Commands run side by side; each answer bears its command's id.
import { createInterface } from 'node:readline'
import memory from 'pouchdb-adapter-memory'
import PouchDB from 'pouchdb'

PouchDB.plugin(memory)

const databases = new Map()
const jobs = new Map()
let requests = []

/** Return the database at a place, the same one each time. */
function at(place) {
  const key = JSON.stringify(place)
  if (!databases.has(key)) databases.set(key, open(place))
  return databases.get(key)
}

function open(place) {
  if (place.memory) return new PouchDB(place.memory, { adapter: 'memory' })
  if (place.folder) return new PouchDB(place.folder)
  const fetch = async (url, options) => {
    const { pathname, search } = new URL(url)
    requests.push(`${options?.method ?? 'GET'} ${pathname}${search}`)
    if (place.token) options.headers.set('Authorization', `Bearer ${place.token}`)
    // As in a browser: what PouchDB takes on Node waits for ever where a killed server has sent half an answer.
    const answer = await globalThis.fetch(url, { ...options, headers: [...options.headers] })
    // PouchDB keeps attachments as buffers on Node, and asks for one by this name.
    answer.buffer = async () => Buffer.from(await answer.arrayBuffer())
    return answer
  }
  return new PouchDB(place.url, { auth: place.auth, skip_setup: place.skip_setup, fetch })
}

/** Follow a replication that goes on until it is stopped; `state` tells what it has said so far. */
function follow(name, job) {
  const seen = { events: [], read: 0, written: 0 }
  jobs.set(name, { job, seen })
  for (const event of ['active', 'paused', 'denied', 'error', 'complete'])
    job.on(event, (said) => seen.events.push(said ? `${event}: ${said.message ?? said.name ?? ''}` : event))
  job.on('change', (said) => {
    const { docs_read, docs_written } = said.change ?? said
    seen.read = Math.max(seen.read, docs_read)
    seen.written = Math.max(seen.written, docs_written)
  })
  job.catch(() => {}) // told as an event
}

// Soon enough for a test; PouchDB itself waits up to ten minutes.
const live = { live: true, retry: true, back_off_function: () => 200 }

const verbs = {
  call: ({ at: place, method, with: given }) => at(place)[method](...given),
  replicate: ({ from, to, options }) => PouchDB.replicate(at(from), at(to), options),
  sync: ({ at: place, to, options }) => PouchDB.sync(at(place), at(to), options),
  live: ({ name, at: place, to, options }) => follow(name, PouchDB.sync(at(place), at(to), { ...live, ...options })),
  state: ({ name }) => jobs.get(name).seen,
  stop: ({ name }) =>
    new Promise((resolve) => {
      const { job, seen } = jobs.get(name)
      job.on('complete', () => resolve(seen))
      job.cancel()
    }),
  requests: () => {
    const made = requests
    requests = []
    return made
  },
}

async function obey(command) {
  try {
    return { ok: (await verbs[command.verb](command)) ?? null }
  } catch (error) {
    const { name, status, message, reason, result } = error
    return { error: { name, status, message: reason ?? message ?? String(error), result } }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  obey(command).then((answer) => process.stdout.write(JSON.stringify({ id: command.id, ...answer }) + '\n'))
}
process.exit(0)
