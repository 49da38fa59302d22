// ethers against one node: a fresh key without funds, no fee options, every answer checked.
import assert from 'node:assert/strict'
import {
  Contract,
  ContractFactory,
  JsonRpcProvider,
  NonceManager,
  Wallet,
  WebSocketProvider,
  ZeroAddress,
  isError,
} from 'ethers'
import { ANSWER_MS, check, eventually, main, rejection, within } from './check.mjs'
import { compileNotebook } from './notebook.mjs'

const { abi, bytecode } = compileNotebook()
const NOBODY = '0x00000000000000000000000000000000000A11cE'
const BURST = 50

await main('ethers', async (httpUrl, wsUrl) => {
  // The defaults suit chains with slow blocks: ethers asks for new blocks every 4 s, and gives
  // the same answer for 250 ms, in which a transaction is final here and its nonce used.
  const options = { cacheTimeout: -1, pollingInterval: 50 }
  const provider = new JsonRpcProvider(httpUrl, undefined, options)
  const wallet = new Wallet(Wallet.createRandom().privateKey, provider)

  await freshAccount(provider, wallet)
  const notebook = await deployAndUse(provider, wallet)
  await transactionTypes(provider, wallet, notebook)
  await reverts(notebook)
  await blocks(provider, notebook)
  await refusals(provider, wallet)
  await batch(provider)
  await burst(provider, wallet, notebook)
  await subscriptions(wsUrl, notebook)
  await delegation(provider, wallet, notebook)
  await check('balance is 0 as before, whatever was sent', async () =>
    assert.equal(await provider.getBalance(wallet), 0n))
})

async function freshAccount(provider, wallet) {
  await check('network', async () => {
    const { chainId } = await provider.getNetwork()
    assert.equal(await provider.send('net_version', []), String(chainId))
  })
  await check('fees are 0', async () => {
    // Without a base fee ethers takes the chain for one without EIP-1559 fees.
    const { gasPrice, maxFeePerGas } = await provider.getFeeData()
    assert.deepEqual([gasPrice, maxFeePerGas], [0n, null])
  })
  await check('a fresh key has balance 0 and nonce 0', async () => {
    assert.equal(await provider.getBalance(wallet), 0n)
    assert.equal(await wallet.getNonce(), 0)
  })
}

async function deployAndUse(provider, wallet) {
  const notebook = await check('deploy a contract', async () => {
    const deployed = await new ContractFactory(abi, bytecode, wallet).deploy()
    const receipt = await included(deployed.deploymentTransaction())
    assert.equal(receipt.contractAddress, await deployed.getAddress())
    return new Contract(receipt.contractAddress, abi, wallet)
  })
  await check('code of the contract, none elsewhere', async () => {
    const code = await notebook.getDeployedCode()
    assert.ok(bytecode.endsWith(code.slice(2)), 'the creation code ends with the code')
    assert.equal(await provider.getCode(NOBODY), '0x')
  })
  await check('write and read', async () => {
    const before = await provider.getBlockNumber()
    const gasLimit = await notebook.put.estimateGas(42)
    // The estimate has to do when it is used exactly.
    const receipt = await included(await notebook.put(42, { gasLimit }))
    assert.equal(await notebook.get(), 42n)
    assert.equal(await notebook.get({ blockTag: before }), 0n)
    assert.equal(BigInt(await provider.getStorage(notebook, 0)), 42n)
    assert.equal(await wallet.getNonce(), 2)
    assert.equal(receipt.logs[0].eventName, 'Noted')
  })
  await check('events by topic', async () => {
    const [event, ...more] = await notebook.queryFilter(notebook.filters.Noted(wallet))
    assert.deepEqual([...event.args], [wallet.address, 42n])
    assert.deepEqual(more, [])
    assert.deepEqual(await notebook.queryFilter(notebook.filters.Noted(NOBODY)), [])
  })
  return notebook
}

async function transactionTypes(provider, wallet, notebook) {
  const data = notebook.interface.encodeFunctionData('put', [7])
  for (const type of [0, 1, 2]) {
    await check(`a transaction of type ${type}`, async () => {
      const sent = await wallet.sendTransaction({ to: notebook, data, type })
      const receipt = await included(sent)
      const found = await provider.getTransaction(sent.hash)
      assert.deepEqual([receipt.type, found.type, found.from], [type, type, wallet.address])
      assert.equal(found.blockHash, receipt.blockHash)
    })
  }
}

async function reverts(notebook) {
  const refused = async (number) => {
    const error = await rejection(notebook.put.staticCall(number), `put(${number})`)
    return coded(error, 'CALL_EXCEPTION')
  }
  await check('a custom error is decoded', async () => {
    const { revert } = await refused(13)
    assert.deepEqual([revert.name, [...revert.args]], ['Refused', [13n]])
  })
  await check('a reason string is decoded', async () =>
    assert.equal((await refused(1_000_000)).reason, 'number above 999999'))
  await check('a write that would revert is refused when its gas is estimated', async () => {
    const error = coded(await rejection(notebook.put(13), 'put(13)'), 'CALL_EXCEPTION')
    const { name } = notebook.interface.parseError(error.data)
    assert.deepEqual([error.action, name], ['estimateGas', 'Refused'])
  })
  await check('a reverted transaction has a receipt that says so', async () => {
    const sent = await notebook.put(13, { gasLimit: 100_000 })
    const error = coded(await rejection(sent.wait(), 'put(13)'), 'CALL_EXCEPTION')
    assert.deepEqual([error.receipt.status, error.receipt.gasPrice], [0, 0n])
  })
}

async function blocks(provider, notebook) {
  const receipt = await included(await notebook.put(99))
  for (const tag of ['latest', 'safe', 'finalized']) {
    await check(`block by tag ${tag} is final at once`, async () => {
      const block = await provider.getBlock(tag)
      assert.ok(block.number >= receipt.blockNumber, `${block.number} is too old`)
      assert.equal(block.baseFeePerGas, 0n)
    })
  }
  await check('block with its transactions', async () => {
    const block = await provider.getBlock(receipt.blockHash, true)
    const found = await block.getTransaction(receipt.index)
    assert.deepEqual([block.number, found.hash], [receipt.blockNumber, receipt.hash])
  })
}

async function refusals(provider, wallet) {
  const transfer = { to: NOBODY, gasLimit: 21_000, gasPrice: 0 }
  await check('a used nonce is NONCE_EXPIRED', async () => {
    const error = await rejection(wallet.sendTransaction({ ...transfer, nonce: 0 }), 'nonce 0')
    coded(error, 'NONCE_EXPIRED')
  })
  await check('value without funds is INSUFFICIENT_FUNDS', async () => {
    const sent = wallet.sendTransaction({ ...transfer, value: 10n ** 24n })
    coded(await rejection(sent, 'the transfer'), 'INSUFFICIENT_FUNDS')
  })
  await check("another chain's transaction is refused", async () => {
    const { chainId } = await provider.getNetwork()
    const nonce = await wallet.getNonce()
    const signed = await wallet.signTransaction({ ...transfer, nonce, chainId: chainId + 1n })
    const error = await rejection(provider.broadcastTransaction(signed), 'another chain id')
    // ethers has no code of its own for this; it hands on the node's words.
    assert.match(error.error.message, /invalid chain id/)
  })
  await check('an unknown method is UNSUPPORTED_OPERATION', async () =>
    coded(await rejection(provider.send('eth_foo', []), 'eth_foo'), 'UNSUPPORTED_OPERATION'))
}

async function batch(provider) {
  await check('100 requests in one batch', async () => {
    let largest = 0
    const observe = ({ action, payload }) => {
      if (action === 'sendRpcPayload' && Array.isArray(payload)) {
        largest = Math.max(largest, payload.length)
      }
    }
    await provider.on('debug', observe)
    const indices = Array.from({ length: 100 }, (_, index) => index)
    const counts = await Promise.all(indices.map((index) =>
      provider.getTransactionCount(`0x${(2 ** 40 + index).toString(16).padStart(40, '0')}`)))
    assert.deepEqual([counts, largest], [indices.map(() => 0), 100])
    await provider.off('debug', observe)
  })
}

async function burst(provider, wallet, notebook) {
  await check(`${BURST} transactions sent without waiting`, async () => {
    const manager = new NonceManager(wallet)
    const writer = notebook.connect(manager)
    const before = await wallet.getNonce()
    const numbers = Array.from({ length: BURST }, (_, index) => 1_000 + index)
    const sent = await Promise.all(numbers.map((number) => writer.put(number)))
    assert.equal(new Set(sent.map(({ nonce }) => nonce)).size, BURST)
    await Promise.all(sent.map(included))
    assert.equal(await wallet.getNonce(), before + BURST)
    const last = sent.reduce((one, other) => (one.nonce > other.nonce ? one : other))
    const [kept] = notebook.interface.decodeFunctionData('put', last.data)
    assert.equal(await notebook.get(), kept)
  })
}

async function subscriptions(wsUrl, notebook) {
  await check('WebSocket subscriptions to blocks and logs', async () => {
    const socket = new WebSocketProvider(wsUrl)
    const [logs, heads] = [new Set(), new Set()]
    const onNoted = (...args) => logs.add(args.at(-1).log.transactionHash)
    await notebook.connect(socket).on('Noted', onNoted)
    await socket.on('block', (number) => heads.add(number))
    // What happens before the node has both subscriptions is not announced; what follows is.
    let announced = false
    for (let number = 100; !announced; number += 1) {
      const receipt = await included(await notebook.put(number))
      announced = await eventually(2_000, () =>
        logs.has(receipt.hash) && heads.has(receipt.blockNumber))
    }
    await socket.destroy()
  })
}

async function delegation(provider, wallet, notebook) {
  await check('EIP-7702: an account delegates to a contract, and takes it back', async () => {
    const delegate = async (address, options) => {
      // The transaction itself uses the nonce before the authorization's.
      const nonce = await wallet.getNonce()
      const authorization = await wallet.authorize({ address, nonce: nonce + 1 })
      const sent = await wallet.sendTransaction({
        to: NOBODY, ...options, nonce, type: 4, authorizationList: [authorization] })
      assert.equal((await included(sent)).type, 4)
      return provider.getCode(wallet)
    }
    const data = notebook.interface.encodeFunctionData('put', [5])
    const code = await delegate(notebook.target, { to: wallet, data })
    assert.equal(code, `0xef0100${notebook.target.slice(2).toLowerCase()}`)
    assert.equal(await notebook.attach(wallet.address).get(), 5n)
    assert.equal(await delegate(ZeroAddress, {}), '0x')
  })
}

/** The receipt of a transaction that succeeded and cost nothing. */
async function included(sent) {
  const receipt = await within(ANSWER_MS, sent.wait(), 'a receipt')
  assert.deepEqual([receipt.status, receipt.gasPrice, receipt.fee], [1, 0n, 0n])
  return receipt
}

/** `error`, if ethers gave it this code; fails otherwise. */
function coded(error, code) {
  assert.ok(isError(error, code), `${code} is expected: ${error}`)
  return error
}
