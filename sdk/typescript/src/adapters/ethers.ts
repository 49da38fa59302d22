/** A signer of ethers 6 as a sender. */
import type { Signer } from 'ethers'
import { TbsiError } from '../client/errors.js'
import type { Sender } from '../client/sender.js'
import type { Hex } from '../verify/bytes.js'

/** `signer` needs a provider. */
export function ethersSender(signer: Signer): Sender {
  return {
    address: async () => (await signer.getAddress()).toLowerCase() as Hex,
    chainId: async () => {
      const network = await signer.provider?.getNetwork()
      if (network !== undefined) return network.chainId
      throw new TbsiError('argument', 'connect the signer to a provider')
    },
    send: async (call) => (await signer.sendTransaction(call)).hash as Hex,
  }
}
