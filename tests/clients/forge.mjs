// forge against one node: a fresh key without funds, no fee options. A script of two transactions
// is interrupted after the first and resumed.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Contract, JsonRpcProvider, Wallet, getCreate2Address, keccak256, zeroPadValue } from 'ethers'
import { check, main, rejection } from './check.mjs'
import { foundry } from './foundry.mjs'
import { compileNotebook } from './notebook.mjs'

const { abi } = compileNotebook()
const BINARY = foundry('forge')
const HERE = fileURLToPath(new URL('.', import.meta.url))
const TENDER = fileURLToPath(new URL('../../examples/tender', import.meta.url))
const CREATE2_DEPLOYER = '0x4e59b44847b379578588920cA78FbF26c0B4956C'
const SCRIPT_MS = 60_000

await main('forge', async (httpUrl) => {
  const dir = mkdtempSync(join(tmpdir(), 'tbsi-forge-'))
  const gate = await refuser(httpUrl)
  try {
    const provider = new JsonRpcProvider(httpUrl, undefined, { cacheTimeout: -1 })
    const { privateKey: key, address } = Wallet.createRandom()
    // Of its own, so that the address is free however often this runs.
    const salt = zeroPadValue(address, 32)
    project(dir, salt)
    const forge = (...words) => run(dir, ...words)
    const node = { provider, key, address, salt, url: httpUrl, forge, dir }
    await check('forge build', () => forge('build'))
    await interrupted(node, gate)
    const notebook = await create2(node)
    await check('forge test --fork-url', () =>
      forge('test', '--fork-url', httpUrl, '--match-test', 'testFork', '-vvv'))
    await tender(node)
    await deployed(node)
    await check('balance is 0 as before, whatever was sent', async () =>
      assert.equal(await provider.getBalance(address), 0n))
    assert.equal(await notebook.get(), 7n)
    console.log('skipped forge verify-contract: it asks for a list of compilers on the Internet first')
  } finally {
    gate.close()
    rmSync(dir, { recursive: true, force: true })
  }
})

/** Compiler settings, the contract, scripts and a test. */
function project(dir, salt) {
  for (const part of ['src', 'script', 'test']) mkdirSync(join(dir, part))
  copyFileSync(join(HERE, 'Notebook.sol'), join(dir, 'src/Notebook.sol'))
  const settings = { solc: join(HERE, 'solc.mjs'), evm_version: 'osaka' }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
  const toml = ['[profile.default]', ...lines, 'offline = true', 'auto_detect_solc = false', '']
  writeFileSync(join(dir, 'foundry.toml'), toml.join('\n'))
  const head = '// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.37;\n' +
    'import {Notebook} from "../src/Notebook.sol";\n' +
    'interface Vm { function startBroadcast() external; function stopBroadcast() external; }\n'
  const vm = 'Vm constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));\n'
  const script = (name, salt, number) => writeFileSync(join(dir, 'script', `${name}.s.sol`),
    `${head}${vm}contract ${name} { function run() external { VM.startBroadcast(); ` +
    `new Notebook${salt}().put(${number}); VM.stopBroadcast(); } }\n`)
  script('Two', '', 42)
  script('Salted', `{salt: bytes32(uint256(${BigInt(salt)}))}`, 7)
  writeFileSync(join(dir, 'test/Fork.t.sol'), `${head}contract ForkTest {
    function testFork() external {
      require(${CREATE2_DEPLOYER}.code.length == 69, "no deployer");
      Notebook notebook = new Notebook();
      notebook.put(1);
      require(notebook.get() == 1 && block.number > 0 && block.basefee == 0, "another chain");
    }
  }\n`)
}

async function interrupted({ provider, key, address, forge, dir }, gate) {
  const two = ['script', 'script/Two.s.sol', '--sig', 'run()', '--rpc-url', gate.url,
    '--private-key', key, '--broadcast']
  const sequence = async () => {
    const { chainId } = await provider.getNetwork()
    const file = join(dir, 'broadcast/Two.s.sol', String(chainId), 'run-latest.json')
    return JSON.parse(readFileSync(file, 'utf8'))
  }
  await check('forge script: of two transactions the second is refused on its way', async () => {
    gate.refuseFrom(2)
    const error = await rejection(forge(...two), 'the script')
    assert.match(`${error.stdout}${error.stderr}`, /refused on its way/)
    const { transactions } = await sequence()
    assert.deepEqual(transactions.map(({ transactionType }) => transactionType), ['CREATE', 'CALL'])
    assert.equal(await provider.getTransactionCount(address), 1)
  })
  await check('forge script --resume: sends the second and no other', async () => {
    gate.refuseFrom(Infinity)
    await forge(...two, '--resume')
    const { transactions, receipts } = await sequence()
    assert.deepEqual(receipts.map(({ status }) => status), ['0x1', '0x1'])
    const [{ contractAddress }] = transactions
    assert.equal(await new Contract(contractAddress, abi, provider).get(), 42n)
    assert.equal(await provider.getTransactionCount(address), 2)
  })
}

async function create2({ provider, key, salt, url, forge, dir }) {
  return check('forge script: CREATE2 by the deployer at its usual address', async () => {
    await forge('script', 'script/Salted.s.sol', '--sig', 'run()', '--rpc-url', url,
      '--private-key', key, '--broadcast')
    const artifact = readFileSync(join(dir, 'out/Notebook.sol/Notebook.json'), 'utf8')
    const code = JSON.parse(artifact).bytecode.object
    const at = getCreate2Address(CREATE2_DEPLOYER, salt, keccak256(code))
    const notebook = new Contract(at, abi, provider)
    assert.equal(await notebook.get(), 7n)
    return notebook
  })
}

/** The example's own tests, on this network's attestation contract. */
async function tender({ url, dir }) {
  await check('examples/tender: forge test on a fork', async () => {
    const words = ['test', '--root', TENDER, '--fork-url', url, '--out', join(dir, 'tender-out'),
      '--cache-path', join(dir, 'tender-cache'), '--use', join(HERE, 'solc.mjs'), '--offline']
    assert.match(await run(dir, ...words), /5 passed; 0 failed/)
  })
}

async function deployed({ provider, key, url, forge }) {
  await check('forge create', async () => {
    const said = await forge('create', 'src/Notebook.sol:Notebook', '--rpc-url', url,
      '--private-key', key, '--broadcast')
    const [, at] = /Deployed to: (0x[0-9a-fA-F]{40})/.exec(said)
    assert.equal(await new Contract(at, abi, provider).get(), 0n)
  })
}

/** What forge prints; what it said as error if it fails. */
async function run(dir, ...words) {
  const own = Object.entries(process.env).filter(([name]) => !/^(ETH|FOUNDRY|CAST|DAPP)_/.test(name))
  const options = {
    cwd: dir, env: Object.fromEntries(own), timeout: SCRIPT_MS, maxBuffer: 16 * 1024 * 1024 }
  const { stdout } = await promisify(execFile)(BINARY, words, options)
  return stdout
}

/** A proxy before a node that refuses transactions from the n-th on. */
async function refuser(target) {
  let [sent, from] = [0, Infinity]
  const server = createServer(async (request, response) => {
    const parts = []
    for await (const part of request) parts.push(part)
    const body = Buffer.concat(parts)
    const { id, method } = JSON.parse(body)
    if (method === 'eth_sendRawTransaction' && (sent += 1) >= from) {
      const error = { code: -32000, message: 'refused on its way' }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ jsonrpc: '2.0', id, error }))
      return
    }
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(target, { method: 'POST', headers, body })
    response.setHeader('content-type', 'application/json')
    response.end(await answer.text())
  })
  await new Promise((listening) => { server.listen(0, '127.0.0.1', listening) })
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    refuseFrom(number) { [sent, from] = [0, number] },
    close() { server.close() },
  }
}
