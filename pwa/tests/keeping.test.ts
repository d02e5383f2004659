/** The app's files on the phone: what has come stays, nothing foreign is kept, and progress counts bytes on the way. */
import { describe, expect, test } from 'vitest'
import { Keeper, type AppFile, type Shelf } from '@/service-worker/keeping'

const BASE = 'https://nuong.test/'
const OURS = { 'nuong-server': 'one' }

class MemoryShelf implements Shelf {
  readonly held = new Map<string, string>()
  keys = (): Promise<Request[]> => Promise.resolve([...this.held.keys()].map((url) => new Request(url)))
  match = (key: RequestInfo | URL): Promise<Response | undefined> => {
    const text = this.held.get(address(key))
    return Promise.resolve(text === undefined ? undefined : new Response(text))
  }
  put = async (key: RequestInfo | URL, response: Response): Promise<void> => {
    const text = await response.text()
    this.held.set(address(key), text)
  }
  delete = (key: RequestInfo | URL): Promise<boolean> => Promise.resolve(this.held.delete(address(key)))
}

function address(key: RequestInfo | URL): string {
  return key instanceof Request ? key.url : String(key)
}

function file(url: string, sent: number, rest: Partial<AppFile> = {}): AppFile {
  return { url, revision: null, sent, plain: sent * 3, desk: false, ...rest }
}

const FILES = [
  file('index.html', 10, { revision: 'r1' }),
  file('assets/engine.js', 3000),
  file('assets/first.js', 900),
  file('assets/desk.js', 500, { desk: true }),
]

type Answer = (path: string) => Response

function keeping(answer: Answer, shelf = new MemoryShelf(), files = FILES) {
  const asked: string[] = []
  const told: [number, number][] = []
  const load = (request: Request): Promise<Response> => {
    const path = request.url.slice(BASE.length)
    asked.push(path)
    return Promise.resolve(answer(path))
  }
  const keeper = new Keeper(
    files,
    BASE,
    () => Promise.resolve(shelf),
    load,
    (...progress) => told.push(progress),
  )
  return { keeper, shelf, asked, told }
}

const served: Answer = (path) => {
  const { plain = 0 } = FILES.find(({ url }) => url === path) ?? {}
  return new Response('x'.repeat(plain), { headers: OURS })
}

describe('the app on the phone', () => {
  test('is what a phone needs, and progress counts bytes as they are sent', async () => {
    const { keeper, shelf, told } = keeping(served)
    await keeper.install()
    expect([...shelf.held.keys()].sort()).toEqual([
      `${BASE}assets/engine.js`,
      `${BASE}assets/first.js`,
      `${BASE}index.html?revision=r1`,
    ])
    expect([told[0], told.at(-1)]).toEqual([
      [0, 3910],
      [3910, 3910],
    ])
  })

  test('goes on where an attempt broke off: what had come is not asked for again', async () => {
    const shelf = new MemoryShelf()
    const broken = keeping((path) => {
      if (!path.endsWith('first.js')) return served(path)
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(new Uint8Array(100)),
        pull: (controller) => controller.error(new TypeError('the link is gone')),
      })
      return new Response(body, { headers: OURS })
    }, shelf)
    await expect(broken.keeper.install()).rejects.toThrow('the link is gone')
    expect(shelf.held.size).toBe(2)

    const { keeper, asked, told } = keeping(served, shelf)
    await keeper.install()
    expect(asked).toEqual(['assets/first.js'])
    expect(told[0]).toEqual([3010, 3910])
  })

  test.each([
    ["a captive portal's page", new Response('<h1>Wi-Fi</h1>')],
    ['an error', new Response('', { status: 502, headers: OURS })],
  ])('never is %s', async (_, answer) => {
    const { keeper, shelf } = keeping(() => answer.clone())
    await expect(keeper.install()).rejects.toThrow('was answered with')
    expect(shelf.held.size).toBe(0)
  })

  test("has a desk's screens where a desk was used, also in the next version", async () => {
    const { keeper, shelf } = keeping(served)
    await keeper.install()
    await keeper.keepDesk()
    expect(shelf.held.has(`${BASE}assets/desk.js`)).toBe(true)

    const next = keeping(() => new Response('new', { headers: OURS }), shelf, [
      file('index.html', 10, { revision: 'r2' }),
      file('assets/desk-2.js', 5, { desk: true }),
    ])
    await next.keeper.install()
    // Until it takes over, the version that runs keeps its files.
    expect(shelf.held.has(`${BASE}assets/desk.js`)).toBe(true)
    await next.keeper.clear()
    expect(shelf.held.has(`${BASE}assets/desk-2.js`)).toBe(true)
    expect([...shelf.held.keys()].filter((url) => /desk\.js|first\.js|r1/u.test(url))).toEqual([])
  })

  test('answers from the phone, and asks the server for what it has not kept', async () => {
    const { keeper, asked } = keeping(served)
    await keeper.install()
    asked.length = 0
    await expect((await keeper.answer(`${BASE}index.html`))?.text()).resolves.toHaveLength(30)
    expect(asked).toEqual([])
    await keeper.answer(`${BASE}assets/desk.js`)
    expect(asked).toEqual(['assets/desk.js'])
    expect(keeper.answer(`${BASE}api/forms`)).toBeUndefined()
  })
})
