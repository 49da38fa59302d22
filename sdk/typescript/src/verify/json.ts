/**
 * JSON as proofs need it: integers of 64 bits are exact, a key that appears twice is seen, and
 * nothing is repaired. `JSON.parse` does none of that.
 */
import { JSON_DEPTH_MAX } from './limits.js'

/** A number that is not written as an integer. */
export class JsonFloat {
  constructor(readonly text: string) {}
}

/** An object; `repeated` is a key that appears twice. */
export class JsonObject {
  readonly fields = new Map<string, JsonValue>()
  repeated: string | undefined
}

export type JsonValue = null | boolean | bigint | string | JsonFloat | JsonObject | JsonValue[]

/** Not JSON, or too deep. */
export class JsonError extends Error {
  override readonly name = 'JsonError'
}

/** Characters of 2^64 - 1; what is longer fits no field. */
const INTEGER_CHARS_MAX = 20

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y
const SPACE = /[ \t\n\r]*/y
/** Characters of a string that stand for themselves. */
const PLAIN = /[^"\\\u0000-\u001f]*/y
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t',
}
const WORDS = [['null', null], ['true', true], ['false', false]] as const

/** Parses a whole text. */
export function parseJson(text: string): JsonValue {
  const parser = new Parser(text)
  const value = parser.value(0)
  parser.end()
  return value
}

class Parser {
  #at = 0
  constructor(readonly text: string) {}

  value(depth: number): JsonValue {
    this.#match(SPACE)
    const first = this.text[this.#at]
    if ((first === '{' || first === '[') && depth >= JSON_DEPTH_MAX) {
      this.fail(`more than ${JSON_DEPTH_MAX} levels`)
    }
    if (first === '{') return this.#object(depth)
    if (first === '[') return this.#array(depth)
    if (first === '"') return this.#string()
    for (const [word, value] of WORDS) {
      if (this.text.startsWith(word, this.#at)) {
        this.#at += word.length
        return value
      }
    }
    return this.#number()
  }

  end(): void {
    this.#match(SPACE)
    if (this.#at < this.text.length) this.fail('text after the value')
  }

  fail(problem: string): never {
    throw new JsonError(`${problem} at character ${this.#at}`)
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.text)
    if (found !== null) this.#at += found[0].length
    return found
  }

  #takes(symbol: string): boolean {
    this.#match(SPACE)
    const found = this.text[this.#at] === symbol
    if (found) this.#at += 1
    return found
  }

  #needs(symbol: string): void {
    if (!this.#takes(symbol)) this.fail(`\`${symbol}\` expected`)
  }

  #object(depth: number): JsonObject {
    const object = new JsonObject()
    this.#needs('{')
    if (this.#takes('}')) return object
    do {
      this.#match(SPACE)
      const name = this.#string()
      this.#needs(':')
      if (object.fields.has(name)) object.repeated = name
      object.fields.set(name, this.value(depth + 1))
    } while (this.#takes(','))
    this.#needs('}')
    return object
  }

  #array(depth: number): JsonValue[] {
    const items: JsonValue[] = []
    this.#needs('[')
    if (this.#takes(']')) return items
    do items.push(this.value(depth + 1))
    while (this.#takes(','))
    this.#needs(']')
    return items
  }

  #number(): bigint | JsonFloat {
    const found = this.#match(NUMBER)
    if (found === null) this.fail('a value is expected')
    const [text, fraction, exponent] = found
    // -0 is no integer: nothing that counts is written so.
    const whole = fraction === undefined && exponent === undefined && text !== '-0'
    const integer = whole && text.length <= INTEGER_CHARS_MAX
    return integer ? BigInt(text) : new JsonFloat(text)
  }

  #string(): string {
    if (this.text[this.#at] !== '"') this.fail('a string is expected')
    this.#at += 1
    let value = ''
    for (;;) {
      value += this.#match(PLAIN)?.[0] ?? ''
      const next = this.text[this.#at]
      this.#at += 1
      if (next === '"') break
      if (next !== '\\') this.fail('a string does not end, or has a control character')
      value += this.#escape()
    }
    // A half of a surrogate pair is no character.
    if (/\p{Cs}/u.test(value)) this.fail('a string has half a character')
    return value
  }

  #escape(): string {
    const letter = this.text[this.#at] ?? ''
    this.#at += 1
    if (letter !== 'u') return ESCAPES[letter] ?? this.fail('an escape is unknown')
    const digits = this.text.slice(this.#at, this.#at + 4)
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail('an escape is not four hex digits')
    this.#at += 4
    return String.fromCharCode(Number.parseInt(digits, 16))
  }
}


/** What `stringify` takes: plain data, in which integers may be of 64 bits. */
export type Plain =
  | null | boolean | number | bigint | string | undefined
  | readonly Plain[] | { readonly [name: string]: Plain }

/** JSON in which a bigint is an integer. With `indent`, on several lines. */
export function stringify(value: unknown, indent = 0): string {
  return write(value, indent, '')
}

function write(value: unknown, indent: number, margin: string): string {
  if (typeof value === 'bigint') return value.toString()
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  const inner = margin + ' '.repeat(indent)
  const list = (open: string, items: string[], close: string) => {
    if (items.length === 0) return open + close
    if (indent === 0) return open + items.join(',') + close
    return `${open}\n${inner}${items.join(`,\n${inner}`)}\n${margin}${close}`
  }
  if (Array.isArray(value)) {
    return list('[', value.map((item) => write(item, indent, inner)), ']')
  }
  const given = Object.entries(value).filter(([, item]) => item !== undefined)
  const colon = indent === 0 ? ':' : ': '
  const fields = given.map(([name, item]) =>
    JSON.stringify(name) + colon + write(item, indent, inner))
  return list('{', fields, '}')
}
