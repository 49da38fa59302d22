/** Hashes of the protocol. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { sha256 as sha256Of } from '@noble/hashes/sha2.js'
import { concat, utf8 } from './bytes.js'

/** SHA-256 over parts; text is ASCII, a tag. */
export function sha256(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  return sha256Of(concat(...parts.map((part) => (typeof part === 'string' ? utf8(part) : part))))
}

export function keccak256(...parts: readonly Uint8Array[]): Uint8Array {
  return keccak_256(concat(...parts))
}
