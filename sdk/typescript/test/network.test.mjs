// Against a running network: what is attested here verifies there, and the other way round.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import {
  TbsiClient, TbsiError, digestDocument, formatSalt, inspect, keySender, newSalt, toHex, verify,
  walletSender,
} from '@tbsi/sdk'
import { ethersSender } from '@tbsi/sdk/ethers'
import { viemSender } from '@tbsi/sdk/viem'
import { JsonRpcProvider, Wallet } from 'ethers'
import { createWalletClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { WebSocket } from 'ws'
import { freshKey, genesis, genesisFile, missing, network, tbsi, tbsiVerify } from './network.mjs'

const options = { skip: missing }
const dir = mkdtempSync(join(tmpdir(), 'tbsi-sdk-'))
after(() => rmSync(dir, { recursive: true }))

const put = (name, content) => {
  const path = join(dir, name)
  writeFileSync(path, content, { mode: 0o600 })
  return path
}
const client = () => new TbsiClient({ ...network, WebSocket, trust: { genesis: genesis() } })
const sender = () => keySender(freshKey(), network.url)

/** Both verifiers, with the same question. */
function bothSay(proof, args = [], question = {}) {
  const path = put('proof', proof)
  const theirs = tbsiVerify([path, '--genesis', genesisFile(), ...args])
  const ours = verify({ proof, trust: { genesis: genesis() }, ...question })
  if ('code' in theirs) {
    assert.deepEqual([ours.verdict, ours.code], [theirs.verdict, theirs.code], ours.reason)
  } else {
    assert.deepEqual(plain(ours), theirs)
  }
  return ours
}

const plain = (value) => structuredClone(value)

test('attest: the report is that of `tbsi verify --json`', options, async () => {
  const attested = await client().attest(sender(), { document: '合約 contract\n' })
  assert.equal(attested.report.verdict, 'valid')
  assert.equal(bothSay(attested.proof).issuer, attested.issuer)
  const path = put('contract.txt', '合約 contract\n')
  const file = { name: path, bytes: readFileSync(path) }
  assert.equal(bothSay(attested.proof, ['--file', path], { file }).file.salted, false)
  const other = put('other.txt', 'other')
  const changed = { name: other, bytes: readFileSync(other) }
  assert.equal(bothSay(attested.proof, ['--file', other], { file: changed }).code, 'otherFile')
  // The same again is the same id, and another leaf.
  const found = await client().find({ id: attested.id })
  assert.deepEqual(found.entries.map(({ index }) => index), [attested.leafIndex])
})

test('salts are those of `tbsi attest --salt`', options, async () => {
  const salt = newSalt()
  const attested = await client().attest(sender(), { document: 'secret', salt })
  assert.deepEqual(attested.salt, salt)
  const path = put('secret', 'secret')
  const saltPath = put('secret.tbsi.salt', formatSalt(salt))
  const bytes = readFileSync(path)
  const args = ['--file', path, '--salt', saltPath]
  const text = readFileSync(saltPath, 'utf8')
  assert.equal(bothSay(attested.proof, args, { file: { name: path, bytes, salt: text } }).file.salted, true)
  const without = { file: { name: path, bytes } }
  rmSync(saltPath)
  assert.equal(bothSay(attested.proof, ['--file', path], without).code, 'file')
  const wrong = put('wrong.salt', formatSalt(newSalt()))
  const file = { name: path, bytes, salt: readFileSync(wrong, 'utf8') }
  assert.equal(bothSay(attested.proof, ['--file', path, '--salt', wrong], { file }).code, 'otherFile')
})

test('files of every algorithm compare as with `tbsi attest`', options, async () => {
  const key = put('issuer.key', `${freshKey().slice(2)}\n`)
  for (const name of ['sha2-256', 'sha2-512', 'sha3-384', 'keccak-256', 'blake3', 'blake2b-512', 'blake2s-256']) {
    const path = put(`${name}.bin`, `content for ${name}`)
    tbsi(['attest', path, '--key', key, '--rpc', network.url, '--algorithm', name])
    const proof = readFileSync(`${path}.tbsi.json`)
    const said = bothSay(proof, ['--file', path], { file: { name: path, bytes: readFileSync(path) } })
    assert.equal(said.file?.algorithm, name, said.reason)
    assert.equal(toHex(await digestDocument(new Blob([readFileSync(path)]), name)), said.file.digest)
  }
})

test('batches', options, async () => {
  const subjects = Array.from({ length: 300 }, (_, at) => ({ document: `document ${at} ${freshKey()}` }))
  const attested = await client().attestBatch(sender(), subjects, { proofs: false })
  assert.equal(new Set(attested.map(({ id }) => id)).size, 300)
  const { index } = { index: attested[299].leafIndex }
  const proof = await client().prove({ index })
  assert.equal(inspect(proof).id, attested[299].id)
  assert.equal(bothSay(proof).verdict, 'valid')
  const mixed = [{ document: 'a' }, { document: 'b', algorithm: 'sha3-256' }]
  await assert.rejects(client().attestBatch(sender(), mixed), { kind: 'argument' })
})

test('viem, ethers and a wallet of EIP-1193', options, async () => {
  const account = privateKeyToAccount(freshKey())
  const wallet = createWalletClient({ account, transport: http(network.url) })
  const signer = new Wallet(freshKey(), new JsonRpcProvider(network.url, undefined, { cacheTimeout: -1 }))
  const provider = {
    request: async ({ method, params }) => {
      if (method === 'eth_requestAccounts') return [account.address]
      if (method === 'eth_sendTransaction') {
        const [{ to, data }] = params
        return wallet.sendTransaction({ to, data, chain: null })
      }
      return wallet.request({ method, params })
    },
  }
  for (const made of [viemSender(wallet), ethersSender(signer), walletSender(provider)]) {
    const attested = await client().attest(made, { document: freshKey() })
    assert.equal(attested.issuer, await made.address())
    assert.equal(attested.report.verdict, 'valid')
  }
  const lost = { ...viemSender(wallet), chainId: async () => 1n }
  await assert.rejects(client().attest(lost, { document: 'x' }), { kind: 'otherChain' })
})

test('one key, several attestations at a time', options, async () => {
  const issuer = sender()
  const made = Array.from({ length: 5 }, () => client().attest(issuer, { document: freshKey() }))
  const attested = await Promise.all(made)
  assert.equal(new Set(attested.map(({ leafIndex }) => leafIndex)).size, 5)
})

test('revocation and supersession', options, async () => {
  const issuer = sender()
  const [one, two] = await client().attestBatch(issuer, [{ document: freshKey() }, { document: freshKey() }])
  const compare = async (proof) => {
    const path = put('revoked', proof)
    const theirs = tbsiVerify([path, '--genesis', genesisFile(), '--rpc', network.url])
    const ours = plain(await client().verify(proof))
    // Blocks come between two questions; a node has a slash at the end of its name there.
    for (const it of [ours, theirs]) {
      delete it.revocation.asOf
      it.revocation.source = it.revocation.source.replace(/\/$/, '')
      // Addresses in sentences have a checksum of capitals there.
      it.reason = it.reason?.toLowerCase() ?? null
    }
    assert.deepEqual(ours, theirs)
    return ours
  }
  assert.equal((await compare(one.proof)).revocation.status, 'notRevoked')
  await client().supersede(issuer, one.id, two.id)
  assert.equal((await compare(one.proof)).revocation.supersession.successor, two.id)
  // A stranger's word counts for nothing.
  await client().revoke(sender(), one.id, 4)
  assert.equal((await compare(one.proof)).verdict, 'valid')
  await client().revoke(issuer, one.id, 4)
  const said = await compare(one.proof)
  assert.deepEqual([said.verdict, said.revocation.proven], ['void', true])
  const stray = (await client().findAll({ id: one.id }).next()).value
  assert.equal(stray.statement.kind, 'attestation')
  await assert.rejects(client().revoke(issuer, one.id, 4), TbsiError)
})

test('a node that lies of a revocation is not believed', options, async () => {
  const attested = await client().attest(sender(), { document: freshKey() })
  const lie = (change) => async (address, request) => {
    const response = await fetch(address, request)
    const { method } = JSON.parse(request.body)
    if (method !== 'tbsi_getAttestation') return response
    return new Response(change(await response.text()))
  }
  for (const change of [
    (text) => text.replace('"revokedAt":null', '"revokedAt":7'),
    (text) => text.replace(/"entries":\[.*\]/, '"entries":[]'),
    (text) => text.replace(/"index":\d+/, '"index":0'),
    () => '{"jsonrpc":"2.0","id":1,"result":null}',
    () => '<html>',
  ]) {
    const lied = new TbsiClient({ ...network, trust: { genesis: genesis() }, fetch: lie(change) })
    const report = await lied.verify(attested.proof)
    assert.deepEqual([report.verdict, report.code], ['could not tell', 'status'])
  }
})

test('subscriptions', options, async () => {
  const issuer = sender()
  const stop = new AbortController()
  const seen = []
  const { leafIndex: first } = await client().attest(issuer, { document: freshKey() })
  const filter = { issuer: await issuer.address(), fromIndex: first }
  const reading = (async () => {
    for await (const entry of client().subscribe(filter, stop.signal)) {
      seen.push(entry.index)
      if (seen.length === 3) stop.abort()
    }
  })()
  const two = await client().attestBatch(issuer, [{ document: freshKey() }, { document: freshKey() }])
  await reading
  assert.deepEqual(seen, [first, ...two.map(({ leafIndex }) => leafIndex)])
  const wrong = client().subscribe({ fromIndex: 2n ** 40n })
  await assert.rejects(wrong.next(), { kind: 'rpc', rpcCode: -32602 })
})

test('handovers, compact form, trusted checkpoints', options, async () => {
  const old = await client().attest(sender(), { document: freshKey() })
  const before = put('before.json', '')
  rmSync(before)
  tbsi(['checkpoint', 'get', '--rpc', network.url, '--out', before])
  const home = join(network.dir, 'validator-2')
  const rpc = ['--rpc', network.url]
  tbsi(['keys', 'rotate', '--home', home, '--key', join(home, 'keys/account.key'), ...rpc])
  // The new set has decided when a proof of something later shows the handover.
  let later
  for (let tries = 0; tries < 60; tries += 1) {
    later = await client().attest(sender(), { document: freshKey() })
    if (later.report.handovers.length > 0) break
  }
  const said = bothSay(later.proof)
  assert.ok(said.handovers.length >= 1)
  const short = JSON.parse(later.proof)
  const missing = { ...short, handovers: [] }
  assert.equal(bothSay(JSON.stringify(missing)).code, 'gap')
  const checkpoint = readFileSync(before, 'utf8')
  const under = (proof, file) => {
    const path = put('under', proof)
    const theirs = tbsiVerify([path, '--checkpoint', file])
    const ours = verify({ proof, trust: { checkpoint: readFileSync(file, 'utf8') } })
    if ('code' in theirs) assert.deepEqual([ours.verdict, ours.code], [theirs.verdict, theirs.code])
    else assert.deepEqual(plain(ours), theirs)
    return ours
  }
  assert.equal(under(later.proof, before).verdict, 'valid')
  const after_ = put('after.json', '')
  rmSync(after_)
  tbsi(['checkpoint', 'get', '--rpc', network.url, '--out', after_])
  // A later checkpoint cannot judge a proof from before it.
  assert.equal(under(old.proof, after_).code, 'beforeTrusted')
  assert.equal(under(later.proof.replaceAll(short.genesisHash, `0x${'09'.repeat(32)}`), before).code, 'otherNetwork')
  const kept = put('handovers.tbh', '')
  rmSync(kept)
  tbsi(['log', 'handovers', '--genesis', genesisFile(), '--out', kept, '--log', `${network.url}/log`])
  const handovers = new Uint8Array(readFileSync(kept))
  const followed = bothSay(JSON.stringify(missing), ['--handovers', kept], { handovers })
  assert.ok(followed.followed >= 1n)
  for (const wrong of [handovers.slice(0, 40), handovers.slice(0, -1), handovers.map((byte, at) => (at === 60 ? byte ^ 1 : byte))]) {
    const path = put('wrong.tbh', wrong)
    const { code } = bothSay(JSON.stringify(missing), ['--handovers', path], { handovers: wrong })
    assert.equal(code, 'handovers')
  }
  assert.ok(checkpoint.length > 0)
})

test('what a node refuses, and no node at all', options, async () => {
  await assert.rejects(client().rpc.call('tbsi_foo'), { kind: 'rpc', rpcCode: -32601 })
  const nobody = new TbsiClient({ url: 'http://127.0.0.1:1' })
  await assert.rejects(nobody.status(), { kind: 'network' })
  assert.equal(await client().standing(`0x${'00'.repeat(32)}`), undefined)
  assert.equal(await client().prove({ id: `0x${'00'.repeat(32)}` }), undefined)
  assert.equal((await client().status()).chainId, 8862026n)
  await assert.rejects(client().attest(sender(), {}), { kind: 'argument' })
  await assert.rejects(client().attest(sender(), { digest: '0x00' }), { kind: 'argument' })
  // An answer that never comes; a socket would keep the process alive meanwhile.
  const never = (_, { signal }) => new Promise((_, reject) => {
    const alive = setTimeout(() => {}, 10_000)
    signal.addEventListener('abort', () => {
      clearTimeout(alive)
      reject(signal.reason)
    })
  })
  const slow = new TbsiClient({ url: network.url, timeoutMs: 1, fetch: never })
  await assert.rejects(slow.status(), { kind: 'network' })
})
