/** The map of what is current: keys, values, and the root that an answer leads to (SPEC §9.11). */
import { Cursor, toHex, type Hex } from './bytes.js'
import { sha256 } from './hash.js'
import { MAP_DEPTH_MAX, MAP_VALUE_BYTES_MAX } from './limits.js'

/** What is asked of the map. */
export type Asked =
  | { readonly kind: 'digest'; readonly digest: Uint8Array }
  | { readonly kind: 'status'; readonly id: Uint8Array; readonly issuer: Uint8Array }
  | { readonly kind: 'schema'; readonly schema: Uint8Array }

/** From the end of a key's path to the root. */
export interface Answer {
  /** Bits of the key at which the path ends. */
  readonly depth: number
  /** Which siblings are not empty; bit i from the lowest of the first byte is at depth i + 1. */
  readonly bitmap: Uint8Array
  /** Those, from the root downwards. */
  readonly siblings: readonly Uint8Array[]
  /** The entry's, or undefined if there is none. */
  readonly value: Uint8Array | undefined
  /** The entry that has the path to itself instead. */
  readonly other: { readonly key: Uint8Array; readonly value: Uint8Array } | undefined
}

/** An answer that is none of the map's. */
export class MapError extends Error {
  override readonly name = 'MapError'
}

const NONE = new Uint8Array(32)
const ENTRY = new Uint8Array([2])
const NODE = new Uint8Array([3])

/** Where the map has what is asked. */
export function keyOf(asked: Asked): Uint8Array {
  if (asked.kind === 'digest') return sha256('TBSI-MAP-DIGEST-1', asked.digest)
  if (asked.kind === 'schema') return sha256('TBSI-MAP-SCHEMA-1', asked.schema)
  return sha256('TBSI-MAP-STATUS-1', asked.id, asked.issuer)
}

/** Bits are counted from the highest of the first byte. */
function bitOf(key: Uint8Array, at: number): number {
  return ((key[at >> 3] as number) >> (7 - (at & 7))) & 1
}

/** The root that an answer for `key` leads to. */
export function rootOfAnswer(key: Uint8Array, answer: Answer): Uint8Array {
  const { depth, bitmap, siblings, value, other } = answer
  checkPath(answer)
  if (other !== undefined) checkOther(key, other.key, depth)
  const end = other ?? (value === undefined ? undefined : { key, value })
  let hash = end === undefined ? NONE : sha256(ENTRY, end.key, end.value)
  let left = siblings.length
  for (let at = depth - 1; at >= 0; at -= 1) {
    const there = ((bitmap[at >> 3] as number) >> (at & 7)) & 1
    const sibling = there === 1 ? (siblings[left -= 1] as Uint8Array) : NONE
    hash = bitOf(key, at) === 0 ? sha256(NODE, hash, sibling) : sha256(NODE, sibling, hash)
  }
  return hash
}

function checkPath({ depth, bitmap, siblings, value, other }: Answer): void {
  if (depth > MAP_DEPTH_MAX) {
    throw new MapError(`answer has a depth of ${depth}, at most ${MAP_DEPTH_MAX} is possible`)
  }
  const length = (other?.value ?? value)?.length ?? 0
  if (length > MAP_VALUE_BYTES_MAX) {
    throw new MapError(
      `value has ${length} bytes, at most ${MAP_VALUE_BYTES_MAX} are possible`)
  }
  const size = Math.ceil(depth / 8)
  if (bitmap.length !== size) {
    throw new MapError(`bitmap has ${bitmap.length} bytes, a depth of ${depth} needs ${size}`)
  }
  const last = bitmap[size - 1] ?? 0
  const used = depth - 8 * (size - 1)
  if (depth > 0 && last >> (used - 1) !== 1) {
    throw new MapError('the lowest sibling is empty, or bits are set below it')
  }
  const bits = bitsIn(bitmap)
  if (siblings.length !== bits) {
    throw new MapError(`answer has ${siblings.length} siblings, ${bits} are needed`)
  }
  if (siblings.some((it) => it.every((byte) => byte === 0))) {
    throw new MapError('an empty sibling is written as a hash')
  }
}

/** How many siblings a bitmap says there are. */
export function bitsIn(bitmap: Uint8Array): number {
  let bits = 0
  for (const byte of bitmap) for (let rest = byte; rest > 0; rest >>= 1) bits += rest & 1
  return bits
}

/** Another entry shows that the key has none only if it lies on the key's own path. */
function checkOther(key: Uint8Array, other: Uint8Array, depth: number): void {
  let shared = 0
  while (shared < 256 && bitOf(key, shared) === bitOf(other, shared)) shared += 1
  if (shared === 256) throw new MapError('the other entry is the one that was asked for')
  if (shared < depth) {
    throw new MapError(`the other entry shares ${shared} bits with the key, ${depth} are needed`)
  }
}

/** The first leaf that attests a digest. */
export interface FirstAttested {
  readonly leafIndex: bigint
  readonly height: bigint
}

/** What an account first said of an id. */
export interface Said {
  readonly revocation: (Place & { readonly reason: bigint }) | undefined
  readonly supersession: (Place & { readonly successor: Hex }) | undefined
}

export interface Place {
  readonly leafIndex: bigint
  readonly height: bigint
  readonly timeMs: bigint
}

const REVOKED = 1
const SUPERSEDED = 2

/** Reads the value of an entry for a digest. */
export function readFirst(value: Uint8Array): FirstAttested {
  return whole(value, (cursor) =>
    ({ leafIndex: cursor.uint('index', 8), height: cursor.uint('height', 6) }))
}

/** Reads the value of an entry for an id and an account. */
export function readSaid(value: Uint8Array): Said {
  return whole(value, (cursor) => {
    const flags = cursor.small('flags', 1)
    if (flags < REVOKED || flags > REVOKED + SUPERSEDED) {
      throw new MapError(`flags of a status are ${flags}, 1 to 3 are allowed`)
    }
    const revocation = (flags & REVOKED) === 0
      ? undefined : { ...placeOf(cursor), reason: cursor.uint('reason', 2) }
    const supersession = (flags & SUPERSEDED) === 0
      ? undefined : { ...placeOf(cursor), successor: toHex(cursor.take('successor', 32)) }
    return { revocation, supersession }
  })
}

/** Reads the value of an entry for a schema: whether it allows revocation. */
export function readRevocable(value: Uint8Array): boolean {
  return whole(value, (cursor) => {
    cursor.take('index and height', 14)
    const flag = cursor.small('revocable', 1)
    if (flag > 1) throw new MapError(`flag \`revocable\` is ${flag}, 0 or 1 is allowed`)
    return flag === 1
  })
}

function placeOf(cursor: Cursor): Place {
  return {
    leafIndex: cursor.uint('index', 8),
    height: cursor.uint('height', 6),
    timeMs: cursor.uint('time', 6),
  }
}

function whole<T>(value: Uint8Array, read: (cursor: Cursor) => T): T {
  const cursor = new Cursor(value)
  const found = read(cursor)
  cursor.end()
  return found
}

/** What the root says of revoked algorithms. */
export function algorithmsHash(codes: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * codes.length)
  codes.forEach((code, at) => { new DataView(bytes.buffer).setUint32(4 * at, code) })
  return sha256(bytes)
}
