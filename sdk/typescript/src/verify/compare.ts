/** Whether a file is the one that was attested. */
import { equal, fromHex, toHex, type Hex } from './bytes.js'
import {
  ALGORITHMS, FILE_SCHEMA, SALTED_FILE_SCHEMA, SALT_BYTES, algorithmBy, digestOf, padDigest, parseSalt,
  type Algorithm,
} from './digest.js'
import { wordsPerDigest, type Statement } from './leaf.js'

/** A file to compare: all of its bytes, or its digest (salt included) where it is large. */
export interface GivenFile {
  readonly name: string
  readonly bytes?: Uint8Array
  readonly digest?: Uint8Array
  /** 32 bytes, or the text of a `.tbsi.salt` file. */
  readonly salt?: Uint8Array | string
}

/** A file whose digest is the one in the leaf. */
export interface Compared {
  readonly file: string
  readonly digest: Hex
  readonly algorithm: string
  readonly salted: boolean
}

/** The file is another one. */
export class OtherFileError extends Error {
  override readonly name = 'OtherFileError'
}

/** Compares; throws an `OtherFileError`, or an error that says why it cannot be told. */
export function compareFile(statement: Statement, file: GivenFile): Compared {
  if (statement.kind !== 'attestation') {
    throw new Error(
      'this proof is not of an attestation, so there is no digest to compare a file with')
  }
  const algorithm = known(Number(statement['algorithm']))
  const salt = saltOf(statement['schema'], file.salt)
  const digest = file.digest ?? digestOf(algorithm, [file.bytes ?? missing()], salt)
  if (digest === undefined) {
    throw new Error(
      `this program does not compute ${algorithm.name}; compare the file with another tool`)
  }
  const attested = fromHex(String(statement['digest']))
  const padded = padDigest(algorithm.code, digest)
  if (padded === undefined || attested === undefined || !equal(padded, attested)) {
    const shown = toHex((attested ?? new Uint8Array()).slice(0, algorithm.bits / 8))
    throw new OtherFileError(
      `${file.name} is not the file that was attested: its ${algorithm.name} digest` +
      `${salt === undefined ? '' : ' with this salt'} is ${toHex(digest)}, attested is ${shown}`)
  }
  return {
    file: file.name, digest: toHex(digest), algorithm: algorithm.name, salted: salt !== undefined,
  }
}

/** Compares with the digests that were looked for, by each algorithm that may have made them. */
export function compareAsked(asked: readonly Hex[], file: GivenFile): Compared {
  const salt = saltOf(undefined, file.salt)
  const content = file.digest === undefined ? [file.bytes ?? missing()] : []
  for (const algorithm of ALGORITHMS) {
    const size = 2 + 64 * wordsPerDigest(algorithm.code)
    if (!asked.some((it) => it.length === size)) continue
    const digest = file.digest ?? digestOf(algorithm, content, salt)
    if (digest === undefined || digest.length * 8 !== algorithm.bits) continue
    if (!asked.includes(toHex(padDigest(algorithm.code, digest) ?? digest))) continue
    return {
      file: file.name, digest: toHex(digest), algorithm: algorithm.name, salted: salt !== undefined,
    }
  }
  throw new OtherFileError(`the proof is about another digest than any of ${file.name}`)
}

function missing(): never {
  throw new Error('neither bytes nor a digest of the file are given')
}

function known(code: number): Algorithm {
  const found = algorithmBy(code)
  if (found !== undefined) return found
  throw new Error(
    `digest algorithm 0x${code.toString(16)} is not known here; use newer software`)
}

/** A built-in schema says whether there is a salt; of others, the caller has to know. */
function saltOf(schema: unknown, given: GivenFile['salt']): Uint8Array | undefined {
  if (given === undefined) {
    if (schema !== SALTED_FILE_SCHEMA) return undefined
    throw new Error('the proof is of a file with a salt; give the salt')
  }
  if (schema === FILE_SCHEMA) {
    throw new Error('the proof is of a file without a salt (tbsi:file:v1); leave the salt out')
  }
  const salt = typeof given === 'string' ? parseSalt(given) : given
  if (salt?.length === SALT_BYTES) return salt
  throw new Error('a salt is 32 bytes, in a file of 64 hex digits')
}
