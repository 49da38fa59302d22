/** The RFC 9162 tree of the attestation log (SPEC §9.1, §9.2). */
import { sha256 } from './hash.js'

const LEAF = new Uint8Array([0])
const NODE = new Uint8Array([1])

/** Index, size and number of hashes do not fit together. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError'
}

export function leafHash(leaf: Uint8Array): Uint8Array {
  return sha256(LEAF, leaf)
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(NODE, left, right)
}

/** How many hashes the proof of leaf `index` has in a tree of `size` leaves: at most 64. */
function pathLength(index: bigint, size: bigint): number {
  let length = 0
  for (let node = index, last = size - 1n; last > 0n; node >>= 1n, last >>= 1n) {
    // The last node of a level that is a left child has no sibling.
    if ((node & 1n) === 1n || node < last) length += 1
  }
  return length
}

/** The root that a proof leads to from the hash of leaf `index` (RFC 9162 §2.1.3.2). */
export function rootOf(
  hash: Uint8Array,
  index: bigint,
  size: bigint,
  proof: readonly Uint8Array[],
): Uint8Array {
  if (index >= size) {
    throw new ShapeError(`leaf index ${index} is outside a log of ${size} leaves`)
  }
  const needed = pathLength(index, size)
  if (proof.length !== needed) {
    throw new ShapeError(`proof has ${proof.length} hashes, ${needed} are needed`)
  }
  let [node, last, root] = [index, size - 1n, hash]
  for (const sibling of proof) {
    if ((node & 1n) === 1n || node === last) {
      root = nodeHash(sibling, root)
      // A node without right neighbour stands for itself until it is a right child.
      while ((node & 1n) === 0n && node !== 0n) {
        node >>= 1n
        last >>= 1n
      }
    } else {
      root = nodeHash(root, sibling)
    }
    node >>= 1n
    last >>= 1n
  }
  return root
}
