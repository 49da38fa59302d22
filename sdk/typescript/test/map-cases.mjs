// Proofs with the map, good and bad, and the verdict that SPEC §10.7 gives each.
import { keccak_256 } from '@noble/hashes/sha3.js'
import {
  algorithmsHash, answer, buffer, bundleOf, compactWithMap, hex, int, keyOf, leafOf, rootLeaf, rootOf,
  sha, values,
} from './map-model.mjs'
import { compact, number, sign } from './writer.mjs'
import { read } from './vectors.mjs'

const { genesis } = read('bundle.json')
const [chainId, start] = [genesis.chain_id, genesis.time_ms]
const fill = (byte, size = 32) => `0x${byte.repeat(size)}`
const name = (text) => hex(keccak_256(Buffer.from(text)))
const FILE = name('tbsi:file:v1')
const [ISSUER, STRANGER, ZERO] = [fill('a1', 20), fill('b2', 20), fill('00', 20)]
const [REVOCABLE, FINAL, UNKNOWN] = [fill('51'), fill('52'), fill('53')]
const SUCCESSOR = fill('77')
const [SHA256, SHA512, SHA3] = [0x12, 0x13, 0x16]

const word = (value) => int(value, 32)
function idOf({ schema, algorithm, digest, issuer }) {
  const words = buffer(digest)
  return hex(keccak_256(Buffer.concat([
    buffer(name('TBSI attestation v1')), word(chainId), Buffer.alloc(12), buffer(issuer), buffer(schema),
    word(algorithm), word(192), word(words.length / 32), words])))
}

const timeOf = (height) => start + 1000 * height
const head = (height, ordinal) =>
  ({ chainId, height, timeMs: timeOf(height), transactionIndex: 0, ordinal, issuer: ISSUER })

function attested(label, ordinal, more = {}) {
  const it = {
    kind: 'attestation', schema: FILE, algorithm: SHA256, digest: hex(sha(label)), ...head(1, ordinal), ...more,
  }
  return { ...it, id: idOf(it) }
}

// Block 1 attests, block 2 says what became of it, block 3 begins with a map root.
const CONTRACT = attested('contract', 0)
const ATTESTED = [
  CONTRACT,
  attested('superseded', 1, { algorithm: SHA512, digest: hex(Buffer.concat([sha('one'), sha('two')])) }),
  attested('of a revocable schema', 2, { schema: REVOCABLE }),
  attested('of a final schema', 3, { schema: FINAL }),
  attested('of an unknown schema', 4, { schema: UNKNOWN }),
  attested('of a revoked algorithm', 5, { algorithm: SHA3 }),
  attested('nothing was said of it', 6),
  ...Array.from({ length: 20 }, (_, at) => attested(`other ${at}`, 7 + at)),
]
const [, OLD, OF_REVOCABLE, OF_FINAL, OF_UNKNOWN, OF_SHA3, QUIET] = ATTESTED
const said = (index, more) => ({ index, height: 2, timeMs: timeOf(2), ...more })
const revoked = (index) => ({ revoked: said(index, { reason: 4 }) })
const status = ({ id }, issuer = ISSUER) => ({ kind: 'status', id, issuer })
const schema = (id) => ({ kind: 'schema', schema: id })
const digest = (of) => ({ kind: 'digest', digest: of.digest })
const MAP = [
  ...ATTESTED.map((it, index) => [keyOf(digest(it)), values.digest({ index, height: 1 })]),
  [keyOf(schema(REVOCABLE)), values.schema({ index: 30, height: 2, revocable: true })],
  [keyOf(schema(FINAL)), values.schema({ index: 31, height: 2, revocable: false })],
  [keyOf(status(CONTRACT)), values.status({ ...revoked(40), superseded: said(41, { successor: SUCCESSOR }) })],
  [keyOf(status(OLD)), values.status({ superseded: said(42, { successor: SUCCESSOR }) })],
  [keyOf(status(OLD, STRANGER)), values.status(revoked(43))],
  [keyOf(status(OF_REVOCABLE)), values.status(revoked(44))],
  [keyOf(status(OF_FINAL)), values.status(revoked(45))],
  [keyOf(status(OF_UNKNOWN)), values.status(revoked(46))],
]

const ROOT_INDEX = 50
const mapRoot = (entries, more = {}) => ({
  kind: 'mapRoot', ...head(3, 0), issuer: ZERO, transactionIndex: 0xffffff,
  root: hex(rootOf(entries)), entries: entries.length, mapHeight: 2, digestHeight: 2,
  revokedAlgorithmsHash: algorithmsHash([SHA3, 0xb220]), ...more,
})
const filler = (at) => leafOf(attested(`filler ${at}`, 0))

/** A log: attestations, others, the map root, and what comes after it. */
function logOf(root, after = []) {
  const before = Array.from({ length: ROOT_INDEX }, (_, at) => (ATTESTED[at] ? leafOf(ATTESTED[at]) : filler(at)))
  return [...before, leafOf(root), ...after.map(leafOf)]
}

const LATE = attested('after the map root', 0, head(4, 0))

/**
 * A proof of these questions: of an attestation if there is one, otherwise of the map root. The
 * checkpoint is of block 5; something follows the map root unless it is `last`.
 */
function proofOf(questions, {
  of, entries = MAP, last = false, root: more, codes = [SHA3, 0xb220], beside = ROOT_INDEX,
} = {}) {
  const root = mapRoot(entries, more)
  const leaves = logOf(root, last ? [] : [LATE])
  const index = of === undefined ? ROOT_INDEX : of === LATE ? ROOT_INDEX + 1 : ATTESTED.indexOf(of)
  const proof = bundleOf(leaves, index, { height: 5, timeMs: timeOf(5) }, of ?? root)
  const asked = questions.map((question) => ({ question, ...answer(entries, keyOf(question)) }))
  const map = {
    root: of === undefined ? null : rootLeaf(leaves, beside), revokedAlgorithms: codes, entries: asked,
  }
  return { format: 'tbsi-map-proof-1', proof, map }
}

const cases = []
const both = ['json', 'compact']
const forms = { json: (it) => JSON.stringify(it), compact: compactWithMap }

/** Each form of a proof; `expected` is a verdict or a code of what is invalid, `says` the report's. */
function add(label, proof, expected, { only = both, says } = {}) {
  const [verdict, code] = ['valid', 'void'].includes(expected) ? [expected]
    : [expected === 'unreadable' || expected === 'otherVersion' ? 'could not tell' : 'invalid', expected]
  for (const form of only) {
    cases.push({ name: `map: ${label} (${form})`, proof: forms[form](proof), verdict, code, says })
  }
}

function good() {
  const says = (status, more) => ({ status, asOf: 2, asOfMs: timeOf(3), ...more })
  const reason = { leafIndex: 40, height: 2, timeMs: timeOf(2), issuer: ISSUER, reason: 4 }
  const successor = (leafIndex) => ({ leafIndex, height: 2, timeMs: timeOf(2), successor: SUCCESSOR })
  const stapled = (of, more = []) => proofOf([status(of), ...more], { of })
  add('revoked', stapled(CONTRACT), 'void', { says: says('revoked', { revoked: reason, superseded: successor(41) }) })
  add('superseded, and revoked by a stranger', stapled(OLD), 'valid', {
    says: says('notRevoked', { superseded: successor(42) }) })
  add('revoked under a schema that allows it', stapled(OF_REVOCABLE, [schema(REVOCABLE)]), 'void', {
    says: says('revoked', { revoked: { ...reason, leafIndex: 44 } }) })
  add('revoked under a schema that does not allow it', stapled(OF_FINAL, [schema(FINAL)]), 'valid', {
    says: says('notRevoked') })
  add('revoked under a schema that nobody registered', stapled(OF_UNKNOWN, [schema(UNKNOWN)]), 'valid', {
    says: says('notRevoked') })
  add('of a revoked algorithm', stapled(OF_SHA3), 'void', { says: says('algorithmRevoked') })
  add('not revoked', stapled(QUIET), 'valid', { says: says('notRevoked') })
  add('not revoked, with its schema, which is built in', stapled(QUIET, [schema(FILE)]), 'valid', {
    says: says('notRevoked') })
  add('nothing since the map root', proofOf([status(QUIET)], { of: QUIET, last: true }), 'valid', {
    says: says('notRevoked', { asOf: 5, asOfMs: timeOf(5) }) })
  const empty = { entries: [], root: { revokedAlgorithmsHash: algorithmsHash([]) }, codes: [] }
  add('an empty map', proofOf([status(QUIET)], { of: QUIET, ...empty }), 'valid', { says: says('notRevoked') })
  const one = { entries: MAP.slice(0, 1) }
  add('another entry alone', proofOf([status(QUIET)], { of: QUIET, ...one }), 'valid', { says: says('notRevoked') })
}

/** A digest that nobody attested, whose path ends as asked. */
function absent(end) {
  for (let at = 0; ; at += 1) {
    const question = { kind: 'digest', digest: hex(sha(`absent ${at}`)) }
    const { value, other, depth } = answer(MAP, keyOf(question))
    if (depth > 4 && value === null && (other === null) === (end === 'nothing')) return question
  }
}

function digests() {
  const known = { asOf: 2, asOfMs: timeOf(3), digestsAsOf: 2, digestsAsOfMs: timeOf(3) }
  const first = { leafIndex: 0, height: 1 }
  const there = digest(CONTRACT)
  add('absent, nothing there', proofOf([absent('nothing')]), 'valid', { says: { ...known, digests: [null] } })
  add('absent, another entry there', proofOf([absent('other')]), 'valid', { says: { ...known, digests: [null] } })
  add('attested', proofOf([there]), 'valid', { says: { ...known, digests: [first] } })
  const three = [absent('other'), there, digest(OLD)]
  add('three digests, one of 64 bytes', proofOf(three), 'valid', {
    says: { ...known, digests: [null, first, { leafIndex: 1, height: 1 }] } })
  add('absent, nothing since', proofOf(three.slice(0, 1), { last: true }), 'valid', {
    says: { asOf: 5, asOfMs: timeOf(5), digestsAsOf: 5, digestsAsOfMs: timeOf(5), digests: [null] } })
  add('digests behind', proofOf([there], { root: { digestHeight: 1 } }), 'valid', {
    says: { ...known, digestsAsOf: 1, digestsAsOfMs: null, digests: [first] } })
  add('digests behind, nothing since', proofOf([there], { last: true, root: { digestHeight: 1 } }), 'valid', {
    says: { asOf: 5, asOfMs: timeOf(5), digestsAsOf: 1, digestsAsOfMs: null, digests: [first] } })
}

function badRoots() {
  const of = { of: QUIET }
  const wrong = (label, questions, more) => add(label, proofOf(questions, more), 'map')
  wrong('a map height two below', [status(QUIET)], { ...of, root: { mapHeight: 1, digestHeight: 1 } })
  wrong('a map height of its own block', [status(QUIET)], { ...of, root: { mapHeight: 3 } })
  wrong('a digest height above', [digest(QUIET)], { root: { digestHeight: 3 } })
  wrong('a map height of 64 bits', [status(QUIET)], { ...of, root: { mapHeight: 2n ** 64n - 1n } })
  wrong('no map root beside', [status(QUIET)], { ...of, beside: 0 })
  wrong('an algorithm left out', [status(OF_SHA3)], { of: OF_SHA3, codes: [0xb220] })
  wrong('algorithms in another order', [status(QUIET)], {
    ...of, codes: [0xb220, SHA3], root: { revokedAlgorithmsHash: algorithmsHash([0xb220, SHA3]) } })
  wrong('an algorithm twice', [status(QUIET)], {
    ...of, codes: [SHA3, SHA3], root: { revokedAlgorithmsHash: algorithmsHash([SHA3, SHA3]) } })
  wrong('attested after the map root', [status(LATE)], { of: LATE })
  wrong('of a later block', [status(QUIET)], { ...of, root: head(6, 0) })
  const edit = (label, change, expected = 'map') => {
    const proof = proofOf([status(QUIET)], of)
    change(proof.map.root, proof)
    add(label, proof, expected)
  }
  edit('another index of the map root', (root) => { root.leafIndex -= 1 })
  edit('an index outside of the log', (root) => { root.leafIndex = 52 })
  edit('a hash of the map root changed', (root) => { root.inclusionProof[0] = fill('0f') })
  edit('a hash of the map root too few', (root) => { root.inclusionProof.pop() })
  edit('the map root changed', (root) => { root.leaf = root.leaf.replace(/.$/, (it) => (it === '0' ? '1' : '0')) })
  edit('the map root of another chain', (root) => { root.leaf = `${root.leaf.slice(0, 20)}00${root.leaf.slice(22)}` })
  edit('a second leaf of an unknown kind', (root) => { root.leaf = `0x0109${root.leaf.slice(6)}` })
  edit('a second leaf of another version', (root) => { root.leaf = `0x02${root.leaf.slice(4)}` })
  edit('a second leaf of no byte', (root) => { root.leaf = '0x' })
  edit('no map root', (_, proof) => { proof.map.root = null })
  edit('a signature of another', ({}, { proof: { certificate: { signatures: [one, other] } } }) => {
    one.signature = other.signature
  }, 'checkpoint')
}

function badQuestions() {
  const wrong = (label, questions, more) => add(label, proofOf(questions, more), 'map')
  wrong('the status of another attestation', [status(OLD)], { of: QUIET })
  wrong("a stranger's status", [status(QUIET, STRANGER)], { of: QUIET })
  wrong('the schema first', [schema(FILE), status(QUIET)], { of: QUIET })
  wrong('another schema', [status(QUIET), schema(REVOCABLE)], { of: QUIET })
  wrong('a digest beside a status', [status(QUIET), digest(QUIET)], { of: QUIET })
  wrong('a digest instead of a status', [digest(QUIET)], { of: QUIET })
  wrong('revoked, without its schema', [status(OF_REVOCABLE)], { of: OF_REVOCABLE })
  wrong('a schema twice', [status(OF_FINAL), schema(FINAL), schema(FINAL)], { of: OF_FINAL })
  wrong('a status of the map root', [status(QUIET)])
  wrong('a schema of the map root', [digest(QUIET), schema(FINAL)])
  wrong('a digest twice', [digest(QUIET), digest(QUIET)])
  wrong('nothing is asked', [], { of: QUIET })
  wrong('nothing is asked of the map root', [])
  add('four digests', proofOf(ATTESTED.slice(0, 4).map(digest)), 'unreadable')
  const codes = Array.from({ length: 65 }, (_, at) => at + 1)
  const named = { codes, root: { revokedAlgorithmsHash: algorithmsHash(codes) } }
  add('65 algorithms', proofOf([digest(QUIET)], named), 'unreadable')
  // Two map roots, one beside the other.
  const twice = proofOf([digest(QUIET)])
  twice.map.root = rootLeaf(logOf(mapRoot(MAP), [LATE]), ROOT_INDEX)
  add('a map root beside a map root', twice, 'map')
}

/** A map whose entry for a status has this value. */
function valued(value) {
  const entries = [...MAP, [keyOf(status(QUIET)), Buffer.from(value)]]
  return proofOf([status(QUIET)], { of: QUIET, entries })
}

function badValues() {
  const { revoked: it } = revoked(40)
  const whole = values.status({ revoked: it })
  const both_ = values.status({ revoked: it, superseded: said(41, { successor: SUCCESSOR }) })
  const flag = (value, flags) => Buffer.concat([[flags], value.subarray(1)].map((part) => Buffer.from(part)))
  for (const [label, value] of [
    ['a status without flags', flag(whole, 0)], ['an unknown flag', flag(whole, 5)],
    ['flags of more than there is', flag(whole, 3)], ['flags of less than there is', flag(both_, 1)],
    ['a status cut short', whole.subarray(0, 22)], ['a status with a byte more', Buffer.concat([whole, Buffer.alloc(1)])],
    ['the value of a digest', values.digest({ index: 1, height: 1 })],
    ['an empty value', Buffer.alloc(0)],
  ]) add(`${label} as a status`, valued(value), 'map')
  const long = valued(Buffer.alloc(76, 1))
  add('a value of 76 bytes', long, 'map', { only: ['json'] })
  add('a value of 76 bytes', long, 'unreadable', { only: ['compact'] })
  const ask = { ...OF_FINAL, schema: fill('54') }
  const flagged = Buffer.concat([values.digest({ index: 1, height: 1 }), Buffer.from([2])])
  const odd = [...MAP, [keyOf(schema(ask.schema)), flagged]]
  // Asked of a schema that is another's, so only its value is wrong beside that.
  add('a schema that is neither revocable nor not', proofOf([status(QUIET), schema(ask.schema)], {
    of: QUIET, entries: odd }), 'map')
}

/** Changes of one answer. */
function badAnswers() {
  const edit = (label, question, change, expected = 'map', only = both) => {
    const proof = proofOf([question])
    change(proof.map.entries[0])
    add(label, proof, expected, { only })
  }
  const [there, gone, beside] = [digest(QUIET), absent('nothing'), absent('other')]
  edit('an entry is denied', there, (it) => { it.value = null })
  edit('an entry that is not there', gone, (it) => { it.value = hex(values.digest({ index: 1, height: 1 })) })
  edit('an entry changed', there, (it) => { it.value = hex(values.digest({ index: 1, height: 1 })) })
  edit('another entry is the same', there, (it) => {
    it.other = { key: hex(keyOf(there)), value: it.value }
    it.value = null
  })
  edit('another entry from elsewhere', beside, (it) => {
    it.other.key = `0x${(buffer(it.other.key)[0] ^ 0x80).toString(16).padStart(2, '0')}${it.other.key.slice(4)}`
  })
  edit('another entry whose key is changed', beside, (it) => {
    it.other.key = it.other.key.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
  })
  edit('a path that ends below its last sibling', gone, (it) => {
    it.depth += 1
    if (it.bitmap.length < 2 + 2 * Math.ceil(it.depth / 8)) it.bitmap += '00'
  })
  const bits = (it, change) => {
    const map = buffer(it.bitmap)
    change(map)
    it.bitmap = hex(map)
  }
  edit('a bit after the depth', gone, (it) => {
    if (it.depth % 8 === 0) throw new Error('no room for a bit')
    bits(it, (map) => { map[map.length - 1] |= 0x80 })
    it.siblings.push(fill('01'))
  })
  edit('an empty sibling as a hash', there, (it) => { it.siblings[0] = fill('00') })
  edit('a sibling changed', there, (it) => { it.siblings[0] = fill('01') })
  edit('siblings in another order', there, (it) => { it.siblings.reverse() })
  edit('a sibling too few', there, (it) => { it.siblings.pop() }, 'map', ['json'])
  edit('a sibling too many', there, (it) => { it.siblings.push(fill('01')) }, 'map', ['json'])
  edit('257 siblings', there, (it) => { it.siblings = Array(257).fill(fill('01')) }, 'unreadable', ['json'])
  edit('a bitmap too short', there, (it) => { it.bitmap = it.bitmap.slice(0, -2) }, 'map', ['json'])
  edit('a bitmap too long', there, (it) => { it.bitmap += '00' }, 'map', ['json'])
  const deep = (depth) => (it) => {
    it.depth = depth
    it.bitmap = hex(Buffer.alloc(Math.ceil(depth / 8), 0xff))
    it.siblings = Array(depth).fill(fill('01'))
  }
  edit('a depth of 256', there, deep(256))
  edit('a depth of 257', there, (it) => { it.depth = 257 }, 'map', ['json'])
  edit('a depth of 257', there, deep(257), 'unreadable', ['compact'])
  edit('a depth of 65536', there, (it) => { it.depth = 65536 }, 'unreadable', ['json'])
  edit('an entry and another', beside, (it) => { it.value = it.other.value }, 'form', ['json'])
}

function badForms() {
  const proof = proofOf([digest(QUIET)])
  const json = (label, expected, change) => {
    const copy = structuredClone(proof)
    add(label, change(copy) ?? copy, expected, { only: ['json'] })
  }
  json('format of another version', 'unreadable', (it) => { it.format = 'tbsi-proof-9' })
  json('an inner proof of another version', 'otherVersion', (it) => { it.proof.format = 'tbsi-map-proof-1' })
  json('an unknown key', 'unreadable', (it) => { it.more = 1 })
  json('an unknown key of the map', 'unreadable', (it) => { it.map.more = 1 })
  json('an unknown key of an entry', 'unreadable', (it) => { it.map.entries[0].more = 1 })
  json('an unknown key of a question', 'unreadable', (it) => { it.map.entries[0].question.id = fill('00') })
  json('an unknown question', 'unreadable', (it) => { it.map.entries[0].question.kind = 'id' })
  json('a question without its kind', 'unreadable', (it) => { delete it.map.entries[0].question.kind })
  json('no map', 'unreadable', (it) => { delete it.map })
  json('an entry without `other`', 'unreadable', (it) => { delete it.map.entries[0].other })
  json('a map without `root`', 'unreadable', (it) => { delete it.map.root })
  json('capital digits of a sibling', 'unreadable', (it) => { it.map.entries[0].siblings[0] = `0x${'AB'.repeat(32)}` })
  json('an algorithm of 33 bits', 'unreadable', (it) => { it.map.revokedAlgorithms = [2 ** 32] })
  json('a digest of 33 bytes', 'form', (it) => { it.map.entries[0].question.digest = fill('01', 33) })
  json('an inner statement of something else', 'form', (it) => { it.proof.statement.entries += 1 })
  const list = (label, find, fields) => json(`${label} as a list of its values`, 'unreadable', (it) => {
    const [parent, key] = find(it)
    parent[key] = fields.map((field) => parent[key][field])
  })
  json('the proof as a list of its values', 'unreadable', (it) => [it.format, it.proof, it.map])
  list('the map', (it) => [it, 'map'], ['root', 'revokedAlgorithms', 'entries'])
  list('an entry', (it) => [it.map.entries, 0], ['question', 'depth', 'bitmap', 'siblings', 'value', 'other'])
  list('a question', (it) => [it.map.entries[0], 'question'], ['kind', 'digest'])
  list('the inner certificate', (it) => [it.proof, 'certificate'],
    ['height', 'round', 'checkpointDigest', 'signatures'])
  json('a question that has another field as null', 'unreadable', (it) => { it.map.entries[0].question.id = null })
  json('an inner proof alone', 'valid', (it) => it.proof)
  const bytes = (label, expected, part, of = proof) =>
    cases.push({
      name: `map: ${label} (compact)`, proof: compactWithMap(of, part), code: expected,
      verdict: expected === 'form' ? 'invalid' : 'could not tell',
    })
  bytes('magic of a bundle', 'otherVersion', { magic: [Buffer.from('TBP2')] })
  bytes('magic of a later version', 'otherVersion', { magic: [Buffer.from('TBM2')] })
  const inner = compact(proof.proof, { magic: 'TBM1' })
  bytes('an inner proof of another version', 'otherVersion', { proof: [number(inner.length), inner] })
  const longer = Buffer.concat([compact(proof.proof), Buffer.alloc(1)])
  bytes('a byte after the inner proof', 'unreadable', { proof: [number(longer.length), longer] })
  bytes('an inner proof that is longer than all', 'unreadable', { proof: [number(8_000_000)] })
  bytes('a byte after the end', 'unreadable', { end: [[0]] })
  bytes('a root that is neither here nor there', 'form', { root: [[2]] })
  bytes('a question of no kind', 'form', { asked: [[4], buffer(fill('01'))] })
  bytes('a question of kind 0', 'form', { asked: [[0], buffer(fill('01'))] })
  bytes('a digest of 33 bytes', 'form', { asked: [[1, 33], buffer(fill('01', 33))] })
  bytes('an end of no kind', 'form', { answer: [[0], [3]] })
  bytes('a depth in a longer form', 'form', { answer: [[0x80, 0], [0]] })
  bytes('magic cut short', 'unreadable', {
    magic: [Buffer.from('TBM')], proof: [], root: [], algorithms: [], count: [], entries: [] })
  bytes('nothing but the magic', 'unreadable', { proof: [], root: [], algorithms: [], count: [], entries: [] })
}

/** All cases: name, proof, verdict, code, and what the report says of those that hold. */
export function mapCases() {
  if (cases.length === 0) {
    good(); digests(); badRoots(); badQuestions(); badValues(); badAnswers(); badForms()
  }
  return cases
}

/**
 * By the name of the case: the greatest age in ms, whole seconds as `tbsi` takes them, when, and
 * the verdict or code.
 */
export const AGES = [
  ['map: not revoked (compact)', 0, timeOf(3), 'valid'],
  ['map: not revoked (compact)', 1000, timeOf(4), 'valid'],
  ['map: not revoked (compact)', 1000, timeOf(4) + 1, 'statusOld'],
  ['map: not revoked (json)', 0, timeOf(3) - 1, 'valid'],
  ['map: not revoked (json)', 0, 0, 'valid'],
  ['map: nothing since the map root (json)', 0, timeOf(5), 'valid'],
  ['map: nothing since the map root (json)', 0, timeOf(5) + 1, 'statusOld'],
  ['map: revoked (json)', 0, timeOf(3), 'void'],
  ['map: revoked (json)', 0, timeOf(9), 'void'],
  ['map: of a revoked algorithm (json)', 0, timeOf(9), 'statusOld'],
  ['map: absent, nothing there (json)', 0, timeOf(3), 'valid'],
  ['map: absent, nothing there (json)', 0, timeOf(4), 'statusOld'],
  ['map: digests behind (json)', 10 ** 12, timeOf(3), 'statusOld'],
  ['map: digests behind, nothing since (json)', 10 ** 12, timeOf(3), 'statusOld'],
  ['map: a sibling changed (json)', 0, timeOf(9), 'map'],
  ['map: an inner proof alone (json)', 10 ** 12, timeOf(3), 'statusMissing'],
].map(([name, maxAgeMs, atMs, expected]) =>
  ({ name, maxAgeMs, atMs, at: new Date(atMs).toISOString(), expected }))
