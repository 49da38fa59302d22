// Safe against one node: its contracts are deployed through the predeployed singleton factory to
// the addresses that they have on other chains; the kit makes an account of two owners, which sign.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import SafePackage from '@safe-global/protocol-kit'
import { Contract, JsonRpcProvider, Wallet, ZeroHash, concat, getCreate2Address, keccak256 } from 'ethers'
import { check, main } from '../../clients/check.mjs'
import { compileNotebook } from '../../clients/notebook.mjs'

const Safe = SafePackage.default ?? SafePackage
const FACTORY = '0x914d7Fec6aaC8cd542e72Bca78B30650d45643d7'
/** Safe 1.4.1 by the kit's names, with the addresses of its canonical deployment. */
const CONTRACTS = {
  safeSingletonAddress: ['Safe.sol/Safe', '0x41675C099F32341bf84BFc5382aF534df5C7461a'],
  safeProxyFactoryAddress: [
    'proxies/SafeProxyFactory.sol/SafeProxyFactory', '0x4e1DCf7AD4e460CfD30791CCC4F9c8a4f820ec67'],
  multiSendAddress: [
    'libraries/MultiSend.sol/MultiSend', '0x38869bf66a61cF6bDB996A6aE40D5853Fd43B526'],
  multiSendCallOnlyAddress: [
    'libraries/MultiSendCallOnly.sol/MultiSendCallOnly',
    '0x9641d764fc13c8B624c04430C7356C1C7C8102e2'],
  fallbackHandlerAddress: [
    'handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler',
    '0xfd0732Dc9E303f09fCEf3a7388Ad10A83459Ec99'],
  signMessageLibAddress: [
    'libraries/SignMessageLib.sol/SignMessageLib', '0xd53cd0aB83D845Ac265BE939c57F53AD838012c9'],
  createCallAddress: [
    'libraries/CreateCall.sol/CreateCall', '0x9b35Af71d77eaf8d7e40252370304687390A1A52'],
  simulateTxAccessorAddress: [
    'accessors/SimulateTxAccessor.sol/SimulateTxAccessor',
    '0x3d4BA2E0884aa488718476ca2FB8Efc291A46199'],
}
const load = createRequire(import.meta.url)

await main('safe', async (httpUrl) => {
  const provider = new JsonRpcProvider(httpUrl, undefined, { cacheTimeout: -1, pollingInterval: 50 })
  const fresh = () => new Wallet(Wallet.createRandom().privateKey, provider)
  const [one, two] = [fresh(), fresh()]

  const addresses = await check('the singleton factory puts the contracts where they are elsewhere', async () => {
    const found = {}
    for (const [name, [file, address]] of Object.entries(CONTRACTS)) {
      const { bytecode } = load(`@safe-global/safe-contracts/build/artifacts/contracts/${file}.json`)
      assert.equal(getCreate2Address(FACTORY, ZeroHash, keccak256(bytecode)), address, name)
      if (await provider.getCode(address) === '0x') {
        await (await one.sendTransaction({ to: FACTORY, data: concat([ZeroHash, bytecode]) })).wait()
      }
      assert.notEqual(await provider.getCode(address), '0x', name)
      found[name] = address
    }
    return found
  })
  const { chainId } = await provider.getNetwork()
  const contractNetworks = { [chainId]: addresses }
  const predictedSafe = {
    safeAccountConfig: { owners: [one.address, two.address], threshold: 2 },
    safeDeploymentConfig: { saltNonce: '7', safeVersion: '1.4.1' },
  }
  const kit = (signer, which) =>
    Safe.init({ provider: httpUrl, signer: signer.privateKey, contractNetworks, ...which })

  const safeAddress = await check('an account of two owners', async () => {
    const planned = await kit(one, { predictedSafe })
    const address = await planned.getAddress()
    const { to, data, value } = await planned.createSafeDeploymentTransaction()
    await (await one.sendTransaction({ to, data, value })).wait()
    const safe = await kit(one, { safeAddress: address })
    assert.equal(await safe.getThreshold(), 2)
    assert.deepEqual((await safe.getOwners()).sort(), [one.address, two.address].sort())
    return address
  })
  await check('a transaction that both sign, executed by the account', async () => {
    const { abi, bytecode } = compileNotebook()
    const created = await (await one.sendTransaction({ data: bytecode })).wait()
    const notebook = new Contract(created.contractAddress, abi, provider)
    const data = notebook.interface.encodeFunctionData('put', [42])
    const [first, second] = [await kit(one, { safeAddress }), await kit(two, { safeAddress })]
    const transaction = { to: created.contractAddress, value: '0', data }
    let planned = await first.createTransaction({ transactions: [transaction] })
    planned = await first.signTransaction(planned)
    planned = await second.signTransaction(planned)
    const { hash } = await second.executeTransaction(planned)
    const receipt = await provider.waitForTransaction(hash)
    assert.deepEqual([receipt.status, receipt.gasPrice], [1, 0n])
    assert.equal(await notebook.get(), 42n)
    const [event] = await notebook.queryFilter(notebook.filters.Noted(safeAddress), receipt.blockNumber)
    assert.equal(event.args.number, 42n)
  })
})
