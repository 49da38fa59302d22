/**
 * What became of an attestation, as a node tells (SPEC §9.9, §12.4). The conclusions are drawn
 * here from the leaves: a node may be of another version, or lie.
 */
import { fromHex, type Hex } from './bytes.js'
import { JsonError, JsonObject, type JsonValue } from './json.js'
import { decodeLeaf, type Statement } from './leaf.js'
import { FILE_SCHEMA, SALTED_FILE_SCHEMA } from './digest.js'
import { timesOf } from './time.js'

/** Leaves that one answer may have: the attestation, what its issuer says, its 64 parties. */
const ENTRIES_MAX = 256

/** Status of an algorithm whose digests prove nothing any more (SPEC §12.6). */
const ALGORITHM_REVOKED = 3n

/** Reasons of revocations (SPEC §12.8). */
export const REASONS: readonly string[] = [
  'unspecified', 'issued-in-error', 'content-withdrawn', 'key-compromised', 'superseded',
  'affiliation-changed', 'cessation-of-operation', 'privilege-withdrawn',
]

/** A reason in words; codes count from 1. */
export function reasonWord(code: unknown): string {
  return REASONS[Number(code) - 1] ?? 'of another kind'
}

/** A statement and where it is in the log. */
export interface Entry {
  readonly index: bigint
  readonly leaf: Uint8Array
  readonly statement: Statement
}

/** What an attestation comes to. */
export interface Standing {
  readonly id: Hex
  readonly asOf: bigint
  readonly revocable: boolean
  readonly algorithmRevoked: boolean
  /** The first attestation with the id. */
  readonly stated: Entry
  readonly revocation: Entry | undefined
  readonly supersession: Entry | undefined
  readonly countersigning: Entry | undefined
  readonly countersignatures: bigint
}

/** The attestation that a statement is, revokes or supersedes. */
export function aboutAttestation(statement: Statement): Hex | undefined {
  const about = ['attestation', 'revocation', 'supersession'].includes(statement.kind)
  return about ? (statement['id'] as Hex) : undefined
}

/** Reads an answer of `tbsi_getAttestation(id)`; throws an error that says what is wrong. */
export function readStanding(id: Hex, answer: JsonValue): Standing {
  if (!(answer instanceof JsonObject)) throw new JsonError('the answer is no object')
  const entries = entriesOf(answer.fields.get('entries'))
  const stated = entries.find(({ statement }) =>
    statement.kind === 'attestation' && statement['id'] === id)
  if (stated === undefined) throw new JsonError('the answer has no attestation')
  const revocable = answer.fields.get('revocable') === true
  const { issuer } = stated.statement
  const own = (kind: string) => entries.find(({ statement }) =>
    statement.kind === kind && statement['id'] === id && statement.issuer === issuer)
  const revocation = revocable ? own('revocation') : undefined
  const told = answer.fields.get('revokedAt') ?? null
  const drawn = revocation?.statement.height ?? null
  if (told !== drawn || answer.fields.get('issuer') !== issuer) {
    throw new JsonError(`the answer says revoked at ${String(told)}, its leaves say ${drawn}`)
  }
  const asOf = answer.fields.get('asOf')
  if (typeof asOf !== 'bigint') throw new JsonError('the answer lacks `asOf`')
  const have = entries.map(({ statement }) =>
    statement.kind === 'countersignature' && statement['id'] === id ? statement['have'] : 0n)
  return {
    id, asOf, revocable, stated, revocation,
    algorithmRevoked: answer.fields.get('algorithmStatus') === ALGORITHM_REVOKED,
    supersession: own('supersession'),
    countersigning: own('countersigningOpened'),
    countersignatures: (have as bigint[]).reduce((most, next) => (next > most ? next : most), 0n),
  }
}

/** Entries of the log out of JSON, decoded from their bytes. */
export function entriesOf(value: JsonValue | undefined): Entry[] {
  if (!Array.isArray(value) || value.length > ENTRIES_MAX) {
    throw new JsonError(`a list of at most ${ENTRIES_MAX} entries is expected`)
  }
  return value.map(entryOf)
}

export function entryOf(value: JsonValue): Entry {
  const fields = value instanceof JsonObject ? value.fields : new Map<string, JsonValue>()
  const index = fields.get('index')
  const text = fields.get('leaf')
  const leaf = typeof text === 'string' ? fromHex(text) : undefined
  if (typeof index !== 'bigint' || leaf === undefined) {
    throw new JsonError('an entry needs an index and a leaf')
  }
  return { index, leaf, statement: decodeLeaf(leaf) }
}

/** The leaves that conclusions rest on, each to be proven. */
export function restsOn({ stated, revocation, supersession }: Standing): Entry[] {
  return [stated, revocation, supersession].filter((entry) => entry !== undefined)
}

/** Why what a statement says counts for nothing; null if it counts. */
export function voidReason(statement: Statement, standing: Standing): string | null {
  const { issuer } = standing.stated.statement
  if (statement.kind !== 'attestation') {
    if (statement.issuer !== issuer) {
      return `the attestation is by ${issuer}, this is said by ${statement.issuer}`
    }
    const allowed = statement.kind !== 'revocation' || standing.revocable
    return allowed ? null : "the attestation's schema allows no revocation"
  }
  if (standing.revocation !== undefined) {
    const { height, timeMs, reason } = standing.revocation.statement
    return revokedText({ height, timeMs, reason, issuer })
  }
  if (!standing.algorithmRevoked) return null
  return `its digest algorithm was revoked, as of block ${standing.asOf}`
}

export function revokedText(
  { height, timeMs, reason, issuer }:
  { height: bigint; timeMs: bigint; reason: unknown; issuer: Hex },
): string {
  return `REVOKED at ${timesOf(timeMs).utc} (block ${height}) by its issuer ${issuer}: ` +
    reasonWord(reason)
}

/** What is said of later statements in a report. */
export interface Revocation {
  readonly status: 'notChecked' | 'notRevoked' | 'revoked' | 'algorithmRevoked'
  readonly asOf?: bigint
  /** Until when a stapled status is known. */
  readonly asOfTimeMs?: bigint
  /** Who was asked; `map` if the status is stapled to the proof. */
  readonly source?: string
  /** Whether it was proven, and not only told, that it is revoked; of a stapled status, always. */
  readonly proven?: boolean
  readonly revocable?: boolean
  readonly revocation?: Readonly<Record<string, unknown>> | null
  readonly supersession?: Readonly<Record<string, unknown>> | null
  readonly countersigning?: Readonly<Record<string, unknown>> | null
}

/** For programs. */
export function summaryOf(standing: Standing, source: string): Revocation {
  const { revocation, supersession, countersigning } = standing
  const at = ({ index, statement }: Entry) =>
    ({ leafIndex: index, height: statement.height, timeMs: statement.timeMs })
  const schema = standing.stated.statement['schema']
  const builtIn = schema === FILE_SCHEMA || schema === SALTED_FILE_SCHEMA
  const unless = standing.algorithmRevoked ? 'algorithmRevoked' : 'notRevoked'
  return {
    asOf: standing.asOf,
    source,
    status: revocation === undefined ? unless : 'revoked',
    proven: builtIn && revocation !== undefined,
    revocable: standing.revocable,
    revocation: revocation === undefined ? null : {
      ...at(revocation),
      issuer: revocation.statement.issuer,
      reason: revocation.statement['reason'],
      reasonName: reasonWord(revocation.statement['reason']),
    },
    supersession: supersession === undefined ? null : {
      ...at(supersession), successor: supersession.statement['successor'],
    },
    countersigning: countersigning === undefined ? null : {
      have: standing.countersignatures,
      need: countersigning.statement['threshold'],
      deadline: countersigning.statement['deadline'],
    },
  }
}
