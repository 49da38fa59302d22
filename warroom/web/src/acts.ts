/** Acts of governance (SPEC §9.3, §13.10): the text of an act is proven by the hash in its leaf. */
import { concat, equal, fromHex, utf8 } from '@tbsi/verify/bytes.js'
import { keccak256, sha256 } from '@tbsi/verify/hash.js'
import type { Statement } from '@tbsi/verify/leaf.js'
import type { Act } from './api.js'

const PARTY = '(string,string,string,string,string)'
const CONSENT = `(uint32,uint32,uint32,(uint32,uint32,address,bytes32,(bytes32,uint64,uint64,bytes32[]),${PARTY},${PARTY}))`
const RULE = '(uint16,uint16,uint16,uint16,uint32,uint32,uint32)'

/** Signatures of the events, by name. */
const SIGNATURES: Readonly<Record<string, string>> = Object.fromEntries([
  'ContactSet(uint32,string)', 'OrganisationAmended(uint32,string,string)',
  'OrganisationJoined(uint32,uint8,bool,string,string)', 'OrganisationLeft(uint32,uint16)',
  'OrganisationReinstated(uint32,uint16)', 'OrganisationSuspended(uint32,uint16)',
  'Equivocated(uint32,address,uint64,uint32,uint8,bytes32,string,string)', 'GenesisBound(bytes32)',
  'LogKeySet(uint32,bytes32,bytes32)', 'NodeRegistered(uint32,uint32,string)', 'NodeRetired(uint32)',
  'NodeUpdated(uint32,string,string)', 'PeerKeySet(uint32,bytes32,bytes32,uint64)',
  'PostQuantumKeySet(uint32,bytes32,bytes32)', 'ValidatorAdded(uint32,address,uint64)',
  'ValidatorKeySet(uint32,address,address)', 'ValidatorReinstated(uint32,address)',
  'ValidatorRemoved(uint32,address,uint16)', 'ValidatorSetChanged(uint64)',
  'ValidatorSuspended(uint32,address)', 'AccountSet(uint32,address,uint32,address)',
  'OrganisationPermissionsSet(uint32,uint32)', 'PeriodSet(uint32)', 'PublicPermissionsSet(uint32)',
  'QuotaSet(uint32,uint64,uint64)', 'ChainRegistered(uint32,uint32,string,string)',
  'ChainSet(uint32,uint32,uint8)', 'ChainUpdated(uint32,string,string)',
  'MotionExecuted(uint32,uint8,address)', 'MotionPassed(uint32,uint64,uint64)',
  'MotionProposed(uint32,uint8,uint32,address,uint32,uint64,bytes)',
  'MotionWithdrawn(uint32,uint16,address)', 'Resolved(bytes32)', `RuleSet(uint8,${RULE})`,
  'VoteCast(uint32,uint32,address,uint8)', 'UpgradeCancelled(uint32)',
  'UpgradeScheduled(uint32,bytes32,uint64,uint32,string)', 'UpgradeSettled(uint32,uint8,uint8)',
  'VersionDeclared(uint32,uint32,uint32)',
  `AuthorisationAccepted${CONSENT}`, `AuthorisationNarrowed${CONSENT}`, `AuthorisationOffered${CONSENT}`,
  'AuthorisationReliedOn(uint32,uint32,uint32,uint32,address,bytes32,bytes32)',
  'AuthorisationRevoked(uint32,uint32,uint32,uint32,address,uint16)',
].map((signature) => [signature.slice(0, signature.indexOf('(')), signature]))

/** Topics that one event has beside its signature. */
const TOPICS_MAX = 3

const bytesOf = (hex: string): Uint8Array | undefined => fromHex(hex.toLowerCase())

/** Whether a text is that of the leaf: same event, topics and data, and the contract that emitted it. */
export function proves(statement: Statement, act: Act): boolean {
  const signature = SIGNATURES[act.event]
  const topics = act.topics.map(bytesOf)
  const data = bytesOf(act.data)
  const event = bytesOf(String(statement['event']))
  const body = bytesOf(String(statement['bodyHash']))
  if (signature === undefined || data === undefined || event === undefined || body === undefined) return false
  if (topics.length > TOPICS_MAX || topics.some((topic) => topic?.length !== 32)) return false
  const hash = sha256(concat(new Uint8Array([topics.length]), ...topics as Uint8Array[], data))
  return equal(keccak256(utf8(signature)), event) && equal(hash, body) &&
    act.contract.toLowerCase() === statement.issuer
}

/** A ballot as an act says it. */
export interface CastBallot {
  readonly motion: number
  readonly organisation: number
  readonly choice: 'yes' | 'no' | 'abstain' | 'conflict' | null
}

const CHOICES = [null, 'yes', 'no', 'abstain', 'conflict'] as const

/** Reads the act of a vote; null for any other. */
export function ballotOf(act: Act): CastBallot | null {
  const [motion, organisation] = act.topics.map((topic) => Number(BigInt(topic)))
  if (act.event !== 'VoteCast' || motion === undefined || organisation === undefined) return null
  // account, choice: a word each.
  const choice = Number(BigInt(`0x${act.data.slice(2 + 64, 2 + 128) || '0'}`))
  return { motion, organisation, choice: CHOICES[choice] ?? null }
}
