// A small network for tests: four associations, six hundred records, and proofs of all of them.
import { readFileSync } from 'node:fs'
import { ed25519 } from '@noble/curves/ed25519.js'
import {
  addressOf, canonical, certify, hex, idOf, inclusion, int, keccak, leafHashes, leafOf, operatorHex, raw, rootOf, setHash, sha,
} from './bytes.mjs'

const vectors = JSON.parse(readFileSync(new URL('../../../../tests/vectors/certificate.json', import.meta.url), 'utf8'))
const KEYS = vectors.validators.map(({ secretKey }) => raw(secretKey))
const PUBLIC = vectors.validators.map(({ publicKey }) => publicKey)

/** Time of the newest block; pages are tested at this time. */
export const NOW_MS = Date.UTC(2026, 10, 30, 8, 0, 0)
const START_MS = NOW_MS - 30 * 3_600_000
const fill = (byte, size = 32) => `0x${byte.repeat(size)}`

export const FILE = hex(keccak('tbsi:file:v1'))
export const SALTED = hex(keccak('tbsi:salted-file:v1'))
export const ACCOUNTS = ['a1', 'b2', 'c3', 'd4'].map((byte) => fill(byte, 20))
export const STRANGER = fill('99', 20)
const MOTIONS = '0x0000000000000000000000000000000000001000'

/** Sample documents, so that tests can search for and compare them. */
export const DOCUMENT = Buffer.from('%PDF-1.7 minutes of the general assembly 會議紀錄')
export const SALT = Buffer.alloc(32, 7)
export const FORM = Buffer.from('form: yes')

const ORGANISATIONS = {
  a: { name_zh_tw: '台灣資料服務公會', name_en: 'Taiwan Data Services Association', kind: 'association', tax_id: '04595257' },
  b: { name_zh_tw: '台灣電子文件公會', name_en: 'Taiwan Electronic Documents Association', kind: 'association', tax_id: '12345675' },
  c: { name_zh_tw: '中華區塊鏈聯合會', name_en: 'Federation of Chain Operators', kind: 'association', tax_id: '22099131' },
  d: { name_zh_tw: '', name_en: 'Example Auditors Ltd.', kind: 'auditor', lei: '529900T8BM49AURSDO55', jurisdiction: 'DE' },
}
const POWERS = [3, 2, 2, 2]
export const LOG_KEYS = [1, 2, 3, 4].map((byte) => Buffer.alloc(32, byte))

const genesis = {
  version: 1, name: 'tbsi-example', chain_id: 8862026, time_ms: START_MS - 60_000, block_gas_limit: 300000000,
  consensus: {
    timeout_propose_ms: 1000, timeout_vote_ms: 300, timeout_delta_ms: 300, empty_block_interval_ms: 10000,
    block_spacing_min_ms: 20, clock_drift_max_ms: 10000,
  },
  organisations: Object.fromEntries(Object.entries(ORGANISATIONS).map(([id, it], at) =>
    [id, { ...it, accounts: { [ACCOUNTS[at]]: ['send', 'attest', 'administer', 'vote'] } }])),
  nodes: Object.keys(ORGANISATIONS).map((organisation, at) => ({
    name: `node-${organisation}`, organisation, peer_id: `12D3KooWExample${organisation}`,
    validator: { public_key: PUBLIC[at], power: POWERS[at], log_key: hex(ed25519.getPublicKey(LOG_KEYS[at])) },
  })),
}

/** Records, in the order of the log. */
function statements() {
  const all = []
  const place = (more) => {
    const height = 1 + Math.floor(all.length / 4)
    return { chainId: genesis.chain_id, height, timeMs: START_MS + height * 700_000, transactionIndex: all.length % 4, ordinal: 0, ...more }
  }
  const put = (it) => { all.push(place(it)); return all.length - 1 }
  const attest = (issuer, digest, schema = FILE) => {
    const it = place({ kind: 'attestation', issuer, schema, algorithm: 0x12, digest: hex(digest) })
    all.push({ ...it, id: idOf(it) })
    return all.length - 1
  }
  const named = { acts: [] }
  const act = (name, signature, topics, data) => {
    const body = sha([topics.length], ...topics, data)
    const position = put({ kind: 'governanceAct', issuer: MOTIONS, event: hex(keccak(signature)), bodyHash: hex(body) })
    named.acts.push({ position, act: { event: name, contract: MOTIONS, topics: topics.map(hex), data: hex(data) } })
    return position
  }
  const words = (...values) => Buffer.concat(values.map((it) => (typeof it === 'string' ? Buffer.concat([Buffer.alloc(12), raw(it)]) : int(it, 32))))
  named.proposed = act('MotionProposed', 'MotionProposed(uint32,uint8,uint32,address,uint32,uint64,bytes)',
    [int(1, 32), int(10, 32), int(1, 32)], words(ACCOUNTS[0], 2, 1790000000, 128, 0))
  named.ballots = [[1, 1], [2, 1], [3, 2]].map(([organisation, choice]) =>
    act('VoteCast', 'VoteCast(uint32,uint32,address,uint8)', [int(1, 32), int(organisation, 32)], words(ACCOUNTS[organisation - 1], choice)))
  named.schema = put({ kind: 'schemaRegistered', issuer: ACCOUNTS[1], schema: fill('5c'), textHash: hex(sha('minutes, version 1')), commitsTo: 1, revocable: true })
  named.document = attest(ACCOUNTS[0], sha(DOCUMENT))
  named.salted = attest(ACCOUNTS[1], sha(SALT, FORM), SALTED)
  named.revoked = attest(ACCOUNTS[1], sha('withdrawn'), fill('5c'))
  named.old = attest(ACCOUNTS[2], sha('data set, version 1'))
  named.same = attest(ACCOUNTS[1], sha('data set, version 2'))
  named.current = attest(ACCOUNTS[2], sha('data set, version 2'))
  named.signed = attest(ACCOUNTS[0], sha('contract of two'))
  const id = (at) => all[at].id
  named.revocation = put({ kind: 'revocation', issuer: ACCOUNTS[1], id: id(named.revoked), reason: 3 })
  named.stranger = put({ kind: 'revocation', issuer: STRANGER, id: id(named.document), reason: 4 })
  named.supersession = put({ kind: 'supersession', issuer: ACCOUNTS[2], id: id(named.old), successor: id(named.current) })
  put({ kind: 'countersigningOpened', issuer: ACCOUNTS[0], id: id(named.signed), threshold: 2, deadline: 1800000000, partyCount: 3, partiesHash: fill('11') })
  put({ kind: 'countersignature', issuer: ACCOUNTS[1], id: id(named.signed), have: 1, need: 2 })
  put({ kind: 'countersignature', issuer: ACCOUNTS[2], id: id(named.signed), have: 2, need: 2 })
  put({ kind: 'message', issuer: ACCOUNTS[3], destination: hex(keccak('eip155:1')), receiver: fill('22'), sequence: 0, timeout: 1800000000, payloadHash: fill('33') })
  for (let at = 0; all.length < 600; at += 1) attest(ACCOUNTS[at % 3], sha(`record ${at}`))
  return { all, named }
}

/** A network whose log has so many of these records, or other ones after some place. */
export function world({ change } = {}) {
  const { all, named } = statements()
  change?.(all)
  const leaves = all.map(leafOf)
  const hashes = leafHashes(leaves)
  const genesisText = JSON.stringify(genesis)
  const genesisHash = hex(sha('TBSI-GENESIS-1', canonical(genesis)))
  const names = Object.values(ORGANISATIONS).map((it) => ({ nameZhTw: it.name_zh_tw, nameEn: it.name_en }))
  const validators = KEYS.map((key, at) => ({ address: addressOf(key), power: POWERS[at], ...names[at] }))
    .sort((one, other) => (one.address < other.address ? -1 : 1))
  const validatorSetHash = hex(setHash(validators))
  /** The checkpoint of the log with so many records, signed by the first three. */
  const checkpoint = (size = leaves.length, more = {}) => {
    const last = all[size - 1]
    return {
      chainId: genesis.chain_id, height: last.height, timeMs: last.timeMs,
      blockHash: hex(sha(`block ${last.height}`)), stateRoot: hex(sha(`state ${last.height}`)), logSize: size,
      logRoot: hex(rootOf(hashes.slice(0, size))), validatorSetHash, nextValidatorSetHash: validatorSetHash, ...more,
    }
  }
  /** Of a later block without records, so that its time is now. */
  const tip = (size) => checkpoint(size, size === undefined || size === leaves.length ? { height: 200, timeMs: NOW_MS - 2_000 } : {})
  const bundle = (index, size = leaves.length, more = {}) => {
    const it = { ...tip(size), ...more }
    return {
      format: 'tbsi-proof-1', genesisHash, statement: all[index], leaf: hex(leaves[index]), leafIndex: index,
      inclusionProof: inclusion(hashes.slice(0, size), index).map(hex), checkpoint: it,
      certificate: certify(it, genesisHash, KEYS.slice(0, 3)), validators, handovers: [],
    }
  }
  return { genesis, genesisText, genesisHash, all, named, leaves, hashes, names, validators, checkpoint, tip, bundle, note: () => noteOf(genesisHash, hashes, names) }
}

/** The log as a note that the first three validators cosigned (SPEC §9.6). */
function noteOf(genesisHash, hashes, names) {
  const origin = `tbsi/${genesis.chain_id}/${genesisHash.slice(2, 18)}`
  const text = `${origin}\n${hashes.length}\n${rootOf(hashes).toString('base64')}\n`
  const seconds = Math.floor(NOW_MS / 1000) - 1
  const lines = LOG_KEYS.slice(0, 3).map((key, at) => {
    const name = `${origin}/${operatorHex(names[at])}`
    const id = sha(`${name}\n`, [4], ed25519.getPublicKey(key)).subarray(0, 4)
    const signature = ed25519.sign(Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`), key)
    return `— ${name} ${Buffer.concat([id, int(seconds, 8), signature]).toString('base64')}\n`
  })
  return `${text}\n${lines.join('')}`
}
