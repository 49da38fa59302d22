// The SDK of the Ethereum Attestation Service against one node, where EAS is predeployed: fresh
// keys without funds, no fee options.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { JsonRpcProvider, Wallet, ZeroAddress, ZeroHash, keccak256, toUtf8Bytes } from 'ethers'
import { check, main } from '../../clients/check.mjs'

// Its modules for import do not load in Node.js: they import names from lodash.
const { EAS, NO_EXPIRATION, SchemaEncoder, SchemaRegistry } =
  createRequire(import.meta.url)('@ethereum-attestation-service/eas-sdk')
const REGISTRY = '0x4200000000000000000000000000000000000020'
const CONTRACT = '0x4200000000000000000000000000000000000021'
const SCHEMA = 'string document,bytes32 digest'
const RECIPIENT = '0x00000000000000000000000000000000000A11cE'

await main('eas', async (httpUrl) => {
  const provider = new JsonRpcProvider(httpUrl, undefined, { cacheTimeout: -1, pollingInterval: 50 })
  const fresh = () => new Wallet(Wallet.createRandom().privateKey, provider)
  const issuer = fresh()
  const eas = new EAS(CONTRACT)
  eas.connect(issuer)

  const schema = await check('register a schema', async () => {
    const registry = new SchemaRegistry(REGISTRY)
    registry.connect(issuer)
    const sent = await registry.register({ schema: SCHEMA, resolverAddress: ZeroAddress, revocable: true })
    const uid = await sent.wait()
    assert.equal((await registry.getSchema({ uid })).schema, SCHEMA)
    return uid
  })
  const encoder = new SchemaEncoder(SCHEMA)
  const data = (document) => ({
    recipient: RECIPIENT, expirationTime: NO_EXPIRATION, revocable: true,
    data: encoder.encodeData([
      { name: 'document', value: document, type: 'string' },
      { name: 'digest', value: keccak256(toUtf8Bytes(document)), type: 'bytes32' },
    ]),
  })
  const uid = await check('attest, and read it back', async () => {
    const id = await (await eas.attest({ schema, data: data('one') })).wait()
    const found = await eas.getAttestation(id)
    assert.deepEqual([found.schema, found.recipient, found.attester],
      [schema, RECIPIENT, issuer.address])
    assert.equal(encoder.decodeData(found.data)[0].value.value, 'one')
    return id
  })
  await check('multiAttest', async () => {
    const sent = await eas.multiAttest([{ schema, data: [data('two'), data('three')] }])
    const ids = await sent.wait()
    assert.equal(new Set(ids).size, 2)
    for (const id of ids) assert.ok(await eas.isAttestationValid(id))
  })
  await check('revoke', async () => {
    await (await eas.revoke({ schema, data: { uid } })).wait()
    assert.ok(await eas.isAttestationRevoked(uid))
  })
  await check('timestamp, multiTimestamp', async () => {
    const digests = ['four', 'five', 'six'].map((text) => keccak256(toUtf8Bytes(text)))
    await (await eas.timestamp(digests[0])).wait()
    await (await eas.multiTimestamp(digests.slice(1))).wait()
    for (const digest of digests) assert.ok(await eas.getTimestamp(digest) > 0n)
  })
  await check('attest and revoke for somebody who signed: delegated', async () => {
    const [author, member] = [fresh(), fresh()]
    const delegated = await eas.getDelegated()
    const attestation = data('seven')
    const signed = await delegated.signDelegatedAttestation(
      { schema, ...attestation, refUID: ZeroHash, deadline: 0n, value: 0n }, author)
    eas.connect(member)
    const sent = await eas.attestByDelegation({
      schema, data: attestation, signature: signed.signature, attester: author.address, deadline: 0n })
    const id = await sent.wait()
    assert.equal((await eas.getAttestation(id)).attester, author.address)
    const revocation = await delegated.signDelegatedRevocation(
      { schema, uid: id, deadline: 0n, value: 0n }, author)
    await (await eas.revokeByDelegation({
      schema, data: { uid: id }, signature: revocation.signature, revoker: author.address, deadline: 0n,
    })).wait()
    assert.ok(await eas.isAttestationRevoked(id))
  })
})
