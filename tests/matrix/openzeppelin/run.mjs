// OpenZeppelin's proxies with its upgrades plugin for Hardhat, and its token with permit.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { check, main } from '../../clients/check.mjs'
import { project } from '../project.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const HEAD = '// SPDX-License-Identifier: Apache-2.0\npragma solidity ^0.8.28;\n'
const UPGRADEABLE = '@openzeppelin/contracts-upgradeable'

/** A register whose second version can do more. */
const register = (name, more) => `${HEAD}
import {Initializable} from "${UPGRADEABLE}/proxy/utils/Initializable.sol";
contract ${name} is Initializable {
    uint256 public count;
    function initialize(uint256 first) public initializer { count = first; }
    ${more}
}
`
const FILES = {
  'hardhat.config.js': `
    require('@nomicfoundation/hardhat-ethers')
    require('@openzeppelin/hardhat-upgrades')
    module.exports = {
      solidity: {
        version: '0.8.37',
        settings: { evmVersion: 'osaka', optimizer: { enabled: true } },
      },
      networks: { tbsi: { url: process.env.ETH_RPC_URL, accounts: [process.env.KEY] } },
    }`,
  'contracts/One.sol': register('One', ''),
  'contracts/Two.sol': register('Two', 'function add() external { count += 1; }'),
  'contracts/Uups.sol': `${HEAD}
import {UUPSUpgradeable} from "${UPGRADEABLE}/proxy/utils/UUPSUpgradeable.sol";
import {OwnableUpgradeable} from "${UPGRADEABLE}/access/OwnableUpgradeable.sol";
contract Uups is UUPSUpgradeable, OwnableUpgradeable {
    uint256 public count;
    function initialize(address owner) public initializer { __Ownable_init(owner); count = 1; }
    function _authorizeUpgrade(address) internal override onlyOwner {}
}
`,
  'contracts/Paper.sol': `${HEAD}
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
contract Paper is ERC20Permit {
    constructor() ERC20("Paper", "PAPER") ERC20Permit("Paper") { _mint(msg.sender, 100); }
}
`,
  'scripts/upgrade.js': `
    const { ethers, upgrades } = require('hardhat')
    async function upgraded(kind) {
      const One = await ethers.getContractFactory('One')
      const Two = await ethers.getContractFactory('Two')
      const first = await upgrades.deployProxy(One, [41], { kind })
      await first.waitForDeployment()
      const second = await upgrades.upgradeProxy(await first.getAddress(), Two, { kind })
      await second.deployTransaction.wait()
      await (await second.add()).wait()
      const implementation = await upgrades.erc1967.getImplementationAddress(await second.getAddress())
      return [Number(await second.count()), implementation !== await second.getAddress()]
    }
    async function beacon() {
      const One = await ethers.getContractFactory('One')
      const Two = await ethers.getContractFactory('Two')
      const beacon = await upgrades.deployBeacon(One)
      await beacon.waitForDeployment()
      const proxy = await upgrades.deployBeaconProxy(beacon, One, [41])
      await proxy.waitForDeployment()
      const upgraded = await upgrades.upgradeBeacon(beacon, Two)
      await upgraded.deployTransaction.wait()
      const second = Two.attach(await proxy.getAddress())
      await (await second.add()).wait()
      return Number(await second.count())
    }
    async function uups() {
      const [signer] = await ethers.getSigners()
      const Uups = await ethers.getContractFactory('Uups')
      const proxy = await upgrades.deployProxy(Uups, [signer.address], { kind: 'uups' })
      await proxy.waitForDeployment()
      const again = await upgrades.upgradeProxy(await proxy.getAddress(), Uups,
        { kind: 'uups', redeployImplementation: 'always' })
      await again.deployTransaction.wait()
      return Number(await again.count())
    }
    async function permit() {
      const [signer] = await ethers.getSigners()
      const paper = await ethers.deployContract('Paper')
      await paper.waitForDeployment()
      const { chainId } = await ethers.provider.getNetwork()
      const domain = {
        name: 'Paper', version: '1', chainId, verifyingContract: await paper.getAddress() }
      const types = { Permit: [
        { name: 'owner', type: 'address' }, { name: 'spender', type: 'address' },
        { name: 'value', type: 'uint256' }, { name: 'nonce', type: 'uint256' },
        { name: 'deadline', type: 'uint256' } ] }
      const spender = ethers.Wallet.createRandom().address
      const deadline = ethers.MaxUint256
      const value = { owner: signer.address, spender, value: 7n, nonce: 0n, deadline }
      const wallet = new ethers.Wallet(process.env.KEY)
      const { v, r, s } = ethers.Signature.from(await wallet.signTypedData(domain, types, value))
      await (await paper.permit(signer.address, spender, 7n, deadline, v, r, s)).wait()
      return Number(await paper.allowance(signer.address, spender))
    }
    async function main() {
      const answer = {
        transparent: await upgraded('transparent'),
        beacon: await beacon(),
        uups: await uups(),
        permit: await permit(),
      }
      console.log(JSON.stringify(answer))
    }
    main().catch((error) => { console.error(error); process.exit(1) })`,
}

await main('openzeppelin', async (httpUrl) => {
  const settings = { ETH_RPC_URL: httpUrl, KEY: `0x${randomBytes(32).toString('hex')}` }
  await project(HERE, FILES, settings, async (run) => {
    const hardhat = (...words) => run('node_modules/.bin/hardhat', ...words)
    await hardhat('compile')
    const said = await hardhat('run', 'scripts/upgrade.js', '--network', 'tbsi')
    const found = JSON.parse(said.trim().split('\n').at(-1))
    await check('a transparent proxy is deployed and upgraded', async () =>
      assert.deepEqual(found.transparent, [42, true]))
    await check('a beacon and its proxy', async () => assert.equal(found.beacon, 42))
    await check('a UUPS proxy', async () => assert.equal(found.uups, 1))
    await check('ERC-20 permit by EIP-712', async () => assert.equal(found.permit, 7))
  })
})
