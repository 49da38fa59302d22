// web3.js 1.x against one node: a fresh key without funds, no fee options; and hundreds of
// transactions with rising nonces on one WebSocket without waiting for any.
import assert from 'node:assert/strict'
import Web3 from 'web3'
import { ANSWER_MS, check, main, within } from '../../clients/check.mjs'
import { compileNotebook } from '../../clients/notebook.mjs'

const { abi, bytecode } = compileNotebook()
const PIPELINED = 400
/** Of requests that web3.js does not number. */
let nextId = 1_000_000

await main('web3js', async (httpUrl, wsUrl) => {
  const web3 = new Web3(new Web3.providers.WebsocketProvider(wsUrl))
  web3.eth.transactionPollingInterval = 100
  const account = web3.eth.accounts.create()
  web3.eth.accounts.wallet.add(account)
  const from = account.address

  const notebook = await check('deploy, call, send, events', async () => {
    const creation = new web3.eth.Contract(abi).deploy({ data: bytecode })
    const deployed = await creation.send({ from, gas: await creation.estimateGas({ from }) })
    const put = deployed.methods.put(42)
    const receipt = await put.send({ from, gas: await put.estimateGas({ from }) })
    assert.equal(receipt.effectiveGasPrice, 0)
    assert.equal(await deployed.methods.get().call(), '42')
    const [event] = await deployed.getPastEvents('Noted', { fromBlock: receipt.blockNumber })
    assert.equal(event.returnValues.number, '42')
    return deployed
  })
  await check(`${PIPELINED} transactions in order on one WebSocket, none waited for`, async () => {
    const first = await web3.eth.getTransactionCount(from)
    const chainId = await web3.eth.getChainId()
    const signed = await Promise.all(Array.from({ length: PIPELINED }, (_, index) =>
      web3.eth.accounts.signTransaction({
        to: notebook.options.address, data: notebook.methods.put(1_000 + index).encodeABI(),
        nonce: first + index, gas: 100_000, gasPrice: 0, chainId,
      }, account.privateKey)))
    const sent = signed.map(({ rawTransaction }) => sendRaw(web3, rawTransaction))
    await within(ANSWER_MS * 2, Promise.all(sent), 'the answers')
    await finalized(web3, from, first + PIPELINED)
    assert.equal(await notebook.methods.get().call(), String(1_000 + PIPELINED - 1))
  })
  await check('logs arrive by subscription', async () => {
    const seen = new Promise((resolve, reject) => {
      notebook.events.Noted().on('data', resolve).on('error', reject).on('connected', () => {
        const put = notebook.methods.put(7)
        put.estimateGas({ from }).then((gas) => put.send({ from, gas })).catch(reject)
      })
    })
    const event = await within(ANSWER_MS, seen, 'the event')
    assert.equal(event.returnValues.number, '7')
  })
})

/** Hands in a signed transaction and returns what the node answers, without waiting for more. */
function sendRaw(web3, raw) {
  return new Promise((resolve, reject) => {
    const payload = { jsonrpc: '2.0', id: nextId++, method: 'eth_sendRawTransaction', params: [raw] }
    web3.currentProvider.send(payload, (error, answer) => {
      if (error) reject(error)
      else if (answer.error) reject(new Error(answer.error.message))
      else resolve(answer.result)
    })
  })
}
async function finalized(web3, from, nonce) {
  const deadline = Date.now() + ANSWER_MS
  while (await web3.eth.getTransactionCount(from, 'finalized') < nonce) {
    assert.ok(Date.now() < deadline, 'not all are final')
    await new Promise((resolve) => { setTimeout(resolve, 50) })
  }
}
