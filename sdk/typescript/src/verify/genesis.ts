/** The genesis file: what is trusted (SPEC §2). Its hash is over a canonical form. */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { compare, fromUtf8, toHex, utf8, type Hex } from './bytes.js'
import { TrustError, messageOf } from './errors.js'
import {
  type GenesisOrganisation, canonicalAccounts, canonicalGovernance, canonicalOrganisation,
  integerIn, keyOf,
} from './genesis-parts.js'
import { keccak256, sha256 } from './hash.js'
import { parseJson, stringify, type JsonValue, type Plain } from './json.js'
import { GENESIS_BYTES_MAX, JSON_INTEGER_MAX, NODES_MAX } from './limits.js'
import { Fields, objectOf } from './shape.js'
import { validatorSet, type ValidatorSet } from './validators.js'

export type { GenesisOrganisation } from './genesis-parts.js'

/** What a verifier needs of a genesis file. */
export interface Genesis {
  readonly name: string
  readonly chainId: bigint
  readonly timeMs: bigint
  readonly hash: Uint8Array
  readonly validators: ValidatorSet
  readonly organisations: readonly GenesisOrganisation[]
  /** The organisation of each validator, by its address. */
  readonly operators: ReadonlyMap<Hex, GenesisOrganisation>
  /** How far a block's time may be ahead of and behind an honest clock, in round 0. */
  readonly clockDriftMaxMs: bigint
  readonly clockLagMaxMs: bigint
}

const CHAIN_ID_MAX = 4_503_599_627_370_476n
/** Where the file does not say how late a new block's time may be. */
const CLOCK_LAG_MAX_MS = 5_000n

/** Lower and upper bounds of the numbers in `consensus`. */
const CONSENSUS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  timeout_propose_ms: [10n, 600_000n],
  timeout_vote_ms: [10n, 600_000n],
  timeout_delta_ms: [1n, 600_000n],
  empty_block_interval_ms: [100n, 86_400_000n],
  block_spacing_min_ms: [0n, 60_000n],
  clock_drift_max_ms: [100n, 600_000n],
}

interface Node {
  readonly name: string
  readonly organisation: string
  readonly address: Uint8Array | undefined
  readonly power: bigint
  readonly canonical: Plain
}

/** Parses and checks a genesis file. Throws a `TrustError` and nothing else. */
export function parseGenesis(bytes: Uint8Array): Genesis {
  try {
    if (bytes.length > GENESIS_BYTES_MAX) {
      throw new TrustError(
        `genesis file has ${bytes.length} bytes, at most ${GENESIS_BYTES_MAX} are allowed`)
    }
    const text = fromUtf8(bytes)
    if (text === undefined) throw new TrustError('genesis file is not text')
    return read(text)
  } catch (thrown) {
    if (thrown instanceof TrustError) throw thrown
    throw new TrustError(`genesis file: ${messageOf(thrown)}`)
  }
}

function read(text: string): Genesis {
  const fields = new Fields(parseJson(text), 'genesis', [
    'version', 'name', 'chain_id', 'time_ms', 'block_gas_limit', 'consensus', 'organisations',
    'nodes',
  ], ['governance', 'accounts'])
  integerIn(fields, 'version', 1n, 1n)
  const chainId = integerIn(fields, 'chain_id', 1n, CHAIN_ID_MAX)
  const timeMs = integerIn(fields, 'time_ms', 1n, JSON_INTEGER_MAX)
  const gas = integerIn(fields, 'block_gas_limit', 1n << 24n, 10_000_000_000n)
  const consensus = readConsensus(fields.get('consensus'))
  const listed = [...objectOf(fields.get('organisations'), 'genesis field `organisations`').fields]
  const organisations = new Map(listed.map(([id, value]) => [id, canonicalOrganisation(id, value)]))
  const nodes = readNodes(fields, organisations)
  const name = fields.text('name')
  const canonical: Plain = {
    version: 1n, name, chain_id: chainId, time_ms: timeMs, block_gas_limit: gas,
    consensus: consensus.canonical,
    organisations: Object.fromEntries(
      [...organisations].map(([id, organisation]) => [id, organisation.canonical])),
    nodes: nodes.map((node) => node.canonical),
    governance: fields.has('governance') ? canonicalGovernance(fields.get('governance')) : undefined,
    accounts: canonicalAccounts(fields.get('accounts')),
  }
  const hash = sha256('TBSI-GENESIS-1', utf8(canonicalText(canonical)))
  const { validators, operators } = setOf(nodes, organisations)
  return {
    name, chainId, timeMs, hash, validators, operators,
    organisations: [...organisations.values()],
    clockDriftMaxMs: consensus.drift, clockLagMaxMs: consensus.lag,
  }
}

function readConsensus(value: JsonValue | undefined) {
  const fields = new Fields(
    value, 'genesis field `consensus`', Object.keys(CONSENSUS),
    ['clock_lag_max_ms', 'map_period_ms'])
  const entries = Object.entries(CONSENSUS).map(([name, [min, max]]) =>
    [name, integerIn(fields, name, min, max)] as const)
  const canonical: Record<string, Plain> = Object.fromEntries(entries)
  const propose = fields.integer('timeout_propose_ms')
  let lag = propose > CLOCK_LAG_MAX_MS ? propose : CLOCK_LAG_MAX_MS
  if (fields.has('clock_lag_max_ms')) {
    lag = integerIn(fields, 'clock_lag_max_ms', propose, 600_000n)
    canonical['clock_lag_max_ms'] = lag
  }
  if (fields.has('map_period_ms')) {
    canonical['map_period_ms'] = integerIn(fields, 'map_period_ms', 1_000n, 86_400_000n)
  }
  return { canonical, lag, drift: fields.integer('clock_drift_max_ms') }
}

function readNodes(genesis: Fields, organisations: ReadonlyMap<string, unknown>): Node[] {
  const list = genesis.list('nodes')
  if (list.length < 1 || list.length > NODES_MAX) {
    throw new TrustError(`genesis field \`nodes\`: ${list.length} is outside 1..=${NODES_MAX}`)
  }
  const nodes = list.map(readNode)
  const seen = new Set<string>()
  for (const [at, node] of nodes.entries()) {
    const peer = (node.canonical as { peer_id: string }).peer_id
    for (const [field, key] of [['name', `n${node.name}`], ['peer_id', `p${peer}`]] as const) {
      if (seen.has(key) || node.name.trim() === '') {
        throw new TrustError(`genesis field \`nodes[${at}].${field}\`: must be unique, not empty`)
      }
      seen.add(key)
    }
    if (!organisations.has(node.organisation)) {
      throw new TrustError(
        `genesis field \`nodes[${node.name}].organisation\`: \`${node.organisation}\` is not ` +
        'listed in organisations')
    }
  }
  return nodes
}

function readNode(value: JsonValue): Node {
  const fields = new Fields(
    value, 'genesis node', ['name', 'organisation', 'peer_id'], ['endpoint', 'validator'])
  const [name, organisation] = [fields.text('name'), fields.text('organisation')]
  const canonical: Record<string, Plain> = { name, organisation, peer_id: fields.text('peer_id') }
  if (fields.has('endpoint')) canonical['endpoint'] = fields.text('endpoint')
  if (!fields.has('validator')) {
    return { name, organisation, address: undefined, power: 0n, canonical }
  }
  const entry = new Fields(
    fields.get('validator'), `genesis field \`nodes[${name}].validator\``,
    ['public_key', 'power'], ['log_key'])
  const key = keyOf(entry.where, entry.text('public_key'), 33)
  const power = integerIn(entry, 'power', 1n, JSON_INTEGER_MAX)
  canonical['validator'] = {
    public_key: toHex(key),
    power,
    log_key: entry.has('log_key')
      ? toHex(keyOf(entry.where, entry.text('log_key'), 32)) : undefined,
  }
  const point = secp256k1.Point.fromBytes(key).toBytes(false)
  return { name, organisation, address: keccak256(point.slice(1)).slice(12), power, canonical }
}

function setOf(
  nodes: readonly Node[],
  organisations: ReadonlyMap<string, GenesisOrganisation>,
): Pick<Genesis, 'validators' | 'operators'> {
  const operators = new Map<Hex, GenesisOrganisation>()
  const validators = []
  for (const { address, power, organisation } of nodes) {
    const operator = organisations.get(organisation)
    if (address === undefined || operator === undefined) continue
    operators.set(toHex(address), operator)
    const { nameZhTw, nameEn } = operator
    validators.push({ address, power, nameZhTw, nameEn })
  }
  validators.sort((one, other) => compare(one.address, other.address))
  return { validators: validatorSet(validators), operators }
}

/** RFC 8785: keys in order, no white space; they are ASCII in what `tbsi genesis build` writes. */
function canonicalText(value: Plain): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  if (value === null || typeof value !== 'object') return stringify(value)
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  entries.sort(([one], [other]) => compare(utf8(one), utf8(other)))
  const fields = entries.map(([name, item]) => `${JSON.stringify(name)}:${canonicalText(item)}`)
  return `{${fields.join(',')}}`
}
