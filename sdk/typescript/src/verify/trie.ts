/** Words of a state, by the nodes of its Merkle Patricia tries (SPEC §10.11). */
import { equal, fromUint, toHex, uint } from './bytes.js'
import { keccak256 } from './hash.js'

/** Nodes that lead to no word. */
export class TrieError extends Error {
  override readonly name = 'TrieError'
}

/** An item of RLP. */
interface Item {
  readonly raw: Uint8Array
  readonly payload: Uint8Array
  readonly isList: boolean
}

/** The first item in its one form, and what comes after it; undefined if there is none. */
function split(bytes: Uint8Array): [Item, Uint8Array] | undefined {
  const [first] = bytes
  if (first === undefined) return undefined
  if (first < 0x80) {
    const raw = bytes.subarray(0, 1)
    return [{ raw, payload: raw, isList: false }, bytes.subarray(1)]
  }
  const isList = first >= 0xc0
  const short = first - (isList ? 0xc0 : 0x80)
  let [from, length] = [1, short]
  if (short > 55) {
    from = 1 + short - 55
    const size = bytes.subarray(1, from)
    if (size.length < short - 55 || size[0] === 0 || size.length > 4) return undefined
    length = Number(fromUint(size))
    if (length <= 55) return undefined
  }
  const end = from + length
  if (end > bytes.length) return undefined
  const payload = bytes.subarray(from, end)
  const single = !isList && length === 1 && from === 1
  if (single && (payload[0] as number) < 0x80) return undefined
  return [{ raw: bytes.subarray(0, end), payload, isList }, bytes.subarray(end)]
}

function whole(bytes: Uint8Array): Item | undefined {
  const [item, rest] = split(bytes) ?? []
  return rest?.length === 0 ? item : undefined
}

/** The items of a list, at most `max`. */
function itemsOf(item: Item, max: number): Item[] | undefined {
  if (!item.isList) return undefined
  const items: Item[] = []
  let rest = item.payload
  while (rest.length > 0) {
    const next = items.length === max ? undefined : split(rest)
    if (next === undefined) return undefined
    items.push(next[0])
    rest = next[1]
  }
  return items
}

function stringOf(item: Item | undefined): Uint8Array | undefined {
  return item?.isList === false ? item.payload : undefined
}

const KEY_NIBBLES = 64
const EMPTY_ROOT = keccak256(new Uint8Array([0x80]))

const nibble = (key: Uint8Array, at: number): number => {
  const byte = key[at >> 1] as number
  return at % 2 === 0 ? byte >> 4 : byte & 15
}

/** Where a node leads: to a value, to nothing, to the node of a hash, or to one inside of it. */
type Step =
  | { readonly to: 'value'; readonly value: Uint8Array }
  | { readonly to: 'nothing' }
  | { readonly to: 'hash'; readonly hash: Uint8Array }
  | { readonly to: 'inside'; readonly item: Item }

function childOf(item: Item): Step | undefined {
  if (item.isList) return item.raw.length < 32 ? { to: 'inside', item } : undefined
  if (item.payload.length === 0) return { to: 'nothing' }
  return item.payload.length === 32 ? { to: 'hash', hash: item.payload } : undefined
}

/** A leaf or an extension: how many nibbles it takes, and where it leads. */
function short(path: Item, rest: Item, key: Uint8Array, depth: number): [number, Step] | undefined {
  const bytes = stringOf(path)
  const head = bytes?.[0]
  if (bytes === undefined || head === undefined) return undefined
  const kind = head >> 4
  if (kind > 3 || (kind % 2 === 0 && (head & 15) !== 0)) return undefined
  const nibbles = kind % 2 === 1 ? [head & 15] : []
  for (const byte of bytes.subarray(1)) nibbles.push(byte >> 4, byte & 15)
  const left = KEY_NIBBLES - depth
  const isLeaf = kind >= 2
  const fits = isLeaf ? nibbles.length === left : nibbles.length > 0 && nibbles.length <= left
  if (!fits) return undefined
  if (nibbles.some((it, at) => nibble(key, depth + at) !== it)) return [0, { to: 'nothing' }]
  if (isLeaf) {
    const value = stringOf(rest)
    return value === undefined ? undefined : [nibbles.length, { to: 'value', value }]
  }
  const child = childOf(rest)
  // An extension leads somewhere.
  return child === undefined || child.to === 'nothing' ? undefined : [nibbles.length, child]
}

function step(node: Item, key: Uint8Array, depth: number): [number, Step] | undefined {
  const items = itemsOf(node, 17)
  if (items === undefined) return undefined
  const [path, rest] = items
  if (items.length === 2) return short(path as Item, rest as Item, key, depth)
  if (items.length !== 17 || depth === KEY_NIBBLES) return undefined
  const child = childOf(items[nibble(key, depth)] as Item)
  return child === undefined ? undefined : [1, child]
}

/** Nodes that lead to several words: each once, in the order in which they are first needed. */
export class SharedNodes {
  readonly #known = new Map<string, Uint8Array>()

  constructor(
    readonly root: Uint8Array,
    readonly nodes: readonly Uint8Array[],
  ) {}

  /** The word in a slot of an account; 0 if there is no such account or slot. */
  word(account: Uint8Array, slot: bigint): bigint {
    const found = this.#value(this.root, keccak256(account))
    if (found === undefined) return 0n
    const storage = storageRoot(found)
    const encoded = this.#value(storage, keccak256(uint(slot, 32)))
    return encoded === undefined ? 0n : wordOf(encoded)
  }

  /** That nothing is left over. */
  end(): void {
    const used = this.#known.size
    if (used !== this.nodes.length) throw new TrieError(`node ${used} is one too many`)
  }

  #value(root: Uint8Array, key: Uint8Array): Uint8Array | undefined {
    if (equal(root, EMPTY_ROOT)) return undefined
    let [expected, depth] = [root, 0]
    for (;;) {
      let item = whole(this.#node(expected))
      for (;;) {
        const taken = item === undefined ? undefined : step(item, key, depth)
        if (taken === undefined) throw new TrieError('no node of a trie in canonical form')
        depth += taken[0]
        const [, next] = taken
        if (next.to === 'value') return next.value
        if (next.to === 'nothing') return undefined
        if (next.to === 'hash') {
          expected = next.hash
          break
        }
        item = next.item
      }
    }
  }

  #node(hash: Uint8Array): Uint8Array {
    const name = toHex(hash)
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const at = this.#known.size
    const node = this.nodes[at]
    if (node === undefined) throw new TrieError(`node ${at} is missing`)
    if (!equal(keccak256(node), hash)) {
      throw new TrieError(`node ${at} has another hash than the one above it names`)
    }
    this.#known.set(name, node)
    return node
  }
}

/** Of an account: nonce, balance, storage root, code hash. */
function storageRoot(account: Uint8Array): Uint8Array {
  const item = whole(account)
  const fields = (item === undefined ? undefined : itemsOf(item, 4))?.map(stringOf) ?? []
  const [nonce, balance, root, code] = fields
  const integer = (bytes: Uint8Array | undefined, max: number) =>
    bytes !== undefined && bytes.length <= max && bytes[0] !== 0
  const fits = fields.length === 4 && integer(nonce, 8) && integer(balance, 32)
  if (!fits || root?.length !== 32 || code?.length !== 32) {
    throw new TrieError('the proven account has another form than its own')
  }
  return root
}

/** Zero is in no trie. */
function wordOf(encoded: Uint8Array): bigint {
  const item = whole(encoded)
  const bytes = stringOf(item)
  if (bytes === undefined || bytes.length === 0 || bytes.length > 32 || bytes[0] === 0) {
    throw new TrieError('the proven value is no word without leading zeros')
  }
  return fromUint(bytes)
}

/** Slot of a key in the mapping at `slot` (Solidity's layout). */
export function mappingSlot(key: Uint8Array, slot: bigint): bigint {
  return fromUint(keccak256(key, uint(slot, 32)))
}

/** Slot of a list's element that begins `place` slots after its first. */
export function elementSlot(list: bigint, place: bigint): bigint {
  return (fromUint(keccak256(uint(list, 32))) + place) % (1n << 256n)
}
