// cast against one node: a fresh key without funds, no fee options, every answer checked.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { ANSWER_MS, check, main, rejection } from './check.mjs'
import { foundry } from './foundry.mjs'
import { compileNotebook } from './notebook.mjs'

const { bytecode } = compileNotebook()
const BINARY = foundry('cast')
const NOBODY = '0x00000000000000000000000000000000000A11cE'
const PUT = 'put(uint256)'
const GAS_LIMIT = ['--gas-limit', '21000']

await main('cast', async (httpUrl, wsUrl) => {
  const [{ address, private_key: key }] = JSON.parse(await run({}, 'wallet', 'new', '--json'))
  const environment = { ETH_RPC_URL: httpUrl }
  const cast = (...words) => run(environment, ...words)
  const send = async (...words) =>
    included(JSON.parse(await cast('send', '--json', '--private-key', key, ...words)))
  const node = { address, key, cast, send }

  await freshAccount(node)
  const notebook = await deployAndUse(node)
  await reads(node, notebook)
  await check('cast block-number, over WebSocket', async () => {
    const height = await run({ ETH_RPC_URL: wsUrl }, 'block-number')
    assert.ok(Number(height) >= notebook.height, height)
  })
  await again(node, notebook)
  await reverts(node, notebook)
  await transactionTypes(node, notebook)
  await refusals(node)
  await check('cast balance: 0 as before, whatever was sent', async () =>
    assert.equal(await cast('balance', address), '0'))
})

async function freshAccount({ address, cast }) {
  await check('cast chain-id, cast client', async () => {
    const networkId = JSON.parse(await cast('rpc', 'net_version'))
    assert.equal(await cast('chain-id'), networkId)
    assert.match(await cast('client'), /\S+\/\S+/)
  })
  await check('cast gas-price, cast base-fee: 0', async () =>
    assert.deepEqual([await cast('gas-price'), await cast('base-fee')], ['0', '0']))
  await check('cast rpc eth_feeHistory: all 0', async () => {
    const history = JSON.parse(await cast('rpc', 'eth_feeHistory', '0x1', 'latest', '[50]'))
    assert.deepEqual([history.baseFeePerGas, history.reward], [['0x0', '0x0'], [['0x0']]])
  })
  await check('cast balance, cast nonce: 0 for a fresh key', async () => {
    assert.deepEqual([await cast('balance', address), await cast('nonce', address)], ['0', '0'])
  })
}

async function deployAndUse({ address, cast, send }) {
  const deployed = await check('cast send --create', () => send('--create', bytecode))
  const { contractAddress } = deployed
  const height = Number(deployed.blockNumber)
  await check('cast code', async () => {
    const code = await cast('code', contractAddress)
    assert.ok(bytecode.endsWith(code.slice(2)), 'the creation code ends with the code')
    assert.equal(await cast('code', NOBODY), '0x')
  })
  const receipt = await check('cast send', () => send(contractAddress, PUT, '42'))
  await check('cast call', async () => {
    const get = (...words) => cast('call', contractAddress, 'get()(uint256)', ...words)
    assert.deepEqual([await get(), await get('--block', String(height))], ['42', '0'])
  })
  await check('cast receipt, cast tx', async () => {
    const hash = receipt.transactionHash
    assert.deepEqual(JSON.parse(await cast('receipt', hash, '--json')), receipt)
    const transaction = JSON.parse(await cast('tx', hash, '--json'))
    assert.deepEqual([transaction.hash, transaction.from], [hash, address.toLowerCase()])
  })
  await check('cast nonce', async () => assert.equal(await cast('nonce', address), '2'))
  return { address: contractAddress, height, receipt }
}

async function reads({ address, cast }, notebook) {
  await check('cast block: latest, safe and finalized are final at once', async () => {
    for (const tag of ['latest', 'safe', 'finalized']) {
      const block = JSON.parse(await cast('block', tag, '--json'))
      assert.ok(BigInt(block.number) >= BigInt(notebook.receipt.blockNumber), tag)
      assert.equal(block.baseFeePerGas, '0x0')
    }
  })
  await check('cast logs', async () => {
    const logs = (...topics) => cast('logs', '--json', '--from-block', String(notebook.height),
      '--address', notebook.address, 'Noted(address indexed,uint256)', ...topics).then(JSON.parse)
    assert.deepEqual(await logs(address), notebook.receipt.logs)
    assert.deepEqual(await logs(NOBODY), [])
  })
  await check('cast storage, cast proof', async () => {
    assert.equal(BigInt(await cast('storage', notebook.address, '0')), 42n)
    const proof = JSON.parse(await cast('proof', notebook.address, '0'))
    assert.equal(BigInt(proof.storageProof[0].value), 42n)
    assert.ok(proof.accountProof.length > 0 && proof.storageProof[0].proof.length > 0)
  })
  await check('cast tx-pool status', async () =>
    assert.match(await cast('tx-pool', 'status'), /pending.*queued/s))
  await check('cast estimate', async () => {
    const gas = BigInt(await cast('estimate', '--from', address, notebook.address, PUT, '43'))
    assert.ok(gas > 21_000n && gas < 100_000n, String(gas))
  })
}

/** cast executes by itself, and does not know that nobody pays; the node tells of any transaction. */
async function again({ address, cast, send }, notebook) {
  const hash = notebook.receipt.transactionHash
  await check('cast run: of a transaction that bid nothing; debug_traceTransaction of any', async () => {
    const free = await send('--gas-price', '0', '--priority-gas-price', '0', notebook.address, PUT, '44')
    assert.match(await cast('run', free.transactionHash), /successfully executed/)
    await refusal(cast('run', hash), /lack of funds/)
    const trace = JSON.parse(
      await cast('rpc', 'debug_traceTransaction', hash, '{"tracer":"callTracer"}'))
    assert.equal(trace.from, address.toLowerCase())
    assert.equal(BigInt(trace.gasUsed), BigInt(notebook.receipt.gasUsed))
  })
}

async function reverts({ address, key, cast }, notebook) {
  // The selector of Refused(uint256), and its argument 13.
  const refused = `590a5151${(13).toString(16).padStart(64, '0')}`
  const call = ['call', '--from', address, notebook.address, PUT]
  await check('cast call: a revert shows error code 3 and the data of a custom error', async () => {
    const said = await refusal(cast(...call, '13'), /error code 3: execution reverted/)
    assert.ok(said.includes(refused), said)
  })
  await check('cast call: a revert shows its reason', () =>
    refusal(cast(...call, '1000000'), /error code 3: execution reverted: number above 999999/))
  await check('cast estimate, cast send: refused alike', async () => {
    const put = [notebook.address, PUT, '13']
    for (const words of [['estimate', '--from', address], ['send', '--private-key', key]]) {
      const said = await refusal(cast(...words, ...put), /error code 3: execution reverted/)
      assert.ok(said.includes(refused), said)
    }
  })
}

async function transactionTypes({ address, key, cast, send }, notebook) {
  const list = JSON.stringify([{ address: notebook.address, storageKeys: [`0x${'0'.repeat(64)}`] }])
  const cases = [
    ['0x0', ['--legacy']],
    ['0x1', ['--legacy', '--access-list', list]],
    ['0x2', ['--access-list', list]],
  ]
  for (const [type, options] of cases) {
    await check(`cast send: a transaction of type ${type}`, async () => {
      const receipt = await send(...options, notebook.address, PUT, '7')
      assert.equal(receipt.type, type)
    })
  }
  await check('cast wallet sign-auth, cast send --auth: EIP-7702', async () => {
    // Sent by the account itself, whose nonce the transaction uses first.
    const nonce = String(Number(await cast('nonce', address)) + 1)
    const sign = ['wallet', 'sign-auth', '--private-key', key, '--nonce', nonce]
    const authorization = await cast(...sign, notebook.address)
    const receipt = await send('--auth', authorization, address, PUT, '5')
    assert.equal(receipt.type, '0x4')
    const code = `0xef0100${notebook.address.slice(2).toLowerCase()}`
    assert.equal(await cast('code', address), code)
    assert.equal(await cast('call', address, 'get()(uint256)'), '5')
  })
}

async function refusals({ key, cast }) {
  const wallet = ['--private-key', key]
  await check('cast send: a used nonce is too low', () =>
    refusal(cast('send', ...wallet, '--nonce', '0', ...GAS_LIMIT, NOBODY), /nonce too low/))
  await check('cast send: value needs funds', () =>
    refusal(cast('send', ...wallet, '--value', '1000000ether', NOBODY), /insufficient funds/i))
  await check("cast publish: another chain's transaction is refused", async () => {
    const other = String(Number(await cast('chain-id')) + 1)
    const options = ['--chain', other, '--nonce', '99', ...GAS_LIMIT, '--gas-price', '0']
    const signed = await cast('mktx', ...wallet, ...options, '--priority-gas-price', '0', NOBODY)
    await refusal(cast('publish', signed), /invalid chain id/)
  })
  await check('cast rpc: an unknown method', () =>
    refusal(cast('rpc', 'eth_foo'), /-32601: the method eth_foo does not exist\/is not available/))
}

/** What a cast command prints, without the last line's end; its stderr as error if it fails. */
async function run(environment, ...words) {
  // The user's own settings for cast are not what is tested.
  const own = Object.entries(process.env).filter(([name]) => !/^(ETH|FOUNDRY|CAST)_/.test(name))
  const options = {
    env: { ...Object.fromEntries(own), ...environment },
    timeout: ANSWER_MS,
    maxBuffer: 16 * 1024 * 1024,
  }
  const { stdout } = await promisify(execFile)(BINARY, words, options)
  return stdout.trimEnd()
}

/** What a command said when it failed, which has to match `pattern`. */
async function refusal(running, pattern) {
  const error = await rejection(running, 'the command')
  assert.equal(error.code, 1, `expected to fail with code 1: ${error}`)
  assert.match(error.stderr, pattern)
  return error.stderr
}

/** `receipt`, which says that its transaction succeeded and cost nothing. */
function included(receipt) {
  assert.deepEqual([receipt.status, receipt.effectiveGasPrice], ['0x1', '0x0'])
  return receipt
}
