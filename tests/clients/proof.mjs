// Verifies eth_getProof answers by hand, so that a proof is checked by code that is not TBSI's.
import assert from 'node:assert/strict'
import { fromRlp, keccak256, toHex, toRlp } from 'viem'

/**
 * The value at the hashed key `path` (0x-hex) in the trie with this root, as the nodes of a
 * proof show it; '0x' if they show that there is none. Nodes short enough to lie inside their
 * parent are not followed: hashed keys do not make any in tries as small as those of a test.
 */
function valueAt(root, path, nodes) {
  let rest = path.slice(2)
  let expected = root
  for (const [depth, encoded] of nodes.entries()) {
    assert.equal(keccak256(encoded), expected, `proof node ${depth}: not what its parent names`)
    const node = fromRlp(encoded, 'hex')
    const next = node.length === 17 ? branch(node, rest) : extensionOrLeaf(node, rest)
    if (next.value !== undefined) {
      assert.equal(depth, nodes.length - 1, 'the proof has nodes that nothing needs')
      return next.value
    }
    expected = next.child
    rest = next.rest
  }
  assert.fail('the proof ends before its path does')
}

function branch(node, rest) {
  const child = node[Number.parseInt(rest[0], 16)]
  return child === '0x' ? { value: '0x' } : { child, rest: rest.slice(1) }
}

function extensionOrLeaf([prefixed, content], rest) {
  const flags = Number.parseInt(prefixed[2], 16)
  const nibbles = prefixed.slice(flags % 2 === 1 ? 3 : 4)
  if (flags >= 2) return { value: nibbles === rest ? content : '0x' }
  if (!rest.startsWith(nibbles)) return { value: '0x' }
  return { child: content, rest: rest.slice(nibbles.length) }
}

/** Asserts that an account proof, as viem returns it, follows from a block's state root. */
export function verifyProof(stateRoot, proof) {
  const { address, nonce, balance, storageHash, codeHash } = proof
  const account = toRlp([quantity(nonce), quantity(balance), storageHash, codeHash])
  assert.equal(valueAt(stateRoot, keccak256(address), proof.accountProof), account)
  for (const slot of proof.storageProof) {
    const key = keccak256(toHex(BigInt(slot.key), { size: 32 }))
    const value = slot.value === 0n ? '0x' : toRlp(quantity(slot.value))
    assert.equal(valueAt(storageHash, key, slot.proof), value)
  }
}

/** Asserts that a proof shows that there is no such account. */
export function verifyAbsence(stateRoot, proof) {
  assert.equal(valueAt(stateRoot, keccak256(proof.address), proof.accountProof), '0x')
}

function quantity(number) {
  return BigInt(number) === 0n ? '0x' : toHex(BigInt(number))
}
