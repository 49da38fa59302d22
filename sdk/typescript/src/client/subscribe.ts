/** Leaves as they become final, over WebSocket (SPEC §9.8). */
import type { Hex } from '../verify/bytes.js'
import { messageOf } from '../verify/errors.js'
import { JsonObject, parseJson, stringify, type JsonValue } from '../verify/json.js'
import type { Kind } from '../verify/leaf.js'
import { entryOf, type Entry } from '../verify/standing.js'
import { TbsiError } from './errors.js'
import { MESSAGE_BYTES_MAX, UNREAD_ENTRIES_MAX } from './limits.js'
import { errorOf, fieldOf } from './rpc.js'

/** Leaves that have all of these. */
export interface LeafFilter {
  readonly schema?: Hex
  readonly issuer?: Hex
  readonly kind?: Kind
  /** Number of the issuer's organisation. */
  readonly organisation?: number
  /** The leaf to begin with; the next one by default. */
  readonly fromIndex?: bigint | number
}

/** What this file needs of a WebSocket: that of browsers, of Node.js 22, of the package `ws`. */
export interface Socket {
  send(text: string): void
  close(): void
  addEventListener(type: string, listener: (event: { data?: unknown }) => void): void
}

export type SocketMaker = new (url: string) => Socket

/** What waits for the reader. */
class Queue {
  readonly #entries: Entry[] = []
  #ended: { readonly error: TbsiError | undefined } | undefined
  #wake: (() => void) | undefined

  push(entry: Entry): boolean {
    if (this.#ended !== undefined || this.#entries.length >= UNREAD_ENTRIES_MAX) return false
    this.#entries.push(entry)
    this.#wake?.()
    return true
  }

  end(error?: TbsiError): void {
    this.#ended ??= { error }
    this.#wake?.()
  }

  /** The next entry; undefined at the end. Throws what ended it. */
  async next(): Promise<Entry | undefined> {
    for (;;) {
      const entry = this.#entries.shift()
      if (entry !== undefined) return entry
      if (this.#ended?.error !== undefined) throw this.#ended.error
      if (this.#ended !== undefined) return undefined
      await new Promise<void>((resolve) => { this.#wake = resolve })
    }
  }
}

/** Each leaf once and in order, until `signal` aborts. Nothing is proven: `prove` does that. */
export async function* subscribe(
  url: string,
  filter: LeafFilter,
  { WebSocket: make, signal }: { WebSocket?: SocketMaker; signal?: AbortSignal } = {},
): AsyncGenerator<Entry, void, void> {
  const Maker = make ?? (globalThis as { WebSocket?: SocketMaker }).WebSocket
  if (Maker === undefined) {
    throw new TbsiError(
      'argument', 'this platform has no WebSocket; give one, such as that of the package `ws`')
  }
  const queue = new Queue()
  const socket = new Maker(url)
  const request = { jsonrpc: '2.0', id: 1, method: 'tbsi_subscribe', params: ['leaves', filter] }
  socket.addEventListener('open', () => { socket.send(stringify(request)) })
  socket.addEventListener('message', ({ data }) => {
    if (!take(queue, data)) socket.close()
  })
  const lost = () => { queue.end(new TbsiError('network', `${url}: the connection ended`)) }
  socket.addEventListener('error', lost)
  socket.addEventListener('close', lost)
  const stop = () => { queue.end(); socket.close() }
  signal?.addEventListener('abort', stop)
  try {
    if (signal?.aborted === true) return
    for (;;) {
      const entry = await queue.next()
      if (entry === undefined) return
      yield entry
    }
  } finally {
    signal?.removeEventListener('abort', stop)
    stop()
  }
}

/** Takes a message in; false if it is the last. */
function take(queue: Queue, data: unknown): boolean {
  try {
    const text = String(data)
    if (text.length > MESSAGE_BYTES_MAX) throw new Error(`more than ${MESSAGE_BYTES_MAX} bytes`)
    const message = parseJson(text)
    const error = fieldOf(message, 'error')
    if (error instanceof JsonObject) throw errorOf('tbsi_subscribe', error)
    const result = fieldOf(fieldOf(message, 'params'), 'result')
    return result === undefined || takeNotice(queue, result)
  } catch (cause) {
    const known = cause instanceof TbsiError
    queue.end(known ? cause : new TbsiError('network', `message: ${messageOf(cause)}`, { cause }))
    return false
  }
}

function takeNotice(queue: Queue, notice: JsonValue): boolean {
  const ended = fieldOf(notice, 'ended')
  if (ended !== undefined) {
    const fromIndex = fieldOf(notice, 'fromIndex')
    const more = typeof fromIndex === 'bigint' ? { fromIndex } : {}
    queue.end(new TbsiError('ended', String(ended), more))
    return false
  }
  const entry = entryOf(notice)
  if (queue.push(entry)) return true
  queue.end(new TbsiError(
    'ended', `${UNREAD_ENTRIES_MAX} leaves wait already; subscribe again from where you are`,
    { fromIndex: entry.index }))
  return false
}
