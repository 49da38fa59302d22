// Hyperledger Caliper with its Ethereum connector, at 50 and at 200 transactions a second, by one
// worker on one WebSocket: all have to succeed.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { check, main } from '../../clients/check.mjs'
import { compileNotebook } from '../../clients/notebook.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const Web3 = createRequire(import.meta.url)('web3')
const ROUNDS = [{ label: 'at 50', tps: 50, txNumber: 200 }, { label: 'at 200', tps: 200, txNumber: 800 }]
const RUN_MS = 9 * 60_000

const WORKLOAD = `'use strict'
const { WorkloadModuleBase } = require('@hyperledger/caliper-core')
class Put extends WorkloadModuleBase {
  constructor() { super(); this.number = 0 }
  async submitTransaction() {
    this.number += 1
    await this.sutAdapter.sendRequests({
      contract: 'notebook', verb: 'put', args: [1000 + this.number], readOnly: false })
  }
}
module.exports.createWorkloadModule = () => new Put()
`

function workspace(dir, wsUrl) {
  symlinkSync(join(HERE, 'node_modules'), join(dir, 'node_modules'))
  mkdirSync(join(dir, 'workload'))
  writeFileSync(join(dir, 'workload/put.js'), WORKLOAD)
  const { abi, bytecode } = compileNotebook()
  const contract = { name: 'notebook', abi, bytecode, gas: 1_000_000 }
  writeFileSync(join(dir, 'notebook.json'), JSON.stringify(contract))
  const account = () => new Web3().eth.accounts.privateKeyToAccount(`0x${randomBytes(32).toString('hex')}`)
  const [deployer, sender] = [account(), account()]
  const network = {
    caliper: { blockchain: 'ethereum', command: {} },
    ethereum: {
      url: wsUrl,
      contractDeployerAddress: deployer.address,
      contractDeployerAddressPrivateKey: deployer.privateKey,
      fromAddress: sender.address,
      fromAddressPrivateKey: sender.privateKey,
      transactionConfirmationBlocks: 1,
      contracts: { notebook: { path: './notebook.json', gas: { put: 100_000 } } },
    },
  }
  writeFileSync(join(dir, 'network.json'), JSON.stringify(network))
  const rounds = ROUNDS.map(({ label, tps, txNumber }) => ({
    label, txNumber,
    rateControl: { type: 'fixed-rate', opts: { tps } },
    workload: { module: 'workload/put.js' },
  }))
  // JSON is YAML.
  const benchmark = { test: { name: 'put', workers: { number: 1 }, rounds } }
  writeFileSync(join(dir, 'benchmark.yaml'), JSON.stringify(benchmark))
}

/** Rows of the table that Caliper prints in the end: label to successes and failures. */
function results(said) {
  const rows = {}
  for (const [, label, succeeded, failed] of said.matchAll(/\| (at \d+)\s*\| (\d+)\s*\| (\d+)\s*\|/g)) {
    rows[label] = { succeeded: Number(succeeded), failed: Number(failed) }
  }
  return rows
}

await main('caliper', async (httpUrl, wsUrl) => {
  const dir = mkdtempSync(join(tmpdir(), 'tbsi-caliper-'))
  try {
    workspace(dir, wsUrl)
    const words = [join(HERE, 'node_modules/@hyperledger/caliper-cli/caliper.js'), 'launch', 'manager',
      '--caliper-workspace', dir, '--caliper-networkconfig', 'network.json',
      '--caliper-benchconfig', 'benchmark.yaml', '--caliper-progress-reporting-enabled', 'false']
    const options = { cwd: dir, timeout: RUN_MS, maxBuffer: 64 * 1024 * 1024 }
    const { stdout } = await promisify(execFile)('node', words, options)
    const rows = results(stdout)
    for (const { label, tps, txNumber } of ROUNDS) {
      await check(`${txNumber} transactions at ${tps} a second, all succeed`, async () =>
        assert.deepEqual(rows[label], { succeeded: txNumber, failed: 0 }, stdout.slice(-4_000)))
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
