/**
 * The order-free digest of a database: the sum, modulo 2^128, of the first 16 bytes of SHA-256(id + "\n" + rev) over its
 * live (id, winner) pairs. Being a sum, it is carried forward by adding and taking away single marks.
 */
import { sha256 } from './canonical'

const MODULUS = 1n << 128n
export const EMPTY_DIGEST = '0'.repeat(32)

/** One live document's part of the digest, 32 hex digits. */
export async function mark(id: string, rev: string): Promise<string> {
  return (await sha256(`${id}\n${rev}`)).slice(0, 32)
}

export function plus(digest: string, part: string): string {
  return written((BigInt(`0x${digest}`) + BigInt(`0x${part}`)) % MODULUS)
}

export function minus(digest: string, part: string): string {
  return written((BigInt(`0x${digest}`) - BigInt(`0x${part}`) + MODULUS) % MODULUS)
}

/** Seals and design documents never reach a phone and don't count. */
export function counts(id: string): boolean {
  return !id.startsWith('seal:') && !id.startsWith('_design/')
}

function written(value: bigint): string {
  return value.toString(16).padStart(32, '0')
}
