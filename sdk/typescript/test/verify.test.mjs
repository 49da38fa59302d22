// Vectors of the repository, must-fail ones included.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { FILE_SCHEMA, SALTED_FILE_SCHEMA, fromHex, inspect, networkOf, toHex, verify } from '@tbsi/sdk/verify'
import { decodeLeaf, idOf } from '../dist/verify/leaf.js'
import { rootOf, leafHash } from '../dist/verify/tree.js'
import { countQuorum, precommitDigest } from '../dist/verify/decision.js'
import { operatorId, validatorSet } from '../dist/verify/validators.js'
import { padDigest } from '../dist/verify/digest.js'
import { bundleCases, bytes, read } from './vectors.mjs'

test('genesis hash', () => {
  const { genesis, genesisHash } = read('bundle.json')
  assert.equal(networkOf(JSON.stringify(genesis)).genesisHash, genesisHash)
  // What a parser fills in or writes in one way does not change the hash.
  const loose = structuredClone(genesis)
  loose.accounts = {}
  assert.equal(networkOf(JSON.stringify(loose, null, 4)).genesisHash, genesisHash)
  loose.accounts = { '0x00000000000000000000000000000000000000Aa': { code: '0xAB' } }
  const strict = structuredClone(genesis)
  strict.accounts = {
    '0x00000000000000000000000000000000000000aa': { storage: {}, code: '0xab', nonce: 0, balance: '0x0' },
  }
  const [one, other] = [loose, strict].map((it) => networkOf(JSON.stringify(it)).genesisHash)
  assert.equal(one, other)
  assert.notEqual(one, genesisHash)
})

test('the period of the map is part of the genesis hash', () => {
  const { genesis } = read('bundle.json')
  const sorted = (_, value) => (value === null || typeof value !== 'object' || Array.isArray(value)
    ? value : Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))))
  for (const period of [undefined, 1_000, 86_400_000]) {
    genesis.consensus.map_period_ms = period
    const canonical = JSON.stringify(genesis, sorted)
    const hash = createHash('sha256').update('TBSI-GENESIS-1').update(canonical).digest('hex')
    assert.equal(networkOf(JSON.stringify(genesis)).genesisHash, `0x${hash}`, `${period}`)
  }
  for (const period of [999, 86_400_001, '60000']) {
    genesis.consensus.map_period_ms = period
    assert.throws(() => networkOf(JSON.stringify(genesis)), /map_period_ms/)
  }
})

for (const it of bundleCases()) {
  test(`bundle: ${it.name}`, () => {
    const report = verify(it)
    if (it.verified === undefined) {
      assert.notEqual(report.verdict, 'valid')
      assert.ok(report.reason.includes(it.refused), report.reason)
      return
    }
    assert.equal(report.verdict, 'valid', report.reason)
    const { decision } = report
    assert.deepEqual(
      {
        issuer: report.issuer,
        timeMs: Number(report.statement.timeMs),
        leafIndex: Number(report.leafIndex),
        id: report.statement.id,
        power: Number(decision.power),
        totalPower: Number(decision.totalPower),
        signers: decision.signers.map(({ organisation }) => organisation.nameEn),
        handovers: report.handovers.length,
      },
      it.verified,
    )
    assert.equal(inspect(it.proof).issuer, it.verified.issuer)
  })
}

test('verdicts that every verifier shares', () => {
  const { genesis } = read('bundle.json')
  const cases = ['verdicts.json', 'map_verdicts.json'].flatMap((name) => read(name).cases)
  const trust = { genesis: JSON.stringify(genesis) }
  for (const { name, text, bytes: hex, verdict, code } of cases) {
    const report = verify({ proof: text ?? bytes(hex), trust })
    assert.deepEqual([report.verdict, report.code], [verdict, code], `${name}: ${report.reason}`)
  }
  assert.ok(cases.length >= 280)
})

test('leaves', () => {
  const { leaves, refused } = read('leaf.json')
  for (const { name, leaf, leafHash: hash, statement } of leaves) {
    const decoded = decodeLeaf(bytes(leaf))
    const plain = Object.fromEntries(Object.entries(decoded).map(([field, value]) =>
      [field, typeof value === 'bigint' ? Number(value) : value]))
    assert.deepEqual(plain, statement, name)
    assert.equal(toHex(leafHash(bytes(leaf))), hash)
  }
  for (const { name, leaf, reason } of refused) {
    assert.throws(() => decodeLeaf(bytes(leaf)), ({ message }) => message.includes(reason), name)
  }
})

test('ids of attestations, and built-in schemas', () => {
  const { attestations } = read('attestation_ids.json')
  for (const it of attestations) {
    const words = padDigest(it.algorithm, bytes(it.digest))
    assert.equal(toHex(words), `0x${it.words.map((word) => word.slice(2)).join('')}`, it.name)
    const id = idOf({
      chainId: BigInt(it.chainId), issuer: bytes(it.issuer.toLowerCase()),
      schema: bytes(it.schema), algorithm: it.algorithm, words,
    })
    assert.equal(toHex(id), it.id, it.name)
  }
  assert.equal(FILE_SCHEMA, '0x38a40703f0e7976ca5eb1528e670bdd5292f2eeac90fd3b2fbec9727f2f1374f')
  assert.equal(SALTED_FILE_SCHEMA, '0x5953970c70b05d6dc455a5e4f7a31618b428070574b14bb8a4b3f2bd1b4f401a')
})

test('inclusion proofs of all shapes', () => {
  const { inclusion } = read('log.json')
  for (const { index, size, root, proof } of inclusion) {
    const leaf = new Uint8Array(8)
    new DataView(leaf.buffer).setBigUint64(0, BigInt(index))
    const hashes = proof.map(bytes)
    const computed = (path, at = BigInt(index)) => toHex(rootOf(leafHash(leaf), at, BigInt(size), path))
    assert.equal(computed(hashes), root)
    assert.throws(() => computed([...hashes, hashes[0] ?? leaf]))
    assert.throws(() => computed(hashes, BigInt(size)))
    if (hashes.length > 0) assert.throws(() => computed(hashes.slice(1)))
  }
})

test('certificates', () => {
  const vectors = read('certificate.json')
  const chain = { chainId: BigInt(vectors.chainId), genesisHash: bytes(vectors.genesisHash) }
  const members = vectors.validators.map(({ address, power }) => ({
    address: bytes(address), power: BigInt(power), nameZhTw: '', nameEn: address,
  }))
  members.sort((one, other) => (toHex(one.address) < toHex(other.address) ? -1 : 1))
  const set = validatorSet(members)
  let refused = 0
  for (const it of vectors.cases) {
    const encoded = Buffer.from(bytes(it.certificate))
    // Faults of this encoding, which bundles do not have.
    if (/bytes|once|round/.test(it.refused ?? '')) continue
    const entries = encoded.subarray(46)
    const certificate = {
      height: encoded.readBigUInt64BE(0), round: encoded.readUInt32BE(8),
      checkpointDigest: new Uint8Array(encoded.subarray(12, 44)),
      signatures: Array.from({ length: encoded.readUInt16BE(44) }, (_, at) => ({
        validator: new Uint8Array(entries.subarray(85 * at, 85 * at + 20)),
        signature: new Uint8Array(entries.subarray(85 * at + 20, 85 * at + 85)),
      })),
    }
    if (it.power !== undefined) {
      assert.equal(countQuorum(chain, set, certificate), BigInt(it.power), it.name)
      assert.equal(toHex(precommitDigest(chain, certificate)), it.signedDigest)
      continue
    }
    refused += 1
    assert.throws(
      () => countQuorum(chain, set, certificate), ({ message }) => message.includes(it.refused),
      it.name)
  }
  assert.ok(refused >= 12)
  assert.notDeepEqual(operatorId('ab', 'c'), operatorId('a', 'bc'))
})

test('a list is no object', () => {
  const it = bundleCases().find(({ name }) => name === 'signed by all (json)')
  const json = JSON.parse(it.proof)
  const order = [
    'chainId', 'height', 'timeMs', 'blockHash', 'stateRoot', 'logSize', 'logRoot',
    'validatorSetHash', 'nextValidatorSetHash',
  ]
  json.checkpoint = order.map((field) => json.checkpoint[field])
  assert.equal(verify({ ...it, proof: JSON.stringify(json) }).code, 'unreadable')
})

test('foreign input never throws', () => {
  const { genesis } = read('bundle.json')
  const trust = { genesis: JSON.stringify(genesis) }
  const proofs = [
    '', '{}', '[]', 'null', '1', '"', '[[[[', '['.repeat(100_000), '{"a":'.repeat(5_000), '\ufeff{}',
    'TBP', 'TBP1', 'TBM1', 'TBR1', 'TBP2', undefined, null, 7, {}, new Uint8Array(3), new Uint8Array([0xff, 0xfe]),
    `{"format":${'9'.repeat(1_000_000)}}`,
  ]
  for (const proof of proofs) {
    const { verdict, code } = verify({ proof, trust })
    const known = proof === 'TBP2' ? 'otherVersion' : 'unreadable'
    assert.deepEqual([verdict, code], ['could not tell', known], String(proof).slice(0, 20))
    assert.equal(inspect(proof), undefined)
  }
  assert.equal(verify(undefined).verdict, 'could not tell')
  assert.equal(fromHex('0xZZ'), undefined)
  const good = bundleCases()[0]
  for (const wrong of [{}, { genesis: '' }, { genesis: '{}' }, { genesis: 7 }, { checkpoint: '{}' },
    { encodedCheckpoint: '0x00', genesisHash: '0x' }, undefined, null]) {
    assert.deepEqual(verify({ ...good, trust: wrong }).code, 'trust', JSON.stringify(wrong))
  }
})
