// Computes tests/vectors/light_client.json and light_client_proofs.json and compares.
// UPDATE_VECTORS=1 writes them. test/bridge/Vectors.t.sol holds the contracts to them; other
// verifiers should read them too.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { AbiCoder, concat, encodeRlp, id, keccak256, toBeHex, zeroPadValue } from 'ethers'
import * as client from './light-client.mjs'
import { EMPTY_ROOT, rlpOfNumber, trie } from './trie.mjs'

const FOLDER = new URL('../../../tests/vectors/', import.meta.url)
const { checkpoint, decide, digestOf, firstOf, quorumOf, sha256, u16, u32, u64, u8, validatorSet } = client
const equal = (count) => Array(count).fill(1)

// Sets and certificates

const SIZES = [1, 4, 7, 16, 31, 128]
const SETS = SIZES.map((count) => validatorSet(`equal ${count}`, equal(count)))
const WEIGHTED = validatorSet('weighted', [3, 2, 2, 2])
const HEAVIEST = validatorSet('heaviest', [2n ** 64n - 4n, 1, 1, 1])

function sets() {
  return [...SETS, WEIGHTED, HEAVIEST].map(({ name, encoded, hash, validators }) => ({
    name,
    encoded,
    hash,
    power: `${validators.reduce((sum, { power }) => sum + power, 0n)}`,
    validators: validators.map(({ key, address, power, operator }) => ({
      secretKey: key.privateKey,
      address,
      power: `${power}`,
      operator,
    })),
  }))
}

function badSets() {
  const [a, b, c] = SETS[1].validators
  const encoded = (validators) => client.encodeSet(validators).encoded
  return [
    ['empty', concat([u16(0)]), 'ValidatorSetLength'],
    ['no bytes', '0x', 'ValidatorSetLength'],
    ['one byte', '0x00', 'ValidatorSetLength'],
    ['129 validators', concat([u16(129), ...Array(129).fill(`0x${'01'.repeat(60)}`)]), 'ValidatorSetLength'],
    ['one byte more', concat([encoded([a, b]), '0x00']), 'ValidatorSetLength'],
    ['one byte less', encoded([a, b]).slice(0, -2), 'ValidatorSetLength'],
    ['a count too high', concat([u16(3), `0x${encoded([a, b]).slice(6)}`]), 'ValidatorSetLength'],
    ['not in order', encoded([b, a]), 'ValidatorSetOrder'],
    ['one key twice', encoded([a, b, b, c]), 'ValidatorSetOrder'],
    ['the zero address', encoded([{ ...a, address: toBeHex(0, 20) }, b]), 'ValidatorSetOrder'],
    ['no power', encoded([a, { ...b, power: 0n }]), 'ValidatorSetNoPower'],
    ['too much power', encoded([{ ...a, power: 2n ** 64n - 1n }, b]), 'ValidatorSetPowerOverflow'],
  ].map(([name, bytes, refused]) => ({ name, encoded: bytes, refused }))
}

function goodDecisions() {
  return [...SETS, WEIGHTED, HEAVIEST].flatMap((set) => {
    const encoded = checkpoint({ set })
    const count = set.validators.length
    const power = (positions) =>
      `${positions.reduce((sum, position) => sum + set.validators[position].power, 0n)}`
    const least = set === WEIGHTED ? 3 : set === HEAVIEST ? 1 : quorumOf(count)
    const signers = {
      'all sign': firstOf(count),
      'exactly a quorum': firstOf(least),
      'the last ones sign': firstOf(set === HEAVIEST ? 0 : least).map((i) => count - 1 - i).reverse(),
    }
    if (set === HEAVIEST || set === WEIGHTED) delete signers['the last ones sign']
    return Object.entries(signers).map(([name, positions]) => ({
      name: `${set.name}: ${name}`,
      set: set.name,
      decision: decide(encoded, set, positions, { round: 1 }),
      digest: digestOf(encoded),
      power: power(positions),
    }))
  })
}

function badDecisions() {
  const set = SETS[1]
  const other = SETS[2]
  const encoded = checkpoint({ set })
  const good = decide(encoded, set, [0, 1, 2])
  const bytes = Buffer.from(good.slice(2), 'hex')
  const cut = (from, to) => `0x${bytes.subarray(from, to).toString('hex')}`
  const [head, bits] = [cut(0, 196), cut(196, 212)]
  const signature = (i) => cut(212 + 65 * i, 277 + 65 * i)
  const [s0, s1, s2] = [0, 1, 2].map(signature)
  const with0 = (replacement) => concat([head, bits, replacement, s1, s2])
  const signedAs = (digest) => decide(encoded, set, [0, 1, 2], { digest })
  const vote = (over) => signedAs(client.voteDigest(encoded, over))
  const lastByte = (value) => concat([s0.slice(0, -2), u8(value)])
  const bad = 'CertificateSignature'
  const length = 'CertificateSignaturesLength'
  const cases = [
    ['nobody signs', decide(encoded, set, []), 'LightClientDecisionLength'],
    ['no bytes', '0x', 'LightClientDecisionLength'],
    ['a checkpoint alone', encoded, 'LightClientDecisionLength'],
    ['nobody signs, with a signature', concat([head, client.bitmap([]), s0]), length],
    ['exactly two thirds of 3', decide(checkpoint({ set: SETS[1] }), set, [0, 1]), 'CertificateNoQuorum'],
    ['one signature less', concat([head, bits, s0, s1]), length],
    ['one signature more', concat([good, s2]), length],
    ['one byte less', good.slice(0, -2), length],
    ['one byte more', concat([good, '0x00']), length],
    ['one signer twice', concat([head, bits, s0, s0, s2]), bad],
    ['signatures in another order', concat([head, bits, s1, s0, s2]), bad],
    ['a bit beyond the set', concat([head, client.bitmap([0, 1, 4]), s0, s1, s2]), 'CertificateSigners'],
    ['the highest bit', concat([head, client.bitmap([0, 1, 127]), s0, s1, s2]), 'CertificateSigners'],
    ['high s', with0(client.highS(s0)), bad],
    ['v 0', with0(lastByte(0)), bad],
    ['v 1', with0(lastByte(1)), bad],
    ['v 26', with0(lastByte(26)), bad],
    ['v 29', with0(lastByte(29)), bad],
    ['the other v', with0(lastByte(55 - parseInt(s0.slice(-2), 16))), bad],
    ['r zero', with0(concat([toBeHex(0, 32), `0x${s0.slice(66)}`])), bad],
    ['s zero', with0(concat([s0.slice(0, 66), toBeHex(0, 32), `0x${s0.slice(130)}`])), bad],
    ['all zero', with0(`0x${'00'.repeat(65)}`), bad],
    ['a prevote', vote({ kind: 1 }), bad],
    ['a nil vote', vote({ flag: 0 }), bad],
    ['a proposal', signedAs(client.proposalDigest(encoded)), bad],
    ['of another round', vote({ round: 1 }), bad],
    ['of another height', vote({ height: 201n }), bad],
    ['of another chain id', vote({ chainId: 1n }), bad],
    ['of another genesis', vote({ genesisHash: sha256('0x01') }), bad],
    ['the checkpoint digest itself', signedAs(digestOf(encoded)), bad],
    ['another set signs', decide(encoded, other, [0, 1, 2]), bad],
    ['of another set', decide(checkpoint({ set: other }), other, firstOf(5)), 'LightClientValidatorSet'],
    ['of another chain', decide(checkpoint({ set, chainId: 1n }), set, [0, 1, 2]), 'LightClientChain'],
  ].map(([name, decision, refused]) => ({ name, set: set.name, decision, refused }))
  for (const one of [...SETS, WEIGHTED]) {
    const count = one.validators.length
    const signers = one === WEIGHTED ? [1, 2, 3] : firstOf(quorumOf(count) - 1)
    if (signers.length === 0) continue
    cases.push({
      name: `${one.name}: one below a quorum`,
      set: one.name,
      decision: decide(checkpoint({ set: one }), one, signers),
      refused: 'CertificateNoQuorum',
    })
  }
  return cases
}

// Handovers

function handovers() {
  const [old, next, third] = [SETS[1], SETS[2], WEIGHTED]
  const all = ({ validators }) => firstOf(validators.length)
  const last = (over = {}, signers = [0, 1, 2]) =>
    decide(checkpoint({ set: old, next, height: 300n, ...over }), old, signers)
  const first = (over = {}, signers = firstOf(5)) =>
    decide(checkpoint({ set: next, height: 301n, ...over }), next, signers)
  const good = { last: last(), set: next.encoded, first: first() }
  const conflict = 'LightClientValidatorSet'
  return [
    ['with both quorums', {}],
    ['without the old quorum', { last: last({}, [0, 1]) }, 'CertificateNoQuorum'],
    ['without the new quorum', { first: first({}, firstOf(4)) }, 'CertificateNoQuorum'],
    ['to a set that was not named', { set: third.encoded }, conflict],
    ['by a checkpoint that names no other set', { last: last({ next: old }) }, 'LightClientNotAHandover'],
    ['with a height left out', { first: first({ height: 302n }) }, 'LightClientNotAHandover'],
    ['at the same height', { first: first({ height: 300n }) }, 'LightClientNotAHandover'],
    ['backwards in time', { first: first({ timeMs: 1_699_999_300_000n }) }, 'LightClientNotAhead'],
    ['with a shorter log', { first: first({ logSize: 1999n }) }, 'LightClientNotAhead'],
    ['the old set signs the first', { first: decide(checkpoint({ set: next, height: 301n }), old, all(old)) }, 'CertificateSignature'],
    ['the first is of the old set', { first: decide(checkpoint({ set: old, height: 301n }), old, all(old)) }, conflict],
    ['the new set signs the last', { last: decide(checkpoint({ set: old, next, height: 300n }), next, all(next)) }, 'CertificateSigners'],
  ].map(([name, over, refused]) => ({
    name,
    trustedSet: old.name,
    ...{ ...good, ...over },
    ...(refused ? { refused } : {}),
  }))
}

// Leaves

const HEAD = (kind, over = {}) =>
  concat([
    u8(over.version ?? 1),
    u8(kind),
    u64(over.chainId ?? client.CHAIN_ID),
    toBeHex(42, 6),
    toBeHex(1_700_000_012_345, 6),
    toBeHex(3, 3),
    toBeHex(7, 3),
    `0x${'aa'.repeat(20)}`,
  ])

function messages() {
  const fields = {
    destination: id('eip155:1'),
    receiver: zeroPadValue(`0x${'be'.repeat(20)}`, 32),
    sequence: 5n,
    timeout: 1_700_000_600n,
    payloadHash: sha256(client.text('payload')),
  }
  const body = concat([fields.destination, fields.receiver, u64(fields.sequence), u64(fields.timeout), fields.payloadHash])
  const leaf = concat([HEAD(32), body])
  return [
    { name: 'a message', leaf, leafHash: sha256('0x00', leaf), ...fields, sequence: '5', timeout: '1700000600', sender: `0x${'aa'.repeat(20)}` },
    { name: 'one byte less', leaf: leaf.slice(0, -2), refused: 'LeafLength' },
    { name: 'one byte more', leaf: concat([leaf, '0x00']), refused: 'LeafLength' },
    { name: 'another version', leaf: concat([HEAD(32, { version: 2 }), body]), refused: 'LeafVersion' },
    { name: 'an attestation', leaf: concat([HEAD(1), body]), refused: 'LeafKind' },
    { name: 'head alone', leaf: HEAD(32), refused: 'LeafLength' },
    { name: 'empty', leaf: '0x', refused: 'LeafLength' },
  ]
}

// Multiproofs, over a log whose leaf i is the eight bytes of i

const leafHashes = (size) => firstOf(size).map((i) => sha256('0x00', u64(i)))
const split = (size) => 2 ** Math.floor(Math.log2(size - 1))

function treeHash(hashes) {
  if (hashes.length === 1) return hashes[0]
  const middle = split(hashes.length)
  return sha256('0x01', treeHash(hashes.slice(0, middle)), treeHash(hashes.slice(middle)))
}

/** The hashes of the largest subtrees without any of the indexes, from left to right. */
function nodesFor(hashes, indexes, start = 0) {
  const end = start + hashes.length
  if (!indexes.some((index) => index >= start && index < end)) return [treeHash(hashes)]
  if (hashes.length === 1) return []
  const middle = split(hashes.length)
  return [
    ...nodesFor(hashes.slice(0, middle), indexes, start),
    ...nodesFor(hashes.slice(middle), indexes, start + middle),
  ]
}

function multiproofs() {
  return [
    [1, [0]],
    [2, [0, 1]],
    [3, [2]],
    [7, [0, 3, 6]],
    [8, [1, 2, 5]],
    [9, [8]],
    [100, [0, 50, 99]],
    [300, [0, 1, 2, 137, 255, 256, 299]],
    [300, firstOf(300)],
    [1000, Array.from({ length: 100 }, (_, i) => i * 10 + (i % 7))],
  ].map(([size, indexes]) => {
    const hashes = leafHashes(size)
    return { size, indexes, root: treeHash(hashes), nodes: nodesFor(hashes, indexes) }
  })
}

// State of a router on the TBSI chain

const COMMITMENTS = '0x1260944489272988d9df285149b5aa1b0f48f2136d6f416159f840a3e0747600'
const ROUTER = `0x${'12'.repeat(20)}`

function slotOf(path) {
  const encoded = AbiCoder.defaultAbiCoder().encode(['bytes32', 'bytes32'], [keccak256(path), COMMITMENTS])
  return keccak256(encoded)
}

function states() {
  const path = (i, kind = 1) => concat([client.text('client-0'), u8(kind), u64(i)])
  const state = (name, count, proven) => {
    const values = firstOf(count).map((i) => (i % 5 === 4 ? BigInt(i) : BigInt(id(`commitment ${i}`))))
    const storage = trie(values.map((value, i) => ({ key: keccak256(slotOf(path(i))), value: rlpOfNumber(value) })))
    const account = encodeRlp(['0x01', '0x', storage.root, id('code')])
    const accounts = trie([
      { key: keccak256(ROUTER), value: account },
      ...firstOf(50).map((i) => ({
        key: keccak256(toBeHex(0x1000 + i, 20)),
        value: encodeRlp(['0x', toBeHex(i + 1), EMPTY_ROOT, id('')]),
      })),
    ])
    return {
      name,
      stateRoot: accounts.root,
      storageRoot: storage.root,
      router: ROUTER,
      accountProof: accounts.prove(keccak256(ROUTER)),
      stranger: toBeHex(0xdead, 20),
      strangerProof: accounts.prove(keccak256(toBeHex(0xdead, 20))),
      slots: proven.map(([i, kind]) => ({
        path: path(i, kind),
        slot: slotOf(path(i, kind)),
        value: kind === 1 && i < count ? toBeHex(values[i], 32) : toBeHex(0, 32),
        proof: storage.prove(keccak256(slotOf(path(i, kind)))),
      })),
    }
  }
  const some = (count) => firstOf(Math.min(count, 6)).map((i) => [i, 1])
  const absent = [[1000, 1], [1001, 1], [0, 2], [1, 3], [77, 2], [78, 2]]
  return [
    state('no commitment', 0, absent),
    state('one commitment', 1, [...some(1), ...absent]),
    state('two commitments', 2, [...some(2), ...absent]),
    state('twenty commitments', 20, [...some(20), ...absent]),
    state('four hundred commitments', 400, [...some(400), [399, 1], ...absent]),
  ]
}

const FILES = {
  'light_client.json': {
    description:
      'A light client on another chain (SPEC §14): validator sets, decisions, handovers. What has ' +
      '`refused` must be refused, with that error; the rest is valid. Decisions are judged by the ' +
      'set alone. Handovers start from a checkpoint of height 100, time 1699999100000 ms and log ' +
      'size 1000 whose set and next set are `trustedSet`. Secret keys are for tests.',
    chainId: Number(client.CHAIN_ID),
    genesisHash: client.GENESIS_HASH,
    sets: sets(),
    badSets: badSets(),
    decisions: goodDecisions(),
    badDecisions: badDecisions(),
    handovers: handovers(),
  },
  'light_client_proofs.json': {
    description:
      'What is proven under checkpoints on another chain (SPEC §14): messages, multiproofs, state. ' +
      'What has `refused` must be refused, with that error; the rest is valid. Leaf i of a ' +
      'multiproof is the eight bytes of i. A slot whose value is 0 is absent.',
    messages: messages(),
    multiproofs: multiproofs(),
    states: states(),
  },
}

let wrong = 0
for (const [name, built] of Object.entries(FILES)) {
  const file = new URL(name, FOLDER)
  const json = `${JSON.stringify(built, null, 1)}\n`
  if (process.env.UPDATE_VECTORS === '1') {
    writeFileSync(file, json)
    console.log(`wrote tests/vectors/${name}`)
  } else if (!existsSync(file) || readFileSync(file, 'utf8') !== json) {
    console.error(
      `tests/vectors/${name} is not what ethers computes; if the change is meant, run ` +
        'UPDATE_VECTORS=1 node tools/bridge-vectors.mjs',
    )
    wrong++
  } else {
    const count = Object.values(built).filter(Array.isArray).flat().length
    console.log(`tests/vectors/${name}: ${count} cases are what ethers computes`)
  }
}
process.exit(wrong ? 1 : 0)
