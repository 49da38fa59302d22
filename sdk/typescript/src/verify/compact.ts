/** The compact form (SPEC §10.2): what follows from other parts is left out. */
import { Cursor, equal, fromUtf8 } from './bytes.js'
import type { Bundle, Handover } from './bundle.js'
import {
  certificate, checkpointDigest, type Certificate, type Chain, type Checkpoint, type Decision,
} from './decision.js'
import { FormError } from './errors.js'
import { decodeLeaf } from './leaf.js'
import {
  BUNDLE_BYTES_MAX, HANDOVERS_MAX, INCLUSION_HASHES_MAX, LEAF_BYTES_MAX, NAME_BYTES_MAX, U32_MAX,
  VALIDATORS_MAX, VARINT_BYTES_MAX,
} from './limits.js'
import { leafHash, rootOf } from './tree.js'
import { validatorSet, type ValidatorSet } from './validators.js'

const MAGIC = new Uint8Array([0x54, 0x42, 0x50, 0x31])

/** Accepts the one compact form that a bundle has. */
export function decodeCompact(bytes: Uint8Array): Bundle {
  if (bytes.length > BUNDLE_BYTES_MAX) {
    throw new FormError(
      'unreadable', `proof has ${bytes.length} bytes, at most ${BUNDLE_BYTES_MAX} are allowed`)
  }
  const cursor = new Cursor(bytes)
  if (!equal(cursor.take('format', 4), MAGIC)) otherVersion()
  const genesisHash = cursor.take('genesisHash', 32)
  const leaf = cursor.take('leaf', takeCount(cursor, 'leaf', LEAF_BYTES_MAX))
  const leafIndex = takeNumber(cursor, 'leafIndex')
  const hashes = takeCount(cursor, 'inclusionProof', INCLUSION_HASHES_MAX)
  const inclusion = repeat(hashes, () => cursor.take('inclusionProof', 32))
  const validators = takeSet(cursor)
  const chain = { chainId: decodeLeaf(leaf).chainId, genesisHash }
  const facts = takeFacts(cursor, chain, validators.hash)
  const logRoot = rootOf(leafHash(leaf), leafIndex, facts.logSize, inclusion)
  const checkpoint = { ...facts, logRoot }
  const decision = { checkpoint, certificate: takeCertificate(cursor, chain, checkpoint, validators) }
  const handovers = takeHandovers(cursor, chain, validators)
  cursor.end()
  return { genesisHash, leaf, leafIndex, inclusion, decision, validators, handovers }
}

export function otherVersion(): never {
  throw new FormError(
    'otherVersion',
    'not a proof in a form that is known here; use newer software, or the JSON form')
}

export function repeat<T>(count: number, take: () => T): T[] {
  return Array.from({ length: count }, take)
}

/** Unsigned LEB128 below 2^63 in its shortest form. */
export function takeNumber(cursor: Cursor, field: string): bigint {
  let value = 0n
  for (let position = 0; position < VARINT_BYTES_MAX; position += 1) {
    const byte = cursor.small(field, 1)
    value |= BigInt(byte & 0x7f) << BigInt(7 * position)
    if (byte < 0x80) {
      if (byte !== 0 || position === 0) return value
      break
    }
  }
  throw new FormError(
    'form', `proof field \`${field}\` is not a number in its shortest form, or out of range`)
}

export function takeCount(cursor: Cursor, field: string, max: number): number {
  const count = takeNumber(cursor, field)
  if (count <= BigInt(max)) return Number(count)
  throw new FormError(
    'unreadable', `proof field \`${field}\` has ${count} entries, at most ${max} are allowed`)
}

export function takeSet(cursor: Cursor): ValidatorSet {
  const count = takeCount(cursor, 'validators', VALIDATORS_MAX)
  return validatorSet(repeat(count, () => ({
    address: cursor.take('address', 20),
    power: takeNumber(cursor, 'power'),
    nameZhTw: takeName(cursor, 'nameZhTw'),
    nameEn: takeName(cursor, 'nameEn'),
  })))
}

function takeName(cursor: Cursor, field: string): string {
  const name = fromUtf8(cursor.take(field, takeCount(cursor, field, NAME_BYTES_MAX)))
  return name ?? notCanonical(field)
}

export function notCanonical(field: string): never {
  throw new FormError('form', `proof field \`${field}\` is not in canonical form`)
}

/** A checkpoint without its log root. */
function takeFacts(
  cursor: Cursor,
  chain: Chain,
  setHash: Uint8Array,
): Omit<Checkpoint, 'logRoot'> {
  return {
    chainId: chain.chainId,
    height: takeNumber(cursor, 'height'),
    timeMs: takeNumber(cursor, 'timeMs'),
    blockHash: cursor.take('blockHash', 32),
    stateRoot: cursor.take('stateRoot', 32),
    logSize: takeNumber(cursor, 'logSize'),
    validatorSetHash: setHash,
    nextValidatorSetHash: takeNext(cursor, setHash),
  }
}

function takeNext(cursor: Cursor, setHash: Uint8Array): Uint8Array {
  const flag = cursor.small('next set flag', 1)
  if (flag === 0) return setHash
  if (flag !== 1) notCanonical('nextValidatorSetHash')
  const next = cursor.take('nextValidatorSetHash', 32)
  return equal(next, setHash) ? notCanonical('nextValidatorSetHash') : next
}

function takeCertificate(
  cursor: Cursor,
  chain: Chain,
  checkpoint: Checkpoint,
  { validators }: ValidatorSet,
): Certificate {
  const round = takeNumber(cursor, 'round')
  if (round > U32_MAX) {
    throw new FormError(
      'form', 'proof field `round` is not a number in its shortest form, or out of range')
  }
  const bits = cursor.take('signers', Math.ceil(validators.length / 8))
  const signed = (at: number) => (((bits[at >> 3] as number) >> (at & 7)) & 1) === 1
  for (let at = validators.length; at < 8 * bits.length; at += 1) {
    if (signed(at)) notCanonical('signers')
  }
  const signers = validators.filter((_, at) => signed(at))
  return certificate({
    height: checkpoint.height,
    round: Number(round),
    checkpointDigest: checkpointDigest(chain, checkpoint),
    signatures: signers.map(({ address }) => ({
      validator: address, signature: cursor.take('signature', 65),
    })),
  })
}

/** A decision with its log root, which nothing else gives. */
export function takeDecision(cursor: Cursor, chain: Chain, set: ValidatorSet): Decision {
  const facts = takeFacts(cursor, chain, set.hash)
  const checkpoint = { ...facts, logRoot: cursor.take('logRoot', 32) }
  return { checkpoint, certificate: takeCertificate(cursor, chain, checkpoint, set) }
}

/** All old sets, then both decisions of each handover. */
function takeHandovers(cursor: Cursor, chain: Chain, last: ValidatorSet): Handover[] {
  const sets = repeat(takeCount(cursor, 'handovers', HANDOVERS_MAX), () => takeSet(cursor))
  return sets.map((validators, at) => ({
    validators,
    last: takeDecision(cursor, chain, validators),
    first: takeDecision(cursor, chain, sets[at + 1] ?? last),
  }))
}
