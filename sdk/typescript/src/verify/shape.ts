/** Objects of a known shape out of JSON: no key is missing, unknown or repeated. */
import { fromHex } from './bytes.js'
import { JsonError, JsonObject, type JsonValue } from './json.js'
import { U64_MAX } from './limits.js'

/** An object whose keys are known. */
export class Fields {
  readonly #fields: ReadonlyMap<string, JsonValue>

  /** Refuses keys other than `required`, all of which must be there, and `optional`. */
  constructor(
    value: JsonValue | undefined,
    readonly where: string,
    required: readonly string[],
    optional: readonly string[] = [],
  ) {
    const { fields } = objectOf(value, where)
    for (const name of fields.keys()) {
      if (!required.includes(name) && !optional.includes(name)) {
        throw new JsonError(`${where} has an unknown field \`${name}\``)
      }
    }
    const missing = required.find((name) => !fields.has(name))
    if (missing !== undefined) throw new JsonError(`${where} lacks the field \`${missing}\``)
    this.#fields = fields
  }

  get(name: string): JsonValue | undefined {
    return this.#fields.get(name)
  }

  /** Whether it is there, and not null. */
  has(name: string): boolean {
    return (this.#fields.get(name) ?? null) !== null
  }

  text(name: string): string {
    const value = this.get(name)
    return typeof value === 'string' ? value : this.wrong(name, 'a string')
  }

  integer(name: string, max: bigint = U64_MAX): bigint {
    const value = this.get(name)
    if (typeof value === 'bigint' && value >= 0n && value <= max) return value
    return this.wrong(name, `an integer from 0 to ${max}`)
  }

  boolean(name: string): boolean {
    const value = this.get(name)
    return typeof value === 'boolean' ? value : this.wrong(name, 'true or false')
  }

  /** `0x` and digits in small letters; `length` bytes, or any number. */
  bytes(name: string, length?: number): Uint8Array {
    return this.#hex(name, this.get(name), length)
  }

  list(name: string): readonly JsonValue[] {
    const value = this.get(name)
    return Array.isArray(value) ? value : this.wrong(name, 'a list')
  }

  hashes(name: string): Uint8Array[] {
    return this.list(name).map((item) => this.#hex(name, item, 32))
  }

  bytesList(name: string): Uint8Array[] {
    return this.list(name).map((item) => this.#hex(name, item))
  }

  integers(name: string, max: bigint): bigint[] {
    return this.list(name).map((item) => {
      if (typeof item === 'bigint' && item >= 0n && item <= max) return item
      return this.wrong(name, `integers from 0 to ${max}`)
    })
  }

  wrong(name: string, expected: string): never {
    throw new JsonError(`${this.where} field \`${name}\` must be ${expected}`)
  }

  #hex(name: string, value: JsonValue | undefined, length?: number): Uint8Array {
    const bytes = typeof value === 'string' ? fromHex(value) : undefined
    if (bytes !== undefined && (length === undefined || bytes.length === length)) return bytes
    const size = length === undefined ? 'bytes as' : `${length} bytes as`
    return this.wrong(name, `${size} 0x and hex digits in small letters`)
  }
}

/** An object without repeated keys. */
export function objectOf(value: JsonValue | undefined, where: string): JsonObject {
  if (!(value instanceof JsonObject)) throw new JsonError(`${where} must be an object`)
  if (value.repeated !== undefined) {
    throw new JsonError(`${where} has the field \`${value.repeated}\` twice`)
  }
  return value
}
