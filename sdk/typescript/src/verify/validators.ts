/** Validators with voting power and legal names (SPEC §3.2, §10.1). */
import { compare, concat, toHex, uint, utf8 } from './bytes.js'
import { FormError } from './errors.js'
import { sha256 } from './hash.js'
import { NAME_BYTES_MAX, U64_MAX, VALIDATORS_MAX } from './limits.js'

/** A validator and who answers for it. */
export interface NamedValidator {
  readonly address: Uint8Array
  readonly power: bigint
  readonly nameZhTw: string
  readonly nameEn: string
}

/** The validators of one height in address order. */
export interface ValidatorSet {
  readonly validators: readonly NamedValidator[]
  readonly totalPower: bigint
  /** What checkpoints name. */
  readonly hash: Uint8Array
}

const wrong = (problem: string) =>
  new FormError('form', `proof field \`validators\`: ${problem}`)

/** Checks count, order, power and names, and hashes. */
export function validatorSet(validators: readonly NamedValidator[]): ValidatorSet {
  if (validators.length === 0 || validators.length > VALIDATORS_MAX) {
    throw wrong(`${validators.length} given, 1 to ${VALIDATORS_MAX} are allowed`)
  }
  let totalPower = 0n
  let before: Uint8Array | undefined
  for (const validator of validators) {
    const address = toHex(validator.address)
    if (before !== undefined && compare(before, validator.address) >= 0) {
      throw wrong(`${address} is not in address order, each once`)
    }
    before = validator.address
    if (validator.power === 0n) throw wrong(`${address} has no voting power`)
    totalPower += validator.power
    if (totalPower > U64_MAX) throw wrong('total voting power exceeds 2^64 - 1')
    const longest = Math.max(utf8(validator.nameZhTw).length, utf8(validator.nameEn).length)
    if (longest > NAME_BYTES_MAX) {
      throw wrong(
        `${address} has a name of ${longest} bytes, at most ${NAME_BYTES_MAX} are allowed`)
    }
  }
  return { validators, totalPower, hash: hashOf(validators) }
}

function hashOf(validators: readonly NamedValidator[]): Uint8Array {
  const members = validators.map(({ address, power, nameZhTw, nameEn }) =>
    concat(address, uint(power, 8), operatorId(nameZhTw, nameEn)))
  return sha256('TBSI-VALIDATOR-SET-1', uint(validators.length, 2), ...members)
}

/** Commits to both legal names. */
export function operatorId(nameZhTw: string, nameEn: string): Uint8Array {
  const [zhTw, en] = [utf8(nameZhTw), utf8(nameEn)]
  return sha256('TBSI-OPERATOR-1', uint(zhTw.length, 4), zhTw, uint(en.length, 4), en)
}

/** Whether `power` is strictly more than two thirds of `total` (SPEC §3.3). */
export function isQuorum(power: bigint, total: bigint): boolean {
  return 3n * power > 2n * total
}
