/** Bytes, hex and fixed layouts. Every length is checked before it is used. */

/** `0x` and hex digits. */
export type Hex = `0x${string}`

const DIGITS = '0123456789abcdef'
const STRICT = /^0x(?:[0-9a-f]{2})*$/

export function toHex(bytes: Uint8Array): Hex {
  let text = '0x'
  for (const byte of bytes) text += DIGITS.charAt(byte >> 4) + DIGITS.charAt(byte & 15)
  return text as Hex
}

/** The bytes of `0x` and digits in small letters, the one form that proofs have. */
export function fromHex(text: string): Uint8Array | undefined {
  if (!STRICT.test(text)) return undefined
  const bytes = new Uint8Array((text.length - 2) / 2)
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = Number.parseInt(text.slice(2 + 2 * at, 4 + 2 * at), 16)
  }
  return bytes
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

export function equal(one: Uint8Array, other: Uint8Array): boolean {
  return compare(one, other) === 0
}

/** Below, above or 0, as byte strings are ordered. */
export function compare(one: Uint8Array, other: Uint8Array): number {
  const shared = Math.min(one.length, other.length)
  for (let at = 0; at < shared; at += 1) {
    const difference = (one[at] as number) - (other[at] as number)
    if (difference !== 0) return difference
  }
  return one.length - other.length
}

const ENCODER = new TextEncoder()

export function utf8(text: string): Uint8Array {
  return ENCODER.encode(text)
}

/** The text of UTF-8; undefined if it is none. A byte-order mark stays. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** A big-endian integer of `length` bytes. */
export function uint(value: bigint | number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let rest = BigInt(value)
  for (let at = length - 1; at >= 0; at -= 1) {
    bytes[at] = Number(rest & 255n)
    rest >>= 8n
  }
  return bytes
}

export function fromUint(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return value
}

/** Bytes that ended early, or did not end where they should. */
export class CursorError extends Error {
  override readonly name = 'CursorError'
}

/** Reads bytes from the first to the last. */
export class Cursor {
  #at = 0
  constructor(readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.#at
  }

  take(field: string, count: number): Uint8Array {
    if (count > this.left) {
      throw new CursorError(`${field}: ${count} bytes needed, ${this.left} left`)
    }
    const taken = this.bytes.slice(this.#at, this.#at + count)
    this.#at += count
    return taken
  }

  /** A big-endian integer of `length` bytes. */
  uint(field: string, length: number): bigint {
    return fromUint(this.take(field, length))
  }

  /** One of at most six bytes. */
  small(field: string, length: 1 | 2 | 3 | 4 | 6): number {
    return Number(this.uint(field, length))
  }

  end(): void {
    if (this.left > 0) throw new CursorError(`${this.left} bytes after the last field`)
  }
}
