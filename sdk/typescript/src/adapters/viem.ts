/** A wallet client of viem as a sender. */
import type { WalletClient } from 'viem'
import { TbsiError } from '../client/errors.js'
import type { Sender } from '../client/sender.js'
import type { Hex } from '../verify/bytes.js'

/** `wallet` needs an account; gas and nonce are viem's concern. */
export function viemSender(wallet: WalletClient): Sender {
  const account = () => {
    if (wallet.account !== undefined) return wallet.account
    throw new TbsiError('argument', 'give the wallet client an account')
  }
  return {
    address: () => Promise.resolve(account().address.toLowerCase() as Hex),
    chainId: async () => BigInt(await wallet.getChainId()),
    send: ({ to, data }) =>
      wallet.sendTransaction({ account: account(), chain: wallet.chain ?? null, to, data }),
  }
}
