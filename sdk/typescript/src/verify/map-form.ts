/** A proof with the map in its two forms (SPEC §10.7). */
import type { Proof } from './bundle.js'
import { Cursor } from './bytes.js'
import {
  decodeCompact, notCanonical, otherVersion, repeat, takeCount, takeNumber,
} from './compact.js'
import { FormError } from './errors.js'
import type { JsonValue } from './json.js'
import { atMost, bundleShape } from './json-form.js'
import { LeafError } from './leaf.js'
import {
  BUNDLE_BYTES_MAX, INCLUSION_HASHES_MAX, LEAF_BYTES_MAX, MAP_ALGORITHMS_MAX, MAP_DEPTH_MAX,
  MAP_ENTRIES_MAX, MAP_VALUE_BYTES_MAX, U16_MAX, U32_MAX,
} from './limits.js'
import { bitsIn, type Answer, type Asked } from './map.js'
import { Fields } from './shape.js'

/** A map root as a second leaf under the bundle's checkpoint. */
export interface RootLeaf {
  readonly leaf: Uint8Array
  readonly leafIndex: bigint
  readonly inclusion: readonly Uint8Array[]
}

/** What was asked of the map, and the answer. */
export interface Entry {
  readonly asked: Asked
  readonly answer: Answer
}

export interface MapPart {
  /** Absent if the map root is the bundle's leaf. */
  readonly root: RootLeaf | undefined
  readonly revokedAlgorithms: readonly number[]
  readonly entries: readonly Entry[]
}

/** `format` of the JSON form. */
export const FORMAT_WITH_MAP = 'tbsi-map-proof-1'

/** What the compact form begins with, and the version that is known. */
export const MAGIC_WITH_MAP = [0x54, 0x42, 0x4d]
const VERSION = 0x31

/** Accepts the one compact form that a proof with the map has. */
export function decodeWithMap(bytes: Uint8Array): Proof {
  if (bytes.length > BUNDLE_BYTES_MAX) {
    throw new FormError(
      'unreadable', `proof has ${bytes.length} bytes, at most ${BUNDLE_BYTES_MAX} are allowed`)
  }
  const cursor = new Cursor(bytes)
  if (cursor.take('format', 4)[3] !== VERSION) otherVersion()
  const bundle = decodeCompact(cursor.take('bundle', takeCount(cursor, 'bundle', BUNDLE_BYTES_MAX)))
  const root = takeTag(cursor, 'root', 1) === 0 ? undefined : takeRoot(cursor)
  const algorithms = takeCount(cursor, 'revokedAlgorithms', MAP_ALGORITHMS_MAX)
  const revokedAlgorithms = repeat(algorithms, () => cursor.small('revokedAlgorithms', 4))
  const entries = repeat(takeCount(cursor, 'entries', MAP_ENTRIES_MAX), () =>
    ({ asked: takeAsked(cursor), answer: takeAnswer(cursor) }))
  cursor.end()
  return { bundle, map: { root, revokedAlgorithms, entries } }
}

function takeTag(cursor: Cursor, field: string, max: number): number {
  const tag = cursor.small(field, 1)
  return tag <= max ? tag : notCanonical(field)
}

function takeRoot(cursor: Cursor): RootLeaf {
  const leaf = cursor.take('leaf', takeCount(cursor, 'leaf', LEAF_BYTES_MAX))
  const leafIndex = takeNumber(cursor, 'leafIndex')
  const hashes = takeCount(cursor, 'inclusionProof', INCLUSION_HASHES_MAX)
  return { leaf, leafIndex, inclusion: repeat(hashes, () => cursor.take('inclusionProof', 32)) }
}

function takeAsked(cursor: Cursor): Asked {
  const tag = takeTag(cursor, 'question', 3)
  if (tag === 1) {
    const digest = cursor.take('digest', cursor.small('digest', 1))
    return digest.length === 32 || digest.length === 64
      ? { kind: 'digest', digest } : notCanonical('digest')
  }
  if (tag === 2) {
    return { kind: 'status', id: cursor.take('id', 32), issuer: cursor.take('issuer', 20) }
  }
  return tag === 3
    ? { kind: 'schema', schema: cursor.take('schema', 32) } : notCanonical('question')
}

function takeAnswer(cursor: Cursor): Answer {
  const depth = takeCount(cursor, 'depth', MAP_DEPTH_MAX)
  const bitmap = cursor.take('bitmap', Math.ceil(depth / 8))
  const siblings = repeat(bitsIn(bitmap), () => cursor.take('siblings', 32))
  const takeValue = () =>
    cursor.take('value', takeCount(cursor, 'value', MAP_VALUE_BYTES_MAX))
  const end = takeTag(cursor, 'end', 2)
  const value = end === 1 ? takeValue() : undefined
  const other = end === 2 ? { key: cursor.take('key', 32), value: takeValue() } : undefined
  return { depth, bitmap, siblings, value, other }
}

/** Reads the JSON form: the shape of all of it, then the content. */
export function readWithMap(given: JsonValue): Proof {
  const fields = new Fields(given, 'proof', ['format', 'proof', 'map'])
  const content = bundleShape(fields.get('proof'))
  const map = mapShape(fields.get('map'))
  return { bundle: content(), map: map() }
}

/** Checks the shape of a map part; what it returns checks the content, and gives the part. */
export function mapShape(given: JsonValue | undefined): () => MapPart {
  const map = new Fields(given, 'map', ['root', 'revokedAlgorithms', 'entries'])
  const root = map.has('root') ? rootShape(map.get('root')) : undefined
  const revokedAlgorithms = map.integers('revokedAlgorithms', U32_MAX).map(Number)
  const entries = map.list('entries').map(entryShape)
  return () => {
    atMost('revokedAlgorithms', revokedAlgorithms.length, MAP_ALGORITHMS_MAX)
    atMost('entries', entries.length, MAP_ENTRIES_MAX)
    if (root !== undefined) {
      if (root.leaf.length > LEAF_BYTES_MAX) {
        throw new LeafError(
          `leaf has ${root.leaf.length} bytes, at most ${LEAF_BYTES_MAX} are allowed`)
      }
      atMost('inclusionProof', root.inclusion.length, INCLUSION_HASHES_MAX)
    }
    entries.forEach(checkContent)
    return { root, revokedAlgorithms, entries }
  }
}

/** What the compact form cannot say. */
function checkContent({ asked, answer: { siblings, value, other } }: Entry): void {
  atMost('siblings', siblings.length, MAP_DEPTH_MAX)
  if (value !== undefined && other !== undefined) notCanonical('other')
  if (asked.kind === 'digest' && ![32, 64].includes(asked.digest.length)) notCanonical('digest')
}

function rootShape(value: JsonValue | undefined): RootLeaf {
  const fields = new Fields(value, 'root', ['leaf', 'leafIndex', 'inclusionProof'])
  return {
    leaf: fields.bytes('leaf'),
    leafIndex: fields.integer('leafIndex'),
    inclusion: fields.hashes('inclusionProof'),
  }
}

function entryShape(given: JsonValue): Entry {
  const fields = new Fields(
    given, 'entry', ['question', 'depth', 'bitmap', 'siblings', 'value', 'other'])
  return {
    asked: askedShape(fields.get('question')),
    answer: {
      depth: Number(fields.integer('depth', U16_MAX)),
      bitmap: fields.bytes('bitmap'),
      siblings: fields.hashes('siblings'),
      value: fields.has('value') ? fields.bytes('value') : undefined,
      other: fields.has('other') ? otherShape(fields.get('other')) : undefined,
    },
  }
}

function otherShape(given: JsonValue | undefined): NonNullable<Answer['other']> {
  const fields = new Fields(given, 'other', ['key', 'value'])
  return { key: fields.bytes('key', 32), value: fields.bytes('value') }
}

const PARTS = { digest: ['digest'], status: ['id', 'issuer'], schema: ['schema'] } as const

function askedShape(given: JsonValue | undefined): Asked {
  const all = new Fields(given, 'question', ['kind'], Object.values(PARTS).flat())
  const kind = all.text('kind')
  if (kind !== 'digest' && kind !== 'status' && kind !== 'schema') {
    return all.wrong('kind', Object.keys(PARTS).join(', '))
  }
  const fields = new Fields(given, 'question', ['kind', ...PARTS[kind]])
  if (kind === 'digest') return { kind, digest: fields.bytes('digest') }
  if (kind === 'schema') return { kind, schema: fields.bytes('schema', 32) }
  return { kind, id: fields.bytes('id', 32), issuer: fields.bytes('issuer', 20) }
}
