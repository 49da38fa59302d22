// Computes tests/vectors/governance.json with ethers and Node's Ed25519, independently of the
// contracts, and compares. UPDATE_VECTORS=1 writes it. test/Evidence.t.sol holds the contracts to
// it.
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import {
  SigningKey,
  TypedDataEncoder,
  computeAddress,
  concat,
  getBytes,
  id,
  toBeHex,
} from 'ethers'

const VECTORS = new URL('../../../tests/vectors/governance.json', import.meta.url)
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const CHAIN_ID = 8862026
const GENESIS = id('genesis')
/** Keys keccak256("TBSI test key 1") to 3; the third has an odd y. */
const KEYS = ['TBSI test key 1', 'TBSI test key 2', 'TBSI test key 3'].map((text) => new SigningKey(id(text)))
const [A, B] = ['a block', 'another block'].map(id)
const NIL = toBeHex(0, 32)
const NO_ROUND = 2 ** 32 - 1

const ascii = (text) => `0x${Buffer.from(text, 'ascii').toString('hex')}`
const u = (value, bytes) => toBeHex(value, bytes)
const sha256 = (bytes) => `0x${createHash('sha256').update(getBytes(bytes)).digest('hex')}`

/** r || s || v. */
function ecdsa(key, digest, { highS } = {}) {
  let { r, s, v } = key.sign(digest)
  if (highS) [s, v] = [toBeHex(ORDER - BigInt(s), 32), v === 27 ? 28 : 27]
  return concat([r, s, u(v, 1)])
}

// Possession

/** Ed25519 key of a seed, as Node wants it (RFC 8410). */
function ed25519(text) {
  const der = concat(['0x302e020100300506032b657004220420', id(text)])
  const secret = createPrivateKey({ key: Buffer.from(getBytes(der)), format: 'der', type: 'pkcs8' })
  const key = createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32)
  return { key: `0x${key.toString('hex')}`, sign: (message) => sign(null, getBytes(message), secret) }
}

function possession(name, kind, key, signature, over = {}) {
  const whole = { chainId: CHAIN_ID, genesisHash: GENESIS, organisation: 2, ...over }
  const deadline = 1700000060
  const preimage = concat([
    ascii('TBSI-POSSESSION-1'),
    u(whole.chainId, 8),
    whole.genesisHash,
    u(whole.organisation, 4),
    u(kind, 1),
    key,
    u(deadline, 8),
  ])
  const digest = sha256(preimage)
  return { name, ...whole, kind, key, deadline, preimage, digest, signature: signature(digest) }
}

const [peer, log] = ['TBSI test peer key', 'TBSI test log key'].map(ed25519)
const hex = (bytes) => `0x${bytes.toString('hex')}`

function possessions() {
  const validator = KEYS[0].compressedPublicKey
  const edSigned = (key) => (digest) => hex(key.sign(digest))
  return [
    possession('peer key', 1, peer.key, edSigned(peer)),
    possession('validator key', 2, validator, (digest) => ecdsa(KEYS[0], digest)),
    possession('validator key, odd y', 2, KEYS[2].compressedPublicKey, (digest) =>
      ecdsa(KEYS[2], digest),
    ),
    possession('log key', 3, log.key, edSigned(log)),
    possession('another chain', 1, peer.key, edSigned(peer), { chainId: 1 }),
    possession('another organisation', 1, peer.key, edSigned(peer), { organisation: 2 ** 32 - 1 }),
  ]
}

// Consents

const PERMISSIONS = '0x0000000000000000000000000000000000001004'
const CONSENT = {
  Consent: [
    { name: 'organisation', type: 'uint32' },
    { name: 'account', type: 'address' },
    { name: 'permissions', type: 'uint32' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint64' },
  ],
}

function consent(name, over = {}) {
  const { chainId, ...message } = {
    chainId: CHAIN_ID,
    organisation: 2,
    account: computeAddress(KEYS[0]),
    permissions: 5,
    nonce: 0,
    deadline: 1700000060,
    ...over,
  }
  const domain = { name: 'TBSI Permissions', version: '1', chainId, verifyingContract: PERMISSIONS }
  const digest = TypedDataEncoder.hash(domain, CONSENT, message)
  const { v, r, s } = KEYS[0].sign(digest)
  return { name, chainId, ...message, digest, v, r, s }
}

function consents() {
  return [
    consent('of an account'),
    consent('another organisation', { organisation: 2 ** 32 - 1 }),
    consent('all permissions', { permissions: 63 }),
    consent('the third time', { nonce: 2 }),
    consent('another chain', { chainId: 1 }),
  ]
}

// Evidence

const vote = (over) => ({ kind: 1, height: 5, round: 0, flag: 1, value: A, ...over })
const proposal = (over) => ({ height: 5, round: 0, polka: NO_ROUND, value: A, ...over })

function encodeVote({ kind, height, round, flag, value }) {
  return concat([u(kind, 1), u(height, 8), u(round, 4), u(flag, 1), value])
}

function encodeProposal({ height, round, polka, value }) {
  return concat([u(height, 8), u(round, 4), u(polka, 4), value])
}

function evidence(name, kind, first, second, { refused, signer, network, highS, cut } = {}) {
  const encode = kind === 2 ? encodeProposal : encodeVote
  const { chainId, genesisHash } = { chainId: CHAIN_ID, genesisHash: GENESIS, ...network }
  const tag = ascii(kind === 2 ? 'TBSI-PROPOSAL-1' : 'TBSI-VOTE-1')
  const signed = (statement, key, options) => {
    const digest = sha256(concat([tag, u(chainId, 8), genesisHash, statement]))
    return concat([statement, ecdsa(key, digest, options)])
  }
  const validator = computeAddress(KEYS[0])
  let bytes = concat([
    u(kind, 1),
    validator,
    signed(encode(first), KEYS[0], { highS }),
    signed(encode(second), signer ?? KEYS[0]),
  ])
  if (cut) bytes = cut > 0 ? concat([bytes, '0x00']) : bytes.slice(0, 2 * cut)
  return {
    name,
    validator,
    height: first.height,
    round: first.round,
    kind,
    evidence: bytes,
    evidenceHash: sha256(bytes),
    ...(refused ? { refused } : {}),
  }
}

const KIND = 'NodesEvidenceKind(uint8)'
const LENGTH = 'NodesEvidenceLength(uint256,uint256)'
const STATEMENT = 'NodesEvidenceStatement()'
const AGREE = 'NodesEvidenceNoContradiction()'
const SIGNATURE = 'NodesEvidenceSignature(uint8)'
const NOT_VALIDATOR = 'NodesEvidenceNotValidator(address,uint64)'
const MAX = '0xffffffffffffffff'

function goodEvidence() {
  return [
    evidence('two prevotes', 1, vote(), vote({ value: B })),
    evidence('a prevote and nil', 1, vote({ round: 1 }), vote({ round: 1, flag: 0, value: NIL })),
    evidence('two precommits', 1, vote({ kind: 2 }), vote({ kind: 2, value: B })),
    evidence('a vote for zero and nil', 1, vote({ kind: 2, round: 1, value: NIL }), {
      ...vote({ kind: 2, round: 1, flag: 0, value: NIL }),
    }),
    evidence('two proposals', 2, proposal(), proposal({ value: B })),
    evidence('two polka rounds', 2, proposal({ round: 3 }), proposal({ round: 3, polka: 1 })),
    evidence('the highest round', 1, vote({ round: NO_ROUND - 1 }), {
      ...vote({ round: NO_ROUND - 1, value: B }),
    }),
    evidence('a far height', 2, proposal({ height: BigInt(MAX) }), {
      ...proposal({ height: BigInt(MAX), value: B }),
    }),
  ]
}

function badEvidence() {
  const bad = (name, kind, first, second, refused, options) =>
    evidence(name, kind, first, second, { refused, ...options })
  const other = { value: B }
  return [
    bad('no kind', 0, vote(), vote(other), KIND),
    bad('an unknown kind', 3, vote(), vote(other), KIND),
    bad('one byte too many', 1, vote(), vote(other), LENGTH, { cut: 1 }),
    bad('one byte too few', 1, vote(), vote(other), LENGTH, { cut: -1 }),
    bad('proposals, one byte too few', 2, proposal(), proposal(other), LENGTH, { cut: -1 }),
    bad('the same vote twice', 1, vote(), vote(), AGREE),
    bad('the same proposal twice', 2, proposal(), proposal(), AGREE),
    bad('two heights', 1, vote(), vote({ height: 6, value: B }), AGREE),
    bad('two rounds', 1, vote(), vote({ round: 1, value: B }), AGREE),
    bad('a prevote and a precommit', 1, vote(), vote({ kind: 2, value: B }), AGREE),
    bad('proposals of two heights', 2, proposal(), proposal({ height: 6, value: B }), AGREE),
    bad('proposals of two rounds', 2, proposal(), proposal({ round: 1, value: B }), AGREE),
    bad('a vote of no kind', 1, vote({ kind: 0 }), vote({ kind: 0, value: B }), STATEMENT),
    bad('a vote of kind 3', 1, vote({ kind: 3 }), vote({ kind: 3, value: B }), STATEMENT),
    bad('flag 2', 1, vote(), vote({ flag: 2 }), STATEMENT),
    bad('nil with a value', 1, vote(), vote({ flag: 0 }), STATEMENT),
    bad('no round', 1, vote({ round: NO_ROUND }), vote({ round: NO_ROUND, value: B }), STATEMENT),
    bad('signed by another', 1, vote(), vote(other), SIGNATURE, { signer: KEYS[1] }),
    bad('high s', 1, vote(), vote(other), SIGNATURE, { highS: true }),
    bad('another chain', 1, vote(), vote(other), SIGNATURE, { network: { chainId: 1 } }),
    bad('another genesis', 2, proposal(), proposal(other), SIGNATURE, {
      network: { genesisHash: id('another genesis') },
    }),
    bad('before the first block', 1, vote({ height: 0 }), vote({ height: 0, value: B }), NOT_VALIDATOR),
  ]
}

const evidences = [...goodEvidence(), ...badEvidence()].map((item) => ({
  ...item,
  height: `${item.height}`,
}))
const built = {
  description:
    'Proofs of possession (SPEC §13.3), consents (SPEC §13.4, of the first key below) and ' +
    'evidence (SPEC §3.8), on chain 8862026 with genesis ' +
    'hash keccak256("genesis"). The accused has the key keccak256("TBSI test key 1") and ' +
    'validates from height 1. Evidence with `refused` must be refused, with that error in the ' +
    'contract. Ed25519 signatures are R || S, of keys with the seeds keccak256("TBSI test peer ' +
    'key") and keccak256("TBSI test log key").',
  possessions: possessions(),
  consents: consents(),
  evidence: evidences,
}

const text = `${JSON.stringify(built, null, 2)}\n`
if (process.env.UPDATE_VECTORS === '1') {
  writeFileSync(VECTORS, text)
  console.log('wrote tests/vectors/governance.json')
} else if (readFileSync(VECTORS, 'utf8') !== text) {
  console.error(
    'tests/vectors/governance.json is not what ethers computes; if the change is meant, ' +
      'run UPDATE_VECTORS=1 node tools/governance.mjs',
  )
  process.exit(1)
} else {
  const count = built.possessions.length + built.consents.length + built.evidence.length
  console.log(`tests/vectors/governance.json: ${count} cases are what ethers computes`)
}
