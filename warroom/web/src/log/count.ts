/** Counts leaves: what figures of a war room have to agree with. */
import { decodeLeaf, type Kind, type Statement } from '@tbsi/verify/leaf.js'

export const HOUR_MS = 3_600_000

export interface Counts {
  leaves: number
  readonly kinds: Map<Kind, number>
  /** Of attestations alone. */
  readonly schemas: Map<string, number>
  /** Of all leaves, by the hour in which they begin, in milliseconds. */
  readonly hours: Map<number, number>
  firstMs: number | null
  lastMs: number | null
}

export function noCounts(): Counts {
  return {
    leaves: 0, kinds: new Map(), schemas: new Map(), hours: new Map(), firstMs: null, lastMs: null,
  }
}

const more = <K>(map: Map<K, number>, key: K) => map.set(key, (map.get(key) ?? 0) + 1)

/** Adds a leaf. Throws a `LeafError` for one that this software does not know. */
export function count(counts: Counts, leaf: Uint8Array): Statement {
  const statement = decodeLeaf(leaf)
  const timeMs = Number(statement.timeMs)
  counts.leaves += 1
  counts.firstMs ??= timeMs
  counts.lastMs = timeMs
  more(counts.kinds, statement.kind)
  more(counts.hours, timeMs - (timeMs % HOUR_MS))
  if (statement.kind === 'attestation') more(counts.schemas, String(statement['schema']))
  return statement
}

/** A figure that is not what the leaves come to. */
export interface Difference {
  readonly what: 'attestations' | 'kind' | 'schema' | 'hour'
  readonly of: string
  readonly claimed: number
  readonly counted: number
}

/** What a war room says of the same leaves. */
export interface Claims {
  readonly attestations: number
  readonly byKind: readonly { readonly kind: string; readonly count: number }[]
  /** Perhaps not all: the largest ones. */
  readonly bySchema: readonly { readonly schema: string; readonly count: number }[]
  readonly series: { readonly stepMs: number; readonly points: readonly { readonly fromMs: number; readonly count: number }[] }
}

/** Where the claims differ from the counts. */
export function differences(counts: Counts, claims: Claims): Difference[] {
  const kinds = new Map<string, number>(counts.kinds)
  const claimedKinds = new Map(claims.byKind.map(({ kind, count }) => [kind, count]))
  const all: Difference[] = [
    { what: 'attestations', of: '', claimed: claims.attestations, counted: kinds.get('attestation') ?? 0 },
    ...[...new Set([...kinds.keys(), ...claimedKinds.keys()])].map((kind): Difference =>
      ({ what: 'kind', of: kind, claimed: claimedKinds.get(kind) ?? 0, counted: kinds.get(kind) ?? 0 })),
    ...claims.bySchema.map(({ schema, count }): Difference =>
      ({ what: 'schema', of: schema, claimed: count, counted: counts.schemas.get(schema) ?? 0 })),
  ]
  if (claims.series.stepMs === HOUR_MS) {
    // A series may begin later than the log, and leaves out intervals without leaves.
    for (const { fromMs, count } of claims.series.points) {
      const counted = counts.hours.get(fromMs) ?? 0
      all.push({ what: 'hour', of: String(fromMs), claimed: count, counted })
    }
  }
  return all.filter(({ claimed, counted }) => claimed !== counted)
}
