/** Digests of documents: algorithms, schemas, salts (SPEC §12.5, §12.6). */
import { blake2b, blake2s } from '@noble/hashes/blake2.js'
import { blake3 } from '@noble/hashes/blake3.js'
import { sha256, sha384, sha512, sha512_256 } from '@noble/hashes/sha2.js'
import { keccak_256, keccak_384, keccak_512, sha3_256, sha3_384, sha3_512 } from '@noble/hashes/sha3.js'
import { concat, toHex, utf8, type Hex } from './bytes.js'
import { keccak256 } from './hash.js'
import { wordsPerDigest } from './leaf.js'

/** A hash that is fed piece by piece. */
export interface Hasher {
  update(piece: Uint8Array): Hasher
  digest(): Uint8Array
}

export interface Algorithm {
  /** Multihash code. */
  readonly code: number
  /** Name in the multicodec table. */
  readonly name: string
  readonly bits: number
  /** Absent for one that this package does not compute. */
  readonly create?: () => Hasher
}

const algorithm = (code: number, name: string, bits: number, create?: () => Hasher): Algorithm =>
  create === undefined ? { code, name, bits } : { code, name, bits, create }

/** Those that the contract has from genesis. */
export const ALGORITHMS: readonly Algorithm[] = [
  algorithm(0x12, 'sha2-256', 256, () => sha256.create()),
  algorithm(0x13, 'sha2-512', 512, () => sha512.create()),
  algorithm(0x14, 'sha3-512', 512, () => sha3_512.create()),
  algorithm(0x15, 'sha3-384', 384, () => sha3_384.create()),
  algorithm(0x16, 'sha3-256', 256, () => sha3_256.create()),
  algorithm(0x1b, 'keccak-256', 256, () => keccak_256.create()),
  algorithm(0x1c, 'keccak-384', 384, () => keccak_384.create()),
  algorithm(0x1d, 'keccak-512', 512, () => keccak_512.create()),
  algorithm(0x1e, 'blake3', 256, () => blake3.create({})),
  algorithm(0x20, 'sha2-384', 384, () => sha384.create()),
  algorithm(0x1015, 'sha2-512-256', 256, () => sha512_256.create()),
  algorithm(0x534d, 'sm3-256', 256),
  algorithm(0xb220, 'blake2b-256', 256, () => blake2b.create({ dkLen: 32 })),
  algorithm(0xb240, 'blake2b-512', 512, () => blake2b.create({ dkLen: 64 })),
  algorithm(0xb260, 'blake2s-256', 256, () => blake2s.create({ dkLen: 32 })),
]

export function algorithmBy(key: number | string): Algorithm | undefined {
  return ALGORITHMS.find(({ code, name }) => code === key || name === key)
}

/** Built-in schemas: the bytes of a file, and a salt of 32 bytes in front of them. */
export const FILE_SCHEMA: Hex = toHex(keccak256(utf8('tbsi:file:v1')))
export const SALTED_FILE_SCHEMA: Hex = toHex(keccak256(utf8('tbsi:salted-file:v1')))

/** Bytes of a salt. */
export const SALT_BYTES = 32

/** A digest filled up with zeros to 32 or 64 bytes; undefined if it does not fit. */
export function padDigest(code: number, digest: Uint8Array): Uint8Array | undefined {
  const room = 32 * wordsPerDigest(code)
  if (digest.length === 0 || digest.length > room) return undefined
  return concat(digest, new Uint8Array(room - digest.length))
}

/** The digest over an optional salt and pieces of a document. */
export function digestOf(
  of: Algorithm,
  pieces: Iterable<Uint8Array>,
  salt?: Uint8Array,
): Uint8Array | undefined {
  const hasher = of.create?.()
  if (hasher === undefined) return undefined
  if (salt !== undefined) hasher.update(salt)
  for (const piece of pieces) hasher.update(piece)
  return hasher.digest()
}

/** The salt in the text of a `.tbsi.salt` file: 64 hex digits. */
export function parseSalt(text: string): Uint8Array | undefined {
  const digits = /^(?:0x)?([0-9a-fA-F]{64})\r?\n?$/.exec(text)?.[1]
  if (digits === undefined) return undefined
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}

/** The text of a `.tbsi.salt` file. */
export function formatSalt(salt: Uint8Array): string {
  return `${toHex(salt).slice(2)}\n`
}
