/** What a map part comes to, for programs (SPEC §10.5, §10.7). */
import type { Hex } from './bytes.js'
import type { Known, VerifiedMap } from './map-proof.js'
import { reasonWord, revokedText, type Revocation } from './standing.js'
import { timesOf, type Times } from './time.js'

/** How old what the map says may be, in milliseconds, and when. No clock is asked. */
export interface StatusAge {
  readonly maxAgeMs: bigint | number
  readonly atMs: bigint | number
}

/** Up to which block, and until when, something is known; the time is null if nobody can tell. */
export interface KnownUpTo {
  readonly height: bigint
  readonly timeMs: bigint | null
}

/** How old what is asked was, if that was asked too. */
export interface AgeReport {
  readonly ms: bigint
  readonly maxMs: bigint
  readonly at: Times
  readonly clock: 'given'
}

/** The map root, up to where it is known, and what it holds. */
export interface MapReport {
  readonly leafIndex: bigint
  readonly root: Hex
  readonly entries: bigint
  /** What was said of attestations. */
  readonly knownUpTo: KnownUpTo
  /** What was attested; without a time if the map had not yet caught up with digests. */
  readonly digestsKnownUpTo: KnownUpTo
  /** `first` is where a digest was first attested, null if it was not. */
  readonly digests: readonly {
    readonly digest: Hex
    readonly first: { readonly leafIndex: bigint; readonly height: bigint } | null
  }[]
  /** Of the attestation that it is stapled to; null if digests are asked for. */
  readonly status: Revocation | null
  /** null if no greatest age was given. */
  readonly age: AgeReport | null
}

export function mapReport(issuer: Hex, map: VerifiedMap, age: AgeReport | null): MapReport {
  const { root, leafIndex, known, digests } = map
  const told = ({ height, timeMs }: Partial<Known>): KnownUpTo =>
    ({ height: height as bigint, timeMs: timeMs ?? null })
  return {
    leafIndex,
    root: root['root'] as Hex,
    entries: root['entries'] as bigint,
    knownUpTo: told(known.statuses),
    digestsKnownUpTo: told(known.digests),
    digests: digests.map(({ digest, first }) => ({ digest, first: first ?? null })),
    status: stapledSummary(issuer, map) ?? null,
    age,
  }
}

/** Why what a status is stapled to counts for nothing; null if it counts. */
export function stapledVoid(issuer: Hex, { status, known }: VerifiedMap): string | null {
  const { revocation, algorithmRevoked = false } = status ?? {}
  if (revocation !== undefined) return revokedText({ ...revocation, issuer })
  if (!algorithmRevoked) return null
  return `its digest algorithm was revoked, as of block ${known.statuses.height}`
}

/** A stapled status as a node's answer is told; undefined if there is none. */
export function stapledSummary(
  issuer: Hex,
  { status, known }: VerifiedMap,
): Revocation | undefined {
  if (status === undefined) return undefined
  const { revocation, supersession, algorithmRevoked } = status
  const unless = algorithmRevoked ? 'algorithmRevoked' : 'notRevoked'
  return {
    asOf: known.statuses.height,
    asOfTimeMs: known.statuses.timeMs,
    source: 'map',
    status: revocation === undefined ? unless : 'revoked',
    proven: true,
    revocation: revocation === undefined ? null : {
      ...revocation, issuer, reasonName: reasonWord(revocation.reason),
    },
    supersession: supersession === undefined ? null : { ...supersession },
  }
}

/** The age of what is asked; a sentence if it is too old, or nobody can tell. */
export function ageOf(given: StatusAge, { status, known }: VerifiedMap): AgeReport | string {
  const [maxMs, at] = [BigInt(given.maxAgeMs), BigInt(given.atMs)]
  const { height, timeMs } = status === undefined ? known.digests : known.statuses
  if (timeMs === undefined) {
    return `digests are known up to block ${height}, whose time is not in the proof; ask again ` +
      'when the map has caught up'
  }
  // What was known afterwards is not too old, and a revocation is for ever.
  const ms = at > timeMs ? at - timeMs : 0n
  if (ms <= maxMs || status?.revocation !== undefined) return { ms, maxMs, at: timesOf(at), clock: 'given' }
  return `the status was known ${ms} ms before the time given, at most ${maxMs} ms are allowed; ` +
    'fetch the proof again'
}
