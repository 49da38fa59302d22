// tests/vectors/map.json: maps, answers and proofs that every verifier reads alike.
import assert from 'node:assert/strict'
import test from 'node:test'
import { toHex, verify } from '@tbsi/sdk/verify'
import { sha256 } from '../dist/verify/hash.js'
import { rootOfAnswer } from '../dist/verify/map.js'
import { answer, buffer, hex, rootOf } from './map-model.mjs'
import { bytes, read } from './vectors.mjs'

const { maps, answers, genesis, proofs } = read('map.json')

/** An answer as the verifier has it, out of the model's JSON. */
const taken = ({ depth, bitmap, siblings, value, other }) => ({
  depth, bitmap: bytes(bitmap), siblings: siblings.map(bytes),
  value: value === null ? undefined : bytes(value),
  other: other === null ? undefined : { key: bytes(other.key), value: bytes(other.value) },
})

test('roots of maps, and an answer for each key', () => {
  for (const { keys, values, root } of maps) {
    const entries = keys.map((key, at) => [buffer(key), buffer(values[at])])
    assert.equal(hex(rootOf(entries)), root)
    for (const [key, value] of entries) {
      const of = answer(entries, key)
      assert.equal(of.value, hex(value))
      assert.equal(toHex(rootOfAnswer(new Uint8Array(key), taken(of))), root)
    }
  }
  assert.ok(maps.length >= 6)
})

test('answers', () => {
  let refused = 0
  for (const it of answers) {
    assert.equal(toHex(sha256(bytes(it.preimage))), it.key, it.name)
    const of = taken({
      ...it, value: it.end === 1 ? it.value : null,
      other: it.end === 2 ? { key: it.otherKey, value: it.value } : null,
    })
    const root = () => toHex(rootOfAnswer(bytes(it.key), of))
    if (it.refused === '') assert.equal(root(), it.root, it.name)
    else if (it.refused === 'leads to root') assert.notEqual(root(), it.root, it.name)
    else assert.throws(root, undefined, it.name)
    refused += it.refused === '' ? 0 : 1
  }
  assert.ok(refused >= 20 && answers.length - refused >= 22)
})

/** What a report says of the map, as the vectors have it. */
function summary({ revocation, map }) {
  const { leafIndex: rootIndex, entries, knownUpTo, digestsKnownUpTo, digests } = map
  const status = revocation === null ? null : {
    status: revocation.status,
    revocationLeafIndex: revocation.revocation?.leafIndex ?? null,
    revocationHeight: revocation.revocation?.height ?? null,
    reason: revocation.revocation?.reason ?? null,
    successor: revocation.supersession?.successor ?? null,
  }
  return {
    rootIndex, entries, knownUpTo, digestsKnownUpTo, status,
    digests: digests.map(({ digest, first }) =>
      ({ digest, firstLeafIndex: first?.leafIndex ?? null, firstHeight: first?.height ?? null })),
  }
}

const plain = (value) => JSON.parse(JSON.stringify(value, (_, it) => (typeof it === 'bigint' ? Number(it) : it)))

test('proofs', () => {
  const trust = { genesis: JSON.stringify(genesis) }
  for (const { name, compact, json, verified, refused } of proofs) {
    // A verifier of both forms reads this one.
    if (name === 'a proof without map part') continue
    const forms = [compact && bytes(compact), json && JSON.stringify(json)].filter((it) => it !== undefined)
    for (const proof of forms) {
      const report = verify({ proof, trust })
      if (verified === undefined) {
        assert.ok(report.code !== undefined && report.reason.includes(refused), `${name}: ${report.reason}`)
        continue
      }
      const { id, issuer, ...status } = verified.status ?? {}
      const expected = { ...verified, status: verified.status && status }
      assert.deepEqual(summary(plain(report)), expected, `${name}: ${report.reason}`)
      if (verified.status !== null) {
        assert.deepEqual([report.statement.id, report.issuer], [id, issuer], name)
        assert.equal(report.verdict, status.status === 'notRevoked' ? 'valid' : 'void', name)
      }
    }
  }
  assert.ok(proofs.length >= 40)
})
