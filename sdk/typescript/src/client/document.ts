/** From a document to what is attested. Documents never leave the program. */
import { fromHex, toHex, utf8, type Hex } from '../verify/bytes.js'
import {
  FILE_SCHEMA, SALTED_FILE_SCHEMA, SALT_BYTES, algorithmBy, padDigest, type Algorithm,
} from '../verify/digest.js'
import { idOf } from '../verify/leaf.js'
import { TbsiError } from './errors.js'

/** Bytes, text (as UTF-8), or a file of a browser, which is read piece by piece. */
export type Document = Uint8Array | string | Blob

/** What to attest: a document, or a digest that was computed elsewhere. */
export interface Subject {
  readonly document?: Document
  readonly digest?: Uint8Array | Hex
  /** Name of the multicodec table; `sha2-256` by default. */
  readonly algorithm?: string
  /** By default the built-in one of files, or of files with a salt. */
  readonly schema?: Hex
  /** 32 bytes in front of the document; true for new ones. Keep them with the document. */
  readonly salt?: Uint8Array | true
}

/** What goes into the contract. */
export interface Digested {
  readonly algorithm: Algorithm
  readonly schema: Hex
  readonly digest: Uint8Array
  /** 32 or 64 bytes. */
  readonly words: Uint8Array
  readonly salt?: Uint8Array
}

/** New random bytes in front of a document, so that nobody can guess it by its digest. */
export function newSalt(): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(SALT_BYTES))
}

/** The digest of a document, of any size, with an optional salt in front. */
export async function digestDocument(
  document: Document,
  algorithm = 'sha2-256',
  salt?: Uint8Array,
): Promise<Uint8Array> {
  const hasher = algorithmOf(algorithm).create?.()
  if (hasher === undefined) {
    throw new TbsiError('argument', `this package does not compute ${algorithm}; give a digest`)
  }
  if (salt !== undefined) hasher.update(salt)
  for await (const piece of pieces(document)) hasher.update(piece)
  return hasher.digest()
}

async function* pieces(document: Document): AsyncIterable<Uint8Array> {
  if (typeof document === 'string') return yield utf8(document)
  if (document instanceof Uint8Array) return yield document
  const reader = document.stream().getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}

function algorithmOf(name: string): Algorithm {
  const found = algorithmBy(name)
  if (found !== undefined) return found
  throw new TbsiError('argument', `algorithm \`${name}\` is none of SPEC §12.6`)
}

/** What is attested of a subject. */
export async function digested(subject: Subject): Promise<Digested> {
  const algorithm = algorithmOf(subject.algorithm ?? 'sha2-256')
  const salt = subject.salt === true ? newSalt() : subject.salt
  if (salt !== undefined && salt.length !== SALT_BYTES) {
    throw new TbsiError('argument', `a salt has ${SALT_BYTES} bytes, not ${salt.length}`)
  }
  const digest = await digestOfSubject(subject, algorithm, salt)
  const words = padDigest(algorithm.code, digest)
  if (words === undefined || digest.length * 8 !== algorithm.bits) {
    throw new TbsiError(
      'argument', `a digest of ${algorithm.name} has ${algorithm.bits / 8} bytes, ` +
      `not ${digest.length}`)
  }
  const schema = subject.schema ?? (salt === undefined ? FILE_SCHEMA : SALTED_FILE_SCHEMA)
  const of = { algorithm, schema: schema.toLowerCase() as Hex, digest, words }
  return salt === undefined ? of : { ...of, salt }
}

async function digestOfSubject(
  { document, digest }: Subject,
  algorithm: Algorithm,
  salt: Uint8Array | undefined,
): Promise<Uint8Array> {
  if ((document === undefined) === (digest === undefined)) {
    throw new TbsiError('argument', 'give either a document or a digest')
  }
  if (document !== undefined) return digestDocument(document, algorithm.name, salt)
  const bytes = typeof digest === 'string' ? fromHex(digest.toLowerCase()) : digest
  if (bytes !== undefined) return bytes
  throw new TbsiError('argument', 'a digest is bytes, or 0x and hex digits')
}

/** The id that an attestation by `issuer` has (SPEC §12.1). */
export function attestationId(chainId: bigint, issuer: Hex, of: Digested): Hex {
  return toHex(idOf({
    chainId,
    issuer: fromHex(issuer) ?? new Uint8Array(),
    schema: fromHex(of.schema) ?? new Uint8Array(),
    algorithm: of.algorithm.code,
    words: of.words,
  }))
}
