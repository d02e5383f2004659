/**
 * Requests to the server, outside the exchange of records: JSON in and out, the access token added and renewed once when
 * the server no longer takes it, every failure a `Problem`.
 */
import { Problem, problemOf } from './problem'

export type Fetch = (input: string, init?: RequestInit) => Promise<Response>

/** Where tokens come from; `renew` returns false when signing in again is the only way. */
export type TokenSource = {
  access(): Promise<string | null>
  renew(staleAccess: string): Promise<boolean>
}

export type ApiRequest = {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD'
  /** A value to send as JSON, or a body to send as it is. */
  json?: unknown
  body?: BodyInit
  headers?: Record<string, string>
  signal?: AbortSignal
  timeoutMs?: number
  /** How long the body may take, after the answer has begun. */
  bodyMs?: number
}

/** What screens and stores ask for; a store's copy of the client has no private parts. */
export type Api = Pick<ApiClient, 'json' | 'blob' | 'send'>

export class ApiClient {
  constructor(
    private readonly tokens: TokenSource,
    private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init),
  ) {}

  async json<T>(path: string, request: ApiRequest = {}): Promise<T> {
    const response = await this.send(path, request)
    return (response.status === 204 ? undefined : await response.json()) as T
  }

  async blob(path: string, request: ApiRequest = {}): Promise<Blob> {
    return (await this.send(path, request)).blob()
  }

  /** The response of a request that succeeded; throws `Problem` otherwise. */
  async send(path: string, request: ApiRequest = {}): Promise<Response> {
    const access = await this.tokens.access()
    const response = await this.once(path, request, access)
    // A captive portal's 401 says nothing about a token.
    if (response.status !== 401 || access === null || whoAnswered(response) === null) return succeeded(response)
    if (!(await this.tokens.renew(access))) throw await problemOf(response)
    return succeeded(await this.once(path, request, await this.tokens.access()))
  }

  private async once(path: string, request: ApiRequest, access: string | null): Promise<Response> {
    const headers: Record<string, string> = { Accept: 'application/json', ...request.headers }
    if (access !== null) headers['Authorization'] = `Bearer ${access}`
    if (request.json !== undefined) headers['Content-Type'] = 'application/json'
    const body = request.json === undefined ? request.body : JSON.stringify(request.json)
    return reached(this.fetch, path, { method: request.method ?? 'GET', headers, body: body ?? null }, request)
  }
}

/**
 * Fetch with a deadline; no answer becomes `offline` or `timeout`. With `bodyMs` the answer must begin within `timeoutMs`
 * and end within `bodyMs` more; otherwise `timeoutMs` is for all of it.
 */
export async function reached(
  fetch: Fetch,
  path: string,
  init: RequestInit,
  limits: { signal?: AbortSignal | undefined; timeoutMs?: number | undefined; bodyMs?: number | undefined } = {},
): Promise<Response> {
  const { signal, timeoutMs = 60_000, bodyMs = 0 } = limits
  const deadline = AbortSignal.timeout(Math.round(timeoutMs + bodyMs))
  const opening = new AbortController()
  const timer = setTimeout(() => opening.abort(), timeoutMs)
  const signals = [deadline, opening.signal, ...(signal === undefined ? [] : [signal])]
  try {
    return await fetch(path, { ...init, signal: AbortSignal.any(signals) })
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw new Problem(deadline.aborted || opening.signal.aborted ? 'timeout' : 'offline')
  } finally {
    clearTimeout(timer)
  }
}

/** The server that answered; null for one that does not say, or something between it and here. */
export function whoAnswered(response: Response): string | null {
  const server = response.headers.get('Nuong-Server') ?? ''
  return server === '' ? null : server
}

async function succeeded(response: Response): Promise<Response> {
  if (!response.ok) throw await problemOf(response)
  return response
}
