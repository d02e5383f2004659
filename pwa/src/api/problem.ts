/** Nobody is told to stay away for longer, whatever a server or something before it says. */
const MOST_RETRY_S = 3_600

/**
 * What went wrong on the way to the server, as a code and parameters; screens turn them into a sentence
 * (`problem.<code>.sentence`). `offline` and `timeout` are made here, all other codes come from the server.
 */
import { isQuota } from '@/domain/storage-full'

export class Problem extends Error {
  constructor(
    readonly code: string,
    readonly status = 0,
    readonly params: Record<string, unknown> = {},
    readonly retryAfterSeconds: number | null = null,
    /** Which of our servers said so; null where none did: no network, a captive portal, a proxy. */
    readonly server: string | null = null,
  ) {
    super(code)
  }

  /** Whether the same request may succeed later without anybody doing anything. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500 || this.code === 'upload_busy'
  }
}

/** Read a failed response; one that is not problem+json (a proxy's page) becomes `server_failed` or `unexpected`. */
export async function problemOf(response: Response): Promise<Problem> {
  const after = Number(response.headers.get('Retry-After'))
  const retry = Number.isFinite(after) && after > 0 ? Math.min(after, MOST_RETRY_S) : null
  const named = response.headers.get('Nuong-Server') ?? ''
  const server = named === '' ? null : named
  try {
    const body = (await response.json()) as { code?: unknown; params?: unknown }
    if (typeof body.code === 'string') {
      const params = typeof body.params === 'object' && body.params !== null ? body.params : {}
      return new Problem(body.code, response.status, params as Record<string, unknown>, retry, server)
    }
  } catch {
    // Not JSON: the status is all that is known.
  }
  return new Problem(response.status >= 500 ? 'server_failed' : 'unexpected', response.status, {}, retry, server)
}

/** The problem in anything thrown: a full disk whatever wrote there; an error that is none of ours is `unexpected`. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (isQuota(error)) return new Problem('storage_full')
  const code = (error as { code?: unknown } | null)?.code
  return new Problem(typeof code === 'string' ? code : 'unexpected')
}
