// viem against one node: a fresh key without funds, no fee options, every answer checked.
import assert from 'node:assert/strict'
import {
  BaseError,
  ContractFunctionRevertedError,
  InsufficientFundsError,
  InvalidInputRpcError,
  MethodNotFoundRpcError,
  NonceTooLowError,
  createPublicClient,
  createWalletClient,
  defineChain,
  encodeFunctionData,
  http,
  toHex,
  webSocket,
  zeroAddress,
} from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { ANSWER_MS, check, eventually, main, rejection, within } from './check.mjs'
import { compileNotebook } from './notebook.mjs'
import { verifyAbsence, verifyProof } from './proof.mjs'

const { abi, bytecode } = compileNotebook()
const NOBODY = '0x00000000000000000000000000000000000a11ce'

await main('viem', async (httpUrl, wsUrl) => {
  const id = await createPublicClient({ transport: http(httpUrl) }).getChainId()
  const chain = defineChain({
    id,
    name: 'TBSI',
    nativeCurrency: { name: 'none', symbol: 'NONE', decimals: 18 },
    rpcUrls: { default: { http: [httpUrl], webSocket: [wsUrl] } },
  })
  const account = privateKeyToAccount(generatePrivateKey())
  const client = createPublicClient({ chain, transport: http(), pollingInterval: 50 })
  const wallet = createWalletClient({ account, chain, transport: http() })
  const node = { chain, account, client, wallet }

  await freshAccount(node)
  const notebook = await deployAndUse(node)
  await transactionTypes(node, notebook)
  await reverts(node, notebook)
  await blocksAndProofs(node, notebook)
  await refusals(node)
  await batch(node)
  await subscriptions(node, notebook)
  await delegation(node, notebook)
  await check('balance is 0 as before, whatever was sent', async () =>
    assert.equal(await client.getBalance(account), 0n))
})

async function freshAccount({ chain, account, client }) {
  await check('chain id, network id and client version', async () => {
    assert.equal(await client.request({ method: 'net_version' }), String(chain.id))
    assert.match(await client.request({ method: 'web3_clientVersion' }), /\S+\/\S+/)
  })
  await check('fees are 0', async () => {
    assert.equal(await client.getGasPrice(), 0n)
    const { maxFeePerGas, maxPriorityFeePerGas } = await client.estimateFeesPerGas()
    assert.deepEqual([maxFeePerGas, maxPriorityFeePerGas], [0n, 0n])
    const history = await client.getFeeHistory({ blockCount: 1, rewardPercentiles: [50] })
    assert.deepEqual(history.baseFeePerGas, [0n, 0n])
    assert.deepEqual(history.reward, [[0n]])
  })
  await check('a fresh key has balance 0 and nonce 0', async () => {
    assert.equal(await client.getBalance(account), 0n)
    assert.equal(await client.getTransactionCount(account), 0)
  })
}

async function deployAndUse({ account, client, wallet }) {
  const deployed = await check('deploy a contract', async () => {
    const hash = await wallet.deployContract({ abi, bytecode })
    return included(client, hash)
  })
  const notebook = { abi, address: deployed.contractAddress }
  await check('code of the contract, none elsewhere', async () => {
    const code = await client.getCode(notebook)
    assert.ok(bytecode.endsWith(code.slice(2)), 'the creation code ends with the code')
    assert.equal(await client.getCode({ address: NOBODY }), undefined)
  })
  await check('write and read', async () => {
    assert.equal(await client.readContract({ ...notebook, functionName: 'get' }), 0n)
    const gas = await client.estimateContractGas({ ...put(notebook, 42n), account })
    // The estimate has to do when it is used exactly.
    const hash = await wallet.writeContract({ ...put(notebook, 42n), gas })
    const receipt = await included(client, hash)
    assert.ok(receipt.gasUsed <= gas)
    assert.equal(await client.readContract({ ...notebook, functionName: 'get' }), 42n)
    assert.equal(await client.getTransactionCount(account), 2)
  })
  await check('past state by height', async () => {
    const before = { ...notebook, functionName: 'get', blockNumber: deployed.blockNumber }
    assert.equal(await client.readContract(before), 0n)
  })
  await check('events by contract, topic and range', async () => {
    const range = { fromBlock: deployed.blockNumber, toBlock: 'latest' }
    const events = (writer) =>
      client.getContractEvents({ ...notebook, ...range, eventName: 'Noted', args: { writer } })
    const [event, ...more] = await events(account.address)
    assert.deepEqual(event.args, { writer: account.address, number: 42n })
    assert.deepEqual([more, await events(NOBODY)], [[], []])
    const block = await client.getBlock({ blockHash: event.blockHash })
    assert.deepEqual(block.transactions, [event.transactionHash])
  })
  return notebook
}

async function transactionTypes({ account, client, wallet }, notebook) {
  const list = [{ address: notebook.address, storageKeys: [`0x${'0'.repeat(64)}`] }]
  const cases = [
    ['legacy', {}],
    ['eip2930', { accessList: list }],
    ['eip1559', { accessList: list }],
  ]
  for (const [type, options] of cases) {
    await check(`a transaction of type ${type}`, async () => {
      const hash = await wallet.writeContract({ ...put(notebook, 7n), type, ...options })
      const receipt = await included(client, hash)
      const transaction = await client.getTransaction({ hash })
      assert.deepEqual([receipt.type, transaction.type], [type, type])
      assert.equal(transaction.from, account.address.toLowerCase())
      assert.equal(transaction.gasPrice, 0n)
      assert.deepEqual(transaction.accessList, type === 'legacy' ? undefined : list)
    })
  }
}

async function reverts({ account, client, wallet }, notebook) {
  const refused = async (number) => {
    const simulated = client.simulateContract({ ...put(notebook, number), account })
    const error = await rejection(simulated, `put(${number})`)
    return typed(error, ContractFunctionRevertedError)
  }
  await check('a custom error is decoded', async () => {
    const { data } = await refused(13n)
    assert.deepEqual([data.errorName, data.args], ['Refused', [13n]])
  })
  await check('a reason string is decoded', async () => {
    assert.equal((await refused(1_000_000n)).reason, 'number above 999999')
  })
  await check('a write that would revert is refused when its gas is estimated', async () => {
    const error = await rejection(wallet.writeContract(put(notebook, 13n)), 'put(13)')
    assert.equal(typed(error, ContractFunctionRevertedError).data.errorName, 'Refused')
  })
  await check('a reverted transaction has a receipt that says so', async () => {
    const hash = await wallet.writeContract({ ...put(notebook, 13n), gas: 100_000n })
    const receipt = await within(ANSWER_MS, client.waitForTransactionReceipt({ hash }), 'receipt')
    assert.deepEqual([receipt.status, receipt.logs], ['reverted', []])
    assert.equal(await client.readContract({ ...notebook, functionName: 'get' }), 7n)
  })
}

async function blocksAndProofs({ account, client, wallet }, notebook) {
  const { blockNumber, transactionHash } = await included(
    client, await wallet.writeContract(put(notebook, 99n)))
  for (const blockTag of ['latest', 'safe', 'finalized']) {
    await check(`block by tag ${blockTag} is final at once`, async () => {
      const block = await client.getBlock({ blockTag })
      assert.ok(block.number >= blockNumber, `${block.number} is before ${blockNumber}`)
      assert.equal(block.baseFeePerGas, 0n)
      assert.deepEqual(await client.getBlock({ blockHash: block.hash }), block)
    })
  }
  await check('block with its transactions', async () => {
    const block = await client.getBlock({ blockNumber, includeTransactions: true })
    const found = block.transactions.find(({ hash }) => hash === transactionHash)
    assert.deepEqual(found, await client.getTransaction({ hash: transactionHash }))
    assert.equal(await client.getBlockTransactionCount({ blockNumber }), block.transactions.length)
  })
  await check('proofs of account, storage and absence follow from the state root', async () => {
    const { stateRoot } = await client.getBlock({ blockNumber })
    const prove = (address, storageKeys) => client.getProof({ address, storageKeys, blockNumber })
    const slots = [0, 1].map((slot) => `0x${slot.toString(16).padStart(64, '0')}`)
    const proof = await prove(notebook.address, slots)
    assert.deepEqual(proof.storageProof.map(({ value }) => value), [99n, 0n])
    verifyProof(stateRoot, proof)
    verifyProof(stateRoot, await prove(account.address, []))
    verifyAbsence(stateRoot, await prove(NOBODY, []))
    assert.throws(() => verifyProof(stateRoot, { ...proof, balance: 1n }))
    assert.throws(() => verifyAbsence(stateRoot, proof))
  })
  await check('storage by slot', async () => {
    const value = await client.getStorageAt({ address: notebook.address, slot: '0x0' })
    assert.equal(BigInt(value), 99n)
  })
}

async function refusals({ chain, account, client, wallet }) {
  const transfer = { to: NOBODY, value: 0n, gas: 21_000n }
  await check('a used nonce is NonceTooLowError', async () => {
    const error = await rejection(wallet.sendTransaction({ ...transfer, nonce: 0 }), 'nonce 0')
    typed(error, NonceTooLowError)
  })
  await check('value without funds is InsufficientFundsError', async () => {
    const value = 10n ** 24n
    const error = await rejection(wallet.sendTransaction({ ...transfer, value }), 'the transfer')
    typed(error, InsufficientFundsError)
  })
  await check("another chain's transaction is refused", async () => {
    const nonce = await client.getTransactionCount(account)
    const fees = { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }
    const other = { ...transfer, ...fees, nonce, chainId: chain.id + 1 }
    const sent = wallet.sendRawTransaction({
      serializedTransaction: await account.signTransaction(other) })
    const refused = typed(await rejection(sent, 'another chain id'), InvalidInputRpcError)
    assert.match(refused.details, /invalid chain id/)
  })
  await check('an unknown method is MethodNotFoundRpcError', async () => {
    const error = await rejection(client.request({ method: 'eth_foo' }), 'eth_foo')
    typed(error, MethodNotFoundRpcError)
    assert.match(error.details, /the method eth_foo does not exist\/is not available/)
  })
}

async function batch({ chain }) {
  await check('100 requests in one batch', async () => {
    let fetches = 0
    const onFetchRequest = () => { fetches += 1 }
    const transport = http(undefined, { batch: true, onFetchRequest })
    const client = createPublicClient({ chain, transport })
    const indices = Array.from({ length: 100 }, (_, index) => index)
    const balances = await Promise.all(indices.map((index) =>
      client.getBalance({ address: toHex(2 ** 40 + index, { size: 20 }) })))
    assert.deepEqual([balances, fetches], [indices.map(() => 0n), 1])
  })
}

async function subscriptions({ chain, client, wallet }, notebook) {
  await check('WebSocket subscriptions to blocks and logs', async () => {
    const socket = createPublicClient({ chain, transport: webSocket() })
    const [logs, heads, errors] = [[], [], []]
    const onError = (error) => errors.push(error)
    const stopLogs = socket.watchContractEvent({
      ...notebook, eventName: 'Noted', onError, onLogs: (more) => logs.push(...more) })
    const stopHeads = socket.watchBlocks({ onError, onBlock: (head) => heads.push(head) })
    // What happens before the node has both subscriptions is not announced; what follows is.
    let announced = false
    for (let number = 100n; !announced; number += 1n) {
      const receipt = await included(client, await wallet.writeContract(put(notebook, number)))
      announced = await eventually(2_000, () =>
        logs.some(({ transactionHash }) => transactionHash === receipt.transactionHash) &&
        heads.some(({ hash }) => hash === receipt.blockHash))
      assert.deepEqual(errors, [])
    }
    stopLogs()
    stopHeads()
  })
}

async function delegation({ account, client, wallet }, notebook) {
  await check('EIP-7702: an account delegates to a contract, and takes it back', async () => {
    const delegate = async (contractAddress, options) => {
      const authorization = await wallet.signAuthorization({ contractAddress, executor: 'self' })
      const authorizationList = [authorization]
      const hash = await wallet.sendTransaction({ to: NOBODY, ...options, authorizationList })
      assert.equal((await included(client, hash)).type, 'eip7702')
      return client.getCode(account)
    }
    const data = encodeFunctionData(put(notebook, 5n))
    const code = await delegate(notebook.address, { to: account.address, data })
    assert.equal(code, `0xef0100${notebook.address.slice(2)}`)
    const own = { abi, address: account.address, functionName: 'get' }
    assert.equal(await client.readContract(own), 5n)
    assert.equal(await delegate(zeroAddress, {}), undefined)
  })
}

function put(notebook, number) {
  return { ...notebook, functionName: 'put', args: [number] }
}

/** The receipt of a transaction that succeeded and cost nothing. */
async function included(client, hash) {
  const receipt = await within(ANSWER_MS, client.waitForTransactionReceipt({ hash }), 'a receipt')
  assert.deepEqual([receipt.status, receipt.effectiveGasPrice], ['success', 0n])
  return receipt
}

/** The cause of `error` that is a `type`; fails if there is none. */
function typed(error, type) {
  const cause = error instanceof BaseError ? error.walk((inner) => inner instanceof type) : null
  assert.ok(cause, `a ${type.name} is expected: ${error}`)
  return cause
}
