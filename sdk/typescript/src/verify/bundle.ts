/** The proof: all that a verifier needs beside what it trusts (SPEC §10). */
import { CursorError, fromUtf8 } from './bytes.js'
import { decodeCompact } from './compact.js'
import type { Decision } from './decision.js'
import { FormError, messageOf } from './errors.js'
import { JsonError, JsonObject, parseJson } from './json.js'
import { bundleShape } from './json-form.js'
import { LeafError } from './leaf.js'
import { BUNDLE_JSON_BYTES_MAX } from './limits.js'
import {
  FORMAT_WITH_MAP, MAGIC_WITH_MAP, decodeWithMap, readWithMap, type MapPart,
} from './map-form.js'
import {
  FORMATS_WITH_REGISTRY, MAGIC_WITH_REGISTRY, decodeWithRegistry, readWithRegistry,
  type RegistryPart,
} from './registry-form.js'
import { ShapeError } from './tree.js'
import type { ValidatorSet } from './validators.js'

/** One validator set hands over to the next, which is that of the next handover or the bundle. */
export interface Handover {
  readonly validators: ValidatorSet
  readonly last: Decision
  readonly first: Decision
}

export interface Bundle {
  readonly genesisHash: Uint8Array
  readonly leaf: Uint8Array
  readonly leafIndex: bigint
  readonly inclusion: readonly Uint8Array[]
  readonly decision: Decision
  readonly validators: ValidatorSet
  readonly handovers: readonly Handover[]
}

/** A bundle, and what the map and the registry say with it (SPEC §10.7, §10.11). */
export interface Proof {
  readonly bundle: Bundle
  readonly map?: MapPart
  readonly registry?: RegistryPart
}

/** What the compact form of a bundle begins with, in all versions. */
const COMPACT_MAGIC = [0x54, 0x42, 0x50]

/** Reads either form. Throws a `FormError` and nothing else. */
export function parseProof(bytes: Uint8Array): Proof {
  try {
    const begins = (magic: readonly number[]) => magic.every((byte, at) => bytes[at] === byte)
    if (begins(MAGIC_WITH_REGISTRY)) return decodeWithRegistry(bytes)
    if (begins(MAGIC_WITH_MAP)) return decodeWithMap(bytes)
    if (begins(COMPACT_MAGIC)) return { bundle: decodeCompact(bytes) }
    if (bytes.length > BUNDLE_JSON_BYTES_MAX) {
      throw new FormError(
        'unreadable',
        `proof has ${bytes.length} bytes, at most ${BUNDLE_JSON_BYTES_MAX} are allowed`)
    }
    if (bytes.length === 0) {
      throw new FormError('unreadable', 'the proof is empty: bytes needed, 0 left')
    }
    const text = fromUtf8(bytes)
    if (text === undefined) throw new FormError('unreadable', 'this is no proof: it is not text')
    const value = parseJson(text)
    const format = value instanceof JsonObject ? value.fields.get('format') : undefined
    if (typeof format === 'string' && FORMATS_WITH_REGISTRY.test(format)) {
      return readWithRegistry(value)
    }
    return format === FORMAT_WITH_MAP ? readWithMap(value) : { bundle: bundleShape(value)() }
  } catch (thrown) {
    throw formError(thrown)
  }
}

/** What was thrown while a form was read, as what it says of the form. */
export function formError(thrown: unknown): FormError {
  if (thrown instanceof FormError) return thrown
  const message = messageOf(thrown)
  if (thrown instanceof CursorError) return new FormError('unreadable', `proof bytes: ${message}`)
  if (thrown instanceof JsonError) {
    return new FormError(
      'unreadable', `proof is not valid JSON of the expected shape: ${message}`)
  }
  if (thrown instanceof LeafError) {
    const problem = thrown.version ? 'otherVersion' : 'form'
    return new FormError(problem, `proof field \`leaf\`: ${message}`)
  }
  if (thrown instanceof ShapeError) {
    return new FormError('form', `proof field \`inclusionProof\`: ${message}`)
  }
  return new FormError('unreadable', message)
}
