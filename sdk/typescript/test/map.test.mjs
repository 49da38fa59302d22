// Proofs with the map: what holds, what it says, and what does not hold.
import assert from 'node:assert/strict'
import test from 'node:test'
import { TbsiClient } from '@tbsi/sdk'
import { inspect, verify } from '@tbsi/sdk/verify'
import { AGES, mapCases } from './map-cases.mjs'
import { read } from './vectors.mjs'

const trust = { genesis: JSON.stringify(read('bundle.json').genesis) }
const plain = (value) => JSON.parse(JSON.stringify(value, (_, it) => (typeof it === 'bigint' ? Number(it) : it)))

test('proofs with the map', () => {
  const cases = mapCases()
  for (const { name, proof, verdict, code, says } of cases) {
    const report = verify({ proof, trust })
    assert.deepEqual([report.verdict, report.code], [verdict, code], `${name}: ${report.reason}`)
    if (says !== undefined) assert.deepEqual(summary(plain(report)), says, name)
  }
  assert.ok(cases.length > 150, `${cases.length}`)
  assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length)
})

/** What a report says of the map, as the cases have it. */
function summary({ revocation, map }) {
  const { knownUpTo, digestsKnownUpTo, digests, status, age } = map
  const known = { asOf: knownUpTo.height, asOfMs: knownUpTo.timeMs }
  assert.deepEqual([status, age], [revocation, null])
  if (revocation === null) {
    const { height: digestsAsOf, timeMs: digestsAsOfMs } = digestsKnownUpTo
    return { ...known, digestsAsOf, digestsAsOfMs, digests: digests.map(({ first }) => first) }
  }
  const { asOf, asOfTimeMs, source, proven } = revocation
  assert.deepEqual([asOf, asOfTimeMs, source, proven], [known.asOf, known.asOfMs, 'map', true])
  const { reasonName, ...revoked } = revocation.revocation ?? {}
  const of = { status: revocation.status, ...known }
  if (reasonName !== undefined) of.revoked = revoked
  if (revocation.supersession !== null) of.superseded = revocation.supersession
  return of
}

test('how old a status may be', () => {
  const cases = mapCases()
  for (const { name, maxAgeMs, atMs, expected } of AGES) {
    const { proof } = cases.find((it) => it.name === name)
    const { verdict, code } = verify({ proof, trust, statusAge: { maxAgeMs, atMs } })
    assert.equal(code ?? verdict, expected, `${name} ${maxAgeMs} ${atMs}`)
  }
  const quiet = cases.find((it) => it.name === 'map: not revoked (json)')
  const { map } = verify({ proof: quiet.proof, trust, statusAge: { maxAgeMs: 60_000n, atMs: 1_700_000_003_250 } })
  const at = { utc: '2023-11-14T22:13:23.25Z', taipei: '2023-11-15T06:13:23.25+08:00' }
  assert.deepEqual(map.age, { ms: 250n, maxMs: 60_000n, at, clock: 'given' })
  const { proof } = cases[0]
  for (const statusAge of [{ maxAgeMs: 0.5, atMs: 0 }, { maxAgeMs: 'day', atMs: 0 }, {}]) {
    assert.equal(verify({ proof, trust, statusAge }).code, 'statusOld')
  }
})

test('a file is compared with the digests that are asked for', () => {
  const { proof } = mapCases().find((it) => it.name === 'map: attested (compact)')
  const compared = (file) => verify({ proof, trust, file: { name: 'it', ...file } })
  const bytes = new TextEncoder().encode('contract')
  const { file } = compared({ bytes })
  assert.deepEqual([file.algorithm, file.salted], ['sha2-256', false])
  assert.equal(compared({ digest: new Uint8Array(Buffer.from(file.digest.slice(2), 'hex')) }).verdict, 'valid')
  for (const other of [{ bytes: bytes.slice(1) }, { bytes, salt: new Uint8Array(32) }, { digest: new Uint8Array(32) },
    { digest: bytes }]) assert.equal(compared(other).code, 'otherFile')
  assert.equal(compared({ bytes, salt: 'none' }).code, 'file')
  assert.equal(compared({}).code, 'file')
})

test('every byte of a proof with the map counts', () => {
  for (const name of ['map: revoked under a schema that does not allow it (compact)',
    'map: three digests, one of 64 bytes (compact)']) {
    const { proof } = mapCases().find((it) => it.name === name)
    const codes = new Set()
    const asked = verify({ proof, trust }).map.digests[0]?.digest
    for (let at = 0; at < proof.length; at += 3) {
      const mutant = new Uint8Array(proof)
      mutant[at] ^= 1 << (at % 8)
      const { verdict, code, map } = verify({ proof: mutant, trust })
      // Another absent digest may lie on the same path: that is said, and the digest is another.
      if (verdict === 'valid') assert.notEqual(map.digests[0].digest, asked, `${name}, byte ${at}`)
      else assert.ok(verdict === 'invalid' || verdict === 'could not tell', `${name}, byte ${at}: ${verdict}`)
      codes.add(code)
      if (at % 48 === 0) {
        assert.notEqual(verify({ proof: new Uint8Array(proof.subarray(0, at)), trust }).verdict, 'valid')
      }
    }
    for (const code of ['map', 'checkpoint', 'form', 'unreadable']) assert.ok(codes.has(code), code)
    assert.equal(inspect(proof).kind, name.includes('digests') ? 'mapRoot' : 'attestation')
  }
})

/** A client of a node that answers all with one result, and what it was asked. */
function clientOf(result) {
  const asked = []
  const fetch = async (_, { body }) => {
    const { method, params } = JSON.parse(body)
    asked.push([method, ...params])
    return new Response(`{"jsonrpc":"2.0","id":1,"result":${result}}`)
  }
  return { asked, client: new TbsiClient({ url: 'http://127.0.0.1:1', trust, fetch }) }
}

test('the client asks for proofs with the map', async () => {
  const named = (name) => mapCases().find((it) => it.name === name).proof
  const id = `0x${'01'.repeat(32)}`
  const { asked, client } = clientOf(named('map: not revoked (json)'))
  assert.equal(verify({ proof: await client.prove({ id }, { status: true }), trust }).verdict, 'valid')
  await client.prove({ id }, { from: 7n, status: true })
  await client.prove({ id }, { status: false })
  await client.proveAbsence(id)
  await client.proveAbsence(id, { from: 7 })
  assert.deepEqual(asked, [
    ['tbsi_getProof', { id }, { status: true }], ['tbsi_getProof', { id }, { from: 7, status: true }],
    ['tbsi_getProof', { id }], ['tbsi_getAbsence', id], ['tbsi_getAbsence', id, { from: 7 }],
  ])
  assert.equal(await clientOf('null').client.proveAbsence(id), undefined)
})

test('a status that is stapled goes before what a node tells', async () => {
  const { asked, client } = clientOf('null')
  const named = (name) => mapCases().find((it) => it.name === name).proof
  const revoked = await client.verify(named('map: revoked (json)'))
  assert.deepEqual([revoked.verdict, revoked.revocation.source], ['void', 'map'])
  const statusAge = { maxAgeMs: 0, atMs: 10 ** 15 }
  assert.equal((await client.verify(named('map: not revoked (json)'), { statusAge })).code, 'statusOld')
  assert.deepEqual(asked, [])
  // This node knows nothing of it, though it has the proof.
  assert.equal((await client.verify(named('map: not revoked (json)'))).code, 'status')
  assert.deepEqual(asked.map(([method]) => method), ['tbsi_getAttestation'])
})
