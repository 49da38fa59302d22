/**
 * What the registry proves: whose account an issuer's was, who answers for validators, and under
 * which legal names (SPEC §10.11).
 */
import type { VerifiedBundle } from './anchor.js'
import { equal, fromHex, toHex, uint, utf8, type Hex } from './bytes.js'
import { ProofError, messageOf } from './errors.js'
import { sha256 } from './hash.js'
import { TEXTS, type LegalRecord, type PlacedRecord, type RegistryPart } from './registry-form.js'
import { SharedNodes, elementSlot, mappingSlot } from './trie.js'
import type { NamedValidator, ValidatorSet } from './validators.js'

/** From which block, and until which; undefined if it still is. */
export interface InForce {
  readonly since: bigint
  readonly until: bigint | undefined
}

/** An issuer's organisation when it issued. */
export interface ProvenIssuer {
  readonly organisation: bigint
  readonly legal: LegalRecord
  readonly membership: InForce
  readonly record: InForce
}

/** Who answers for a validator in the block of the checkpoint. */
export interface ProvenOperator {
  readonly organisation: bigint
  readonly legal: LegalRecord
  readonly since: bigint
}

export interface ProvenRegistry {
  readonly issuer: ProvenIssuer | undefined
  /** By address of the validator. */
  readonly operators: ReadonlyMap<Hex, ProvenOperator>
  /** Up to which block it is known. */
  readonly known: bigint
}

const address = (text: Hex) => fromHex(text) as Uint8Array
const ORGANISATIONS = address('0x0000000000000000000000000000000000001002')
const NODES = address('0x0000000000000000000000000000000000001003')
const PERMISSIONS = address('0x0000000000000000000000000000000000001004')
const [MEMBERSHIPS_SLOT, RECORDS_SLOT, RECORD_SLOTS] = [9n, 5n, 7n]
const [NODES_SLOT, VALIDATOR_KEYS_SLOT] = [2n, 6n]

/** A record that the state has. */
interface Found {
  readonly placed: PlacedRecord
  readonly inForce: InForce
  used: boolean
}

/** Throws a `ProofError` of the step `registry`, and nothing else. */
export function proveRegistry(
  part: RegistryPart, bundle: VerifiedBundle, set: ValidatorSet,
): ProvenRegistry {
  try {
    return prove(part, bundle, set)
  } catch (thrown) {
    throw new ProofError('registry', `registry: ${messageOf(thrown)}`)
  }
}

function prove(
  part: RegistryPart, { statement, decision: { checkpoint } }: VerifiedBundle, set: ValidatorSet,
): ProvenRegistry {
  const [got, expected] = [part.validators.length, set.validators.length]
  if (got !== expected) {
    throw new Error(`it says who answers for ${got} validators, the set has ${expected}`)
  }
  const nodes = new SharedNodes(checkpoint.stateRoot, part.nodes)
  const member = part.issuer && membership(nodes, statement.issuer, part.issuer.membership, statement.height)
  const records = part.records.map((placed, at) => find(nodes, placed, part.records[at - 1]))
  let issuer: ProvenIssuer | undefined
  if (part.issuer && member) {
    const found = take(records, part.issuer.record, member.organisation, statement.height)
    issuer = {
      organisation: member.organisation, legal: found.placed.legal, membership: member.inForce,
      record: found.inForce,
    }
  }
  const operators = new Map<Hex, ProvenOperator>()
  set.validators.forEach((validator, at) => {
    const record = part.validators[at]
    if (record === undefined) return
    const proven = operator(nodes, records, validator, record, checkpoint.height)
    operators.set(toHex(validator.address), proven)
  })
  if (records.some(({ used }) => !used)) throw new Error('a record is of nobody in the proof')
  nodes.end()
  if (records.length === 0) throw new Error('it names nobody')
  return { issuer, operators, known: checkpoint.height }
}

/** Whose account it was in the whole block of its statement. */
function membership(nodes: SharedNodes, issuer: Hex, position: bigint, height: bigint) {
  const memberships = mappingSlot(padded(address(issuer)), MEMBERSHIPS_SLOT)
  const word = nodes.word(PERMISSIONS, elementSlot(memberships, position))
  const organisation = bits(word, 0n, 32n)
  if (organisation === 0n) throw new Error(`account ${issuer} has no membership ${position}`)
  const found = inForce(bits(word, 32n, 64n), bits(word, 96n, 64n))
  if (!covers(found, height)) {
    throw new Error(
      `account ${issuer} was of organisation ${organisation} ${span(found)}, not in the ` +
      `whole of block ${height}`)
  }
  return { organisation, inForce: found }
}

function find(nodes: SharedNodes, placed: PlacedRecord, before: PlacedRecord | undefined): Found {
  const { organisation, position, legal } = placed
  const ascends = before === undefined || before.organisation < organisation ||
    (before.organisation === organisation && before.position < position)
  if (!ascends) {
    throw new Error(`record ${position} of organisation ${organisation} is not in order, each once`)
  }
  const records = mappingSlot(uint(organisation, 32), RECORDS_SLOT)
  const place = position * RECORD_SLOTS
  const expected = nodes.word(ORGANISATIONS, elementSlot(records, place))
  const heights = nodes.word(ORGANISATIONS, elementSlot(records, place + 1n))
  if (!equal(recordHash(organisation, legal), uint(expected, 32))) {
    throw new Error(`organisation ${organisation} has another record than the proof says`)
  }
  return { placed, inForce: inForce(bits(heights, 0n, 64n), bits(heights, 64n, 64n)), used: false }
}

/** The record of this number, which is of the organisation and covers the block of `height`. */
function take(records: readonly Found[], number: bigint, expected: bigint, height: bigint): Found {
  const found = records[Number(number)]
  if (found === undefined) {
    throw new Error(`record number ${number} is named, the proof has ${records.length}`)
  }
  found.used = true
  const { organisation, position } = found.placed
  if (organisation !== expected) {
    throw new Error(
      `the record is of organisation ${organisation}, expected is one of organisation ${expected}`)
  }
  if (!covers(found.inForce, height)) {
    throw new Error(
      `record ${position} of organisation ${organisation} held ${span(found.inForce)}, not in ` +
      `the whole of block ${height}`)
  }
  return found
}

/** A key is of one node, and that of one organisation, for ever. */
function operator(
  nodes: SharedNodes, records: readonly Found[], validator: NamedValidator, record: bigint,
  height: bigint,
): ProvenOperator {
  const shown = toHex(validator.address)
  const first = (slot: bigint) => bits(nodes.word(NODES, slot), 0n, 32n)
  const node = first(mappingSlot(padded(validator.address), VALIDATOR_KEYS_SLOT))
  const organisation = node === 0n ? 0n : first(mappingSlot(uint(node, 32), NODES_SLOT))
  if (organisation === 0n) throw new Error(`validator ${shown} is no node's in the registry`)
  const { placed: { legal }, inForce: { since } } = take(records, record, organisation, height)
  if (legal.nameZhTw !== validator.nameZhTw || legal.nameEn !== validator.nameEn) {
    throw new Error(
      `validator ${shown} is in the set under other names than those of organisation ${organisation}`)
  }
  return { organisation, legal, since }
}

const padded = (bytes: Uint8Array) => {
  const word = new Uint8Array(32)
  word.set(bytes, 32 - bytes.length)
  return word
}

const bits = (word: bigint, from: bigint, count: bigint) => (word >> from) & ((1n << count) - 1n)

const inForce = (since: bigint, until: bigint): InForce =>
  ({ since, until: until === 0n ? undefined : until })

/** What begins or ends in a block does not cover it. */
const covers = ({ since, until }: InForce, height: bigint) =>
  since < height && (until === undefined || height < until)

const span = ({ since, until }: InForce) => `from block ${since} to ${until ?? 'now'}`

function recordHash(organisation: bigint, legal: LegalRecord): Uint8Array {
  const texts = TEXTS.flatMap(([field]) => {
    const text = utf8(legal[field])
    return [uint(text.length, 4), text]
  })
  return sha256('TBSI-RECORD-1', uint(organisation, 4), ...texts)
}
