/** Certificates (RFC 5280), as far as a time stamp's signer needs them. */
import { sha256 } from '@noble/hashes/sha2.js'
import { equal, toHex } from '@tbsi/verify/bytes.js'
import { DerError, TAG, children, integer, of, oid, readDer, sequence, time, type Der } from './der.js'

export interface Certificate {
  readonly bytes: Uint8Array
  /** SubjectPublicKeyInfo. */
  readonly key: Uint8Array
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly serial: bigint
  readonly fromMs: number
  readonly untilMs: number
  /** Whether it is for time stamps and for nothing else, and says so critically. */
  readonly stampsOnly: boolean
  /** Whether it may sign other certificates. */
  readonly authority: boolean
  readonly signed: Uint8Array
  readonly algorithm: string
  readonly signature: Uint8Array
}

const EXTENDED_KEY_USAGE = '2.5.29.37'
const BASIC_CONSTRAINTS = '2.5.29.19'
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8'
/** Certificates between a signer and one that is trusted. */
const PATH_MAX = 6
/** Names of parts of a subject that people read. */
const NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN', '2.5.4.10': 'O', '2.5.4.11': 'OU', '2.5.4.6': 'C', '2.5.4.97': 'organizationIdentifier',
}

export function readCertificate(bytes: Uint8Array): Certificate {
  const [body, algorithm, signature] = sequence(readDer(bytes), 'certificate')
  const parts = sequence(body, 'certificate body')
  // Version 1 has no version, and no extensions that a signer of time stamps needs.
  if (parts[0]?.tag === 0xa0) parts.shift()
  const [serial, , issuer, validity, subject, key] = parts
  const [from, until] = sequence(validity, 'validity')
  const extensions = extensionsOf(parts.find(({ tag }) => tag === 0xa3))
  const usage = extensions.get(EXTENDED_KEY_USAGE)
  const usages = usage === undefined ? [] : sequence(readDer(usage.value), 'key usage')
  const constraints = extensions.get(BASIC_CONSTRAINTS)
  const ca = constraints === undefined ? undefined : sequence(readDer(constraints.value), 'constraints')[0]
  return {
    bytes, serial: integer(serial, 'serial number'),
    issuer: of(issuer, TAG.sequence, 'issuer').bytes, subject: of(subject, TAG.sequence, 'subject').bytes,
    fromMs: time(from, 'begin of validity'), untilMs: time(until, 'end of validity'),
    key: of(key, TAG.sequence, 'public key').bytes,
    stampsOnly: usage?.critical === true && usages.length === 1 &&
      oid(usages[0], 'key usage') === TIME_STAMPING,
    authority: ca?.tag === TAG.boolean && ca.content[0] === 0xff,
    signed: of(body, TAG.sequence, 'certificate body').bytes,
    algorithm: oid(sequence(algorithm, 'signature algorithm')[0], 'signature algorithm'),
    signature: of(signature, TAG.bits, 'signature').content.slice(1),
  }
}

function extensionsOf(part: Der | undefined): Map<string, { critical: boolean; value: Uint8Array }> {
  const list = part === undefined ? [] : sequence(children(part)[0], 'extensions')
  return new Map(list.map((extension) => {
    const fields = sequence(extension, 'extension')
    const critical = fields[1]?.tag === TAG.boolean && fields[1].content[0] === 0xff
    return [oid(fields[0], 'extension'), { critical, value: of(fields.at(-1), TAG.octets, 'extension').content }]
  }))
}

/** A name for people: its parts one after the other. */
export function nameOf(name: Uint8Array): string {
  const parts = sequence(readDer(name), 'name').flatMap((set) => children(set)).map((pair) => {
    const [kind, value] = sequence(pair, 'part of a name')
    const text = new TextDecoder().decode(value?.content ?? new Uint8Array())
    return `${NAMES[oid(kind, 'part of a name')] ?? '?'}=${text}`
  })
  return parts.join(', ')
}

export const fingerprintOf = ({ bytes }: Certificate): string => toHex(sha256(bytes))

const HASHES: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'SHA-256', '2.16.840.1.101.3.4.2.2': 'SHA-384', '2.16.840.1.101.3.4.2.3': 'SHA-512',
}
/** Signature algorithms, and which hash each names. */
const SIGNATURES: Readonly<Record<string, readonly [kind: 'EC' | 'RSA', hash?: string]>> = {
  '1.2.840.10045.4.3.2': ['EC', 'SHA-256'], '1.2.840.10045.4.3.3': ['EC', 'SHA-384'],
  '1.2.840.10045.4.3.4': ['EC', 'SHA-512'],
  '1.2.840.113549.1.1.11': ['RSA', 'SHA-256'], '1.2.840.113549.1.1.12': ['RSA', 'SHA-384'],
  '1.2.840.113549.1.1.13': ['RSA', 'SHA-512'], '1.2.840.113549.1.1.1': ['RSA'],
}
const CURVES: Readonly<Record<string, readonly [name: string, bytes: number]>> = {
  '1.2.840.10045.3.1.7': ['P-256', 32], '1.3.132.0.34': ['P-384', 48],
}

export const hashOf = (algorithm: string): string | undefined => HASHES[algorithm]

/** Whether a signature is by this key. `hash` is for algorithms that name none. */
export async function signedBy(
  key: Uint8Array, algorithm: string, signature: Uint8Array, signed: Uint8Array, hash?: string,
): Promise<boolean> {
  const known = SIGNATURES[algorithm]
  if (known === undefined) throw new DerError(`the signature algorithm ${algorithm} is not known here`)
  const [kind, named = hash] = known
  if (named === undefined) throw new DerError('the signature names no hash that is known here')
  if (globalThis.crypto?.subtle === undefined) {
    throw new DerError('this browser verifies such signatures over https or on this machine alone')
  }
  const [data, spki] = [signed.slice(), key.slice()]
  if (kind === 'RSA') {
    const of = { name: 'RSASSA-PKCS1-v1_5', hash: named }
    const imported = await crypto.subtle.importKey('spki', spki, of, false, ['verify'])
    return crypto.subtle.verify(of.name, imported, signature.slice(), data)
  }
  const curve = oid(sequence(sequence(readDer(key), 'public key')[0], 'key algorithm')[1], 'curve')
  const [namedCurve, size] = CURVES[curve] ?? []
  if (namedCurve === undefined || size === undefined) throw new DerError(`the curve ${curve} is not known here`)
  const imported = await crypto.subtle.importKey('spki', spki, { name: 'ECDSA', namedCurve }, false, ['verify'])
  return crypto.subtle.verify({ name: 'ECDSA', hash: named }, imported, rawSignature(signature, size), data)
}

/** r || s of a signature in DER. */
function rawSignature(der: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const raw = new Uint8Array(2 * size)
  sequence(readDer(der), 'signature').slice(0, 2).forEach((value, at) => {
    let rest = integer(value, 'signature')
    for (let index = (at + 1) * size - 1; index >= at * size; index -= 1) {
      raw[index] = Number(rest & 255n)
      rest >>= 8n
    }
  })
  return raw
}

/** Whether certificates lead from a signer to one that is trusted, all valid at the time. */
export async function leadsTo(
  signer: Certificate, others: readonly Certificate[], trusted: readonly Certificate[], atMs: number,
): Promise<boolean> {
  let at = signer
  for (let steps = 0; steps < PATH_MAX; steps += 1) {
    if (atMs < at.fromMs || atMs > at.untilMs) return false
    if (trusted.some(({ bytes }) => equal(bytes, at.bytes))) return true
    const issued = [...trusted, ...others].filter((it) => it.authority && equal(it.subject, at.issuer))
    let next: Certificate | undefined
    for (const it of issued) {
      if (await signedBy(it.key, at.algorithm, at.signature, at.signed)) next ??= it
    }
    if (next === undefined || equal(next.bytes, at.bytes)) return false
    at = next
  }
  return false
}

/** Certificates of a PEM file, or the one of a DER file. */
export function readCertificates(bytes: Uint8Array): Certificate[] {
  const text = new TextDecoder('latin1').decode(bytes)
  const blocks = [...text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g)]
  if (blocks.length === 0) return [readCertificate(bytes)]
  return blocks.map(([, body = '']) =>
    readCertificate(Uint8Array.from(atob(body.replace(/\s/g, '')), (letter) => letter.charCodeAt(0))))
}
