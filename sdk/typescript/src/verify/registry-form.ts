/** The forms of a proof with the registry (SPEC §10.11). */
import type { Proof } from './bundle.js'
import { Cursor, fromUtf8, utf8 } from './bytes.js'
import { decodeCompact, notCanonical, otherVersion, repeat, takeCount, takeNumber } from './compact.js'
import { FormError } from './errors.js'
import { atMost, bundleShape } from './json-form.js'
import { JsonError, type JsonValue } from './json.js'
import {
  BUNDLE_BYTES_MAX, JURISDICTION_BYTES_MAX, LEI_BYTES_MAX, NAME_BYTES_MAX, REGISTRY_NODES_MAX,
  REGISTRY_NODE_BYTES_MAX, REGISTRY_RECORDS_MAX, TAX_ID_BYTES_MAX, U32_MAX, VALIDATORS_MAX,
} from './limits.js'
import { MAGIC_WITH_MAP, decodeWithMap, mapShape } from './map-form.js'
import { Fields } from './shape.js'

/** Legal names and identifiers; empty for those that there are not. */
export interface LegalRecord {
  readonly nameZhTw: string
  readonly nameEn: string
  readonly taxId: string
  readonly lei: string
  readonly jurisdiction: string
}

/** Record `position` of an organisation. */
export interface PlacedRecord {
  readonly organisation: bigint
  readonly position: bigint
  readonly legal: LegalRecord
}

export interface RegistryPart {
  /** Absent if it is not proven whose account it was. */
  readonly issuer: { readonly membership: bigint; readonly record: bigint } | undefined
  readonly records: readonly PlacedRecord[]
  /** Of each validator: which of the records is of who answers for it; undefined if unproven. */
  readonly validators: readonly (bigint | undefined)[]
  readonly nodes: readonly Uint8Array[]
}

/** `format` of the JSON form, in all versions, and in the one that is known. */
export const FORMATS_WITH_REGISTRY = /^tbsi-registry-proof-/
const FORMAT = 'tbsi-registry-proof-1'

/** What the compact form begins with, and the version that is known. */
export const MAGIC_WITH_REGISTRY = [0x54, 0x42, 0x52]
const VERSION = 0x31

/** Texts of a record and their most bytes, in the order in which they are hashed and written. */
export const TEXTS = [
  ['nameZhTw', NAME_BYTES_MAX], ['nameEn', NAME_BYTES_MAX], ['taxId', TAX_ID_BYTES_MAX],
  ['lei', LEI_BYTES_MAX], ['jurisdiction', JURISDICTION_BYTES_MAX],
] as const

function legalRecord(take: (field: keyof LegalRecord, max: number) => string): LegalRecord {
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
  const registry = takePart(cursor)
  cursor.end()
  return { ...proof, registry }
}

function takePart(cursor: Cursor): RegistryPart {
  const flag = cursor.small('issuer', 1)
  if (flag > 1) notCanonical('issuer')
  const issuer = flag === 0 ? undefined : {
    membership: takePosition(cursor, 'membership'), record: takePosition(cursor, 'record'),
  }
  const records = repeat(takeCount(cursor, 'records', REGISTRY_RECORDS_MAX), () => ({
    organisation: takePosition(cursor, 'organisation'),
    position: takePosition(cursor, 'position'),
    legal: legalRecord((field, max) => {
      const text = fromUtf8(cursor.take(field, takeCount(cursor, field, max)))
      return text ?? notCanonical(field)
    }),
  }))
  const validators = repeat(takeCount(cursor, 'validators', VALIDATORS_MAX), () => {
    const number = takeNumber(cursor, 'validators')
    if (number > U32_MAX + 1n) outOfRange('validators')
    return number === 0n ? undefined : number - 1n
  })
  const nodes = repeat(takeCount(cursor, 'nodes', REGISTRY_NODES_MAX), () =>
    cursor.take('node', takeCount(cursor, 'node', REGISTRY_NODE_BYTES_MAX)))
  return { issuer, records, validators, nodes }
}

function takePosition(cursor: Cursor, field: string): bigint {
  const position = takeNumber(cursor, field)
  return position <= U32_MAX ? position : outOfRange(field)
}

function outOfRange(field: string): never {
  throw new FormError('form', `proof field \`${field}\` is out of range`)
}

/** Reads the JSON form: the shape of all of it, then the content. */
export function readWithRegistry(given: JsonValue): Proof {
  const fields = new Fields(given, 'proof', ['format', 'proof', 'map', 'registry'])
  const content = bundleShape(fields.get('proof'))
  const map = fields.has('map') ? mapShape(fields.get('map')) : undefined
  const registry = partShape(fields.get('registry'))
  if (fields.text('format') !== FORMAT) otherVersion()
  const bundle = content()
  const mapPart = map?.()
  checkLimits(registry)
  return mapPart === undefined ? { bundle, registry } : { bundle, map: mapPart, registry }
}

function partShape(given: JsonValue | undefined): RegistryPart {
  const part = new Fields(given, 'registry', ['issuer', 'records', 'validators', 'nodes'])
  const place = part.has('issuer')
    ? new Fields(part.get('issuer'), 'issuer', ['membership', 'record']) : undefined
  const names = ['organisation', 'position', ...TEXTS.map(([field]) => field)]
  return {
    issuer: place === undefined ? undefined : {
      membership: place.integer('membership', U32_MAX), record: place.integer('record', U32_MAX),
    },
    records: part.list('records').map((item) => {
      const record = new Fields(item, 'record', names)
      return {
        organisation: record.integer('organisation', U32_MAX),
        position: record.integer('position', U32_MAX),
        legal: legalRecord((field) => record.text(field)),
      }
    }),
    validators: part.list('validators').map((item) => {
      if (item === null) return undefined
      if (typeof item === 'bigint' && item >= 0n && item <= U32_MAX) return item
      throw new JsonError(`\`validators\` must be null or integers from 0 to ${U32_MAX}`)
    }),
    nodes: part.bytesList('nodes'),
  }
}

function checkLimits({ records, validators, nodes }: RegistryPart): void {
  atMost('records', records.length, REGISTRY_RECORDS_MAX)
  atMost('validators', validators.length, VALIDATORS_MAX)
  atMost('nodes', nodes.length, REGISTRY_NODES_MAX)
  for (const { legal } of records) {
    for (const [field, max] of TEXTS) atMost(field, utf8(legal[field]).length, max)
  }
  for (const node of nodes) atMost('node', node.length, REGISTRY_NODE_BYTES_MAX)
}
