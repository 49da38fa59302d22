// The contracts of others that a network has from genesis (SPEC §2.5), used as their users use
// them: a fresh key without funds, no fee options. One that the network lacks is an error.
import assert from 'node:assert/strict'
import {
  concat, createPublicClient, createWalletClient, defineChain, domainSeparator, encodeAbiParameters,
  encodeFunctionData, encodePacked, getCreate2Address, http, keccak256, pad, parseAbi, stringToHex,
  zeroAddress,
} from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { ANSWER_MS, check, main, within } from './check.mjs'
import { compileNotebook } from './notebook.mjs'

const { abi, bytecode } = compileNotebook()
const FACTORIES = {
  'CREATE2 deployer': '0x4e59b44847b379578588920cA78FbF26c0B4956C',
  'Safe singleton factory': '0x914d7Fec6aaC8cd542e72Bca78B30650d45643d7',
}
const MULTICALL3 = '0xcA11bde05977b3631167028862bE2a173976CA11'
const ERC1820 = '0x1820a4B7618BdE71Dce8cdc73aAB6C95905faD24'
const PERMIT2 = '0x000000000022D473030F116dDEE9F6B43aC78BA3'
const ENTRY_POINT = '0x0000000071727De22E5E9d8BAf0edAc6f37da032'
const SCHEMA_REGISTRY = '0x4200000000000000000000000000000000000020'
const EAS = '0x4200000000000000000000000000000000000021'

await main('predeploys', async (httpUrl) => {
  const id = await createPublicClient({ transport: http(httpUrl) }).getChainId()
  const chain = defineChain({
    id, name: 'TBSI', nativeCurrency: { name: 'none', symbol: 'NONE', decimals: 18 },
    rpcUrls: { default: { http: [httpUrl] } },
    contracts: { multicall3: { address: MULTICALL3 } },
  })
  const account = privateKeyToAccount(generatePrivateKey())
  const client = createPublicClient({ chain, transport: http(), pollingInterval: 50 })
  const wallet = createWalletClient({ account, chain, transport: http() })
  const included = async (hash) => {
    const receipt = await within(ANSWER_MS, client.waitForTransactionReceipt({ hash }), 'a receipt')
    assert.deepEqual([receipt.status, receipt.effectiveGasPrice], ['success', 0n])
    return receipt
  }
  const write = async (request) => included(await wallet.writeContract(request))
  const node = { account, client, wallet, included, write, id }
  const notebooks = await factories(node)
  await multicall(node, notebooks)
  await erc1820(node)
  await permit2(node)
  await entryPoint(node)
  await eas(node)
})

async function factories({ account, client, wallet, included }) {
  const made = []
  // Of its own, so that the addresses are free however often this runs.
  const salt = pad(account.address, { size: 32 })
  for (const [name, factory] of Object.entries(FACTORIES)) {
    made.push(await check(`${name}: creates a contract where it is to be`, async () => {
      await included(await wallet.sendTransaction({ to: factory, data: concat([salt, bytecode]) }))
      const address = getCreate2Address({ from: factory, salt, bytecode })
      assert.equal(await client.readContract({ abi, address, functionName: 'get' }), 0n)
      return address
    }))
  }
  return made
}

async function multicall({ client, write, id }, notebooks) {
  const contract = {
    address: MULTICALL3,
    abi: parseAbi([
      'struct Call3 { address target; bool allowFailure; bytes callData; }',
      'struct Result { bool success; bytes returnData; }',
      'function aggregate3(Call3[] calls) payable returns (Result[])',
      'function getChainId() view returns (uint256)',
    ]),
  }
  await check('Multicall3: aggregate3 writes, viem\'s multicall reads', async () => {
    const call = (number, allowFailure) => ({
      target: notebooks[0], allowFailure,
      callData: encodeFunctionData({ abi, functionName: 'put', args: [number] }) })
    await write({ ...contract, functionName: 'aggregate3', args: [[call(42n, false), call(13n, true)]] })
    const contracts = notebooks.map((address) => ({ abi, address, functionName: 'get' }))
    const results = await client.multicall({ contracts, allowFailure: false })
    assert.deepEqual(results, [42n, 0n])
    assert.equal(await client.readContract({ ...contract, functionName: 'getChainId' }), BigInt(id))
  })
}

async function erc1820({ account, client, write }) {
  const contract = {
    address: ERC1820,
    abi: parseAbi([
      'function setInterfaceImplementer(address account, bytes32 hash, address implementer)',
      'function getInterfaceImplementer(address account, bytes32 hash) view returns (address)',
      'function setManager(address account, address manager)',
      'function getManager(address account) view returns (address)',
      'function interfaceHash(string name) pure returns (bytes32)',
    ]),
  }
  const read = (functionName, args) => client.readContract({ ...contract, functionName, args })
  await check('ERC-1820: setInterfaceImplementer, setManager', async () => {
    const hash = await read('interfaceHash', ['ERC777TokensRecipient'])
    assert.equal(hash, keccak256(stringToHex('ERC777TokensRecipient')))
    const args = [account.address, hash, account.address]
    await write({ ...contract, functionName: 'setInterfaceImplementer', args })
    assert.equal(await read('getInterfaceImplementer', [account.address, hash]), account.address)
    await write({ ...contract, functionName: 'setManager', args: [account.address, MULTICALL3] })
    assert.equal(await read('getManager', [account.address]), MULTICALL3)
  })
}

async function permit2({ account, client, write, id }) {
  const contract = {
    address: PERMIT2,
    abi: parseAbi([
      'struct PermitDetails { address token; uint160 amount; uint48 expiration; uint48 nonce; }',
      'struct PermitSingle { PermitDetails details; address spender; uint256 sigDeadline; }',
      'function DOMAIN_SEPARATOR() view returns (bytes32)',
      'function permit(address owner, PermitSingle permitSingle, bytes signature)',
      'function allowance(address, address, address) view returns (uint160, uint48, uint48)',
    ]),
  }
  const domain = { name: 'Permit2', chainId: id, verifyingContract: PERMIT2 }
  await check('Permit2: its domain is this chain\'s, and a permit that was signed for it counts',
    async () => {
      const separator = await client.readContract({ ...contract, functionName: 'DOMAIN_SEPARATOR' })
      assert.equal(separator, domainSeparator({ domain }))
      const details = { token: MULTICALL3, amount: 7n, expiration: 2 ** 47, nonce: 0 }
      const message = { details, spender: ERC1820, sigDeadline: 2n ** 64n }
      const uint = (bits) => (name) => ({ name, type: `uint${bits}` })
      const types = {
        PermitSingle: [
          { name: 'details', type: 'PermitDetails' }, { name: 'spender', type: 'address' },
          uint(256)('sigDeadline'),
        ],
        PermitDetails: [
          { name: 'token', type: 'address' }, uint(160)('amount'), uint(48)('expiration'),
          uint(48)('nonce'),
        ],
      }
      const signature = await account.signTypedData({
        domain, types, primaryType: 'PermitSingle', message })
      await write({ ...contract, functionName: 'permit', args: [account.address, message, signature] })
      const args = [account.address, MULTICALL3, ERC1820]
      const [amount] = await client.readContract({ ...contract, functionName: 'allowance', args })
      assert.equal(amount, 7n)
    })
}

async function entryPoint({ account, client, write }) {
  const contract = {
    address: ENTRY_POINT,
    abi: parseAbi([
      'function incrementNonce(uint192 key)',
      'function getNonce(address sender, uint192 key) view returns (uint256)',
      'function getSenderAddress(bytes initCode)',
      'error SenderAddressResult(address sender)',
    ]),
  }
  const nonce = () =>
    client.readContract({ ...contract, functionName: 'getNonce', args: [account.address, 5n] })
  await check('EntryPoint 0.7: nonces, and the creator of accounts that its constructor made',
    async () => {
      const before = await nonce()
      await write({ ...contract, functionName: 'incrementNonce', args: [5n] })
      assert.equal(await nonce(), before + 1n)
      const initCode = concat([FACTORIES['CREATE2 deployer'], pad('0x07', { size: 32 }), bytecode])
      const args = [initCode]
      const error = await client.simulateContract({
        ...contract, functionName: 'getSenderAddress', args }).catch((refused) => refused)
      const { data } = error.walk(({ data }) => data?.errorName !== undefined)
      assert.equal(data.errorName, 'SenderAddressResult')
    })
}

async function eas({ account, client, write, id }) {
  const registry = {
    address: SCHEMA_REGISTRY,
    abi: parseAbi([
      'function register(string schema, address resolver, bool revocable) returns (bytes32)',
      'struct SchemaRecord { bytes32 uid; address resolver; bool revocable; string schema; }',
      'function getSchema(bytes32 uid) view returns (SchemaRecord)',
    ]),
  }
  const contract = {
    address: EAS,
    abi: parseAbi([
      'function getSchemaRegistry() view returns (address)',
      'function getDomainSeparator() view returns (bytes32)',
      'function getName() view returns (string)',
      'function version() view returns (string)',
      'function timestamp(bytes32 data) returns (uint64)',
      'function getTimestamp(bytes32 data) view returns (uint64)',
    ]),
  }
  const read = (functionName, args = []) => client.readContract({ ...contract, functionName, args })
  await check('EAS: knows its registry and its domain, registers a schema, stamps a time', async () => {
    assert.equal(await read('getSchemaRegistry'), SCHEMA_REGISTRY)
    const [name, version] = [await read('getName'), await read('version')]
    const domain = { name, version, chainId: id, verifyingContract: EAS }
    assert.equal(await read('getDomainSeparator'), domainSeparator({ domain }))
    const schema = `bytes32 digest, address of${account.address.slice(2)}`
    await write({ ...registry, functionName: 'register', args: [schema, zeroAddress, true] })
    const uid = keccak256(encodePacked(['string', 'address', 'bool'], [schema, zeroAddress, true]))
    const found = await client.readContract({ ...registry, functionName: 'getSchema', args: [uid] })
    assert.equal(found.schema, schema)
    const digest = keccak256(encodeAbiParameters([{ type: 'address' }], [account.address]))
    await write({ ...contract, functionName: 'timestamp', args: [digest] })
    assert.ok(await read('getTimestamp', [digest]) > 0n)
  })
}
