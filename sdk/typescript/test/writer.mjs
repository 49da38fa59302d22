// Writes proofs for tests, good and bad: signs as the validators of the vectors do.
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concat, toHex, uint, utf8 } from '../dist/verify/bytes.js'
import { checkpointDigest, precommitDigest } from '../dist/verify/decision.js'
import { validatorSet } from '../dist/verify/validators.js'
import { bytes, read } from './vectors.mjs'

const { genesis, genesisHash } = read('bundle.json')
const keys = new Map(read('certificate.json').validators.map((it) => [it.address, bytes(it.secretKey)]))
const chain = { chainId: BigInt(genesis.chain_id), genesisHash: bytes(genesisHash) }

/** Signs the checkpoint of a bundle again, with its digest and height. */
export function sign(json, round = 0) {
  const { checkpoint: it, certificate } = json
  const checkpoint = {
    chainId: BigInt(it.chainId), height: BigInt(it.height), timeMs: BigInt(it.timeMs),
    blockHash: bytes(it.blockHash), stateRoot: bytes(it.stateRoot), logSize: BigInt(it.logSize),
    logRoot: bytes(it.logRoot), validatorSetHash: bytes(it.validatorSetHash),
    nextValidatorSetHash: bytes(it.nextValidatorSetHash),
  }
  const checkpointDigest_ = checkpointDigest(chain, checkpoint)
  const statement = { height: checkpoint.height, round, checkpointDigest: checkpointDigest_, signatures: [] }
  const digest = precommitDigest(chain, statement)
  Object.assign(certificate, { height: it.height, round, checkpointDigest: toHex(checkpointDigest_) })
  for (const entry of certificate.signatures) {
    const raw = secp256k1.sign(digest, keys.get(entry.validator), { prehash: false, format: 'recovered' })
    entry.signature = toHex(concat(raw.slice(1), uint(27 + raw[0], 1)))
  }
}

/** Unsigned LEB128. */
export function number(value) {
  const out = []
  let rest = BigInt(value)
  for (; rest >= 128n; rest >>= 7n) out.push(Number(rest & 127n) | 128)
  return new Uint8Array([...out, Number(rest)])
}

/** The compact form of a bundle without handovers, with faults. */
export function compact(given, fault = {}) {
  const json = structuredClone(given)
  const set = validatorSet(json.validators.map((it) => ({ ...it, address: bytes(it.address), power: BigInt(it.power) })))
  if (fault.resigned) sign(json)
  const { checkpoint, certificate } = json
  const name = (it) => concat(number(utf8(it).length), utf8(it))
  const members = json.validators.map((it, at) => concat(
    bytes(it.address), number(fault.powers?.[at] ?? it.power),
    at === 0 && fault.name ? concat(number(fault.name.length), fault.name) : name(it.nameZhTw),
    name(it.nameEn)))
  const signers = new Set(certificate.signatures.map(({ validator }) => validator))
  const bits = json.validators.reduce((all, { address }, at) => all | (signers.has(address) ? 1 << at : 0), 0)
  return concat(
    utf8(fault.magic ?? 'TBP1'), bytes(json.genesisHash), number(bytes(json.leaf).length), bytes(json.leaf),
    number(json.leafIndex), number(json.inclusionProof.length), ...json.inclusionProof.map(bytes),
    number(members.length), ...members,
    fault.height ?? number(checkpoint.height), number(checkpoint.timeMs),
    bytes(checkpoint.blockHash), bytes(checkpoint.stateRoot), number(checkpoint.logSize),
    fault.next?.(set) ?? new Uint8Array([0]),
    number(fault.round ?? certificate.round), new Uint8Array([fault.bits?.(bits) ?? bits]),
    ...certificate.signatures.map(({ signature }) => bytes(signature)),
    fault.handovers ?? number(0))
}
