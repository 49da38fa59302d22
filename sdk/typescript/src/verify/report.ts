/** What was verified, for programs: the object that `tbsi verify --json` prints (SPEC §10.5). */
import type { VerifiedBundle, VerifiedDecision } from './anchor.js'
import { toHex, type Hex } from './bytes.js'
import type { Compared } from './compare.js'
import type { Genesis, GenesisOrganisation } from './genesis.js'
import type { Statement } from './leaf.js'
import type { VerifiedMap } from './map-proof.js'
import {
  mapReport, stapledSummary, stapledVoid, type AgeReport, type MapReport,
} from './map-report.js'
import type { LegalRecord } from './registry-form.js'
import type { ProvenIssuer, ProvenRegistry } from './registry.js'
import { aboutAttestation, summaryOf, voidReason, type Revocation, type Standing } from './standing.js'
import { timesOf, type Times } from './time.js'

/** Why a proof does not hold, or why nobody can tell; the same in every language. */
export type Code =
  | 'leaf' | 'inclusion' | 'handover' | 'checkpoint' | 'fork' | 'map' | 'registry' | 'form'
  | 'otherFile'
  | 'otherNetwork' | 'gap' | 'beforeTrusted' | 'statusMissing' | 'statusOld' | 'otherVersion'
  | 'unreadable'
  | 'trust' | 'handovers' | 'file' | 'status'

export interface OrganisationReport {
  readonly nameZhTw: string
  readonly nameEn: string
  readonly taxId: string | null
  readonly lei: string | null
}

/** By the genesis file, whose account it was when the network was founded. */
export type GenesisIssuerReport = OrganisationReport & { readonly source: 'genesis' }

/** By the proof itself, whose account it was in the block of the statement. */
export interface RegistryIssuerReport extends OrganisationReport {
  readonly source: 'registry'
  readonly number: bigint
  readonly jurisdiction: string
  /** Heights of blocks; null for what still is, as far as it is known. */
  readonly memberSince: bigint
  readonly memberUntil: bigint | null
  readonly namedSince: bigint
  readonly namedUntil: bigint | null
  readonly knownUpTo: bigint
}

export type IssuerReport = GenesisIssuerReport | RegistryIssuerReport

/** Who answers for a validator. `source` says what proves the identifiers; null that nothing does. */
export type OperatorReport =
  | OrganisationReport & { readonly source: 'genesis' | null }
  | OrganisationReport & {
    readonly source: 'registry'
    readonly number: bigint
    readonly jurisdiction: string
    readonly namedSince: bigint
  }

export interface DecisionReport {
  readonly height: bigint
  readonly timeMs: bigint
  readonly digest: Hex
  readonly logSize: bigint
  readonly logRoot: Hex
  readonly power: bigint
  readonly totalPower: bigint
  readonly signers: readonly {
    readonly validator: Hex
    readonly power: bigint
    readonly organisation: OperatorReport
  }[]
}

/** Of a proof that holds. `void`: what it proves was revoked, or counts for nothing. */
export interface Holds {
  readonly verdict: 'valid' | 'void'
  readonly reason: string | null
  readonly trusted: {
    readonly genesisHash: Hex
    readonly network?: string
    readonly height?: bigint
  }
  /** null if no file was compared. */
  readonly file: Compared | null
  readonly statement: Statement
  readonly issuer: Hex
  /** Of the issuer's account, as far as the proof or else the genesis file proves it. */
  readonly organisation: IssuerReport | null
  readonly time: Times
  readonly timeAccuracyMs: { readonly ahead: bigint; readonly behind: bigint } | null
  /** null for a statement that is about no attestation. */
  readonly revocation: Revocation | null
  /** null for a proof without the map. */
  readonly map: MapReport | null
  /** Until when the digest's algorithm is relied upon, in seconds: nobody is asked here. */
  readonly algorithmReliedUntil: null
  /** Of post-quantum cosignatures, which `tbsi verify --post-quantum` verifies. */
  readonly postQuantum: { readonly status: 'notChecked' }
  readonly leafIndex: bigint
  readonly decision: DecisionReport
  /** Handovers of a file that were followed; null without one. */
  readonly followed: bigint | null
  readonly handovers: readonly { readonly last: DecisionReport; readonly first: DecisionReport }[]
}

/** Of anything else. */
export interface Fails {
  readonly verdict: 'invalid' | 'could not tell'
  readonly code: Code
  /** A sentence in English. */
  readonly reason: string
}

export type Report = Holds | Fails

/** All that a report is made of. */
export interface Verified {
  readonly bundle: VerifiedBundle
  readonly proven: ProvenRegistry | undefined
  readonly map: VerifiedMap | undefined
  readonly age: AgeReport | undefined
  readonly genesisHash: Uint8Array
  /** Absent if a checkpoint or a validator set was trusted. */
  readonly genesis: Genesis | undefined
  readonly trustedHeight: bigint | undefined
  readonly file: Compared | undefined
  readonly followed: number | undefined
  readonly standing: { readonly of: Standing; readonly source: string } | undefined
}

export function report(verified: Verified): Holds {
  const { bundle, genesis, map, proven } = verified
  const { statement } = bundle
  const reason = voidOf(verified)
  return {
    verdict: reason === null ? 'valid' : 'void',
    reason,
    trusted: trusted(verified),
    file: verified.file ?? null,
    statement,
    issuer: statement.issuer,
    organisation: issuerOf(verified),
    time: timesOf(statement.timeMs),
    timeAccuracyMs: genesis === undefined
      ? null : { ahead: genesis.clockDriftMaxMs, behind: genesis.clockLagMaxMs },
    revocation: revocationOf(verified),
    map: map === undefined ? null : mapReport(statement.issuer, map, verified.age ?? null),
    algorithmReliedUntil: null,
    postQuantum: { status: 'notChecked' },
    leafIndex: bundle.leafIndex,
    decision: decision(bundle.decision, genesis, proven),
    followed: verified.followed === undefined ? null : BigInt(verified.followed),
    handovers: bundle.handovers.map(([last, first]) =>
      ({ last: decision(last, genesis), first: decision(first, genesis) })),
  }
}

function trusted({ genesisHash, genesis, trustedHeight }: Verified): Holds['trusted'] {
  const hash = toHex(genesisHash)
  if (genesis !== undefined) return { genesisHash: hash, network: genesis.name }
  return trustedHeight === undefined
    ? { genesisHash: hash } : { genesisHash: hash, height: trustedHeight }
}

/** What the proof itself shows goes before what a node tells. */
function voidOf({ bundle: { statement }, map, standing }: Verified): string | null {
  const stapled = map === undefined ? null : stapledVoid(statement.issuer, map)
  if (stapled !== null || standing === undefined) return stapled
  return voidReason(statement, standing.of)
}

function revocationOf({ bundle, map, standing }: Verified): Revocation | null {
  if (standing !== undefined) return summaryOf(standing.of, standing.source)
  const stapled = map === undefined ? undefined : stapledSummary(bundle.statement.issuer, map)
  if (stapled !== undefined) return stapled
  return aboutAttestation(bundle.statement) === undefined ? null : { status: 'notChecked' }
}

function issuerOf({ proven, genesis, bundle }: Verified): IssuerReport | null {
  if (proven?.issuer !== undefined) return registered(proven.issuer, proven.known)
  const { issuer } = bundle.statement
  const found = genesis?.organisations.find(({ accounts }) => accounts.has(issuer))
  return found === undefined ? null : { ...named(found), source: 'genesis' }
}

function registered(
  { organisation, legal, membership, record }: ProvenIssuer, known: bigint,
): IssuerReport {
  return {
    ...recorded(legal),
    source: 'registry',
    number: organisation,
    jurisdiction: legal.jurisdiction,
    memberSince: membership.since,
    memberUntil: membership.until ?? null,
    namedSince: record.since,
    namedUntil: record.until ?? null,
    knownUpTo: known,
  }
}

function recorded({ nameZhTw, nameEn, taxId, lei }: LegalRecord): OrganisationReport {
  return { nameZhTw, nameEn, taxId: taxId === '' ? null : taxId, lei: lei === '' ? null : lei }
}

function named({ nameZhTw, nameEn, taxId, lei }: GenesisOrganisation): OrganisationReport {
  return { nameZhTw, nameEn, taxId, lei }
}

function decision(
  of: VerifiedDecision, genesis: Genesis | undefined, proven?: ProvenRegistry,
): DecisionReport {
  return {
    height: of.checkpoint.height,
    timeMs: of.checkpoint.timeMs,
    digest: toHex(of.digest),
    logSize: of.checkpoint.logSize,
    logRoot: toHex(of.checkpoint.logRoot),
    power: of.power,
    totalPower: of.totalPower,
    signers: of.signers.map(({ address, power, nameZhTw, nameEn }) => {
      const validator = toHex(address)
      const operator = proven?.operators.get(validator)
      if (operator !== undefined) {
        const { organisation: number, legal, since: namedSince } = operator
        const { jurisdiction } = legal
        const organisation =
          { ...recorded(legal), source: 'registry' as const, number, jurisdiction, namedSince }
        return { validator, power, organisation }
      }
      const found = genesis?.operators.get(validator)
      // Identifiers are those of the founding, and so are proven for these legal names only.
      const same = found?.nameZhTw === nameZhTw && found.nameEn === nameEn
      const [taxId, lei] = same ? [found.taxId, found.lei] : [null, null]
      const source = same ? 'genesis' as const : null
      return { validator, power, organisation: { nameZhTw, nameEn, taxId, lei, source } }
    }),
  }
}
