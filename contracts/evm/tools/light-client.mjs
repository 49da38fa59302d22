// Validator sets, checkpoints and certificates as a light client gets them (SPEC §14.2), made
// with ethers and Node's hashes, independently of the contracts and of the node.
import { createHash } from 'node:crypto'
import { SigningKey, computeAddress, concat, hexlify, id, toBeHex, toUtf8Bytes } from 'ethers'

export const CHAIN_ID = 8862026n
export const GENESIS_HASH = sha256(toUtf8Bytes('TBSI light client vectors'))
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

export function sha256(...parts) {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(Buffer.from(hexlify(part).slice(2), 'hex'))
  return `0x${hash.digest('hex')}`
}

export const text = (value) => hexlify(toUtf8Bytes(value))
export const u8 = (value) => toBeHex(value, 1)
export const u16 = (value) => toBeHex(value, 2)
export const u32 = (value) => toBeHex(value, 4)
export const u64 = (value) => toBeHex(value, 8)

/** A set of validators with these powers; keys follow from the name. */
export function validatorSet(name, powers) {
  const validators = powers
    .map((_, i) => new SigningKey(id(`TBSI light client vector ${name} ${i}`)))
    .map((key) => ({ key, address: computeAddress(key.publicKey).toLowerCase() }))
    .sort((a, b) => (a.address < b.address ? -1 : 1))
    .map((validator, i) => ({ ...validator, power: BigInt(powers[i]), operator: id(`operator ${i}`) }))
  return { name, validators, ...encodeSet(validators) }
}

export function encodeSet(validators) {
  const each = validators.map(({ address, power, operator }) => concat([address, u64(power), operator]))
  const encoded = concat([u16(validators.length), ...each])
  return { encoded, hash: sha256(text('TBSI-VALIDATOR-SET-1'), encoded) }
}

/** The 192 bytes of a checkpoint (SPEC §3.6). */
export function checkpoint(over) {
  const c = {
    chainId: CHAIN_ID,
    height: 200n,
    timeMs: 1_699_999_200_000n,
    blockHash: id('block'),
    stateRoot: id('state'),
    logSize: 2000n,
    logRoot: id('log'),
    ...over,
  }
  c.timeMs = over.timeMs ?? 1_699_999_000_000n + c.height * 1000n
  const next = c.next ?? c.set
  return concat([
    ...[c.chainId, c.height, c.timeMs].map(u64),
    c.blockHash,
    c.stateRoot,
    u64(c.logSize),
    c.logRoot,
    c.set.hash,
    next.hash,
  ])
}

export const digestOf = (encoded, genesisHash = GENESIS_HASH) =>
  sha256(text('TBSI-CHECKPOINT-1'), genesisHash, encoded)

/** What a vote for a checkpoint signs (SPEC §3.5). */
export function voteDigest(encoded, { round = 0, kind = 2, flag = 1, chainId = CHAIN_ID, genesisHash = GENESIS_HASH, height } = {}) {
  return sha256(
    text('TBSI-VOTE-1'),
    u64(chainId),
    genesisHash,
    u8(kind),
    height === undefined ? `0x${encoded.slice(18, 34)}` : u64(height),
    u32(round),
    u8(flag),
    flag ? digestOf(encoded, genesisHash) : toBeHex(0, 32),
  )
}

/** What a proposal of a checkpoint signs (SPEC §3.5). */
export const proposalDigest = (encoded) =>
  sha256(
    text('TBSI-PROPOSAL-1'),
    u64(CHAIN_ID),
    GENESIS_HASH,
    `0x${encoded.slice(18, 34)}`,
    u32(0),
    u32(0xffffffff),
    digestOf(encoded),
  )

export function sign({ key }, digest) {
  const { r, s, v } = key.sign(digest)
  return concat([r, s, u8(v)])
}

/** The same signature with high s. */
export function highS(signature) {
  const [r, s, v] = [signature.slice(0, 66), signature.slice(66, 130), signature.slice(130)]
  return concat([r, toBeHex(ORDER - BigInt(`0x${s}`), 32), u8(v === '1b' ? 28 : 27)])
}

export const bitmap = (positions) =>
  toBeHex(positions.reduce((bits, position) => bits | (1n << BigInt(position)), 0n), 16)

/** A decision: checkpoint, round, signers, signatures. */
export function decide(encoded, set, positions, { round = 0, digest } = {}) {
  const signed = digest ?? voteDigest(encoded, { round })
  const signatures = positions.map((position) => sign(set.validators[position], signed))
  return concat([encoded, u32(round), bitmap(positions), ...signatures])
}

export const firstOf = (count) => Array.from({ length: count }, (_, i) => i)
/** As few validators of equal power as are more than two thirds. */
export const quorumOf = (count) => Math.floor((2 * count) / 3) + 1
