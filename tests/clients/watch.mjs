// Listeners against one node: viem over WebSocket and over HTTP with filters, ethers with filters
// and on a WebSocket that breaks.
import assert from 'node:assert/strict'
import { createServer, connect } from 'node:net'
import { Contract, JsonRpcProvider, WebSocketProvider } from 'ethers'
import {
  createPublicClient, createWalletClient, defineChain, http, webSocket,
} from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { ANSWER_MS, check, eventually, main, within } from './check.mjs'
import { compileNotebook } from './notebook.mjs'

const { abi, bytecode } = compileNotebook()

await main('watch', async (httpUrl, wsUrl) => {
  const id = await createPublicClient({ transport: http(httpUrl) }).getChainId()
  const chain = defineChain({
    id, name: 'TBSI', nativeCurrency: { name: 'none', symbol: 'NONE', decimals: 18 },
    rpcUrls: { default: { http: [httpUrl], webSocket: [wsUrl] } },
  })
  const account = privateKeyToAccount(generatePrivateKey())
  const client = createPublicClient({ chain, transport: http(), pollingInterval: 50 })
  const wallet = createWalletClient({ account, chain, transport: http() })
  const included = (hash) =>
    within(ANSWER_MS, client.waitForTransactionReceipt({ hash }), 'a receipt')
  const { contractAddress: address } = await included(await wallet.deployContract({ abi, bytecode }))
  const put = async (number) => included(
    await wallet.writeContract({ abi, address, functionName: 'put', args: [BigInt(number)] }))
  const node = { chain, address, put, httpUrl, wsUrl }

  await viem(node, 'viem over WebSocket', webSocket(), [])
  const asked = []
  const onFetchRequest = async (request) => {
    for (const { method } of [await request.clone().json()].flat()) asked.push(method)
  }
  await viem(node, 'viem over HTTP', http(httpUrl, { onFetchRequest }), asked)
  await check('viem over HTTP: watchEvent asked for filters, not for ranges again and again',
    async () => {
      for (const method of ['eth_newFilter', 'eth_getFilterChanges', 'eth_uninstallFilter']) {
        assert.ok(asked.includes(method), `${method} is not among ${[...new Set(asked)]}`)
      }
      assert.ok(!asked.includes('eth_getLogs'), 'eth_getLogs was needed')
    })
  await ethersFilters(node)
  await ethersReconnects(node)
})

/** watchBlocks and watchContractEvent, until both told of a transaction. */
async function viem({ chain, address, put }, name, transport) {
  await check(`${name}: watchBlocks, watchContractEvent`, async () => {
    const client = createPublicClient({ chain, transport, pollingInterval: 50 })
    const [logs, heads, errors] = [[], [], []]
    const onError = (error) => errors.push(error)
    const stops = [
      client.watchContractEvent({
        abi, address, eventName: 'Noted', onError, onLogs: (more) => logs.push(...more) }),
      client.watchBlocks({ onError, emitMissed: true, onBlock: (head) => heads.push(head) }),
    ]
    await announced(put, ({ transactionHash, blockHash }) =>
      logs.some((log) => log.transactionHash === transactionHash) &&
      heads.some((head) => head.hash === blockHash))
    assert.deepEqual(errors, [])
    for (const stop of stops) stop()
    // The filter is given back after a moment.
    await new Promise((resolve) => { setTimeout(resolve, 200) })
  })
}

/** What happens before a node has a subscription is not announced; what follows is. */
async function announced(put, seen) {
  const deadline = Date.now() + ANSWER_MS
  for (let number = 100; ; number += 1) {
    const receipt = await put(number)
    if (await eventually(2_000, () => seen(receipt))) return
    assert.ok(Date.now() < deadline, 'nothing was announced')
  }
}

async function ethersFilters({ address, put, httpUrl }) {
  await check('ethers over HTTP: contract.on with a filter', async () => {
    const provider = new JsonRpcProvider(httpUrl, undefined, { cacheTimeout: -1, pollingInterval: 50 })
    const asked = new Set()
    provider.on('debug', ({ action, payload }) => {
      if (action !== 'sendRpcPayload') return
      for (const { method } of [payload].flat()) asked.add(method)
    })
    const seen = new Set()
    const contract = new Contract(address, abi, provider)
    await contract.on('Noted', (...args) => seen.add(args.at(-1).log.transactionHash))
    await announced(put, ({ transactionHash }) => seen.has(transactionHash))
    await contract.removeAllListeners()
    provider.destroy()
    assert.ok(asked.has('eth_newFilter') && asked.has('eth_getFilterChanges'), [...asked].join())
  })
}

/** A WebSocket that breaks: the application makes another one and goes on where it was. */
async function ethersReconnects({ address, put, wsUrl }) {
  await check('ethers: a broken WebSocket, another one, no event is missed', async () => {
    const link = await breakable(new URL(wsUrl))
    const seen = []
    const listen = async () => {
      const provider = new WebSocketProvider(link.url)
      const contract = new Contract(address, abi, provider)
      await contract.on('Noted', (...args) => seen.push(args.at(-1).log.transactionHash))
      await provider.getBlockNumber()
      return { provider, contract }
    }
    const first = await listen()
    await announced(put, ({ transactionHash }) => seen.includes(transactionHash))
    const closed = new Promise((resolve) => { first.provider.websocket.onclose = resolve })
    link.cut()
    await within(ANSWER_MS, closed, 'the end of the connection')
    const missed = await put(7)
    const second = await listen()
    await announced(put, ({ transactionHash }) => seen.includes(transactionHash))
    const { Noted } = second.contract.filters
    const since = await second.contract.queryFilter(Noted(), Number(missed.blockNumber))
    assert.ok(since.some(({ transactionHash }) => transactionHash === missed.transactionHash))
    await second.provider.destroy()
    link.close()
  })
}

/** A TCP relay to a node whose connections can be cut. */
async function breakable({ hostname, port }) {
  const open = new Set()
  const server = createServer((near) => {
    const far = connect({ host: hostname, port: Number(port) })
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => { open.delete(socket); near.destroy(); far.destroy() })
    }
    near.pipe(far)
    far.pipe(near)
  })
  await new Promise((listening) => { server.listen(0, '127.0.0.1', listening) })
  return {
    url: `ws://127.0.0.1:${server.address().port}`,
    cut() { for (const socket of open) socket.destroy() },
    close() { this.cut(); server.close() },
  }
}
