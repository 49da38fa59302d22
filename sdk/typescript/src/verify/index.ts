/**
 * Verifies proofs of TBSI: no network, no clock, no DOM, and no exception whatever is given. The
 * verdicts and codes are those of `tbsi verify --json` (SPEC §10.4, §10.5).
 */
import { anchorOf, anchorOfSet, verifyBundle, type TrustAnchor } from './anchor.js'
import { parseProof, type Bundle } from './bundle.js'
import { equal, fromHex, fromUtf8, toHex, utf8, type Hex } from './bytes.js'
import {
  OtherFileError, compareAsked, compareFile, type Compared, type GivenFile,
} from './compare.js'
import { checkpointDigest, decodeCheckpoint } from './decision.js'
import { FormError, ProofError, TrustError, messageOf } from './errors.js'
import { parseGenesis, type Genesis } from './genesis.js'
import { followStream } from './handovers.js'
import { JsonError, JsonObject, parseJson, type JsonValue } from './json.js'
import { decodeLeaf, type Statement } from './leaf.js'
import { CHECKPOINT_FILE_BYTES_MAX } from './limits.js'
import { verifyMap, type VerifiedMap } from './map-proof.js'
import { ageOf, type AgeReport, type StatusAge } from './map-report.js'
import { proveRegistry } from './registry.js'
import { report, type Code, type Fails, type Report } from './report.js'
import { aboutAttestation, type Standing } from './standing.js'

export { stringify } from './json.js'
export { fromHex, toHex, type Hex } from './bytes.js'
export type { Kind, Statement } from './leaf.js'
export type { Compared, GivenFile } from './compare.js'
export type { AgeReport, KnownUpTo, MapReport, StatusAge } from './map-report.js'
export type { Revocation } from './standing.js'
export type {
  Code, DecisionReport, Fails, Holds, IssuerReport, OrganisationReport, Report,
} from './report.js'
export type { Times } from './time.js'
export {
  ALGORITHMS, FILE_SCHEMA, SALTED_FILE_SCHEMA, formatSalt, parseSalt, type Algorithm, type Hasher,
} from './digest.js'

/** A file's bytes, or its text. */
export type Content = Uint8Array | string

/** What is trusted beforehand: one of these. */
export type Trust =
  /** The network's genesis file. */
  | { readonly genesis: Content }
  /** A file of `tbsi checkpoint get` that was verified before, or comes from somebody trusted. */
  | { readonly checkpoint: Content }
  /** The 192 bytes of a checkpoint, and the network's genesis hash. */
  | { readonly encodedCheckpoint: Hex; readonly genesisHash: Hex }
  /** The hash of a validator set. */
  | { readonly validatorSetHash: Hex; readonly genesisHash: Hex; readonly chainId: bigint | number }

export interface Question {
  /** A proof in JSON or in compact form. */
  readonly proof: Content
  readonly trust: Trust
  /** The stream of `tbsi log handovers`, for a proof that begins later. */
  readonly handovers?: Uint8Array
  /** A file to compare with the digest. */
  readonly file?: GivenFile
  /** How old a status may be, and when; without it any age will do. */
  readonly statusAge?: StatusAge
}

/** A question, and what a node told of the attestation. Made by the client of this package. */
export interface QuestionWithStanding extends Question {
  readonly standing?: { readonly of: Standing; readonly source: string }
}

/** A verdict against the proof, or none. */
class Failure extends Error {
  constructor(
    readonly verdict: Fails['verdict'],
    readonly code: Code,
    message: string,
  ) {
    super(message)
  }
}

/** Verifies a proof. Never throws. */
export function verify(question: QuestionWithStanding): Report {
  try {
    return judge(question)
  } catch (thrown) {
    if (thrown instanceof Failure) {
      return { verdict: thrown.verdict, code: thrown.code, reason: thrown.message }
    }
    // Nothing is known to lead here; a verdict is owed all the same.
    return couldNot('unreadable', messageOf(thrown))
  }
}

function couldNot(code: Code, reason: string): Fails {
  return { verdict: 'could not tell', code, reason }
}

function judge(question: QuestionWithStanding): Report {
  const { proof, trust, handovers, file, standing, statusAge } = question
  const { bundle, map: part, registry } = or(failureOfForm, () => parseProof(bytesOf(proof)))
  const basis = basisOf(trust, bundle)
  let followed: number | undefined
  if (handovers !== undefined) {
    const { height } = bundle.decision.checkpoint
    const result = or(
      (error) => new Failure('could not tell', 'handovers', messageOf(error)),
      () => followStream(handovers, basis.anchor, height))
    basis.anchor = result.anchor
    followed = result.followed
  }
  const { chain } = basis.anchor
  const [verified, map, proven] = or((error) => failureOfProof(error, bundle), () => {
    const holds = verifyBundle(bundle, basis.anchor)
    return [
      holds,
      part === undefined ? undefined : verifyMap(part, holds, chain),
      registry === undefined ? undefined : proveRegistry(registry, holds, bundle.validators),
    ] as const
  })
  const age = statusAge === undefined ? undefined : checkAge(statusAge, map)
  const compared = file === undefined ? undefined : comparison(verified.statement, map, file)
  const { genesis, trustedHeight } = basis
  return report({
    bundle: verified, proven, map, age, genesisHash: chain.genesisHash, genesis, trustedHeight,
    file: compared, followed, standing,
  })
}

function checkAge(given: StatusAge, map: VerifiedMap | undefined): AgeReport {
  if (map === undefined) {
    throw new Failure(
      'could not tell', 'statusMissing',
      'no status is stapled to the proof; fetch it again with its status')
  }
  const age = or(
    () => new Failure('could not tell', 'statusOld', 'an age and a time are whole milliseconds'),
    () => ageOf(given, map))
  if (typeof age !== 'string') return age
  throw new Failure('could not tell', 'statusOld', age)
}

function comparison(
  statement: Statement,
  map: VerifiedMap | undefined,
  file: GivenFile,
): Compared {
  return or(
    (error) => error instanceof OtherFileError
      ? new Failure('invalid', 'otherFile', error.message)
      : new Failure('could not tell', 'file', messageOf(error)),
    () => map === undefined || map.status !== undefined
      ? compareFile(statement, file) : compareAsked(map.digests.map(({ digest }) => digest), file))
}

/** Runs `body`; what it throws becomes what `failure` makes of it. */
function or<T>(failure: (error: unknown) => Failure, body: () => T): T {
  try {
    return body()
  } catch (thrown) {
    throw thrown instanceof Failure ? thrown : failure(thrown)
  }
}

function bytesOf(content: Content): Uint8Array {
  if (typeof content === 'string') return utf8(content)
  if (content instanceof Uint8Array) return content
  throw new FormError('unreadable', 'a proof is bytes or text')
}

function failureOfForm(error: unknown): Failure {
  const problem = error instanceof FormError ? error.problem : 'unreadable'
  const verdict = problem === 'form' ? 'invalid' : 'could not tell'
  return new Failure(verdict, problem, messageOf(error))
}

const GAP =
  'the proof begins after a change of the validators that is not in it; give the handovers, or a ' +
  'checkpoint of where it begins'

/** SPEC §10.5: which code a step of §10.4 has. */
function failureOfProof(error: unknown, bundle: Bundle): Failure {
  if (!(error instanceof ProofError)) {
    return new Failure('could not tell', 'unreadable', messageOf(error))
  }
  const { step, detail, message } = error
  const first = detail.handover === 1 || (step === 'decision' && bundle.handovers.length === 0)
  if (first && detail.problem === 'validatorSet') {
    return new Failure('could not tell', 'gap', `${GAP}: ${message}`)
  }
  if (step === 'genesis') return new Failure('could not tell', 'otherNetwork', message)
  if (step !== 'decision') return new Failure('invalid', step, message)
  if (detail.problem === 'before') return new Failure('could not tell', 'beforeTrusted', message)
  return new Failure('invalid', detail.problem === 'fork' ? 'fork' : 'checkpoint', message)
}

interface Basis {
  anchor: TrustAnchor
  readonly genesis?: Genesis
  readonly trustedHeight?: bigint
}

function basisOf(trust: Trust, bundle: Bundle): Basis {
  return or(
    (error) => new Failure('could not tell', 'trust', messageOf(error)),
    () => readTrust(trust, bundle))
}

function readTrust(trust: Trust, bundle: Bundle): Basis {
  if ('genesis' in trust) {
    const genesis = parseGenesis(bytesOf(trust.genesis))
    return { genesis, anchor: genesisAnchor(genesis) }
  }
  if ('checkpoint' in trust) return checkpointBasis(trust.checkpoint, bundle)
  const genesisHash = hash(trust.genesisHash)
  if ('encodedCheckpoint' in trust) {
    const checkpoint = decodeCheckpoint(fromHex(trust.encodedCheckpoint) ?? new Uint8Array())
    const chain = { chainId: checkpoint.chainId, genesisHash }
    return { anchor: anchorOf(chain, checkpoint), trustedHeight: checkpoint.height }
  }
  const chain = { chainId: BigInt(trust.chainId), genesisHash }
  return { anchor: anchorOfSet(chain, hash(trust.validatorSetHash)) }
}

function hash(text: string): Uint8Array {
  const bytes = fromHex(text)
  if (bytes?.length === 32) return bytes
  throw new TrustError('a hash is 32 bytes as 0x and hex digits in small letters')
}

/** Who decides from height 1 on, and the time of block 0. */
function genesisAnchor(genesis: Genesis): TrustAnchor {
  const chain = { chainId: genesis.chainId, genesisHash: genesis.hash }
  return { ...anchorOfSet(chain, genesis.validators.hash), timeMs: genesis.timeMs }
}

const CHECKPOINT_FORMAT = 'tbsi-checkpoint-1'

/** The file names no genesis, but the digest in it depends on one: it must be the bundle's. */
function checkpointBasis(content: Content, bundle: Bundle): Basis {
  const bytes = bytesOf(content)
  const text = bytes.length > CHECKPOINT_FILE_BYTES_MAX ? undefined : fromUtf8(bytes)
  const parsed = parseJson(text ?? '')
  if (field(parsed, 'format') !== CHECKPOINT_FORMAT) {
    throw new TrustError(`not a file of \`checkpoint get\` in the form \`${CHECKPOINT_FORMAT}\``)
  }
  const file = field(parsed, 'checkpoint')
  const [encoded, digest] = [field(file, 'encoded'), field(file, 'digest')]
  const checkpoint = decodeCheckpoint(fromHex(String(encoded).toLowerCase()) ?? new Uint8Array())
  if (checkpoint.height === 0n) {
    throw new TrustError('height 0 is fixed by the genesis file; give that')
  }
  const { genesisHash } = bundle
  const chain = { chainId: checkpoint.chainId, genesisHash }
  const expected = fromHex(String(digest).toLowerCase()) ?? new Uint8Array()
  if (!equal(checkpointDigest(chain, checkpoint), expected)) {
    throw new Failure(
      'could not tell', 'otherNetwork',
      `proof is of the network with genesis hash ${toHex(genesisHash)}; the trusted checkpoint ` +
      'is of another, or its fields contradict each other')
  }
  return { anchor: anchorOf(chain, checkpoint), trustedHeight: checkpoint.height }
}

function field(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (value instanceof JsonObject && value.repeated === undefined) return value.fields.get(name)
  throw new JsonError(`not a file of \`checkpoint get\`: \`${name}\` is missing`)
}

/** What a proof says, unverified: for instance which digest of a file to compute. */
export function inspect(proof: Content): Statement | undefined {
  try {
    return decodeLeaf(parseProof(bytesOf(proof)).bundle.leaf)
  } catch {
    return undefined
  }
}

/** The genesis hash and chain id of a genesis file; throws if it is none. */
export function networkOf(genesis: Content): { genesisHash: Hex; chainId: bigint; name: string } {
  const { hash: found, chainId, name } = parseGenesis(bytesOf(genesis))
  return { genesisHash: toHex(found), chainId, name }
}

/** The attestation that a proof is of, or about; undefined if there is none. */
export function attestationOf(proof: Content): Hex | undefined {
  const statement = inspect(proof)
  return statement === undefined ? undefined : aboutAttestation(statement)
}
