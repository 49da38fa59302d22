/** Roots of trees that are appended to (RFC 9162 §2.1.1, SPEC §9.1). */
import { nodeHash } from '@tbsi/verify/tree.js'
import { sha256 } from '@tbsi/verify/hash.js'

interface Subtree {
  readonly level: number
  readonly hash: Uint8Array
}

/** The perfect subtrees of what was appended so far, largest first. */
export class Frontier {
  readonly #subtrees: Subtree[] = []

  /** Appends a perfect subtree of 2^level leaves; earlier ones are at least as large. */
  push(hash: Uint8Array, level = 0): void {
    let next: Subtree = { level, hash }
    for (let last = this.#subtrees.at(-1); last?.level === next.level; last = this.#subtrees.at(-1)) {
      this.#subtrees.pop()
      next = { level: next.level + 1, hash: nodeHash(last.hash, next.hash) }
    }
    this.#subtrees.push(next)
  }

  root(): Uint8Array {
    const [last, ...before] = [...this.#subtrees].reverse()
    if (last === undefined) return sha256()
    return before.reduce((right, { hash }) => nodeHash(hash, right), last.hash)
  }
}
