/** The genesis file that the visitor trusts: chosen or pinned by its hash, and kept for later. */
import { toHex, type Hex } from '@tbsi/verify/bytes.js'
import { parseGenesis, type Genesis } from '@tbsi/verify/genesis.js'
import { GENESIS_BYTES_MAX } from '../limits.js'

export interface Trusted {
  readonly bytes: Uint8Array
  readonly genesis: Genesis
  readonly hash: Hex
  /** Legal names of the founders; the first has number 1 in the registry (SPEC §13.1). */
  readonly founders: readonly { readonly zhTw: string; readonly en: string }[]
}

const PINNED = 'tbsi.genesis'
const CACHE = 'tbsi-genesis'

/** Checks a genesis file; throws a `TrustError` that says what is wrong. */
export function readGenesis(bytes: Uint8Array): Trusted {
  const genesis = parseGenesis(bytes)
  // What parses under those rules is JSON of that shape.
  const { organisations } = JSON.parse(new TextDecoder().decode(bytes)) as {
    organisations: Record<string, { name_zh_tw: string; name_en: string }>
  }
  const ids = Object.keys(organisations).sort((one, other) => (one < other ? -1 : 1))
  const founders = ids.flatMap((id) => organisations[id] ?? [])
    .map(({ name_zh_tw: zhTw, name_en: en }) => ({ zhTw, en }))
  return { bytes, genesis, founders, hash: toHex(genesis.hash) }
}

/** Pages that were loaded without TLS have no such cache: then nothing is kept. */
const cacheOf = () => (typeof caches === 'undefined' ? undefined : caches.open(CACHE))
const place = (hash: string) => new URL(`genesis/${hash}`, document.baseURI).href

/** Keeps a genesis file for later visits; false if this browser does not. */
export async function pin({ bytes, hash }: Trusted): Promise<boolean> {
  try {
    const cache = await cacheOf()
    if (cache === undefined) return false
    await cache.put(place(hash), new Response(bytes.slice()))
    localStorage.setItem(PINNED, hash)
    return true
  } catch {
    return false
  }
}

/** What was pinned before; undefined if there is none, or it is not what was pinned. */
export async function pinned(): Promise<Trusted | undefined> {
  try {
    const hash = localStorage.getItem(PINNED)
    const cache = hash === null ? undefined : await cacheOf()
    const kept = hash === null ? undefined : await cache?.match(place(hash))
    if (kept === undefined) return undefined
    const bytes = new Uint8Array(await kept.arrayBuffer())
    const read = bytes.length > GENESIS_BYTES_MAX ? undefined : readGenesis(bytes)
    return read?.hash === hash ? read : undefined
  } catch {
    return undefined
  }
}

/** Forgets it, and with it what this page takes for true. */
export async function unpin(): Promise<void> {
  localStorage.removeItem(PINNED)
  if (typeof caches !== 'undefined') await caches.delete(CACHE)
}
