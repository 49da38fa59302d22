/** What can go wrong between a program and a node. */

export type ErrorKind =
  /** An argument cannot be; the message names it. */
  | 'argument'
  /** No answer, or none that could be read. Trying again may help. */
  | 'network'
  /** The node refused the call; `rpcCode` and `data` are its own. */
  | 'rpc'
  /** The transaction was dropped or failed: nothing was attested. */
  | 'refused'
  /** Not final in time. It may still become so: ask `transactionStatus`. */
  | 'timeout'
  /** The wallet is on another chain than the node. */
  | 'otherChain'
  /** The node's answer does not prove what it says. */
  | 'unproven'
  /** A subscription ended; `fromIndex` is where to go on. */
  | 'ended'

export class TbsiError extends Error {
  override readonly name = 'TbsiError'
  readonly rpcCode?: number
  readonly data?: unknown
  readonly transactionHash?: string
  readonly fromIndex?: bigint

  constructor(
    readonly kind: ErrorKind,
    message: string,
    more: {
      readonly cause?: unknown
      readonly rpcCode?: number
      readonly data?: unknown
      readonly transactionHash?: string
      readonly fromIndex?: bigint
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    const { cause: _, ...rest } = more
    Object.assign(this, rest)
  }
}
