/** Calls of the attestation contract (SPEC §12.2), in the one encoding that it takes. */
import { concat, fromHex, toHex, uint, utf8, type Hex } from '../verify/bytes.js'
import { keccak256 } from '../verify/hash.js'
import { TbsiError } from './errors.js'

/** Where the contract is on every network. */
export const ATTESTATIONS: Hex = '0x0000000000000000000000000000000000001001'

/** A transaction to send; it costs nothing. */
export interface Call {
  readonly to: Hex
  readonly data: Hex
}

const selector = (signature: string) => keccak256(utf8(signature)).slice(0, 4)

function call(signature: string, ...words: readonly Uint8Array[]): Call {
  return { to: ATTESTATIONS, data: toHex(concat(selector(signature), ...words)) }
}

/** `words` are those of all digests, in their order. */
export function attestCall(
  schema: Hex,
  algorithm: number,
  words: Uint8Array,
  batch: boolean,
): Call {
  const name = batch ? 'attestBatch' : 'attest'
  return call(
    `${name}(bytes32,uint32,bytes32[])`,
    hash('schema', schema), uint(algorithm, 32), uint(96, 32), uint(words.length / 32, 32), words)
}

export function revokeCall(id: Hex, reason: number): Call {
  if (!Number.isInteger(reason) || reason < 1 || reason > 8) {
    throw new TbsiError('argument', `reason ${reason}: 1 to 8 are known (SPEC §12.8)`)
  }
  return call('revoke(bytes32,uint16)', hash('id', id), uint(reason, 32))
}

export function supersedeCall(id: Hex, successor: Hex): Call {
  return call(
    'supersede(bytes32,bytes32)', hash('id', id), hash('successor', successor))
}

function hash(name: string, text: string): Uint8Array {
  const bytes = fromHex(text.toLowerCase())
  if (bytes?.length === 32) return bytes
  throw new TbsiError('argument', `${name} must be 32 bytes as 0x and 64 hex digits`)
}
