/**
 * What this browser saw before, so that a log that was rewritten, forked or rolled back shows. One
 * checkpoint is kept for each network, the newest that all earlier ones are consistent with.
 */
import { equal, fromHex, toHex } from '@tbsi/verify/bytes.js'
import { NETWORKS_MAX } from '../limits.js'
import { rootBefore, type Tiles } from '../log/read.js'
import type { VerifiedHead } from './head.js'

export interface Seen {
  readonly height: number | null
  readonly size: number
  readonly root: string
  readonly digest: string | null
  readonly timeMs: number
}

/** How what is shown now contradicts what was seen before. */
export type Contradiction =
  | { readonly kind: 'fork'; readonly seen: Seen }
  | { readonly kind: 'rolledBack'; readonly seen: Seen }
  | { readonly kind: 'rewritten'; readonly seen: Seen; readonly got: string }

const KEY = 'tbsi.seen'

function all(): Record<string, Seen> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}')
    if (kept === null || typeof kept !== 'object' || Array.isArray(kept)) return {}
    return Object.fromEntries(Object.entries(kept).filter(([, it]) => isSeen(it)))
  } catch {
    return {}
  }
}

function isSeen(it: unknown): it is Seen {
  const { height, size, timeMs, root, digest } = (it ?? {}) as Record<string, unknown>
  const hash = (text: unknown) => typeof text === 'string' && fromHex(text)?.length === 32
  return [size, timeMs].every(Number.isSafeInteger) && hash(root) &&
    (height === null || Number.isSafeInteger(height)) && (digest === null || hash(digest))
}

export function seenOf(network: string): Seen | undefined {
  return all()[network]
}

function remember(network: string, { height, size, rootHex, digest, timeMs }: VerifiedHead): void {
  const kept = Object.entries(all()).filter(([name]) => name !== network).slice(1 - NETWORKS_MAX)
  const seen: Seen = { height, size, root: rootHex, digest, timeMs }
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...Object.fromEntries(kept), [network]: seen }))
  } catch {
    // Without storage nothing is remembered, and nothing is claimed to be.
  }
}

/**
 * Holds a verified checkpoint against what was seen, and remembers it if it fits. Throws what
 * fetching tiles throws: then nothing is known, and nothing is remembered.
 */
export async function hold(
  network: string, head: VerifiedHead, tiles: Tiles,
): Promise<Contradiction | null> {
  const seen = seenOf(network)
  if (seen !== undefined) {
    const [height, before] = [head.height, seen.height]
    const comparable = height !== null && before !== null
    if (comparable && height === before && head.digest !== seen.digest) return { kind: 'fork', seen }
    if (head.size < seen.size || (comparable && height < before)) return { kind: 'rolledBack', seen }
    const root = head.size === seen.size ? head.root : await rootBefore(tiles, head, seen.size)
    const expected = fromHex(seen.root) ?? new Uint8Array()
    if (!equal(root, expected)) return { kind: 'rewritten', seen, got: toHex(root) }
  }
  remember(network, head)
  return null
}

/** Forgets what was seen of a network. */
export function forget(network: string): void {
  const { [network]: _, ...rest } = all()
  localStorage.setItem(KEY, JSON.stringify(rest))
}
