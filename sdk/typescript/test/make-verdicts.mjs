// Makes tests/vectors/verdicts.json, and map_verdicts.json of proofs with the map: proofs and what
// `tbsi verify --json` says of them, for every verifier to agree with. What is wrong with each is written here; the verdict is the binary's,
// and a test of the workspace asks it again. Of proofs with the map the verdict is written down
// too (map-cases.mjs), and the binary has to agree.
//
// usage: node make-verdicts.mjs TBSI_BINARY
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concat, toHex, uint, utf8 } from '../dist/verify/bytes.js'
import { leafHash, rootOf } from '../dist/verify/tree.js'
import { AGES, mapCases } from './map-cases.mjs'
import { compact, number, sign } from './writer.mjs'
import { bytes, read } from './vectors.mjs'

const [, , binary] = process.argv
const { genesis, cases } = read('bundle.json')
const named = (name) => cases.find((it) => it.name === name)
const good = named('signed by a quorum')
const far = named('two handovers')
const made = []

const add = (name, proof) => made.push(
  typeof proof === 'string' ? { name, text: proof } : { name, bytes: toHex(new Uint8Array(proof)) })

/** The JSON of a bundle with a change. */
function edit(name, change, of = good) {
  const json = structuredClone(of.json)
  add(name, JSON.stringify(change(json) ?? json))
}

/** Replaces text. */
function text(name, from, to) {
  const json = JSON.stringify(good.json)
  if (!json.includes(from)) throw new Error(`${name}: no ${from}`)
  add(name, json.replace(from, to))
}

/** With another leaf, in a log of that leaf alone. */
function withLeaf(json, leaf) {
  Object.assign(json, { leaf: toHex(leaf), leafIndex: 0, inclusionProof: [] })
  json.checkpoint.logSize = 1
  json.checkpoint.logRoot = toHex(rootOf(leafHash(leaf), 0n, 1n, []))
}

function highS(signature) {
  const raw = bytes(signature)
  const s = secp256k1.Point.Fn.ORDER - BigInt(toHex(raw.slice(32, 64)))
  return toHex(concat(raw.slice(0, 32), uint(s, 32), uint(55 - raw[64], 1)))
}

function shapes() {
  add('empty', '')
  add('no JSON', 'report.pdf')
  add('a byte-order mark', `\ufeff${JSON.stringify(good.json)}`)
  add('white space and other order of keys', JSON.stringify(
    Object.fromEntries(Object.entries(good.json).reverse()), null, '\t'))
  add('text after it', `${JSON.stringify(good.json)} 1`)
  add('keys with escapes', JSON.stringify(good.json).replace('"leafIndex"', '"\\u006ceafIndex"'))
  text('unknown key', '{"certificate"', '{"more":1,"certificate"')
  text('unknown key inside', '"height":7', '"height":7,"more":1')
  text('repeated key', '"leafIndex":5', '"leafIndex":5,"leafIndex":5')
  text('repeated key inside', '"round":0', '"round":0,"round":0')
  text('integer as a fraction', '"leafIndex":5', '"leafIndex":5.0')
  text('integer with an exponent', '"leafIndex":5', '"leafIndex":5e0')
  text('integer as text', '"leafIndex":5', '"leafIndex":"5"')
  text('negative integer', '"leafIndex":5', '"leafIndex":-5')
  text('negative zero', '"round":0', '"round":-0')
  text('leading zero', '"leafIndex":5', '"leafIndex":05')
  text('integer of 65 bits', '"leafIndex":5', '"leafIndex":18446744073709551616')
  text('integer of 64 bits', '"leafIndex":5', '"leafIndex":18446744073709551615')
  text('round of 33 bits', '"round":0', '"round":4294967296')
  text('largest round', '"round":0', '"round":4294967295')
  text('half a surrogate pair', 'Test Association A', '\\ud800')
  text('a control character', 'Test Association A', 'Test\u0001')
  text('trailing comma', '"leafIndex":5', '"leafIndex":5,')
  edit('missing key', (json) => { delete json.leafIndex })
  edit('null', (json) => { json.handovers = null })
  edit('capital digits', (json) => { json.leaf = json.leaf.toUpperCase().replace('0X', '0x') })
  edit('digits without 0x', (json) => { json.leaf = json.leaf.slice(2) })
  edit('half a byte', (json) => { json.leaf += '0' })
  edit('a short hash', (json) => { json.inclusionProof[0] = '0x00' })
  edit('nested too deep', () => JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`))
  edit('other format', (json) => { json.format = 'tbsi-proof-2' })
}

/** Objects given as the list of their values, in the order of SPEC §10.3. */
function lists() {
  const CHECKPOINT = ['chainId', 'height', 'timeMs', 'blockHash', 'stateRoot', 'logSize', 'logRoot',
    'validatorSetHash', 'nextValidatorSetHash']
  const CERTIFICATE = ['height', 'round', 'checkpointDigest', 'signatures']
  const BUNDLE = ['format', 'genesisHash', 'statement', 'leaf', 'leafIndex', 'inclusionProof', 'checkpoint',
    'certificate', 'validators', 'handovers']
  const list = (name, change, of) => edit(`${name} as a list of its values`, change, of)
  const put = (parent, key, fields) => { parent[key] = fields.map((field) => parent[key][field]) }
  list('the bundle', (json) => BUNDLE.map((field) => json[field]))
  list('the checkpoint', (json) => put(json, 'checkpoint', CHECKPOINT))
  list('the certificate', (json) => put(json, 'certificate', CERTIFICATE))
  list('the statement', (json) => put(json, 'statement', Object.keys(json.statement)))
  list('a signature', (json) => put(json.certificate.signatures, 0, ['validator', 'signature']))
  list('a validator', (json) => put(json.validators, 0, ['address', 'power', 'nameZhTw', 'nameEn']))
  list('a handover', (json) => put(json.handovers, 0, ['validators', 'last', 'first']), far)
  list('a decision', (json) => put(json.handovers[0], 'last', ['checkpoint', 'certificate']), far)
  list('a checkpoint of a handover', (json) => put(json.handovers[1].first, 'checkpoint', CHECKPOINT), far)
  list('a validator of a handover', (json) => put(json.handovers[1].validators, 0,
    ['address', 'power', 'nameZhTw', 'nameEn']), far)
}

function contents() {
  const leaf = (change) => (json) => {
    const raw = bytes(json.leaf)
    json.leaf = toHex(change(raw) ?? raw)
  }
  edit('leaf of another version', leaf((raw) => { raw[0] = 2 }))
  edit('leaf of another kind', leaf((raw) => { raw[1] = 9 }))
  edit('leaf with a byte too many', leaf((raw) => concat(raw, new Uint8Array(1))))
  edit('leaf cut short', leaf((raw) => raw.slice(0, -1)))
  edit('empty leaf', leaf(() => new Uint8Array()))
  edit('leaf of 513 bytes', leaf(() => new Uint8Array(513)))
  edit('statement with another issuer', (json) => { json.statement.issuer = `0x${'ab'.repeat(20)}` })
  edit('statement with a field more', (json) => { json.statement.more = 1 })
  edit('statement with a field less', (json) => { delete json.statement.id })
  text('statement with a fraction', '"ordinal":5', '"ordinal":5.0')
  text('statement with a key twice', '"ordinal":5', '"ordinal":5,"ordinal":5')
  text('statement with an object whose key is twice', '"ordinal":5', '"ordinal":{"a":0,"a":0}')
  edit('65 hashes', (json) => { json.inclusionProof = Array(65).fill(`0x${'00'.repeat(32)}`) })
  edit('no validator', (json) => { json.validators = [] })
  edit('129 validators', (json) => { json.validators = Array(129).fill(json.validators[0]) })
  edit('validators out of order', (json) => { json.validators.reverse() })
  edit('a validator twice', (json) => { json.validators[1] = json.validators[0] })
  edit('a validator without power', (json) => { json.validators[0].power = 0 })
  text('too much power in all', '"power":3', '"power":18446744073709551615')
  edit('a name of 513 bytes', (json) => { json.validators[0].nameEn = 'x'.repeat(513) })
  edit('a name of 512 bytes in UTF-8', (json) => { json.validators[0].nameEn = '公'.repeat(171) })
  edit('signatures out of order', (json) => { json.certificate.signatures.reverse() })
  edit('a signature twice', (json) => { json.certificate.signatures.push(json.certificate.signatures.at(-1)) })
  edit('a signature of 64 bytes', (json) => {
    const [entry] = json.certificate.signatures
    entry.signature = entry.signature.slice(0, -2)
  })
}

function signed() {
  edit('signed again', (json) => sign(json))
  edit('decided in another round', (json) => sign(json, 4_294_967_294))
  edit('high s', (json) => {
    const [entry] = json.certificate.signatures
    entry.signature = highS(entry.signature)
  })
  edit('v is 0', (json) => {
    const [entry] = json.certificate.signatures
    entry.signature = `${entry.signature.slice(0, -2)}00`
  })
  edit('signatures swapped', ({ certificate: { signatures: [one, other] } }) => {
    [one.signature, other.signature] = [other.signature, one.signature]
  })
  const moved = (name, change, of = good) => edit(name, (json) => { change(json); sign(json) }, of)
  moved('before the leaf', ({ checkpoint, statement }) => { checkpoint.height = statement.height - 1 })
  moved('at the time of the leaf, later', ({ checkpoint, statement }) => {
    checkpoint.height = statement.height + 1
    checkpoint.timeMs = statement.timeMs
  })
  moved('before the time of the leaf', ({ checkpoint, statement }) => {
    checkpoint.timeMs = statement.timeMs - 1
  })
  moved('later', ({ checkpoint }) => { checkpoint.timeMs += 1; checkpoint.height += 1 })
  moved('of another chain id', ({ checkpoint }) => { checkpoint.chainId += 1 })
  moved('names another validator set', ({ checkpoint }) => {
    checkpoint.validatorSetHash = `0x${'09'.repeat(32)}`
  })
  moved('names another next validator set', ({ checkpoint }) => {
    checkpoint.nextValidatorSetHash = `0x${'09'.repeat(32)}`
  })
  const head = (json, change) => {
    const raw = bytes(json.leaf)
    change(raw)
    withLeaf(json, raw)
  }
  // The statement has to go with the leaf, so these are of the compact form.
  for (const [name, change] of [
    ['leaf of another chain', (raw) => { raw[9] ^= 1 }],
    ['leaf of a later height', (raw) => { raw[15] = 8 }],
    ['leaf of another time at its height', (raw) => { raw[15] = 7 }],
  ]) {
    const json = structuredClone(good.json)
    head(json, change)
    add(name, compact(json, { resigned: true }))
  }
  const genesisTime = structuredClone(good.json)
  head(genesisTime, (raw) => { raw.set(uint(genesis.time_ms, 6), 16) })
  genesisTime.checkpoint.timeMs = genesis.time_ms
  genesisTime.checkpoint.height = genesisTime.statement.height
  add('at the time of genesis', compact(genesisTime, { resigned: true }))
}

function handovers() {
  edit('handovers left out', (json) => { json.handovers = [] }, far)
  edit('the second handover left out', (json) => { json.handovers.pop() }, far)
  edit('the first handover left out', (json) => { json.handovers.shift() }, far)
  edit('handovers in another order', (json) => { json.handovers.reverse() }, far)
  edit('a handover twice', (json) => { json.handovers.unshift(json.handovers[0]) }, far)
  edit('a handover with another last height', (json) => { json.handovers[0].last.checkpoint.height -= 1 }, far)
  edit('a handover to the same set', (json) => {
    const { checkpoint } = json.handovers[0].last
    checkpoint.nextValidatorSetHash = checkpoint.validatorSetHash
    sign(json.handovers[0].last)
  }, far)
  edit('a handover over a gap', (json) => {
    json.handovers[0].last.checkpoint.height -= 1
    sign(json.handovers[0].last)
  }, far)
  edit('a handover whose first has a signature too few', (json) => {
    json.handovers[1].first.certificate.signatures.pop()
  }, far)
  edit('a handover that nobody needs', (json) => { json.handovers = far.json.handovers.slice(0, 1) })
}

function compacts() {
  const { json } = good
  const same = toHex(compact(json)) === good.compact
  if (!same) throw new Error('the compact form is not that of the vectors')
  add('compact', compact(json))
  add('magic alone', utf8('TBP1'))
  add('magic of another version', compact(json, { magic: 'TBP2' }))
  add('magic cut short', utf8('TBP'))
  add('height in a longer form', compact(json, { height: new Uint8Array([0x87, 0]) }))
  add('height of 64 bits', compact(json, { height: concat(new Uint8Array(9).fill(0xff), new Uint8Array([1])) }))
  add('next set flag of 2', compact(json, { next: () => new Uint8Array([2]) }))
  add('next set written though it is the same', compact(json, { next: ({ hash }) => concat(new Uint8Array([1]), hash) }))
  add('unused bit of signers', compact(json, { bits: (bits) => bits | 128 }))
  add('a signer more than signatures', compact(json, { bits: () => 15 }))
  add('a signer less than signatures', compact(json, { bits: (bits) => bits & (bits - 1) }))
  add('round of 33 bits, compact', compact(json, { round: 2 ** 32 }))
  add('largest round, compact', compact(json, { round: 2 ** 32 - 1 }))
  add('a name that is no UTF-8', compact(json, { name: new Uint8Array([0xff]) }))
  add('a validator without power, compact', compact(json, { powers: [0] }))
  add('a power of other than the set', compact(json, { powers: [1] }))
  add('257 handovers, compact', compact(json, { handovers: number(257) }))
  add('leaf of another version, compact', compact({ ...json, leaf: json.leaf.replace('0x01', '0x02') }))
  add('leaf that is none, compact', compact({ ...json, leaf: '0x01' }))
  add('index outside of the log', compact({ ...json, leafIndex: 13 }))
  add('a hash too few, compact', compact({ ...json, inclusionProof: json.inclusionProof.slice(1) }))
}

shapes(); lists(); contents(); signed(); handovers(); compacts()
for (const { name, proof, says, ...expected } of mapCases()) {
  add(name, proof)
  Object.assign(made.at(-1), { says, expected })
}
const dir = mkdtempSync(join(tmpdir(), 'tbsi-verdicts-'))
try {
  const file = join(dir, 'genesis.json')
  writeFileSync(file, JSON.stringify(genesis))
  const vectors = made.map((it) => {
    const proof = join(dir, 'proof')
    writeFileSync(proof, it.text ?? bytes(it.bytes))
    const { stdout } = spawnSync(binary, ['verify', proof, '--genesis', file, '--json'])
    const { verdict, code } = JSON.parse(stdout)
    const { expected = { verdict, code }, ...given } = it
    assert.deepEqual({ verdict, code }, expected, it.name)
    return { ...given, verdict, code }
  })
  const description =
    'Proofs, as text or bytes, under the genesis file of bundle.json, and the verdict and code ' +
    '(SPEC §10.5) that every verifier gives. sdk/typescript/test/make-verdicts.mjs makes them.'
  const withMap =
    'The same of proofs with the map (SPEC §10.7). says is what one says that holds; ages is what ' +
    'becomes of cases, by name, if a greatest age of the status is given, and when.'
  const write = (name, content) => writeFileSync(
    new URL(`../../../tests/vectors/${name}`, import.meta.url), `${JSON.stringify(content, null, 1)}\n`)
  const isMap = ({ name }) => name.startsWith('map: ')
  write('verdicts.json', { description, cases: vectors.filter((it) => !isMap(it)) })
  write('map_verdicts.json', { description: withMap, cases: vectors.filter(isMap), ages: AGES })
} finally {
  rmSync(dir, { recursive: true })
}
