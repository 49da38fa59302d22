// The Besu connector of Hyperledger Cactus against one node: deploy, send, call, and a transaction
// that was signed elsewhere; with a fresh key without funds.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { check, main } from '../../clients/check.mjs'
import { compileNotebook } from '../../clients/notebook.mjs'

const load = createRequire(import.meta.url)
const {
  EthContractInvocationType, PluginLedgerConnectorBesu, ReceiptType, Web3SigningCredentialType,
} = load('@hyperledger/cactus-plugin-ledger-connector-besu')
const { PluginRegistry } = load('@hyperledger/cactus-core')
const { PluginAspect } = load('@hyperledger/cactus-core-api')
// The one that the connector has.
const Web3 = createRequire(load.resolve('@hyperledger/cactus-plugin-ledger-connector-besu'))('web3')
const NAME = 'Notebook'
const GAS = 1_000_000

/** Where the connector keeps contracts; Cactus' own in memory is not to be had in this version. */
function keychainOf(entries) {
  const [instanceId, keychainId] = [randomUUID(), randomUUID()]
  return {
    getInstanceId: () => instanceId,
    getKeychainId: () => keychainId,
    getPackageName: () => 'tbsi-keychain',
    getAspect: () => PluginAspect.KEYCHAIN,
    get: async (key) => entries.get(key),
    has: async (key) => entries.has(key),
    set: async (key, value) => { entries.set(key, value) },
    delete: async (key) => { entries.delete(key) },
  }
}

await main('cactus', async (httpUrl, wsUrl) => {
  const { abi, bytecode } = compileNotebook()
  const keychain = keychainOf(
    new Map([[NAME, { contractName: NAME, abi, bytecode, networks: {} }]]))
  const connector = new PluginLedgerConnectorBesu({
    instanceId: randomUUID(), rpcApiHttpHost: httpUrl, rpcApiWsHost: wsUrl, logLevel: 'ERROR',
    pluginRegistry: new PluginRegistry({ plugins: [keychain] }),
  })
  const web3 = new Web3(httpUrl)
  const account = web3.eth.accounts.create()
  const credential = {
    ethAccount: account.address, secret: account.privateKey,
    type: Web3SigningCredentialType.PRIVATEKEYHEX,
  }
  const contract = { contractName: NAME, keychainId: keychain.getKeychainId() }
  const invoke = (invocationType, methodName, params) => connector.invokeContract({
    ...contract, invocationType, methodName, params, signingCredential: credential, gas: GAS })

  const address = await check('deploy', async () => {
    const { transactionReceipt } = await connector.deployContract({
      ...contract, contractAbi: abi, bytecode, constructorArgs: [], gas: GAS,
      web3SigningCredential: credential,
    })
    assert.ok(transactionReceipt.status)
    return transactionReceipt.contractAddress
  })
  await check('send to the contract, and call it', async () => {
    const { success } = await invoke(EthContractInvocationType.SEND, 'put', [42])
    assert.ok(success)
    const { callOutput } = await invoke(EthContractInvocationType.CALL, 'get', [])
    assert.equal(callOutput, '42')
  })
  const transact = (web3SigningCredential, transactionConfig) => connector.transact({
    web3SigningCredential, transactionConfig,
    consistencyStrategy: {
      blockConfirmations: 0, receiptType: ReceiptType.LEDGERBLOCKACK, timeoutMs: 30_000 },
  })
  await check('send with a key', async () => {
    const { transactionReceipt } = await transact(credential, {
      from: account.address, to: '0x00000000000000000000000000000000000A11cE', value: 0, gas: GAS })
    assert.ok(transactionReceipt.status)
  })
  await check('a transaction that was signed elsewhere', async () => {
    const other = web3.eth.accounts.create()
    const data = new web3.eth.Contract(abi).methods.put(7).encodeABI()
    const { rawTransaction } = await web3.eth.accounts.signTransaction(
      { to: address, data, gas: GAS, gasPrice: 0, nonce: 0, chainId: await web3.eth.getChainId() },
      other.privateKey)
    const { transactionReceipt } = await transact(
      { type: Web3SigningCredentialType.NONE }, { rawTransaction })
    assert.ok(transactionReceipt.status)
    const { callOutput } = await invoke(EthContractInvocationType.CALL, 'get', [])
    assert.equal(callOutput, '7')
  })
})
