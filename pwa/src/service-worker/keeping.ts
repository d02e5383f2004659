/**
 * The app's own files on the phone: those that are lacking are loaded some at a time and kept one by one, so that an attempt
 * that broke off is gone on with. Nothing but our own server's answers is kept: a captive portal's page is no app.
 */

export type AppFile = {
  readonly url: string
  readonly revision: string | null
  /** Bytes on the way, compressed; and as they are unpacked. */
  readonly sent: number
  readonly plain: number
  /** Whether only a desk's screens use it. */
  readonly desk: boolean
}

export type Shelf = Pick<Cache, 'keys' | 'match' | 'put' | 'delete'>

/** A browser opens six connections to a server; the exchange needs one. */
const AT_ONCE = 4
/** The phone's pages are told after so many more bytes, and at the end. */
const TOLD_EVERY = 8_000
/** Kept beside the files where a desk's screens were asked for, so that the next version brings them too. */
const DESK_MARK = 'kept-for-a-desk'

export class Keeper {
  constructor(
    readonly files: readonly AppFile[],
    private readonly base: string,
    private readonly open: () => Promise<Shelf>,
    private readonly load: (request: Request) => Promise<Response>,
    private readonly tell: (done: number, all: number) => void = () => undefined,
  ) {}

  /** Keep what a phone needs, and what a desk does where one was used before; throws where something did not come. */
  async install(): Promise<void> {
    const shelf = await this.open()
    const hasDesk = (await shelf.match(this.address(DESK_MARK))) !== undefined
    await this.bring(this.files.filter(({ desk }) => hasDesk || !desk))
  }

  /** Keep a desk's screens as well, from now on. */
  async keepDesk(): Promise<void> {
    const shelf = await this.open()
    await shelf.put(this.address(DESK_MARK), new Response(''))
    await this.bring(this.files)
  }

  /** Remove the files of other versions. */
  async clear(): Promise<void> {
    const shelf = await this.open()
    const wanted = new Set([this.address(DESK_MARK), ...this.files.map((file) => this.key(file))])
    for (const request of await shelf.keys()) {
      if (!wanted.has(request.url)) await shelf.delete(request)
    }
  }

  /** The answer to a request for one of the app's files; undefined for everything else. */
  answer(url: string): Promise<Response> | undefined {
    const file = this.files.find((each) => this.address(each.url) === url)
    return file === undefined ? undefined : this.kept(file)
  }

  private async kept(file: AppFile): Promise<Response> {
    const found = await (await this.open()).match(this.key(file))
    return found ?? this.load(new Request(this.address(file.url)))
  }

  private async bring(files: readonly AppFile[]): Promise<void> {
    const shelf = await this.open()
    const held = new Set((await shelf.keys()).map(({ url }) => url))
    const all = files.reduce((sum, { sent }) => sum + sent, 0)
    // The largest first: the last one to come would have the link for itself.
    const lacking = files.filter((file) => !held.has(this.key(file))).sort((a, b) => b.sent - a.sent)
    let done = all - lacking.reduce((sum, { sent }) => sum + sent, 0)
    let told = done
    const count = (bytes: number): void => {
      done += bytes
      if (done - told < TOLD_EVERY) return
      told = done
      this.tell(Math.round(done), all)
    }
    this.tell(done, all)
    const failures: Error[] = []
    const work = async (): Promise<void> => {
      for (let file = lacking.shift(); file !== undefined; file = lacking.shift()) {
        try {
          await this.bringOne(shelf, file, count)
        } catch (error) {
          failures.push(error instanceof Error ? error : new Error(String(error)))
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    if (failures[0] !== undefined) throw failures[0]
    this.tell(all, all)
  }

  private async bringOne(shelf: Shelf, file: AppFile, count: (bytes: number) => void): Promise<void> {
    // A name with a hash in it may come from the browser's own cache, where the page that is open has put it.
    const request = new Request(this.address(file.url), { cache: file.revision === null ? 'default' : 'reload' })
    const response = await this.load(request)
    const isOurs = response.headers.get('nuong-server') !== null
    if (!response.ok || response.redirected || !isOurs || response.body === null) {
      throw new Error(`${file.url} was answered with ${String(response.status)}, ${isOurs ? 'by us' : 'not by us'}`)
    }
    let counted = 0
    const counting = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        const bytes = (chunk.length / Math.max(1, file.plain)) * file.sent
        counted += bytes
        count(bytes)
        controller.enqueue(chunk)
      },
    })
    const headers = new Headers(response.headers)
    // What is kept is unpacked.
    headers.delete('content-encoding')
    headers.delete('content-length')
    try {
      await shelf.put(this.key(file), new Response(response.body.pipeThrough(counting), { headers }))
    } catch (error) {
      count(-counted)
      throw error
    }
    count(file.sent - counted)
  }

  private address(path: string): string {
    return new URL(path, this.base).href
  }

  private key({ url, revision }: AppFile): string {
    return this.address(revision === null ? url : `${url}?revision=${revision}`)
  }
}
