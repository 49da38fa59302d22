// The map, the log and proofs with both, written from SPEC §9.1 to §9.3, §9.11 and §10.7 alone:
// nothing here is of the verifier that it tests.
import { createHash } from 'node:crypto'
import { compact, number, sign } from './writer.mjs'
import { bytes, read } from './vectors.mjs'

const buffer = (hex) => Buffer.from(bytes(hex))
const hex = (data) => `0x${Buffer.from(data).toString('hex')}`
const sha = (...parts) => createHash('sha256').update(Buffer.concat(parts.map((it) => Buffer.from(it)))).digest()
const EMPTY = Buffer.alloc(32)

/** An integer of so many bytes. */
export function int(value, length) {
  return Buffer.from(BigInt(value).toString(16).padStart(2 * length, '0'), 'hex')
}

/** Where the map has what is asked. */
export function keyOf({ kind, digest, id, issuer, schema }) {
  if (kind === 'digest') return sha('TBSI-MAP-DIGEST-1', buffer(digest))
  if (kind === 'schema') return sha('TBSI-MAP-SCHEMA-1', buffer(schema))
  return sha('TBSI-MAP-STATUS-1', buffer(id), buffer(issuer))
}

const place = ({ index, height }) => Buffer.concat([int(index, 8), int(height, 6)])
const timed = (said) => Buffer.concat([place(said), int(said.timeMs, 6)])

export const values = {
  digest: place,
  schema: (at) => Buffer.concat([place(at), int(at.revocable ? 1 : 0, 1)]),
  status: ({ revoked, superseded }) => Buffer.concat([
    int((revoked ? 1 : 0) + (superseded ? 2 : 0), 1),
    ...(revoked ? [timed(revoked), int(revoked.reason, 2)] : []),
    ...(superseded ? [timed(superseded), buffer(superseded.successor)] : []),
  ]),
}

const bit = (key, at) => (key[Math.floor(at / 8)] >> (7 - (at % 8))) & 1
const half = (entries, at, side) => entries.filter(([key]) => bit(key, at) === side)

/** The hash of a subtree; entries are pairs of key and value. */
export function rootOf(entries, depth = 0) {
  if (entries.length === 0) return EMPTY
  if (entries.length === 1) return sha([2], ...entries[0])
  return sha([3], ...[0, 1].map((side) => rootOf(half(entries, depth, side), depth + 1)))
}

/** What the map answers, as JSON without its question. */
export function answer(entries, key) {
  const hashes = []
  let rest = entries
  while (rest.length > 1) {
    const [at, side] = [hashes.length, bit(key, hashes.length)]
    hashes.push(rootOf(half(rest, at, 1 - side), at + 1))
    rest = half(rest, at, side)
  }
  const bitmap = Buffer.alloc(Math.ceil(hashes.length / 8))
  hashes.forEach((it, at) => { if (!it.equals(EMPTY)) bitmap[at >> 3] |= 1 << (at % 8) })
  const [found] = rest
  const own = found?.[0].equals(key)
  return {
    depth: hashes.length, bitmap: hex(bitmap),
    siblings: hashes.filter((it) => !it.equals(EMPTY)).map(hex),
    value: own ? hex(found[1]) : null,
    other: found && !own ? { key: hex(found[0]), value: hex(found[1]) } : null,
  }
}

/** Leaves (SPEC §9.3), each after the 48 bytes that all have. */
const bodies = {
  attestation: (it) => [1, buffer(it.schema), int(it.algorithm, 4), int(buffer(it.digest).length, 1), buffer(it.digest)],
  revocation: (it) => [2, buffer(it.id), int(it.reason, 2)],
  mapRoot: (it) => [8, buffer(it.root), int(it.entries, 8), int(it.mapHeight, 8), int(it.digestHeight, 8),
    buffer(it.revokedAlgorithmsHash)],
}

export function leafOf(it) {
  const [code, ...body] = bodies[it.kind](it)
  return Buffer.concat([
    int(1, 1), int(code, 1), int(it.chainId, 8), int(it.height, 6), int(it.timeMs, 6),
    int(it.transactionIndex, 3), int(it.ordinal, 3), buffer(it.issuer), ...body])
}

/** What the last statuses of algorithms come to. */
export const algorithmsHash = (codes) => hex(sha(...codes.map((code) => int(code, 4))))

function split(size) {
  let at = 1
  while (2 * at < size) at *= 2
  return at
}

function logRoot(leaves) {
  if (leaves.length === 1) return sha([0], leaves[0])
  const at = split(leaves.length)
  return sha([1], logRoot(leaves.slice(0, at)), logRoot(leaves.slice(at)))
}

function inclusion(leaves, index) {
  if (leaves.length === 1) return []
  const at = split(leaves.length)
  const [left, right] = [leaves.slice(0, at), leaves.slice(at)]
  return index < at
    ? [...inclusion(left, index), logRoot(right)] : [...inclusion(right, index - at), logRoot(left)]
}

const good = read('bundle.json').cases.find(({ name }) => name === 'signed by a quorum').json

/** The bundle of a leaf, under a checkpoint that a quorum signed. */
export function bundleOf(leaves, index, { height, timeMs }, statement) {
  const json = structuredClone(good)
  Object.assign(json, { leaf: hex(leaves[index]), leafIndex: index, statement, ...path(leaves, index) })
  Object.assign(json.checkpoint, {
    height, timeMs, logSize: leaves.length, logRoot: hex(logRoot(leaves)),
  })
  sign(json)
  return json
}

const path = (leaves, index) => ({ inclusionProof: inclusion(leaves, index).map(hex) })

/** A map root beside the leaf that a bundle is of. */
export function rootLeaf(leaves, index) {
  return { leaf: hex(leaves[index]), leafIndex: index, ...path(leaves, index) }
}

function askedBytes({ kind, digest, id, issuer, schema }) {
  if (kind === 'digest') {
    return [Buffer.from([1]), int(buffer(digest).length, 1), buffer(digest)]
  }
  return kind === 'status'
    ? [Buffer.from([2]), buffer(id), buffer(issuer)] : [Buffer.from([3]), buffer(schema)]
}

const counted = (data) => [number(data.length), data]

function answerBytes({ depth, bitmap, siblings, value, other }) {
  const end = other ? [[2], buffer(other.key), ...counted(buffer(other.value))]
    : value ? [[1], ...counted(buffer(value))] : [[0]]
  return [number(depth), buffer(bitmap), ...siblings.map(buffer), ...end]
}

/** The compact form of a proof with the map, with faults: `part` takes the place of a part. */
export function compactWithMap({ proof, map }, part = {}) {
  const { root, revokedAlgorithms, entries } = map
  const parts = {
    magic: [Buffer.from('TBM1')],
    proof: counted(compact(proof)),
    root: root === null ? [[0]] : [
      [1], ...counted(buffer(root.leaf)), number(root.leafIndex), number(root.inclusionProof.length),
      ...root.inclusionProof.map(buffer)],
    algorithms: [number(revokedAlgorithms.length), ...revokedAlgorithms.map((code) => int(code, 4))],
    count: [number(entries.length)],
    entries: entries.flatMap((it) => [...(part.asked ?? askedBytes(it.question)), ...(part.answer ?? answerBytes(it))]),
    end: [],
    ...part,
  }
  const names = ['magic', 'proof', 'root', 'algorithms', 'count', 'entries', 'end']
  return Buffer.concat(names.flatMap((name) => parts[name]).map((it) => Buffer.from(it)))
}

export { buffer, hex, sha }
