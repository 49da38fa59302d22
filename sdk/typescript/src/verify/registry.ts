/** A registry part: whose account an issuer's was, and under which legal name (SPEC §10.11). */
import type { VerifiedBundle } from './anchor.js'
import type { Proof } from './bundle.js'
import { Cursor, equal, fromHex, fromUtf8, uint, utf8, type Hex } from './bytes.js'
import { decodeCompact, notCanonical, otherVersion, repeat, takeCount, takeNumber } from './compact.js'
import { FormError, ProofError, messageOf } from './errors.js'
import { sha256 } from './hash.js'
import { atMost, bundleShape } from './json-form.js'
import type { JsonValue } from './json.js'
import {
  BUNDLE_BYTES_MAX, JURISDICTION_BYTES_MAX, LEI_BYTES_MAX, NAME_BYTES_MAX, REGISTRY_NODES_MAX,
  REGISTRY_NODE_BYTES_MAX, TAX_ID_BYTES_MAX, U32_MAX,
} from './limits.js'
import { MAGIC_WITH_MAP, decodeWithMap, mapShape } from './map-form.js'
import { Fields } from './shape.js'
import { SharedNodes, elementSlot, mappingSlot } from './trie.js'

/** Legal names and identifiers; empty for those that there are not. */
export interface LegalRecord {
  readonly nameZhTw: string
  readonly nameEn: string
  readonly taxId: string
  readonly lei: string
  readonly jurisdiction: string
}

export interface RegistryPart {
  readonly membership: bigint
  readonly record: bigint
  readonly legal: LegalRecord
  readonly nodes: readonly Uint8Array[]
}

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
  readonly known: bigint
}

/** `format` of the JSON form, in all versions, and in the one that is known. */
export const FORMATS_WITH_REGISTRY = /^tbsi-registry-proof-/
const FORMAT = 'tbsi-registry-proof-1'

/** What the compact form begins with, and the version that is known. */
export const MAGIC_WITH_REGISTRY = [0x54, 0x42, 0x52]
const VERSION = 0x31

/** Texts of a record and their most bytes, in the order in which they are hashed and written. */
const TEXTS = [
  ['nameZhTw', NAME_BYTES_MAX], ['nameEn', NAME_BYTES_MAX], ['taxId', TAX_ID_BYTES_MAX],
  ['lei', LEI_BYTES_MAX], ['jurisdiction', JURISDICTION_BYTES_MAX],
] as const

function record(take: (field: keyof LegalRecord, max: number) => string): LegalRecord {
  const texts = TEXTS.map(([field, max]) => [field, take(field, max)])
  return Object.fromEntries(texts) as unknown as LegalRecord
}

/** Accepts the one compact form that a proof with the registry has. */
export function decodeWithRegistry(bytes: Uint8Array): Proof {
  if (bytes.length > BUNDLE_BYTES_MAX) {
    throw new FormError(
      'unreadable', `proof has ${bytes.length} bytes, at most ${BUNDLE_BYTES_MAX} are allowed`)
  }
  const cursor = new Cursor(bytes)
  if (cursor.take('format', 4)[3] !== VERSION) otherVersion()
  const inner = cursor.take('proof', takeCount(cursor, 'proof', BUNDLE_BYTES_MAX))
  const isMap = MAGIC_WITH_MAP.every((byte, at) => inner[at] === byte)
  const proof = isMap ? decodeWithMap(inner) : { bundle: decodeCompact(inner) }
  const [membership, position] = [takePosition(cursor, 'membership'), takePosition(cursor, 'record')]
  const legal = record((field, max) => {
    const text = fromUtf8(cursor.take(field, takeCount(cursor, field, max)))
    return text ?? notCanonical(field)
  })
  const count = takeCount(cursor, 'nodes', REGISTRY_NODES_MAX)
  const nodes = repeat(count, () =>
    cursor.take('node', takeCount(cursor, 'node', REGISTRY_NODE_BYTES_MAX)))
  cursor.end()
  return { ...proof, registry: { membership, record: position, legal, nodes } }
}

function takePosition(cursor: Cursor, field: string): bigint {
  const position = takeNumber(cursor, field)
  if (position <= U32_MAX) return position
  throw new FormError('form', `proof field \`${field}\` is out of range`)
}

/** Reads the JSON form: the shape of all of it, then the content. */
export function readWithRegistry(given: JsonValue): Proof {
  const fields = new Fields(given, 'proof', ['format', 'proof', 'map', 'registry'])
  const content = bundleShape(fields.get('proof'))
  const map = fields.has('map') ? mapShape(fields.get('map')) : undefined
  const part = new Fields(
    fields.get('registry'), 'registry',
    ['membership', 'record', ...TEXTS.map(([field]) => field), 'nodes'])
  const membership = part.integer('membership', U32_MAX)
  const position = part.integer('record', U32_MAX)
  const legal = record((field) => part.text(field))
  const nodes = part.bytesList('nodes')
  if (fields.text('format') !== FORMAT) otherVersion()
  const bundle = content()
  const mapPart = map?.()
  for (const [field, max] of TEXTS) atMost(field, utf8(legal[field]).length, max)
  atMost('nodes', nodes.length, REGISTRY_NODES_MAX)
  for (const node of nodes) atMost('node', node.length, REGISTRY_NODE_BYTES_MAX)
  const registry = { membership, record: position, legal, nodes }
  return mapPart === undefined ? { bundle, registry } : { bundle, map: mapPart, registry }
}

const address = (text: Hex) => fromHex(text) as Uint8Array
const PERMISSIONS = address('0x0000000000000000000000000000000000001004')
const ORGANISATIONS = address('0x0000000000000000000000000000000000001002')
const [MEMBERSHIPS_SLOT, RECORDS_SLOT, RECORD_SLOTS] = [9n, 5n, 7n]

/** Proves whose account it was. Throws a `ProofError` of the step `registry`, and nothing else. */
export function proveIssuer(part: RegistryPart, bundle: VerifiedBundle): ProvenIssuer {
  try {
    return prove(part, bundle)
  } catch (thrown) {
    throw new ProofError('registry', `registry: ${messageOf(thrown)}`)
  }
}

function prove(part: RegistryPart, { statement, decision: { checkpoint } }: VerifiedBundle): ProvenIssuer {
  const { issuer, height } = statement
  const nodes = new SharedNodes(checkpoint.stateRoot, part.nodes)
  const account = fromHex(issuer) as Uint8Array
  const memberships = mappingSlot(padded(account), MEMBERSHIPS_SLOT)
  const word = nodes.word(PERMISSIONS, elementSlot(memberships, part.membership))
  const organisation = bits(word, 0n, 32n)
  if (organisation === 0n) {
    throw new Error(`account ${issuer} has no membership ${part.membership}`)
  }
  const membership = inForce(bits(word, 32n, 64n), bits(word, 96n, 64n))
  if (!covers(membership, height)) {
    throw new Error(
      `account ${issuer} was of organisation ${organisation} ${span(membership)}, not in the ` +
      `whole of block ${height}`)
  }
  const records = mappingSlot(uint(organisation, 32), RECORDS_SLOT)
  const place = part.record * RECORD_SLOTS
  const expected = nodes.word(ORGANISATIONS, elementSlot(records, place))
  const heights = nodes.word(ORGANISATIONS, elementSlot(records, place + 1n))
  nodes.end()
  if (!equal(recordHash(organisation, part.legal), uint(expected, 32))) {
    throw new Error(`organisation ${organisation} has another record than the proof says`)
  }
  const named = inForce(bits(heights, 0n, 64n), bits(heights, 64n, 64n))
  if (!covers(named, height)) {
    throw new Error(
      `record ${part.record} of organisation ${organisation} held ${span(named)}, not in the ` +
      `whole of block ${height}`)
  }
  const known = checkpoint.height
  return { organisation, legal: part.legal, membership, record: named, known }
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
