// Bytes, trees and signatures, written from SPEC §3 and §9 alone: nothing here is of what it tests.
import { createHash } from 'node:crypto'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'

export const hex = (data) => `0x${Buffer.from(data).toString('hex')}`
export const raw = (text) => Buffer.from(text.slice(2), 'hex')
export const int = (value, length) => Buffer.from(BigInt(value).toString(16).padStart(2 * length, '0'), 'hex')
export const sha = (...parts) => createHash('sha256').update(Buffer.concat(parts.map((it) => Buffer.from(it)))).digest()
export const keccak = (...parts) => Buffer.from(keccak_256(Buffer.concat(parts.map((it) => Buffer.from(it)))))

const hashOf = (leaf) => sha([0], leaf)
const node = (left, right) => sha([1], left, right)

function split(size) {
  let at = 1
  while (2 * at < size) at *= 2
  return at
}

/** The root of these leaf hashes (RFC 9162 §2.1.1). */
export function rootOf(hashes) {
  if (hashes.length === 0) return sha()
  if (hashes.length === 1) return hashes[0]
  const at = split(hashes.length)
  return node(rootOf(hashes.slice(0, at)), rootOf(hashes.slice(at)))
}

export function inclusion(hashes, index) {
  if (hashes.length === 1) return []
  const at = split(hashes.length)
  const [left, right] = [hashes.slice(0, at), hashes.slice(at)]
  return index < at
    ? [...inclusion(left, index), rootOf(right)] : [...inclusion(right, index - at), rootOf(left)]
}

export const leafHashes = (leaves) => leaves.map(hashOf)

/** Leaves (SPEC §9.3), each after the 48 bytes that all have. */
const BODIES = {
  attestation: [1, (it) => [raw(it.schema), int(it.algorithm, 4), int(raw(it.digest).length, 1), raw(it.digest)]],
  revocation: [2, (it) => [raw(it.id), int(it.reason, 2)]],
  supersession: [3, (it) => [raw(it.id), raw(it.successor)]],
  countersigningOpened: [4, (it) => [raw(it.id), int(it.threshold, 2), int(it.deadline, 8), int(it.partyCount, 2), raw(it.partiesHash)]],
  countersignature: [5, (it) => [raw(it.id), int(it.have, 2), int(it.need, 2)]],
  schemaRegistered: [6, (it) => [raw(it.schema), raw(it.textHash), int(it.commitsTo, 1), int(it.revocable ? 1 : 0, 1)]],
  governanceAct: [16, (it) => [raw(it.event), raw(it.bodyHash)]],
  message: [32, (it) => [raw(it.destination), raw(it.receiver), int(it.sequence, 8), int(it.timeout, 8), raw(it.payloadHash)]],
}

export function leafOf(it) {
  const [code, body] = BODIES[it.kind]
  return Buffer.concat([
    int(1, 1), int(code, 1), int(it.chainId, 8), int(it.height, 6), int(it.timeMs, 6),
    int(it.transactionIndex, 3), int(it.ordinal, 3), raw(it.issuer), ...body(it)])
}

/** The id of an attestation (SPEC §12.1). */
export function idOf({ chainId, issuer, schema, algorithm, digest }) {
  const word = (value) => int(value, 32)
  const words = raw(digest)
  return hex(keccak(
    keccak('TBSI attestation v1'), word(chainId), Buffer.alloc(12), raw(issuer), raw(schema), word(algorithm),
    word(192), word(words.length / 32), words))
}

/** RFC 8785, of what has ASCII keys alone. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`
}

const operator = ({ nameZhTw, nameEn }) => {
  const [zh, en] = [Buffer.from(nameZhTw), Buffer.from(nameEn)]
  return sha('TBSI-OPERATOR-1', int(zh.length, 4), zh, int(en.length, 4), en)
}

export const operatorHex = (names) => operator(names).toString('hex')

/** SPEC §3.2. */
export function setHash(validators) {
  return sha('TBSI-VALIDATOR-SET-1', int(validators.length, 2),
    ...validators.map((it) => Buffer.concat([raw(it.address), int(it.power, 8), operator(it)])))
}

/** Address of a secret key. */
export function addressOf(key) {
  return hex(keccak(secp256k1.getPublicKey(key, false).slice(1)).subarray(12))
}

/** A certificate over a checkpoint by these keys, in address order (SPEC §3.6, §3.7). */
export function certify(it, genesisHash, keys) {
  const encoded = Buffer.concat([
    int(it.chainId, 8), int(it.height, 8), int(it.timeMs, 8), raw(it.blockHash), raw(it.stateRoot),
    int(it.logSize, 8), raw(it.logRoot), raw(it.validatorSetHash), raw(it.nextValidatorSetHash)])
  const checkpointDigest = sha('TBSI-CHECKPOINT-1', raw(genesisHash), encoded)
  const digest = sha('TBSI-VOTE-1', int(it.chainId, 8), raw(genesisHash), [2], int(it.height, 8), int(0, 4), [1], checkpointDigest)
  const signatures = keys.map((key) => {
    const signed = secp256k1.sign(digest, key, { prehash: false, format: 'recovered' })
    return { validator: addressOf(key), signature: hex(Buffer.concat([signed.slice(1), int(27 + signed[0], 1)])) }
  }).sort((one, other) => (one.validator < other.validator ? -1 : 1))
  return { height: it.height, round: 0, checkpointDigest: hex(checkpointDigest), signatures }
}
