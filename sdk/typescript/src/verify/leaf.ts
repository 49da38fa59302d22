/** What one entry of the log says (SPEC §9.3). */
import { Cursor, CursorError, concat, toHex, uint, utf8, type Hex } from './bytes.js'
import { keccak256 } from './hash.js'
import { LEAF_BYTES_MAX } from './limits.js'

/** Not a leaf. With `version`, newer software may know it. */
export class LeafError extends Error {
  override readonly name = 'LeafError'
  constructor(
    message: string,
    readonly version = false,
  ) {
    super(message)
  }
}

/** Names of the kinds of leaves (SPEC §10.3). */
export type Kind =
  | 'attestation' | 'revocation' | 'supersession' | 'countersigningOpened' | 'countersignature'
  | 'schemaRegistered' | 'algorithmSet' | 'mapRoot' | 'governanceAct' | 'message' | 'foreignFact'

/** What a leaf says, with the names of SPEC §9.3 in camel case and the `id` of an attestation. */
export interface Statement {
  readonly kind: Kind
  readonly chainId: bigint
  readonly height: bigint
  readonly timeMs: bigint
  readonly transactionIndex: bigint
  readonly ordinal: bigint
  readonly issuer: Hex
  readonly [field: string]: bigint | boolean | string
}

type Reader = (cursor: Cursor) => Record<string, bigint | boolean | string>

const b256 = (cursor: Cursor, field: string): Hex => toHex(cursor.take(field, 32))

const KINDS: ReadonlyMap<number, readonly [Kind, Reader]> = new Map<number, readonly [Kind, Reader]>([
  [1, ['attestation', readAttestation]],
  [2, ['revocation', (cursor) => ({ id: b256(cursor, 'id'), reason: cursor.uint('reason', 2) })]],
  [3, ['supersession', (cursor) => ({
    id: b256(cursor, 'id'), successor: b256(cursor, 'successor'),
  })]],
  [4, ['countersigningOpened', (cursor) => ({
    id: b256(cursor, 'id'),
    threshold: cursor.uint('threshold', 2),
    deadline: cursor.uint('deadline', 8),
    partyCount: cursor.uint('party count', 2),
    partiesHash: b256(cursor, 'parties hash'),
  })]],
  [5, ['countersignature', (cursor) => ({
    id: b256(cursor, 'id'), have: cursor.uint('have', 2), need: cursor.uint('need', 2),
  })]],
  [6, ['schemaRegistered', (cursor) => ({
    schema: b256(cursor, 'schema'),
    textHash: b256(cursor, 'text hash'),
    commitsTo: cursor.uint('commits to', 1),
    revocable: readFlag(cursor),
  })]],
  [7, ['algorithmSet', (cursor) => ({
    algorithm: cursor.uint('algorithm', 4),
    bits: cursor.uint('bits', 2),
    status: cursor.uint('status', 1),
  })]],
  [8, ['mapRoot', (cursor) => ({
    root: b256(cursor, 'map root'),
    entries: cursor.uint('entries', 8),
    mapHeight: cursor.uint('map height', 8),
    digestHeight: cursor.uint('digest height', 8),
    revokedAlgorithmsHash: b256(cursor, 'revoked algorithms hash'),
  })]],
  [16, ['governanceAct', (cursor) => ({
    event: b256(cursor, 'event'), bodyHash: b256(cursor, 'body hash'),
  })]],
  [32, ['message', (cursor) => ({
    destination: b256(cursor, 'destination'),
    receiver: b256(cursor, 'receiver'),
    sequence: cursor.uint('sequence', 8),
    timeout: cursor.uint('timeout', 8),
    payloadHash: b256(cursor, 'payload hash'),
  })]],
  [33, ['foreignFact', (cursor) => ({
    client: cursor.uint('client', 4),
    assurance: cursor.uint('assurance', 1),
    foreignChainId: cursor.uint('foreign chain id', 8),
    foreignHeight: cursor.uint('foreign height', 8),
    foreignTime: cursor.uint('foreign time', 8),
    blockHash: b256(cursor, 'block hash'),
    account: toHex(cursor.take('account', 20)),
    slot: b256(cursor, 'slot'),
    value: b256(cursor, 'value'),
  })]],
])

/** Reads canonical bytes and nothing else. */
export function decodeLeaf(bytes: Uint8Array): Statement {
  if (bytes.length > LEAF_BYTES_MAX) {
    throw new LeafError(`leaf has ${bytes.length} bytes, at most ${LEAF_BYTES_MAX} are allowed`)
  }
  const cursor = new Cursor(bytes)
  try {
    const statement = read(cursor)
    cursor.end()
    return statement
  } catch (thrown) {
    if (thrown instanceof CursorError) throw new LeafError(`leaf bytes: ${thrown.message}`)
    throw thrown
  }
}

function read(cursor: Cursor): Statement {
  const version = cursor.small('version', 1)
  if (version !== 1) {
    throw new LeafError(`leaf version ${version} is unknown, 1 is known; use newer software`, true)
  }
  const code = cursor.small('kind', 1)
  const known = KINDS.get(code)
  if (known === undefined) {
    throw new LeafError(
      `leaf kind ${code} is unknown, 1 to 8, 16, 32 and 33 are known; use newer software`, true)
  }
  const [kind, reader] = known
  const head = {
    chainId: cursor.uint('chain id', 8),
    height: cursor.uint('height', 6),
    timeMs: cursor.uint('time', 6),
    transactionIndex: cursor.uint('transaction index', 3),
    ordinal: cursor.uint('ordinal', 3),
    issuer: cursor.take('issuer', 20),
  }
  const fields = reader(cursor)
  const place = { ...head, issuer: toHex(head.issuer) }
  if (kind !== 'attestation') return { kind, ...fields, ...place }
  const id = attestationId(head.chainId, head.issuer, fields)
  return { kind, id: toHex(id), ...fields, ...place }
}

function readAttestation(cursor: Cursor) {
  const schema = b256(cursor, 'schema')
  const algorithm = cursor.uint('algorithm', 4)
  const length = cursor.small('digest length', 1)
  const expected = 32 * wordsPerDigest(Number(algorithm))
  if (length !== expected) {
    throw new LeafError(
      `leaf has a digest of ${length} bytes, algorithm 0x${algorithm.toString(16)} ` +
      `takes ${expected}`)
  }
  return { schema, algorithm, digest: toHex(cursor.take('digest', length)) }
}

function readFlag(cursor: Cursor): boolean {
  const flag = cursor.small('revocable', 1)
  if (flag > 1) throw new LeafError(`leaf field \`revocable\` is ${flag}, 0 or 1 is allowed`)
  return flag === 1
}

/** 32-byte words that a digest takes; fixed by the multihash code (SPEC §9.4). */
export function wordsPerDigest(code: number): 1 | 2 {
  const two =
    (code >= 0x13 && code <= 0x15) || code === 0x1c || code === 0x1d || code === 0x20 ||
    (code >= 0xb221 && code <= 0xb240)
  return two ? 2 : 1
}

const TAG = keccak256(utf8('TBSI attestation v1'))

function attestationId(
  chainId: bigint,
  issuer: Uint8Array,
  fields: Record<string, bigint | boolean | string>,
): Uint8Array {
  return idOf({
    chainId,
    issuer,
    schema: bytesOf(fields['schema']),
    algorithm: Number(fields['algorithm']),
    words: bytesOf(fields['digest']),
  })
}

function bytesOf(value: bigint | boolean | string | undefined): Uint8Array {
  const digits = String(value).slice(2)
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}

/** The id of an attestation (SPEC §12.1); `words` are 32 or 64 bytes. */
export function idOf(of: {
  readonly chainId: bigint
  readonly issuer: Uint8Array
  readonly schema: Uint8Array
  readonly algorithm: number
  readonly words: Uint8Array
}): Uint8Array {
  return keccak256(
    concat(
      TAG, uint(of.chainId, 32), uint(0, 12), of.issuer, of.schema, uint(of.algorithm, 32),
      uint(6 * 32, 32), uint(of.words.length / 32, 32), of.words,
    ),
  )
}
