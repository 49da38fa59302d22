/** Files that a visitor gives: what each is, and what a question is made of. They stay in the page. */
import { digestDocument } from '@tbsi/document.js'
import { fromUtf8 } from '@tbsi/verify/bytes.js'
import { ALGORITHMS, inspect, parseSalt, type GivenFile } from '@tbsi/verify/index.js'
import {
  CERTIFICATES_BYTES_MAX, DOCUMENT_BYTES_MAX, GENESIS_BYTES_MAX, PROOF_BYTES_MAX, SALT_BYTES_MAX, STAMP_BYTES_MAX,
} from './limits.js'
import type { Pair } from './words/say.js'

export type FileKind = 'proof' | 'stamp' | 'salt' | 'certificates' | 'genesis' | 'document'

/** Bytes that are looked at to tell what a file is. */
const HEAD_BYTES = 4096

export const FILE_KINDS: Readonly<Record<FileKind, Pair>> = {
  proof: ['proof', '證明檔'],
  stamp: ['time stamp', '時戳'],
  salt: ['salt', '鹽值檔'],
  certificates: ['certificates that you trust', '您信任的憑證'],
  genesis: ['genesis file', '創世檔'],
  document: ['document', '文件'],
}

const MOST: Readonly<Record<FileKind, number>> = {
  proof: PROOF_BYTES_MAX, stamp: STAMP_BYTES_MAX, salt: SALT_BYTES_MAX, certificates: CERTIFICATES_BYTES_MAX,
  genesis: GENESIS_BYTES_MAX, document: DOCUMENT_BYTES_MAX,
}

/** A file that is larger than its kind may be. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError'
  constructor(readonly file: string, readonly kind: FileKind, readonly max: number) {
    super(`${file} has more than ${max} bytes`)
  }
}

/** By its name, or else by how it begins. */
export async function kindOf(file: File): Promise<FileKind> {
  const name = file.name.toLowerCase()
  if (/\.tbsi(\.json)?$/.test(name)) return 'proof'
  if (name.endsWith('.tbsi.salt')) return 'salt'
  if (/\.(tsr|tst)$/.test(name)) return 'stamp'
  if (/\.(pem|crt|cer)$/.test(name)) return 'certificates'
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer())
  const text = fromUtf8(head.slice(0, HEAD_BYTES - 4)) ?? ''
  if (/^TB[PMR][0-9]/.test(String.fromCharCode(...head.slice(0, 4)))) return 'proof'
  if (/^\s*\{/.test(text)) {
    if (/"format"\s*:\s*"tbsi-(map-|registry-)?proof-/.test(text) || /"checkpointDigest"/.test(text)) return 'proof'
    if (/"chain_id"/.test(text) && /"(organisations|consensus|block_gas_limit)"/.test(text)) return 'genesis'
  }
  if (/-----BEGIN CERTIFICATE-----/.test(text)) return 'certificates'
  return 'document'
}

/** All bytes of a file that is not a document. */
export async function contentOf(file: File, kind: FileKind): Promise<Uint8Array> {
  if (file.size > MOST[kind]) throw new TooLargeError(file.name, kind, MOST[kind])
  return new Uint8Array(await file.arrayBuffer())
}

/** The digest of a document, as the proof's algorithm has it: no document is held in memory. */
export async function comparable(
  document: File, proof: Uint8Array, saltFile: File | undefined,
): Promise<GivenFile> {
  if (document.size > DOCUMENT_BYTES_MAX) throw new TooLargeError(document.name, 'document', DOCUMENT_BYTES_MAX)
  const salt = saltFile === undefined ? undefined : new TextDecoder().decode(await contentOf(saltFile, 'salt'))
  const says = inspect(proof)
  const code = says?.kind === 'attestation' ? says['algorithm'] : 0x12n
  const algorithm = ALGORITHMS.find((it) => BigInt(it.code) === code)
  const compared = { name: document.name, ...(salt === undefined ? {} : { salt }) }
  if (algorithm?.create === undefined) return compared
  const bytes = salt === undefined ? undefined : parseSalt(salt)
  return { ...compared, digest: await digestDocument(document, algorithm.name, bytes) }
}

export async function digestOfFile(file: File, algorithm: string, saltFile?: File): Promise<Uint8Array> {
  if (file.size > DOCUMENT_BYTES_MAX) throw new TooLargeError(file.name, 'document', DOCUMENT_BYTES_MAX)
  const salt = saltFile === undefined
    ? undefined : parseSalt(new TextDecoder().decode(await contentOf(saltFile, 'salt')))
  if (saltFile !== undefined && salt === undefined) throw new Error('a salt is 32 bytes, in a file of 64 hex digits')
  return digestDocument(file, algorithm, salt)
}
