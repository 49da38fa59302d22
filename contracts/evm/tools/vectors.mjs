// Computes tests/vectors/attestation_ids.json with ethers and Node's hashes, independently of the
// contract, and compares. UPDATE_VECTORS=1 writes it. test/Vectors.t.sol holds the contract to it.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AbiCoder, TypedDataEncoder, Wallet, id, keccak256 } from 'ethers'

const VECTORS = new URL('../../../tests/vectors/attestation_ids.json', import.meta.url)
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const CONTRACT = '0x0000000000000000000000000000000000001001'
const CHAIN_ID = 8862026n
const FILE = id('tbsi:file:v1')
const SALTED_FILE = id('tbsi:salted-file:v1')
const KEYS = ['TBSI test key 1', 'TBSI test key 2'].map((text) => new Wallet(id(text)))
const [ISSUER, OTHER] = KEYS.map(({ address }) => address)

const ALGORITHMS = {
  'sha2-256': [0x12, 'sha256'],
  'sha2-512': [0x13, 'sha512'],
  'sha3-512': [0x14, 'sha3-512'],
  'sha3-384': [0x15, 'sha3-384'],
  'sha3-256': [0x16, 'sha3-256'],
  'keccak-256': [0x1b, null],
  'sha2-384': [0x20, 'sha384'],
  'sha2-512-256': [0x1015, 'sha512-256'],
  'sm3-256': [0x534d, 'sm3'],
  'blake2b-512': [0xb240, 'blake2b512'],
  'blake2s-256': [0xb260, 'blake2s256'],
}

function digestOf(algorithm, text) {
  const name = ALGORITHMS[algorithm][1]
  return name ? `0x${createHash(name).update(text).digest('hex')}` : id(text)
}

/** A digest in words of 32 bytes: one up to 256 bits, two above, the rest zero. */
function wordsOf(digest) {
  const padded = digest.slice(2).padEnd(digest.length > 66 ? 128 : 64, '0')
  return padded.match(/.{64}/g).map((word) => `0x${word}`)
}

function attestation(algorithm, text, over = {}) {
  const { chainId, issuer, schema } = { chainId: CHAIN_ID, issuer: ISSUER, schema: FILE, ...over }
  const [code] = ALGORITHMS[algorithm]
  const digest = digestOf(algorithm, text)
  const words = wordsOf(digest)
  const preimage = AbiCoder.defaultAbiCoder().encode(
    ['bytes32', 'uint256', 'address', 'bytes32', 'uint32', 'bytes32[]'],
    [id('TBSI attestation v1'), chainId, issuer, schema, code, words],
  )
  return {
    name: `${algorithm} of "${text}"`,
    chainId: `${chainId}`,
    issuer,
    schema,
    algorithm: code,
    digest,
    words,
    preimage,
    id: keccak256(preimage),
  }
}

function schema(owner, text, commitsTo, revocable) {
  const textHash = digestOf('sha2-256', text)
  const preimage = AbiCoder.defaultAbiCoder().encode(
    ['bytes32', 'address', 'bytes32', 'uint8', 'bool'],
    [id('TBSI schema v1'), owner, textHash, commitsTo, revocable],
  )
  return { owner, textHash, commitsTo, revocable, id: keccak256(preimage) }
}

const FIELDS = [
  ['issuer', 'address'],
  ['schema', 'bytes32'],
  ['algorithm', 'uint32'],
  ['words', 'bytes32[]'],
  ['nonce', 'uint256'],
  ['deadline', 'uint64'],
].map(([name, type]) => ({ name, type }))

/** A delegation as it is sent; `signed` is what its issuer signed where that is something else. */
function delegation(name, batch, texts, { signed = {}, sent = {}, refused } = {}) {
  const message = {
    issuer: ISSUER,
    schema: FILE,
    algorithm: 0x12,
    words: texts.map((text) => digestOf('sha2-256', text)),
    nonce: 0n,
    deadline: 1700000060n,
  }
  const digestFor = ({ chainId = CHAIN_ID, contract = CONTRACT, type, ...over }) =>
    TypedDataEncoder.hash(
      { name: 'TBSI Attestations', version: '1', chainId, verifyingContract: contract },
      { [type ?? (batch ? 'AttestBatch' : 'Attest')]: FIELDS },
      { ...message, ...over },
    )
  const { highS, time, ...over } = sent
  let { v, r, s } = KEYS[signed.key ?? 0].signingKey.sign(digestFor({ ...over, ...signed.over }))
  if (highS) [v, s] = [v === 27 ? 28 : 27, `0x${(ORDER - BigInt(s)).toString(16).padStart(64, '0')}`]
  const whole = { ...message, ...over }
  return {
    name,
    chainId: `${CHAIN_ID}`,
    contract: CONTRACT,
    time: `${time ?? 1700000000n}`,
    batch,
    ...whole,
    nonce: `${whole.nonce}`,
    deadline: `${whole.deadline}`,
    digest: digestFor(over),
    v,
    r,
    s,
    ...(refused ? { refused } : {}),
  }
}

const STATEMENTS = {
  Revoke: { id: 'bytes32', reason: 'uint16' },
  Cancel: {},
}

/** What an issuer signs besides attestations; `signed` is what it signed where that is another. */
function statement(name, type, content, { signed = {}, refused } = {}) {
  const message = { issuer: ISSUER, ...content, nonce: 5n, deadline: 1700000060n }
  const types = { issuer: 'address', ...STATEMENTS[type], nonce: 'uint256', deadline: 'uint64' }
  const fields = Object.entries(types).map(([name, type]) => ({ name, type }))
  const digestFor = ({ chainId = CHAIN_ID, ...over }) =>
    TypedDataEncoder.hash(
      { name: 'TBSI Attestations', version: '1', chainId, verifyingContract: CONTRACT },
      { [type]: fields },
      { ...message, ...over },
    )
  const { v, r, s } = KEYS[0].signingKey.sign(digestFor(signed))
  const [nonce, deadline] = [message.nonce, message.deadline].map(String)
  const digest = digestFor({})
  return { name, type, ...message, nonce, deadline, digest, v, r, s, ...(refused ? { refused } : {}) }
}

/** Words that `attest` or `attestBatch` refuses. */
function refusal(name, batch, algorithm, words, refused) {
  return { name, batch, schema: FILE, algorithm, words, refused }
}

const [ZERO, LOWEST] = [0, 1].map((value) => `0x${value.toString(16).padStart(64, '0')}`)
const WORD_COUNT = 'AttestationsWordCount(uint256,uint256)'
const PADDING = 'AttestationsPaddingNotZero(uint256)'
const MAX_CHAIN_ID = 4503599627370476n
const SIGNER = 'AttestationsSignerNotIssuer(address,address)'
const built = {
  description:
    'Ids of attestations and schemas, and EIP-712 delegations. A digest is that of the quoted ' +
    'text in UTF-8. `digest` of a delegation is what its fields hash to; one with `refused` must ' +
    'be refused at that time with that error, with no nonce used in the contract. `statements` ' +
    'are what an issuer signs otherwise. `refused` lists what is refused whoever sends it. Keys ' +
    'are keccak256("TBSI test key 1") and 2.',
  attestations: [
    ...Object.keys(ALGORITHMS).map((algorithm) => attestation(algorithm, '')),
    ...Object.keys(ALGORITHMS).map((algorithm) => attestation(algorithm, 'abc')),
    attestation('sha2-256', '台灣'),
    attestation('sha2-256', 'abc', { issuer: OTHER }),
    attestation('sha2-256', 'abc', { schema: SALTED_FILE }),
    attestation('sha2-256', 'abc', { chainId: 1n }),
    attestation('sha2-384', 'abc', { chainId: MAX_CHAIN_ID, issuer: OTHER, schema: SALTED_FILE }),
  ],
  refused: [
    refusal('no digest', false, 0x12, [], WORD_COUNT),
    refusal('two digests in one attestation', false, 0x12, [ZERO, ZERO], WORD_COUNT),
    refusal('half a 512-bit digest', false, 0x13, [ZERO], WORD_COUNT),
    refusal('an empty batch', true, 0x12, [], 'AttestationsEmptyBatch()'),
    refusal('a batch with half a digest', true, 0x13, [ZERO, ZERO, ZERO], WORD_COUNT),
    refusal('a 384-bit digest with padding', false, 0x20, [ZERO, LOWEST], PADDING),
    refusal('a batch with padding', true, 0x20, [ZERO, ZERO, LOWEST, LOWEST], PADDING),
    refusal('identity', false, 0, [ZERO], 'AttestationsUnknownAlgorithm(uint32)'),
    refusal('sha1', false, 0x11, [ZERO], 'AttestationsUnknownAlgorithm(uint32)'),
  ],
  schemas: [
    schema(ISSUER, 'a schema', 1, true),
    schema(ISSUER, 'a schema', 1, false),
    schema(ISSUER, 'a schema', 5, true),
    schema(OTHER, 'a schema', 1, true),
  ],
  delegations: [
    delegation('one digest', false, ['abc']),
    delegation('a batch of one', true, ['abc']),
    delegation('a batch of three', true, ['', 'abc', '台灣']),
    delegation('at the deadline', false, ['abc'], { sent: { time: 1700000060n } }),
    delegation('after the deadline', false, ['abc'], {
      sent: { time: 1700000061n },
      refused: 'AttestationsDeadlinePassed(uint64,uint256)',
    }),
    delegation('of any nonce', false, ['abc'], { sent: { nonce: 2n ** 255n + 7n } }),
    delegation('with high s', false, ['abc'], {
      sent: { highS: true },
      refused: 'ECDSAInvalidSignatureS(bytes32)',
    }),
    delegation('by another key', false, ['abc'], { signed: { key: 1 }, refused: SIGNER }),
    ...[
      ['for another chain', { chainId: 1n }],
      ['for another contract', { contract: OTHER }],
      ['of the other type', { type: 'AttestBatch' }],
      ['for another schema', { schema: SALTED_FILE }],
      ['for another algorithm', { algorithm: 0x16 }],
      ['for another digest', { words: [digestOf('sha2-256', '')] }],
      ['for another nonce', { nonce: 1n }],
      ['for another deadline', { deadline: 1700000061n }],
      ['for another issuer', { issuer: OTHER }],
    ].map(([name, over]) =>
      delegation(`signed ${name}`, false, ['abc'], { signed: { over }, refused: SIGNER }),
    ),
    delegation('digests in another order', true, ['', 'abc'], {
      signed: { over: { words: ['abc', ''].map((text) => digestOf('sha2-256', text)) } },
      refused: SIGNER,
    }),
  ],
  statements: [
    statement('a revocation', 'Revoke', { id: id('an attestation'), reason: 3 }),
    statement('a revocation for another reason', 'Revoke', { id: id('an attestation'), reason: 3 }, {
      signed: { reason: 4 },
      refused: SIGNER,
    }),
    statement('a revocation for another chain', 'Revoke', { id: id('an attestation'), reason: 3 }, {
      signed: { chainId: 1n },
      refused: SIGNER,
    }),
    statement('a cancellation', 'Cancel', {}),
    statement('a cancellation of another nonce', 'Cancel', {}, {
      signed: { nonce: 6n },
      refused: SIGNER,
    }),
  ],
}

const text = `${JSON.stringify(built, null, 2)}\n`
if (process.env.UPDATE_VECTORS === '1') {
  writeFileSync(VECTORS, text)
  console.log(`wrote ${fileURLToPath(VECTORS)}`)
} else if (readFileSync(VECTORS, 'utf8') !== text) {
  console.error(
    'tests/vectors/attestation_ids.json is not what ethers computes; if the change is meant, ' +
      'run UPDATE_VECTORS=1 node tools/vectors.mjs',
  )
  process.exit(1)
} else {
  const { description: _, ...lists } = built
  const count = Object.values(lists).flat().length
  console.log(`tests/vectors/attestation_ids.json: ${count} cases are what ethers computes`)
}
