/** What a map part proves, once its bundle is verified (SPEC §10.7). */
import { checkIncluded, checkLeaf, type VerifiedBundle } from './anchor.js'
import { equal, toHex, type Hex } from './bytes.js'
import type { Chain, Checkpoint } from './decision.js'
import { FILE_SCHEMA, SALTED_FILE_SCHEMA } from './digest.js'
import { ProofError, messageOf } from './errors.js'
import { decodeLeaf, type Statement } from './leaf.js'
import {
  MapError, algorithmsHash, keyOf, readFirst, readRevocable, readSaid, rootOfAnswer, type Asked,
  type FirstAttested, type Said,
} from './map.js'
import type { Entry, MapPart, RootLeaf } from './map-form.js'

/** Up to where, and until when, something is known. */
export interface Known {
  readonly height: bigint
  readonly timeMs: bigint
}

/** What the issuer's own words come to (SPEC §12.4). */
export interface StapledStatus extends Said {
  readonly algorithmRevoked: boolean
}

export interface VerifiedMap {
  readonly root: Statement
  readonly leafIndex: bigint
  readonly known: {
    /** What is said of attestations. */
    readonly statuses: Known
    /** What is attested; the time is absent if the map had not caught up, for no part has it. */
    readonly digests: Omit<Known, 'timeMs'> & Partial<Known>
  }
  /** Of the bundle's leaf; absent if the questions are for digests. */
  readonly status: StapledStatus | undefined
  readonly digests: readonly { readonly digest: Hex; readonly first: FirstAttested | undefined }[]
}

/** Verifies a map part. Throws a `ProofError` of the step `map`, and nothing else. */
export function verifyMap(map: MapPart, bundle: VerifiedBundle, chain: Chain): VerifiedMap {
  try {
    return check(map, bundle, chain)
  } catch (thrown) {
    throw new ProofError('map', `map: ${messageOf(thrown)}`)
  }
}

function check(map: MapPart, bundle: VerifiedBundle, chain: Chain): VerifiedMap {
  const { checkpoint } = bundle.decision
  const root = map.root === undefined ? bundle.statement : decodeLeaf(map.root.leaf)
  const leafIndex = map.root?.leafIndex ?? bundle.leafIndex
  if (root.kind !== 'mapRoot') {
    throw new MapError(`the leaf with its root is of another kind: ${root.kind}`)
  }
  if (map.root !== undefined) {
    checkLeaf(root, chain, checkpoint, 'map')
    inLog(map.root, checkpoint)
  }
  const [mapHeight, digestHeight] = [root['mapHeight'] as bigint, root['digestHeight'] as bigint]
  if (mapHeight + 1n !== root.height || digestHeight > mapHeight) {
    throw new MapError(
      `its root is not as of the block before its own, ${root.height}: it says ${mapHeight}, and ` +
      `${digestHeight} for digests`)
  }
  checkAlgorithms(map.revokedAlgorithms, root)
  checkEntries(map.entries, root)
  const last = leafIndex + 1n === checkpoint.logSize
  const statuses = last
    ? { height: checkpoint.height, timeMs: checkpoint.timeMs }
    : { height: mapHeight, timeMs: root.timeMs }
  const whole = digestHeight === mapHeight
  const digests = whole ? statuses : { height: digestHeight }
  const said = map.root === undefined ? { status: undefined, digests: digestsOf(map.entries) }
    : { status: statusOf(map, bundle), digests: [] }
  return { root, leafIndex, known: { statuses, digests }, ...said }
}

const ELSE = 'it is asked about something else than the proof is of'

function inLog(root: RootLeaf, checkpoint: Checkpoint): void {
  try {
    checkIncluded(root, checkpoint)
  } catch (thrown) {
    throw new MapError(`inclusion of the map's root: ${messageOf(thrown)}`)
  }
}

function checkAlgorithms(codes: readonly number[], root: Statement): void {
  codes.slice(1).forEach((code, at) => {
    if ((codes[at] as number) >= code) {
      throw new MapError('revoked algorithms must be in ascending order, each once')
    }
  })
  if (toHex(algorithmsHash(codes)) !== root['revokedAlgorithmsHash']) {
    throw new MapError('revoked algorithms are not those of the map root')
  }
}

function checkEntries(entries: readonly Entry[], root: Statement): void {
  if (entries.length === 0) throw new MapError('it is asked nothing')
  const keys: Uint8Array[] = []
  for (const { asked, answer } of entries) {
    const key = keyOf(asked)
    if (keys.some((it) => equal(it, key))) throw new MapError('it is asked one question twice')
    keys.push(key)
    if (answer.value !== undefined) readValue(asked, answer.value)
    const computed = toHex(rootOfAnswer(key, answer))
    if (computed !== root['root']) {
      throw new MapError(`answer leads to root ${computed}, expected ${String(root['root'])}`)
    }
  }
}

function readValue({ kind }: Asked, value: Uint8Array): FirstAttested | Said | boolean {
  if (kind === 'digest') return readFirst(value)
  return kind === 'status' ? readSaid(value) : readRevocable(value)
}

function digestsOf(entries: readonly Entry[]): VerifiedMap['digests'] {
  return entries.map(({ asked, answer: { value } }) => {
    if (asked.kind !== 'digest') {
      throw new MapError(`${ELSE}: its root alone answers for digests, not for a ${asked.kind}`)
    }
    return { digest: toHex(asked.digest), first: value === undefined ? undefined : readFirst(value) }
  })
}

/** The status of the bundle's attestation, from its issuer's entry and its schema's. */
function statusOf(
  { root, entries, revokedAlgorithms }: MapPart,
  bundle: VerifiedBundle,
): StapledStatus {
  const { statement, leafIndex } = bundle
  if (statement.kind !== 'attestation') {
    throw new MapError(`a status is stapled to an attestation, not to a ${statement.kind}`)
  }
  if (root === undefined || leafIndex >= root.leafIndex) {
    throw new MapError(
      `its root is leaf ${root?.leafIndex}, the attestation is leaf ${leafIndex} and later`)
  }
  const [first, ...others] = entries
  const { id, issuer, schema } = statement
  if (first?.asked.kind !== 'status' || toHex(first.asked.id) !== id ||
    toHex(first.asked.issuer) !== issuer) {
    throw new MapError(`${ELSE}: the first question is not for the attestation's status`)
  }
  const value = first.answer.value
  const said = value === undefined
    ? { revocation: undefined, supersession: undefined } : readSaid(value)
  let revocable = schema === FILE_SCHEMA || schema === SALTED_FILE_SCHEMA ? true : undefined
  for (const { asked, answer } of others) {
    if (asked.kind !== 'schema' || toHex(asked.schema) !== schema) {
      throw new MapError(`${ELSE}: another question is not for the attestation's schema`)
    }
    revocable ??= answer.value !== undefined && readRevocable(answer.value)
  }
  if (said.revocation !== undefined && revocable === undefined) {
    throw new MapError(
      'the attestation is revoked under a schema of which the proof says nothing')
  }
  return {
    supersession: said.supersession,
    revocation: revocable === true ? said.revocation : undefined,
    algorithmRevoked: revokedAlgorithms.includes(Number(statement['algorithm'])),
  }
}
