/**
 * Reads a log from tiles that nobody has to be believed for: the root is recomputed and has to be
 * that of a verified checkpoint before a leaf is looked at, and each bundle has to lead to it.
 */
import { equal, toHex } from '@tbsi/verify/bytes.js'
import { leafHash } from '@tbsi/verify/tree.js'
import { LOG_LEAVES_MAX, TILES_AT_A_TIME } from '../limits.js'
import { Frontier } from './frontier.js'
import { TILE_WIDTH, TileError, entriesPath, hashesPath, readEntries, readHashes } from './tiles.js'

/** Fetches a path below the log. */
export type Tiles = (path: string, signal?: AbortSignal) => Promise<Uint8Array>

/** A log of so many leaves with this root. */
export interface Head {
  readonly size: number
  readonly root: Uint8Array
}

export interface Reading {
  readonly tiles: Tiles
  readonly head: Head
  /** Leaves from here, and before there. */
  readonly from?: number
  readonly to?: number
  readonly visit: (leaf: Uint8Array, index: number) => void
  readonly progress?: (done: number, all: number) => void
  readonly signal?: AbortSignal
}

/** The tiles are of another log than the checkpoint. */
export class OtherLogError extends Error {
  override readonly name = 'OtherLogError'
  constructor(readonly expected: string, readonly got: string) {
    super(`the tiles lead to the root ${got}, the checkpoint says ${expected}`)
  }
}

/** Hashes of all full bundles, and the leaves after the last full one. */
export interface Spine {
  readonly bundles: readonly Uint8Array[]
  readonly tail: readonly Uint8Array[]
}

/** Fetches what the root follows from, and checks that it does. */
export async function readSpine(tiles: Tiles, head: Head, signal?: AbortSignal): Promise<Spine> {
  if (!Number.isSafeInteger(head.size) || head.size < 0 || head.size > LOG_LEAVES_MAX) {
    throw new TileError(`a log of ${head.size} leaves is not read here, at most ${LOG_LEAVES_MAX} are`)
  }
  const full = Math.floor(head.size / TILE_WIDTH)
  const rest = head.size % TILE_WIDTH
  const parts = await several(Math.ceil(full / TILE_WIDTH), async (index) => {
    const width = Math.min(TILE_WIDTH, full - index * TILE_WIDTH)
    return readHashes(await tiles(hashesPath(1, index, width), signal), width)
  })
  const tail = rest === 0 ? [] : readEntries(await tiles(entriesPath(full, rest), signal), rest)
  const spine = { bundles: parts.flat(), tail }
  const root = rootAt(spine, head.size)
  if (!equal(root, head.root)) throw new OtherLogError(toHex(head.root), toHex(root))
  return spine
}

/** The root of all that a spine has; `size` tells that nothing is missing. */
function rootAt({ bundles, tail }: Spine, size: number): Uint8Array {
  const frontier = new Frontier()
  for (const hash of bundles) frontier.push(hash, 8)
  for (const leaf of tail) frontier.push(leafHash(leaf))
  if (bundles.length * TILE_WIDTH + tail.length !== size) throw new TileError('leaves are missing')
  return frontier.root()
}

/** The root that this log had when it had so many leaves: it grew from that, or is another. */
export async function rootBefore(tiles: Tiles, head: Head, size: number): Promise<Uint8Array> {
  const { bundles, tail } = await readSpine(tiles, head)
  const full = Math.floor(size / TILE_WIDTH)
  const frontier = new Frontier()
  for (const hash of bundles.slice(0, full)) frontier.push(hash, 8)
  if (size % TILE_WIDTH > 0) {
    const leaves = full < bundles.length ? await bundle(tiles, bundles[full] as Uint8Array, full) : tail
    for (const leaf of leaves.slice(0, size % TILE_WIDTH)) frontier.push(leafHash(leaf))
  }
  return frontier.root()
}

async function bundle(
  tiles: Tiles, expected: Uint8Array, index: number, signal?: AbortSignal,
): Promise<Uint8Array[]> {
  const leaves = readEntries(await tiles(entriesPath(index, TILE_WIDTH), signal), TILE_WIDTH)
  const frontier = new Frontier()
  for (const leaf of leaves) frontier.push(leafHash(leaf))
  if (!equal(frontier.root(), expected)) throw new OtherLogError(toHex(expected), toHex(frontier.root()))
  return leaves
}

/** Visits verified leaves, in order. */
export async function readLog({ tiles, head, visit, progress, signal, ...range }: Reading): Promise<void> {
  const spine = await readSpine(tiles, head, signal)
  const [from, to] = [range.from ?? 0, Math.min(range.to ?? head.size, head.size)]
  const tailFrom = spine.bundles.length * TILE_WIDTH
  const first = Math.floor(from / TILE_WIDTH)
  const last = Math.min(Math.ceil(to / TILE_WIDTH), spine.bundles.length)
  const show = (leaves: readonly Uint8Array[], begin: number) => leaves.forEach((leaf, at) => {
    if (begin + at >= from && begin + at < to) visit(leaf, begin + at)
  })
  for (let begin = first; begin < last; begin += TILES_AT_A_TIME) {
    signal?.throwIfAborted()
    const count = Math.min(TILES_AT_A_TIME, last - begin)
    const read = await several(count, (at) =>
      bundle(tiles, spine.bundles[begin + at] as Uint8Array, begin + at, signal))
    read.forEach((leaves, at) => show(leaves, (begin + at) * TILE_WIDTH))
    progress?.(Math.min(to, (begin + count) * TILE_WIDTH) - from, to - from)
  }
  show(spine.tail, tailFrom)
  progress?.(to - from, to - from)
}

/** Runs `work` for 0 to below `count`, a few at a time, and keeps the order. */
async function several<T>(count: number, work: (at: number) => Promise<T>): Promise<T[]> {
  const done: T[] = new Array(count)
  let next = 0
  const worker = async () => {
    while (next < count) {
      const at = next
      next += 1
      done[at] = await work(at)
    }
  }
  await Promise.all(Array.from({ length: Math.min(TILES_AT_A_TIME, count) }, worker))
  return done
}
