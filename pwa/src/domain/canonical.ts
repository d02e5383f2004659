/**
 * The canonical form of a JSON value (RFC 8785) and SHA-256 over it. Keys are sorted by UTF-16 code units, which is
 * JavaScript's own order of strings; strings and numbers are written as `JSON.stringify` does, which is what the RFC
 * prescribes. NaN, infinities and lone surrogates are refused, as no document may hold them.
 */

export class NotCanonical extends Error {
  constructor(readonly what: string) {
    super(`a document cannot hold ${what}`)
  }
}

export function canonical(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return text(value)
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value === 'object') {
    const object = value as Record<string, unknown>
    const members = Object.keys(object)
      .sort()
      .map((key) => `${text(key)}:${canonical(object[key])}`)
    return `{${members.join(',')}}`
  }
  throw new NotCanonical(typeof value === 'number' ? 'a number that is none' : `a ${typeof value}`)
}

function text(value: string): string {
  if (/\p{Surrogate}/u.test(value)) throw new NotCanonical('a lone surrogate')
  return JSON.stringify(value)
}

/** SHA-256 of bytes, or of a text's UTF-8, as 64 lowercase hex digits. */
export async function sha256(data: string | Uint8Array<ArrayBuffer> | ArrayBuffer): Promise<string> {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
