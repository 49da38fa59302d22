/** DER (X.690), as far as time stamps need it: read once, strictly, and nothing repaired. */

export const TAG = {
  boolean: 0x01, integer: 0x02, bits: 0x03, octets: 0x04, null: 0x05, oid: 0x06, utf8: 0x0c,
  sequence: 0x30, set: 0x31, printable: 0x13, ia5: 0x16, utcTime: 0x17, time: 0x18,
} as const

/** Objects within each other. */
const DEPTH_MAX = 32

/** Bytes that are not DER, or not of the shape that is read. */
export class DerError extends Error {
  override readonly name = 'DerError'
}

/** One value: its tag, its content, and all its bytes. */
export interface Der {
  readonly tag: number
  readonly content: Uint8Array
  readonly bytes: Uint8Array
}

/** One value that fills the bytes. */
export function readDer(bytes: Uint8Array): Der {
  const { value, end } = readAt(bytes, 0)
  if (end !== bytes.length) throw new DerError(`${bytes.length - end} bytes follow the value`)
  return value
}

function readAt(bytes: Uint8Array, at: number): { value: Der; end: number } {
  const [tag, first] = [bytes[at], bytes[at + 1]]
  if (tag === undefined || first === undefined) throw new DerError('a value is cut short')
  if ((tag & 0x1f) === 0x1f) throw new DerError('tags of several bytes are not read here')
  let [length, begin] = [first, at + 2]
  if (first >= 0x80) {
    const count = first & 0x7f
    if (count < 1 || count > 4) throw new DerError('a length of 1 to 4 bytes is expected')
    length = 0
    for (let index = 0; index < count; index += 1) length = length * 256 + (bytes[begin + index] ?? 0)
    begin += count
    if (length < 0x80 || length < 256 ** (count - 1)) throw new DerError('a length is not in its shortest form')
  }
  const end = begin + length
  if (end > bytes.length) throw new DerError('a value is cut short')
  return { value: { tag, content: bytes.slice(begin, end), bytes: bytes.slice(at, end) }, end }
}

/** The values one after the other in a constructed value. */
export function children({ content }: Der, depth = 0): Der[] {
  if (depth > DEPTH_MAX) throw new DerError(`more than ${DEPTH_MAX} levels`)
  const found: Der[] = []
  for (let at = 0; at < content.length;) {
    const { value, end } = readAt(content, at)
    found.push(value)
    at = end
  }
  return found
}

/** A value of a tag, which must be there. */
export function of(value: Der | undefined, tag: number, what: string): Der {
  if (value?.tag === tag) return value
  throw new DerError(`${what} is missing or of another type`)
}

export function sequence(value: Der | undefined, what: string): Der[] {
  return children(of(value, TAG.sequence, what))
}

/** An object identifier in dotted form. */
export function oid(value: Der | undefined, what: string): string {
  const { content } = of(value, TAG.oid, what)
  const numbers: number[] = []
  let next = 0
  for (const byte of content) {
    next = next * 128 + (byte & 0x7f)
    if (next > 2 ** 40) throw new DerError(`${what} has too large a number`)
    if (byte >= 0x80) continue
    numbers.push(next)
    next = 0
  }
  const [first = 0, ...rest] = numbers
  const root = Math.min(2, Math.floor(first / 40))
  return [root, first - 40 * root, ...rest].join('.')
}

/** An unsigned integer. */
export function integer(value: Der | undefined, what: string): bigint {
  const { content } = of(value, TAG.integer, what)
  if (content.length === 0 || content.length > 64 || (content[0] as number) >= 0x80) {
    throw new DerError(`${what} is not a positive integer`)
  }
  return content.reduce((all, byte) => (all << 8n) | BigInt(byte), 0n)
}

/** Milliseconds since 1970 of a UTCTime or GeneralizedTime in UTC. */
export function time(value: Der | undefined, what: string): number {
  const text = String.fromCharCode(...(value?.content.slice(0, 32) ?? []))
  const form = value?.tag === TAG.utcTime ? /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/
    : value?.tag === TAG.time ? /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(?:\.(\d{1,9}))?Z$/ : undefined
  const found = form?.exec(text)
  if (!found) throw new DerError(`${what} is no time in UTC`)
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map(Number)
  const full = found[1]?.length === 4 ? year : year + (year < 50 ? 2000 : 1900)
  const fraction = found[7] === undefined ? 0 : Math.floor(Number(`0.${found[7]}`) * 1000)
  const date = new Date(Date.UTC(full, month - 1, day, hour, minute, second))
  if (date.getUTCMonth() !== month - 1 || date.getUTCSeconds() !== second) {
    throw new DerError(`${what} is no time that there is`)
  }
  return date.getTime() + fraction
}
