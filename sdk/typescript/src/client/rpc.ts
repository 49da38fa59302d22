/** JSON-RPC over HTTP. Integers of 64 bits are exact. */
import { messageOf } from '../verify/errors.js'
import { JsonObject, parseJson, stringify, type JsonValue } from '../verify/json.js'
import { TbsiError } from './errors.js'
import { ANSWER_BYTES_MAX, CALL_MS_MAX } from './limits.js'
import type { MethodName } from './methods.js'

export interface RpcOptions {
  readonly fetch?: typeof fetch
  readonly headers?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

export class Rpc {
  #next = 1
  constructor(
    readonly url: string,
    readonly options: RpcOptions = {},
  ) {}

  /** The result; throws a `TbsiError`. */
  async call(method: MethodName, ...params: readonly unknown[]): Promise<JsonValue> {
    const id = this.#next++
    const body = stringify({ jsonrpc: '2.0', id, method, params })
    const text = await this.#post(method, body)
    return resultOf(method, text)
  }

  async #post(method: string, body: string): Promise<string> {
    const { fetch: send = globalThis.fetch, headers, timeoutMs = CALL_MS_MAX } = this.options
    try {
      const response = await send(this.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
        signal: AbortSignal.timeout(timeoutMs),
      })
      const text = await limitedText(response)
      if (!response.ok && !text.startsWith('{')) {
        throw new Error(`HTTP ${response.status}: ${text.slice(0, 200)}`)
      }
      return text
    } catch (cause) {
      throw new TbsiError('network', `${method} at ${this.url}: ${messageOf(cause)}`, { cause })
    }
  }
}

/** The body, of at most `ANSWER_BYTES_MAX`. */
async function limitedText(response: Response): Promise<string> {
  const reader = response.body?.getReader()
  if (reader === undefined) return ''
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let [text, size] = ['', 0]
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    size += value.length
    if (size > ANSWER_BYTES_MAX) {
      await reader.cancel()
      throw new Error(`the answer has more than ${ANSWER_BYTES_MAX} bytes`)
    }
    text += decoder.decode(value, { stream: true })
  }
}

/** The result out of an answer. */
export function resultOf(method: string, text: string): JsonValue {
  let answer: JsonValue
  try {
    answer = parseJson(text)
  } catch (cause) {
    throw new TbsiError('network', `${method}: the answer is not JSON`, { cause })
  }
  const fields = answer instanceof JsonObject ? answer.fields : new Map<string, JsonValue>()
  const error = fields.get('error')
  if (error instanceof JsonObject) throw errorOf(method, error)
  const result = fields.get('result')
  if (result === undefined) {
    throw new TbsiError('network', `${method}: the answer has neither result nor error`)
  }
  return result
}

export function errorOf(method: string, error: JsonObject): TbsiError {
  const message = `${method}: ${String(error.fields.get('message') ?? 'refused')}`
  const rpcCode = Number(error.fields.get('code') ?? 0)
  return new TbsiError('rpc', message, { rpcCode, data: plain(error.fields.get('data')) })
}

/** JSON as ordinary values; integers are bigints. */
export function plain(value: JsonValue | undefined): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof JsonObject) {
    return Object.fromEntries([...value.fields].map(([name, item]) => [name, plain(item)]))
  }
  if (value === null || typeof value !== 'object') return value
  return Number(value.text)
}

/** A field of an object; undefined if there is none. */
export function fieldOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return value instanceof JsonObject ? value.fields.get(name) : undefined
}

/** The text of a value as a node sent it, but for white space. */
export function textOf(value: JsonValue): string {
  return stringify(plain(value), 2)
}
