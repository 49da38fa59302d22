/** Who signs and sends transactions: a browser's wallet, or a key. */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concat, fromHex, toHex, uint, type Hex } from '../verify/bytes.js'
import { keccak256 } from '../verify/hash.js'
import type { Call } from './calls.js'
import { TbsiError } from './errors.js'
import type { MethodName } from './methods.js'
import { Rpc } from './rpc.js'

/** An account that sends transactions. Adapters of viem and ethers make one, too. */
export interface Sender {
  /** In small letters. */
  address(): Promise<Hex>
  /** Of the chain that it would send to. */
  chainId(): Promise<bigint>
  /** The transaction's hash. */
  send(call: Call): Promise<Hex>
}

/** A provider of EIP-1193, as wallets inject it. */
export interface Eip1193Provider {
  request(args: { readonly method: string; readonly params?: readonly unknown[] }): Promise<unknown>
}

/** The wallet of a browser. Asks for an account when it is used first. */
export function walletSender(provider: Eip1193Provider): Sender {
  const ask = async (method: string, params: readonly unknown[] = []) =>
    String(await provider.request({ method, params }))
  const address = async () => {
    const accounts = await provider.request({ method: 'eth_requestAccounts' })
    const first = Array.isArray(accounts) ? accounts[0] : undefined
    if (typeof first === 'string') return first.toLowerCase() as Hex
    throw new TbsiError('argument', 'the wallet shows no account')
  }
  return {
    address,
    chainId: async () => BigInt(await ask('eth_chainId')),
    send: async ({ to, data }) =>
      (await ask('eth_sendTransaction', [{ from: await address(), to, data, value: '0x0' }])) as Hex,
  }
}

/** A secret key of 32 bytes, in this process. Its account needs no funds. */
export function keySender(secret: Uint8Array | Hex, url: string | Rpc): Sender {
  const rpc = typeof url === 'string' ? new Rpc(url) : url
  const key = typeof secret === 'string' ? fromHex(secret.toLowerCase()) : secret
  if (key === undefined || !secp256k1.utils.isValidSecretKey(key)) {
    throw new TbsiError('argument', 'a secret key is 32 bytes as 0x and 64 hex digits')
  }
  const point = secp256k1.getPublicKey(key, false)
  const from = toHex(keccak256(point.slice(1)).slice(12))
  const quantity = async (method: MethodName, ...params: readonly unknown[]) =>
    BigInt(String(await rpc.call(method, ...params)))
  const sendNow = async ({ to, data }: Call): Promise<Hex> => {
    const chainId = await quantity('eth_chainId')
    const nonce = await quantity('eth_getTransactionCount', from, 'pending')
    const gas = await quantity('eth_estimateGas', { from, to, data })
    const signed = signTransaction(key, { chainId, nonce, gas, to, data })
    return String(await rpc.call('eth_sendRawTransaction', toHex(signed))) as Hex
  }
  // One after the other, or two would have one nonce.
  let last: Promise<unknown> = Promise.resolve()
  return {
    address: () => Promise.resolve(from),
    chainId: () => quantity('eth_chainId'),
    send: (call) => {
      const sent = last.then(() => sendNow(call))
      last = sent.catch(() => undefined)
      return sent
    },
  }
}

/** A transaction of EIP-1559 without fees, signed. */
function signTransaction(
  key: Uint8Array,
  of: { chainId: bigint; nonce: bigint; gas: bigint; to: Hex; data: Hex },
): Uint8Array {
  const bytes = (text: Hex) => fromHex(text) ?? new Uint8Array()
  const fields = [
    number(of.chainId), number(of.nonce), number(0n), number(0n), number(of.gas),
    string(bytes(of.to)), number(0n), string(bytes(of.data)), list([]),
  ]
  const type = new Uint8Array([2])
  const digest = keccak256(type, list(fields))
  const signature = secp256k1.sign(digest, key, { prehash: false, format: 'recovered' })
  const { r, s, recovery } = secp256k1.Signature.fromBytes(signature, 'recovered')
  return concat(type, list([...fields, number(BigInt(recovery ?? 0)), number(r), number(s)]))
}

/** RLP of a number, a byte string, a list. */
function number(value: bigint): Uint8Array {
  return string(minimal(value))
}

function minimal(value: bigint): Uint8Array {
  const digits = value === 0n ? '' : value.toString(16)
  return uint(value, Math.ceil(digits.length / 2))
}

function string(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 1 && (bytes[0] as number) < 0x80) return bytes
  return concat(head(0x80, bytes.length), bytes)
}

function list(items: readonly Uint8Array[]): Uint8Array {
  const body = concat(...items)
  return concat(head(0xc0, body.length), body)
}

function head(base: number, length: number): Uint8Array {
  if (length < 56) return new Uint8Array([base + length])
  const size = minimal(BigInt(length))
  return concat(new Uint8Array([base + 55 + size.length]), size)
}
