// Hardhat 2 against one node: compile, deploy and use with its own signer, Ignition, console.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { check, main } from '../../clients/check.mjs'
import { project } from '../project.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const NOTEBOOK = readFileSync(new URL('../../clients/Notebook.sol', import.meta.url), 'utf8')

const FILES = {
  'hardhat.config.js': `
    require('@nomicfoundation/hardhat-ignition-ethers')
    module.exports = {
      solidity: { version: '0.8.37', settings: { evmVersion: 'osaka' } },
      networks: { tbsi: { url: process.env.ETH_RPC_URL, accounts: [process.env.KEY] } },
      ignition: { requiredConfirmations: 1 },
    }`,
  'contracts/Notebook.sol': NOTEBOOK,
  'ignition/modules/Notebook.js': `
    const { buildModule } = require('@nomicfoundation/hardhat-ignition/modules')
    module.exports = buildModule('Notebook', (m) => {
      const notebook = m.contract('Notebook')
      m.call(notebook, 'put', [42])
      return { notebook }
    })`,
  'scripts/use.js': `
    const { ethers } = require('hardhat')
    async function main() {
      const [signer] = await ethers.getSigners()
      const notebook = await ethers.deployContract('Notebook')
      await notebook.waitForDeployment()
      const receipt = await (await notebook.put(42)).wait()
      const refused = await notebook.put(13).catch((error) => error.data)
      console.log(JSON.stringify({
        kept: Number(await notebook.get()),
        price: Number(receipt.gasPrice),
        refused,
        // Hardhat's own signer, which fills in the fees.
        type: receipt.type,
        balance: Number(await ethers.provider.getBalance(signer)),
      }))
    }
    main().catch((error) => { console.error(error); process.exit(1) })`,
  'console.js': `(async () => {
    console.log('height', await ethers.provider.getBlockNumber())
  })()`,
}

await main('hardhat2', async (httpUrl) => {
  const settings = { ETH_RPC_URL: httpUrl, KEY: `0x${randomBytes(32).toString('hex')}` }
  await project(HERE, FILES, settings, async (run) => {
    const hardhat = (...words) => run('node_modules/.bin/hardhat', ...words)
    await check('compile', () => hardhat('compile'))
    await check('deploy, write, read, the data of a revert', async () => {
      const said = await hardhat('run', 'scripts/use.js', '--network', 'tbsi')
      const { refused, ...rest } = JSON.parse(said.trim().split('\n').at(-1))
      assert.deepEqual(rest, { kept: 42, price: 0, type: rest.type, balance: 0 })
      // Refused(uint256), 13.
      assert.equal(refused, `0x590a5151${'d'.padStart(64, '0')}`)
    })
    await check('Ignition: deploy a module of two steps', async () => {
      const said = await hardhat('ignition', 'deploy', 'ignition/modules/Notebook.js',
        '--network', 'tbsi')
      assert.match(said, /Notebook#Notebook - 0x[0-9a-fA-F]{40}/)
    })
    await check('Ignition: nothing is left to do', async () => {
      const said = await hardhat('ignition', 'deploy', 'ignition/modules/Notebook.js',
        '--network', 'tbsi')
      assert.match(said, /Nothing new to deploy/)
    })
    await check('console', async () => {
      const script = 'node_modules/.bin/hardhat console --network tbsi < console.js'
      assert.match(await run('bash', '-c', script), /height \d+/)
    })
  })
})
