/**
 * Time stamps of RFC 3161 (SPEC §11.2), verified in the page. Whether the signer is who it says is
 * for the visitor to know: without a certificate that is trusted, that cannot be told.
 */
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { equal, toHex } from '@tbsi/verify/bytes.js'
import { DerError, TAG, children, integer, of, oid, readDer, sequence, time, type Der } from './der.js'
import {
  fingerprintOf, hashOf, leadsTo, nameOf, readCertificate, signedBy, type Certificate,
} from './x509.js'

/** The steps of the verification, in order. */
export const STEPS = ['form', 'digest', 'signature', 'signer', 'file', 'trust'] as const
export type Step = (typeof STEPS)[number]

export interface Stamp {
  readonly timeMs: number
  readonly accuracyMs: number | null
  readonly policy: string
  /** Of a time stamp of TBSI the leaf index. */
  readonly serial: bigint
  /** Name in the multicodec table; undefined for one that is not known here. */
  readonly algorithm: string | undefined
  readonly imprint: Uint8Array
  readonly signer: {
    readonly name: string
    readonly issuer: string
    readonly fingerprint: string
    readonly fromMs: number
    readonly untilMs: number
  }
}

export interface StampReport {
  readonly verdict: 'valid' | 'invalid' | 'could not tell'
  /** Where it failed; null if all steps that could be taken hold. */
  readonly failed: Step | null
  readonly reason: string | null
  readonly stamp: Stamp | null
  readonly file: 'same' | 'notCompared'
  readonly trust: 'trusted' | 'notGiven'
}

/** Digests of SPEC §11.1 by their object identifier. */
const DIGESTS: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha2-256', '2.16.840.1.101.3.4.2.2': 'sha2-384',
  '2.16.840.1.101.3.4.2.3': 'sha2-512', '2.16.840.1.101.3.4.2.6': 'sha2-512-256',
  '2.16.840.1.101.3.4.2.8': 'sha3-256', '2.16.840.1.101.3.4.2.9': 'sha3-384',
  '2.16.840.1.101.3.4.2.10': 'sha3-512', '1.2.156.10197.1.401': 'sm3-256',
}

const SIGNED_DATA = '1.2.840.113549.1.7.2'
const TIME_STAMP = '1.2.840.113549.1.9.16.1.4'
const CONTENT_TYPE = '1.2.840.113549.1.9.3'
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4'
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.47'

/** A step that fails. Anything else that is thrown means that nobody can tell. */
class StampError extends Error {
  constructor(readonly step: Step, message: string) {
    super(message)
  }
}

/** A digest of the file that a time stamp is compared with, by the algorithm's name. */
export type FileDigest = (algorithm: string) => Promise<Uint8Array>

/** Verifies a reply of an authority, or a token out of one. Never throws. */
export async function verifyStamp(
  bytes: Uint8Array, trusted: readonly Certificate[] = [], file?: FileDigest,
): Promise<StampReport> {
  const done: { stamp: Stamp | null; file: StampReport['file'] } = { stamp: null, file: 'notCompared' }
  let step: Step = 'form'
  const at = (next: Step) => { step = next }
  try {
    const token = parse(bytes)
    done.stamp = token.stamp
    await check(token, at)
    at('file')
    if (file !== undefined) {
      await compare(token.stamp, file)
      done.file = 'same'
    }
    at('trust')
    if (trusted.length === 0) {
      return {
        ...done, verdict: 'could not tell', failed: null, trust: 'notGiven',
        reason: 'the time stamp is whole; whose it is can be told with the authority\'s certificate alone',
      }
    }
    if (!await leadsTo(token.signer, token.certificates, trusted, token.stamp.timeMs)) {
      throw new StampError('trust', 'its certificate does not lead to one of those that were given')
    }
    return { ...done, verdict: 'valid', failed: null, reason: null, trust: 'trusted' }
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    const contradicts = thrown instanceof StampError && thrown.step !== 'trust'
    const failed = thrown instanceof StampError ? thrown.step : step
    const verdict = contradicts ? 'invalid' : 'could not tell'
    return { ...done, verdict, failed, reason, trust: 'notGiven' }
  }
}

interface Token {
  readonly stamp: Stamp
  readonly content: Uint8Array
  readonly certificates: readonly Certificate[]
  readonly signer: Certificate
  readonly hash: string
  readonly attributes: Der
  readonly algorithm: string
  readonly signature: Uint8Array
}

function parse(bytes: Uint8Array): Token {
  const [type, explicit] = sequence(tokenOf(bytes), 'token')
  if (oid(type, 'type of the token') !== SIGNED_DATA) throw new DerError('this is no time stamp')
  const parts = sequence(children(of(explicit, 0xa0, 'token'))[0], 'signed data')
  const [contentType, wrapped] = sequence(parts[2], 'content')
  if (oid(contentType, 'type of the content') !== TIME_STAMP) throw new DerError('what is signed is no time stamp')
  const content = of(children(of(wrapped, 0xa0, 'content'))[0], TAG.octets, 'content').content
  const listed = parts.find(({ tag }) => tag === 0xa0)
  const certificates = (listed === undefined ? [] : children(listed)).map((it) => readCertificate(it.bytes))
  const signers = children(of(parts.at(-1), TAG.set, 'signers'))
  if (signers.length !== 1) throw new DerError(`a time stamp has one signer, this has ${signers.length}`)
  const [, id, digest, attributes, algorithm, signature] = sequence(signers[0], 'signer')
  const signer = signerOf(id, certificates)
  const hash = hashOf(oid(sequence(digest, 'digest algorithm')[0], 'digest algorithm'))
  if (hash === undefined) throw new DerError('the digest algorithm of the signature is not known here')
  return {
    content, certificates, signer, hash,
    stamp: stampOf(content, signer),
    attributes: of(attributes, 0xa0, 'signed attributes'),
    algorithm: oid(sequence(algorithm, 'signature algorithm')[0], 'signature algorithm'),
    signature: of(signature, TAG.octets, 'signature').content,
  }
}

/** The token itself, which a reply carries after its status. */
function tokenOf(bytes: Uint8Array): Der {
  const value = readDer(bytes)
  const [first, second] = sequence(value, 'time stamp')
  if (first?.tag === TAG.oid) return value
  const status = integer(sequence(first, 'status')[0], 'status')
  if (status > 1n || second === undefined) {
    throw new DerError(`the authority granted no time stamp: status ${status}`)
  }
  return second
}

function signerOf(id: Der | undefined, certificates: readonly Certificate[]): Certificate {
  const [issuer, serial] = sequence(id, 'signer id')
  const found = certificates.find((it) =>
    equal(it.issuer, issuer?.bytes ?? new Uint8Array()) && it.serial === integer(serial, 'serial'))
  if (found !== undefined) return found
  throw new DerError('the signer\'s certificate is not in the time stamp; ask for one with its certificate')
}

function stampOf(content: Uint8Array, signer: Certificate): Stamp {
  const [version, policy, imprint, serial, at, ...rest] = sequence(readDer(content), 'time stamp')
  if (integer(version, 'version') !== 1n) throw new DerError('a time stamp of another version')
  const [algorithm, digest] = sequence(imprint, 'imprint')
  const accuracy = rest.find(({ tag }) => tag === TAG.sequence)
  return {
    timeMs: time(at, 'time'), accuracyMs: accuracy === undefined ? null : accuracyOf(accuracy),
    policy: oid(policy, 'policy'), serial: integer(serial, 'serial number'),
    algorithm: DIGESTS[oid(sequence(algorithm, 'digest algorithm')[0], 'digest algorithm')],
    imprint: of(digest, TAG.octets, 'digest').content,
    signer: {
      name: nameOf(signer.subject), issuer: nameOf(signer.issuer), fingerprint: fingerprintOf(signer),
      fromMs: signer.fromMs, untilMs: signer.untilMs,
    },
  }
}

function accuracyOf(value: Der): number {
  return children(value).reduce((all, { tag, content }) => {
    const amount = content.reduce((sum, byte) => sum * 256 + byte, 0)
    if (tag === TAG.integer) return all + 1000 * amount
    return tag === 0x80 ? all + amount : all + amount / 1000
  }, 0)
}

const SHA: Readonly<Record<string, (data: Uint8Array) => Uint8Array>> = {
  'SHA-256': sha256, 'SHA-384': sha384, 'SHA-512': sha512,
}

async function check(token: Token, at: (step: Step) => void): Promise<void> {
  const attributes = new Map(children(token.attributes).map((it) => {
    const [kind, values] = sequence(it, 'attribute')
    return [oid(kind, 'attribute'), children(of(values, TAG.set, 'attribute'))[0]]
  }))
  at('digest')
  if (oid(attributes.get(CONTENT_TYPE), 'content type') !== TIME_STAMP) {
    throw new StampError('digest', 'the signature is over something else than a time stamp')
  }
  const digest = SHA[token.hash]?.(token.content) ?? new Uint8Array()
  if (!equal(of(attributes.get(MESSAGE_DIGEST), TAG.octets, 'digest').content, digest)) {
    throw new StampError('digest', 'the time stamp was changed after it was signed')
  }
  at('signature')
  // What is signed is the attributes as a SET, not under the tag that they have in the token.
  const signed = token.attributes.bytes.slice()
  signed[0] = TAG.set
  const good = await signedBy(token.signer.key, token.algorithm, token.signature, signed, token.hash)
  if (!good) throw new StampError('signature', 'the signature is not by the certificate in the time stamp')
  at('signer')
  checkSigner(token, attributes.get(SIGNING_CERTIFICATE))
}

function checkSigner({ signer, stamp }: Token, attribute: Der | undefined): void {
  const wrong = (message: string) => new StampError('signer', message)
  if (!signer.stampsOnly) throw wrong('its certificate is not for time stamps alone')
  if (stamp.timeMs < signer.fromMs || stamp.timeMs > signer.untilMs) {
    throw wrong('its certificate was not valid at the time')
  }
  const first = sequence(sequence(sequence(attribute, 'signing certificate')[0], 'certificates')[0], 'certificate')
  // SHA-256 unless it says otherwise.
  const named = first[0]?.tag === TAG.sequence ? hashOf(oid(sequence(first[0], 'hash')[0], 'hash')) : 'SHA-256'
  const hash = first.find(({ tag }) => tag === TAG.octets)?.content ?? new Uint8Array()
  if (!equal(hash, SHA[named ?? '']?.(signer.bytes) ?? new Uint8Array(1))) {
    throw wrong('what is signed names another certificate')
  }
}

async function compare({ algorithm, imprint }: Stamp, file: FileDigest): Promise<void> {
  if (algorithm === undefined) throw new DerError('the digest algorithm is not known here')
  if (equal(await file(algorithm), imprint)) return
  throw new StampError('file', `the file has another digest than ${toHex(imprint)}`)
}
