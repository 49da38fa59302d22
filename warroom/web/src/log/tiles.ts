/** Paths and bytes of tiles (SPEC §9.5, C2SP tlog-tiles). */

/** Hashes of a full tile, and leaves of a full bundle. */
export const TILE_WIDTH = 256
const HASH_BYTES = 32
/** Bytes of the longest leaf, and of the length before it (SPEC §9.3). */
const ENTRY_BYTES_MAX = 512 + 2

/** Bytes of the largest answer to a path. */
export const TILE_BYTES_MAX = TILE_WIDTH * ENTRY_BYTES_MAX

/** What a mirror served is no tile, or none of this log. */
export class TileError extends Error {
  override readonly name = 'TileError'
}

/** `x001/x234/067`: groups of three digits, all but the last behind an x. */
function indexPath(index: number): string {
  const groups: string[] = []
  for (let rest = index; groups.length === 0 || rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(String(rest % 1000).padStart(3, '0'))
  }
  const last = groups.pop() as string
  return [...groups.map((group) => `x${group}`), last].join('/')
}

const partial = (width: number) => (width === TILE_WIDTH ? '' : `.p/${width}`)

export function hashesPath(level: number, index: number, width: number): string {
  return `tile/${level}/${indexPath(index)}${partial(width)}`
}

export function entriesPath(index: number, width: number): string {
  return `tile/entries/${indexPath(index)}${partial(width)}`
}

/** The hashes of a tile, which must be exactly so many. */
export function readHashes(bytes: Uint8Array, width: number): Uint8Array[] {
  if (bytes.length !== width * HASH_BYTES) {
    throw new TileError(`a tile of ${width} hashes has ${bytes.length} bytes, not ${width * HASH_BYTES}`)
  }
  return Array.from({ length: width }, (_, at) =>
    bytes.slice(at * HASH_BYTES, (at + 1) * HASH_BYTES))
}

/** The leaves of a bundle, which must be exactly so many. */
export function readEntries(bytes: Uint8Array, width: number): Uint8Array[] {
  const leaves: Uint8Array[] = []
  let at = 0
  for (let count = 0; count < width; count += 1) {
    const [high, low] = [bytes[at], bytes[at + 1]]
    if (high === undefined || low === undefined) throw cut(count, width)
    const end = at + 2 + high * 256 + low
    if (end > bytes.length) throw cut(count, width)
    leaves.push(bytes.slice(at + 2, end))
    at = end
  }
  if (at !== bytes.length) throw new TileError(`${bytes.length - at} bytes follow the last leaf`)
  return leaves
}

function cut(count: number, width: number): TileError {
  return new TileError(`leaf ${count} of ${width} is cut short`)
}
