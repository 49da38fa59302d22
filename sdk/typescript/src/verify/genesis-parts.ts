/** Organisations, governance and accounts of a genesis file, in canonical form (SPEC §2). */
import { TrustError } from './errors.js'
import { fromHex, utf8, type Hex } from './bytes.js'
import type { JsonValue, Plain } from './json.js'
import { GENESIS_ACCOUNTS_MAX, JSON_INTEGER_MAX, NAME_BYTES_MAX, U32_MAX } from './limits.js'
import { Fields, objectOf } from './shape.js'

/** A legal entity as the file names it. */
export interface GenesisOrganisation {
  readonly nameZhTw: string
  readonly nameEn: string
  readonly taxId: string | null
  readonly lei: string | null
  readonly accounts: ReadonlySet<Hex>
}

const KINDS = ['association', 'operator', 'issuer', 'relayer', 'auditor', 'authority']
const PERMISSIONS = ['send', 'deploy', 'attest', 'relay', 'administer', 'vote']

/** An integer within bounds, both included. */
export function integerIn(fields: Fields, name: string, min: bigint, max: bigint): bigint {
  const value = fields.integer(name)
  if (value >= min && value <= max) return value
  throw new TrustError(`${fields.where} field \`${name}\`: ${value} is outside ${min}..=${max}`)
}

export function canonicalOrganisation(
  id: string,
  value: JsonValue,
): GenesisOrganisation & { readonly canonical: Plain } {
  const where = `genesis field \`organisations.${id}\``
  const texts = ['tax_id', 'lei', 'jurisdiction', 'contact_url'] as const
  const hashes = ['agreement_hash', 'credential_hash'] as const
  const fields = new Fields(
    value, where, ['name_zh_tw', 'name_en'], ['kind', 'votes', 'accounts', ...texts, ...hashes])
  const [nameZhTw, nameEn] = [fields.text('name_zh_tw'), fields.text('name_en')]
  checkName(where, 'name_zh_tw', nameZhTw)
  checkName(where, 'name_en', nameEn)
  if (nameEn.trim() === '') throw new TrustError(`${where}: a legal name in English is required`)
  const canonical: Record<string, Plain> = { name_zh_tw: nameZhTw, name_en: nameEn }
  if (fields.has('kind')) {
    const kind = fields.text('kind')
    if (!KINDS.includes(kind)) throw new TrustError(`${where}: kind is one of ${KINDS.join(', ')}`)
    canonical['kind'] = kind
  }
  if (fields.has('votes')) canonical['votes'] = fields.boolean('votes')
  for (const name of texts) if (fields.has(name)) canonical[name] = fields.text(name)
  for (const name of hashes) {
    if (fields.has(name)) canonical[name] = `0x${digits(where, fields.text(name), 32)}`
  }
  const accounts = accountsOf(where, fields.get('accounts'))
  if (accounts.length > 0) canonical['accounts'] = Object.fromEntries(accounts)
  return {
    nameZhTw, nameEn, canonical,
    taxId: fields.has('tax_id') ? fields.text('tax_id') : null,
    lei: fields.has('lei') ? fields.text('lei') : null,
    accounts: new Set(accounts.map(([address]) => address)),
  }
}

function checkName(where: string, field: string, name: string): void {
  const size = utf8(name).length
  if (size <= NAME_BYTES_MAX) return
  throw new TrustError(
    `${where}, ${field}: ${size} bytes of UTF-8 are more than ${NAME_BYTES_MAX}; shorten it`)
}

function accountsOf(where: string, value: JsonValue | undefined): [Hex, Plain][] {
  if (value === undefined) return []
  return [...objectOf(value, `${where}.accounts`).fields].map(([address, permissions]) =>
    [`0x${digits(where, address, 20)}`, permissionsOf(where, permissions)])
}

/** Each once, in the order of the list above. */
function permissionsOf(where: string, value: JsonValue | undefined): string[] {
  const given = Array.isArray(value) ? value : []
  if (!Array.isArray(value) || given.some((item) => !PERMISSIONS.includes(item as string))) {
    throw new TrustError(`${where}: permissions are a list of ${PERMISSIONS.join(', ')}`)
  }
  return PERMISSIONS.filter((permission) => given.includes(permission))
}

/** Hex digits in small letters, of bytes that may be written without `0x` or with capitals. */
function digits(where: string, text: string, length?: number): string {
  const found = /^(?:0x)?((?:[0-9a-fA-F]{2})*)$/.exec(text)?.[1]
  if (found === undefined || (length !== undefined && found.length !== 2 * length)) {
    throw new TrustError(`${where}: hex digits expected, got \`${text.slice(0, 80)}\``)
  }
  return found.toLowerCase()
}

/** The same as bytes. */
export function keyOf(where: string, text: string, length: number): Uint8Array {
  return fromHex(`0x${digits(where, text, length)}`) as Uint8Array
}

export function canonicalGovernance(value: JsonValue | undefined): Plain {
  const where = 'genesis field `governance`'
  const seconds = [
    'period_seconds', 'voting_period_seconds', 'delay_seconds', 'window_seconds', 'epoch_seconds',
  ]
  const quotas = ['public_quota', 'organisation_quota']
  const fields = new Fields(value, where, seconds, ['public_permissions', ...quotas])
  integerIn(fields, 'period_seconds', 1n, 31_536_000n)
  integerIn(fields, 'epoch_seconds', 0n, 604_800n)
  const given = fields.get('public_permissions')
  return {
    public_permissions: given === undefined ? [] : permissionsOf(where, given),
    ...Object.fromEntries(quotas.map((name) => [name, canonicalQuota(where, fields.get(name))])),
    ...Object.fromEntries(seconds.map((name) => [name, fields.integer(name, U32_MAX)])),
  }
}

function canonicalQuota(where: string, value: JsonValue | undefined): Plain {
  if (value === undefined) return {}
  const fields = new Fields(value, `${where} quota`, [], ['gas', 'leaves'])
  const given = ['gas', 'leaves'].filter((name) => fields.has(name))
  return Object.fromEntries(given.map((name) => [name, fields.integer(name, JSON_INTEGER_MAX)]))
}

/** Accounts of block 0; undefined if there are none, which is not written. */
export function canonicalAccounts(value: JsonValue | undefined): Plain {
  if (value === undefined) return undefined
  const { fields } = objectOf(value, 'genesis field `accounts`')
  if (fields.size > GENESIS_ACCOUNTS_MAX) {
    throw new TrustError(
      `genesis field \`accounts\`: ${fields.size} is outside 0..=${GENESIS_ACCOUNTS_MAX}`)
  }
  if (fields.size === 0) return undefined
  return Object.fromEntries([...fields].map(([address, account]) =>
    [`0x${digits('accounts', address, 20)}`, canonicalAccount(address, account)]))
}

function canonicalAccount(address: string, value: JsonValue): Plain {
  const where = `genesis field \`accounts.${address}\``
  const fields = new Fields(value, where, [], ['balance', 'nonce', 'code', 'storage'])
  const storage = fields.get('storage') === undefined
    ? [] : [...objectOf(fields.get('storage'), `${where}.storage`).fields]
  const code = fields.get('code') === undefined ? '' : digits(where, fields.text('code'))
  if (code === '' && storage.length > 0) {
    throw new TrustError(`${where}: only an account with code can have storage`)
  }
  return {
    balance: quantity(where, fields.get('balance') ?? 0n),
    nonce: fields.get('nonce') === undefined ? 0n : fields.integer('nonce'),
    code: `0x${code}`,
    storage: Object.fromEntries(storage.map(([slot, word]) =>
      [quantity(where, slot), quantity(where, word)])),
  }
}

/** A number below 2^256, as 0x-hex without leading zeros. */
function quantity(where: string, value: JsonValue): string {
  const text = typeof value === 'bigint' ? value.toString() : value
  if (typeof text === 'string' && /^(?:0x[0-9a-fA-F]{1,64}|[0-9]{1,78})$/.test(text)) {
    const number = BigInt(text)
    if (number < 1n << 256n) return `0x${number.toString(16)}`
  }
  throw new TrustError(`${where}: a number below 2^256 is expected`)
}
