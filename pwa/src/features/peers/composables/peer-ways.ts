/** By which ways another server may be signed in to, as the server will say: its `may_be_shown_to` and `checked_way`. */

const OWN_DOMAINS = ['.local', '.lan', '.internal', '.home.arpa', '.localhost']
/** Addresses that lead nowhere outside of one's own network. */
const OWN_V4 =
  /^(0|10|127)\.|^169\.254\.|^192\.168\.|^172\.(1[6-9]|2\d|3[01])\.|^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./
const OWN_V6 = /^(::1?$|f[cd]|fe[89ab])/

/** Whether this server shows a token of its own key there: to the CouchDB beside it, and to no other server. */
export function takesToken(url: string, tokenUrl: string | null): boolean {
  return tokenUrl !== null && withoutSlashes(url) === withoutSlashes(tokenUrl)
}

/** Whether anybody on the way could read a password that goes there; nothing is said of what is no address yet. */
export function isOpenToReaders(url: string): boolean {
  let parts: URL
  try {
    parts = new URL(url.trim())
  } catch {
    return false
  }
  return parts.protocol === 'http:' && !isOwn(parts.hostname.replace(/^\[|\]$/g, ''))
}

function isOwn(host: string): boolean {
  if (host.includes(':')) return OWN_V6.test(host)
  if (/^[\d.]+$/.test(host)) return OWN_V4.test(host)
  return !host.includes('.') || OWN_DOMAINS.some((domain) => host.endsWith(domain))
}

function withoutSlashes(url: string): string {
  return url.trim().replace(/\/+$/, '')
}
