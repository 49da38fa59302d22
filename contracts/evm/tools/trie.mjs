// A Merkle-Patricia trie, as far as the vectors need one: root and proofs of a list of entries
// whose keys have the same length. Built anew each time; nothing is kept.
import { encodeRlp, keccak256, toBeHex } from 'ethers'

export const EMPTY_ROOT = keccak256('0x80')

const nibblesOf = (hex) => [...hex.slice(2)].map((digit) => parseInt(digit, 16))
const isLong = (rlp) => rlp.length >= 2 + 64

/** Hex-prefix encoding (Yellow Paper, appendix C). */
function pathOf(nibbles, leaf) {
  const flag = (leaf ? 2 : 0) + (nibbles.length % 2)
  const head = nibbles.length % 2 ? [flag] : [flag, 0]
  return `0x${[...head, ...nibbles].map((nibble) => nibble.toString(16)).join('')}`
}

/** The node over these entries, of which `depth` half-bytes of the key are used up. */
function nodeOf(entries, depth) {
  if (entries.length === 1) {
    const [{ nibbles, value }] = entries
    return { list: [pathOf(nibbles.slice(depth), true), value] }
  }
  let shared = 0
  const at = (entry, i) => entry.nibbles[depth + i]
  while (entries.every((entry) => at(entry, shared) === at(entries[0], shared))) shared++
  if (shared > 0) {
    const below = nodeOf(entries, depth + shared)
    return { list: [pathOf(entries[0].nibbles.slice(depth, depth + shared), false), inside(below)], below: () => below }
  }
  const children = Array.from({ length: 16 }, (_, digit) => {
    const part = entries.filter((entry) => at(entry, 0) === digit)
    return part.length ? nodeOf(part, depth + 1) : undefined
  })
  return {
    list: [...children.map((child) => (child ? inside(child) : '0x')), '0x'],
    below: (digit) => children[digit],
  }
}

/** A node as it stands in its parent: its hash, or itself if it is short. */
function inside(node) {
  const rlp = encodeRlp(node.list)
  return isLong(rlp) ? keccak256(rlp) : node.list
}

/** Entries: `{key, value}` in hex, keys of one length. */
export function trie(entries) {
  if (entries.length === 0) return { root: EMPTY_ROOT, prove: () => [] }
  const top = nodeOf(entries.map(({ key, value }) => ({ nibbles: nibblesOf(key), value })), 0)
  return {
    root: keccak256(encodeRlp(top.list)),
    /** Nodes on the way to a key, those within others left out, as eth_getProof gives them. */
    prove(key) {
      const nibbles = nibblesOf(key)
      const proof = []
      let depth = 0
      for (let node = top; node; ) {
        const rlp = encodeRlp(node.list)
        if (proof.length === 0 || isLong(rlp)) proof.push(rlp)
        if (node.list.length === 17) {
          node = node.below(nibbles[depth])
          depth += 1
          continue
        }
        const path = nibblesOf(node.list[0])
        const rest = path.slice(path[0] % 2 ? 1 : 2)
        const fits = rest.every((nibble, i) => nibble === nibbles[depth + i])
        depth += rest.length
        node = fits && node.below ? node.below() : undefined
      }
      return proof
    },
  }
}

/** A number as RLP of its shortest bytes, as storage values are kept. */
export const rlpOfNumber = (value) => encodeRlp(value === 0n ? '0x' : toBeHex(value))
