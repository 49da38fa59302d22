/** Checkpoints and commit certificates (SPEC §3.5, §3.6, §3.7). */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { Cursor, compare, concat, equal, toHex, uint } from './bytes.js'
import { DecisionError, FormError } from './errors.js'
import { keccak256, sha256 } from './hash.js'
import { ROUND_MAX, VALIDATORS_MAX } from './limits.js'
import { isQuorum, type ValidatorSet } from './validators.js'

/** One network, exactly. */
export interface Chain {
  readonly chainId: bigint
  readonly genesisHash: Uint8Array
}

export interface Checkpoint {
  readonly chainId: bigint
  readonly height: bigint
  readonly timeMs: bigint
  readonly blockHash: Uint8Array
  readonly stateRoot: Uint8Array
  readonly logSize: bigint
  readonly logRoot: Uint8Array
  readonly validatorSetHash: Uint8Array
  readonly nextValidatorSetHash: Uint8Array
}

export interface CommitSignature {
  readonly validator: Uint8Array
  readonly signature: Uint8Array
}

export interface Certificate {
  readonly height: bigint
  readonly round: number
  readonly checkpointDigest: Uint8Array
  readonly signatures: readonly CommitSignature[]
}

/** A checkpoint and the certificate that decides it. */
export interface Decision {
  readonly checkpoint: Checkpoint
  readonly certificate: Certificate
}

/** Canonical bytes, 192 of them. */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  return concat(
    uint(checkpoint.chainId, 8), uint(checkpoint.height, 8), uint(checkpoint.timeMs, 8),
    checkpoint.blockHash, checkpoint.stateRoot,
    uint(checkpoint.logSize, 8), checkpoint.logRoot,
    checkpoint.validatorSetHash, checkpoint.nextValidatorSetHash,
  )
}

export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const cursor = new Cursor(bytes)
  const checkpoint = {
    chainId: cursor.uint('chain id', 8),
    height: cursor.uint('height', 8),
    timeMs: cursor.uint('time', 8),
    blockHash: cursor.take('block hash', 32),
    stateRoot: cursor.take('state root', 32),
    logSize: cursor.uint('log size', 8),
    logRoot: cursor.take('log root', 32),
    validatorSetHash: cursor.take('validator-set hash', 32),
    nextValidatorSetHash: cursor.take('next validator-set hash', 32),
  }
  cursor.end()
  return checkpoint
}

export function checkpointDigest(chain: Chain, checkpoint: Checkpoint): Uint8Array {
  return sha256('TBSI-CHECKPOINT-1', chain.genesisHash, encodeCheckpoint(checkpoint))
}

/** Checks what every certificate promises: few signatures, in address order, each once. */
export function certificate(of: Certificate): Certificate {
  const wrong = (problem: string) =>
    new FormError('form', `proof field \`certificate\`: ${problem}`)
  if (of.signatures.length > VALIDATORS_MAX) {
    throw wrong(
      `certificate has ${of.signatures.length} signatures, at most ${VALIDATORS_MAX} are allowed`)
  }
  if (of.round > ROUND_MAX) throw wrong(`certificate round ${of.round} is above ${ROUND_MAX}`)
  of.signatures.slice(1).forEach((entry, at) => {
    if (compare((of.signatures[at] as CommitSignature).validator, entry.validator) >= 0) {
      throw wrong(
        'certificate signatures must be in address order, each validator once: ' +
        toHex(entry.validator))
    }
  })
  return of
}

const PRECOMMIT = new Uint8Array([2])
const FOR_A_VALUE = new Uint8Array([1])

/** What each precommit signature of a certificate is over. */
export function precommitDigest(chain: Chain, of: Certificate): Uint8Array {
  return sha256(
    'TBSI-VOTE-1', uint(chain.chainId, 8), chain.genesisHash, PRECOMMIT,
    uint(of.height, 8), uint(of.round, 4), FOR_A_VALUE, of.checkpointDigest,
  )
}

/** The address whose key signed `digest`; undefined for any form but `r || s || v` with low s. */
export function recover(digest: Uint8Array, signature: Uint8Array): Uint8Array | undefined {
  const v = signature[64]
  if (signature.length !== 65 || (v !== 27 && v !== 28)) return undefined
  try {
    const parsed = secp256k1.Signature.fromBytes(signature.slice(0, 64), 'compact')
    if (parsed.hasHighS()) return undefined
    const key = parsed.addRecoveryBit(v - 27).recoverPublicKey(digest)
    return keccak256(key.toBytes(false).slice(1)).slice(12)
  } catch {
    return undefined
  }
}

/** Power of the signers of a certificate that is valid for the set. */
export function countQuorum(chain: Chain, set: ValidatorSet, of: Certificate): bigint {
  const digest = precommitDigest(chain, of)
  const members = new Map(set.validators.map((member) => [toHex(member.address), member.power]))
  let power = 0n
  for (const { validator, signature } of of.signatures) {
    const address = toHex(validator)
    const weight = members.get(address)
    if (weight === undefined) {
      throw new DecisionError(
        'other', `${address} signed the certificate but is not in the validator set`)
    }
    const signer = recover(digest, signature)
    if (signer === undefined) {
      throw new DecisionError('other', `signature of validator ${address}: it is malformed`)
    }
    if (!equal(signer, validator)) {
      throw new DecisionError(
        'other', `signature of validator ${address}: it is by ${toHex(signer)}`)
    }
    power += weight
  }
  if (!isQuorum(power, set.totalPower)) {
    throw new DecisionError(
      'other',
      `signatures carry ${power} of ${set.totalPower} voting power, ` +
      'strictly more than 2/3 is needed')
  }
  return power
}
