/** From what the verifier trusts to the leaf (SPEC §10.4). Nothing is fetched. */
import { equal, toHex } from './bytes.js'
import type { Bundle, Handover } from './bundle.js'
import {
  checkpointDigest, countQuorum, type Chain, type Checkpoint, type Decision,
} from './decision.js'
import { DecisionError, ProofError, messageOf, type Step } from './errors.js'
import { decodeLeaf, type Statement } from './leaf.js'
import { leafHash, rootOf } from './tree.js'
import type { NamedValidator, ValidatorSet } from './validators.js'

/** Who decides heights of a network, from a certain one on. */
export interface TrustAnchor {
  readonly chain: Chain
  readonly height: bigint
  readonly timeMs: bigint
  /** Absent for what nobody signed: genesis, or a bare validator set. */
  readonly digest?: Uint8Array
  readonly validatorSetHash: Uint8Array
  readonly nextValidatorSetHash: Uint8Array
}

/** A checkpoint that a quorum of named validators decided. */
export interface VerifiedDecision {
  readonly checkpoint: Checkpoint
  readonly digest: Uint8Array
  readonly signers: readonly NamedValidator[]
  readonly power: bigint
  readonly totalPower: bigint
}

export interface VerifiedBundle {
  readonly statement: Statement
  readonly leafIndex: bigint
  readonly decision: VerifiedDecision
  /** Each by the old set, then by the new one. */
  readonly handovers: readonly (readonly [VerifiedDecision, VerifiedDecision])[]
}

/** Trusts a checkpoint above genesis. */
export function anchorOf(chain: Chain, checkpoint: Checkpoint): TrustAnchor {
  return {
    chain,
    height: checkpoint.height,
    timeMs: checkpoint.timeMs,
    digest: checkpointDigest(chain, checkpoint),
    validatorSetHash: checkpoint.validatorSetHash,
    nextValidatorSetHash: checkpoint.nextValidatorSetHash,
  }
}

/** Trusts a validator set until the first handover that a bundle shows. */
export function anchorOfSet(chain: Chain, setHash: Uint8Array): TrustAnchor {
  return {
    chain, height: 0n, timeMs: 0n, validatorSetHash: setHash, nextValidatorSetHash: setHash,
  }
}

const other = (message: string) => new DecisionError('other', message)

/** Chain, height and time of a checkpoint that comes after what is trusted, or is it. */
function checkPlace(anchor: TrustAnchor, checkpoint: Checkpoint): void {
  const { chainId } = anchor.chain
  if (checkpoint.chainId !== chainId) {
    throw other(`checkpoint is of chain id ${checkpoint.chainId}, trusted is ${chainId}`)
  }
  const { height } = checkpoint
  if (height === 0n) {
    throw other(
      'checkpoint height is 0, which validators never decide: the genesis file fixes it')
  }
  if (height < anchor.height) {
    throw new DecisionError(
      'before',
      `checkpoint is of height ${height}, before the trusted height ${anchor.height}; trust the ` +
      'genesis file, or ask for a proof against a later checkpoint')
  }
  if (height === anchor.height) {
    checkNotForked(anchor, checkpoint)
  } else if (checkpoint.timeMs <= anchor.timeMs) {
    throw other(
      `checkpoint time is ${checkpoint.timeMs} ms, it must be after ${anchor.timeMs} ms`)
  }
}

/** That a checkpoint of the trusted height is the trusted one. */
function checkNotForked(anchor: TrustAnchor, checkpoint: Checkpoint): void {
  if (checkpoint.height !== anchor.height) return
  const digest = checkpointDigest(anchor.chain, checkpoint)
  if (anchor.digest === undefined || !equal(anchor.digest, digest)) {
    throw new DecisionError(
      'fork',
      `checkpoint of height ${checkpoint.height} is not the one that is trusted for this height`)
  }
}

/** Verifies a decision of `set` as following from `anchor`; what follows from it in turn. */
function extend(
  anchor: TrustAnchor,
  { checkpoint, certificate }: Decision,
  set: ValidatorSet,
): [TrustAnchor, VerifiedDecision] {
  checkPlace(anchor, checkpoint)
  const expected =
    checkpoint.height === anchor.height ? anchor.validatorSetHash : anchor.nextValidatorSetHash
  if (!equal(checkpoint.validatorSetHash, expected)) {
    throw new DecisionError(
      'validatorSet',
      `checkpoint names validator set ${toHex(checkpoint.validatorSetHash)}, trusted is ` +
      `${toHex(expected)}; the proof lacks a handover, or the set was never handed over to`)
  }
  if (!equal(set.hash, expected)) {
    throw other(
      `validators and names have hash ${toHex(set.hash)}, the checkpoint names validator set ` +
      toHex(expected))
  }
  if (certificate.height !== checkpoint.height) {
    throw other(
      `checkpoint is of height ${checkpoint.height}, the certificate of height ` +
      `${certificate.height}`)
  }
  const digest = checkpointDigest(anchor.chain, checkpoint)
  if (!equal(digest, certificate.checkpointDigest)) {
    throw other(
      `checkpoint has digest ${toHex(digest)}, the certificate decides ` +
      toHex(certificate.checkpointDigest))
  }
  const power = countQuorum(anchor.chain, set, certificate)
  const signed = new Set(certificate.signatures.map(({ validator }) => toHex(validator)))
  const signers = set.validators.filter(({ address }) => signed.has(toHex(address)))
  const { totalPower } = set
  return [
    anchorOf(anchor.chain, checkpoint), { checkpoint, digest, signers, power, totalPower },
  ]
}

/** Verifies a bundle. Throws a `ProofError` and nothing else. */
export function verifyBundle(bundle: Bundle, trusted: TrustAnchor): VerifiedBundle {
  const { genesisHash } = trusted.chain
  if (!equal(bundle.genesisHash, genesisHash)) {
    throw new ProofError(
      'genesis',
      `proof is of the network with genesis hash ${toHex(bundle.genesisHash)}, trusted is ` +
      `${toHex(genesisHash)}; verify it with that network's genesis file`)
  }
  const { checkpoint } = bundle.decision
  const statement = at('leaf', () => decodeLeaf(bundle.leaf))
  checkLeaf(statement, trusted.chain, checkpoint)
  at('inclusion', () => { checkIncluded(bundle, checkpoint) })
  const { anchor, verified } = follow(bundle.handovers, bundle.validators, trusted)
  const [, decision] = at('decision', () => extend(anchor, bundle.decision, bundle.validators))
  return { statement, leafIndex: bundle.leafIndex, decision, handovers: verified }
}

/** That a leaf is in the log of a checkpoint. */
export function checkIncluded(
  { leaf, leafIndex, inclusion }: Pick<Bundle, 'leaf' | 'leafIndex' | 'inclusion'>,
  { logSize, logRoot }: Checkpoint,
): void {
  const computed = rootOf(leafHash(leaf), leafIndex, logSize, inclusion)
  if (equal(computed, logRoot)) return
  throw other(`inclusion proof leads to log root ${toHex(computed)}, expected ${toHex(logRoot)}`)
}

function at<T>(step: 'leaf' | 'inclusion' | 'decision', verify: () => T): T {
  try {
    return verify()
  } catch (thrown) {
    const problem = thrown instanceof DecisionError ? thrown.problem : 'other'
    throw new ProofError(step, messageOf(thrown), { problem })
  }
}

/** That a leaf is of the chain, and not from after the checkpoint. */
export function checkLeaf(
  statement: Statement,
  { chainId }: Chain,
  checkpoint: Checkpoint,
  step: Step = 'leaf',
): void {
  if (statement.chainId !== chainId) {
    throw new ProofError(step, `leaf is of chain id ${statement.chainId}, trusted is ${chainId}`)
  }
  const { height, timeMs } = statement
  const later = height > checkpoint.height || timeMs > checkpoint.timeMs
  if (later || (height === checkpoint.height) !== (timeMs === checkpoint.timeMs)) {
    throw new ProofError(
      step,
      `leaf is of height ${height} and time ${timeMs} ms, which a checkpoint of height ` +
      `${checkpoint.height} and time ${checkpoint.timeMs} ms cannot cover`)
  }
}

/**
 * From the anchor through handovers, the last of which is to `lastSet`. Those that lie before
 * the anchor are passed over: what they lead to is trusted already.
 */
export function follow(
  handovers: readonly Handover[],
  lastSet: ValidatorSet,
  trusted: TrustAnchor,
  before = 0,
): { anchor: TrustAnchor; verified: [VerifiedDecision, VerifiedDecision][] } {
  let anchor = trusted
  const verified: [VerifiedDecision, VerifiedDecision][] = []
  handovers.forEach((handover, position) => {
    const next = handovers[position + 1]?.validators ?? lastSet
    try {
      if (verified.length === 0 && handover.first.checkpoint.height <= trusted.height) {
        checkNotForked(trusted, handover.first.checkpoint)
        return
      }
      checkHandover(handover)
      const [between, last] = extend(anchor, handover.last, handover.validators)
      const [after, first] = extend(between, handover.first, next)
      anchor = after
      verified.push([last, first])
    } catch (thrown) {
      const number = before + position + 1
      const problem = thrown instanceof DecisionError ? thrown.problem : 'other'
      throw new ProofError(
        'handover', `handover ${number}: ${messageOf(thrown)}`, { handover: number, problem })
    }
  })
  return { anchor, verified }
}

function checkHandover({ last, first }: Handover): void {
  const { height, validatorSetHash, nextValidatorSetHash } = last.checkpoint
  if (equal(validatorSetHash, nextValidatorSetHash)) {
    throw other(`checkpoint of height ${height} names the same validator set for the next height`)
  }
  if (first.checkpoint.height !== height + 1n) {
    throw other(
      `the new validator set's decision is of height ${first.checkpoint.height}, ` +
      `the old one's last of ${height}`)
  }
}
