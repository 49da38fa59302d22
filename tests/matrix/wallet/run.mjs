// MetaMask's controllers against one node: they learn of the network, ask for fees, send what a
// fresh account without funds signed, and follow it; and Sign-In with Ethereum, for an account and
// for a contract.
import assert from 'node:assert/strict'
import { GasFeeController } from '@metamask/gas-fee-controller'
import { Messenger } from '@metamask/messenger'
import { NetworkController } from '@metamask/network-controller'
import { JsonRpcProvider, Wallet } from 'ethers'
import { SiweMessage, generateNonce } from 'siwe'
import { ANSWER_MS, check, eventually, main, rejection } from '../../clients/check.mjs'

/** Above this MetaMask refuses a chain id. */
const MAX_SAFE_CHAIN_ID = 4503599627370476n
const NOBODY = '0x00000000000000000000000000000000000A11cE'
/** Creation code of a contract that approves of every signature (ERC-1271). */
const APPROVES = '0x6f631626ba7e60e01b60005260206000f360005260106010f3'

await main('wallet', async (httpUrl) => {
  const ethers = new JsonRpcProvider(httpUrl, undefined, { cacheTimeout: -1, pollingInterval: 50 })
  const account = Wallet.createRandom()
  const root = new Messenger({ namespace: 'Root' })
  const messenger = (namespace, actions = [], events = []) => {
    const own = new Messenger({ namespace, parent: root })
    root.delegate({ messenger: own, actions, events })
    return own
  }
  const network = new NetworkController({
    messenger: messenger('NetworkController'), infuraProjectId: '0'.repeat(32),
    getRpcServiceOptions: () => ({ fetch: globalThis.fetch, btoa: globalThis.btoa }),
    getBlockTrackerOptions: () => ({ pollingInterval: 100 }),
  })

  const { chainId, client } = await check('a network is added: its ids agree and are safe', async () => {
    const chainId = await ethers.send('eth_chainId', [])
    assert.ok(BigInt(chainId) <= MAX_SAFE_CHAIN_ID)
    assert.equal(BigInt(await ethers.send('net_version', [])), BigInt(chainId))
    const { rpcEndpoints } = network.addNetwork({
      chainId, name: 'TBSI', nativeCurrency: 'NONE', blockExplorerUrls: [],
      defaultRpcEndpointIndex: 0, rpcEndpoints: [{ type: 'custom', name: 'node', url: httpUrl }],
    })
    const [{ networkClientId }] = rpcEndpoints
    await network.setActiveNetwork(networkClientId)
    assert.equal(await network.getEIP1559Compatibility(networkClientId), true)
    return { chainId, client: network.getNetworkClientById(networkClientId) }
  })
  const ask = (method, ...params) => client.provider.request({ method, params })

  const fee = await check('fees: 0, by eth_gasPrice', async () => {
    const gas = new GasFeeController({
      messenger: messenger('GasFeeController'),
      getCurrentNetworkEIP1559Compatibility: () => network.getEIP1559Compatibility(),
      getCurrentNetworkLegacyGasAPICompatibility: () => false,
      getChainId: () => chainId,
      getProvider: () => client.provider,
      onNetworkDidChange: () => undefined,
      // There is none for this network.
      EIP1559APIEndpoint: `${httpUrl}/gas/<chain_id>`,
      legacyAPIEndpoint: `${httpUrl}/legacy/<chain_id>`,
    })
    const found = await gas.fetchGasFeeEstimates({ shouldUpdateState: false })
    gas.destroy()
    assert.equal(found.gasEstimateType, 'eth_gasPrice')
    assert.equal(Number(found.gasFeeEstimates.gasPrice), 0)
    return BigInt(found.gasFeeEstimates.gasPrice)
  })
  const signed = await check('estimate, nonce, sign, send, follow to the receipt', async () => {
    const { address: from } = account
    const nonce = await ask('eth_getTransactionCount', from, 'pending')
    const gas = await ask('eth_estimateGas', { from, to: NOBODY, value: '0x0' })
    // MetaMask puts the price into both fields of EIP-1559.
    const raw = await account.signTransaction({
      type: 2, to: NOBODY, nonce: Number(nonce), gasLimit: gas, chainId,
      maxFeePerGas: fee, maxPriorityFeePerGas: fee })
    const hash = await ask('eth_sendRawTransaction', raw)
    let receipt = null
    const latest = new Set()
    client.blockTracker.on('latest', (number) => latest.add(number))
    const poll = setInterval(async () => {
      receipt ??= await ask('eth_getTransactionReceipt', hash).catch(() => null)
    }, 100)
    const seen = await eventually(ANSWER_MS, () => receipt !== null)
    clearInterval(poll)
    client.blockTracker.removeAllListeners()
    assert.ok(seen, 'no receipt')
    assert.deepEqual([receipt.status, receipt.effectiveGasPrice], ['0x1', '0x0'])
    return raw
  })
  await check('a used nonce is told in the words that MetaMask looks for', async () => {
    const error = await rejection(ask('eth_sendRawTransaction', signed), 'the transaction')
    assert.match(JSON.stringify([error.message, error.data]), /nonce too low|already known/)
  })
  await check('Sign-In with Ethereum: an account', async () => {
    const message = siwe(account.address, chainId)
    const signature = await account.signMessage(message.prepareMessage())
    const { success } = await message.verify({ signature }, { provider: ethers })
    assert.ok(success)
    const other = await Wallet.createRandom().signMessage(message.prepareMessage())
    const refused = await message.verify({ signature: other }, { provider: ethers, suppressExceptions: true })
    assert.equal(refused.success, false)
  })
  await check('Sign-In with Ethereum: a contract (ERC-1271)', async () => {
    const sent = await account.connect(ethers).sendTransaction({ data: APPROVES })
    const { contractAddress } = await sent.wait()
    const message = siwe(contractAddress, chainId)
    const signature = await account.signMessage('anything')
    const { success } = await message.verify({ signature }, { provider: ethers })
    assert.ok(success)
  })
})

function siwe(address, chainId) {
  return new SiweMessage({
    domain: 'example.org', address, uri: 'https://example.org/login', version: '1',
    chainId: Number(chainId), nonce: generateNonce(), statement: 'Sign in.' })
}
