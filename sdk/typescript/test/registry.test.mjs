// tests/vectors/registry.json: whose account an issuer's was, and who answers for validators.
import assert from 'node:assert/strict'
import test from 'node:test'
import { verify } from '@tbsi/sdk/verify'
import { bytes, read } from './vectors.mjs'

const { genesis, proofs } = read('registry.json')
const trust = { genesis: JSON.stringify(genesis) }
const plain = (value) => JSON.parse(JSON.stringify(value, (_, it) => (typeof it === 'bigint' ? Number(it) : it)))

test('names of issuers', () => {
  let held = 0
  let proven = 0
  for (const { name, compact, json, verified, refused } of proofs) {
    const forms = [compact && bytes(compact), json && JSON.stringify(json)].filter((it) => it !== undefined)
    assert.ok(forms.length > 0, name)
    for (const proof of forms) {
      const report = verify({ proof, trust })
      if (verified === undefined) {
        assert.deepEqual([report.verdict, report.code], [refused.verdict, refused.code], `${name}: ${report.reason}`)
        continue
      }
      held += 1
      const { issuer, operators } = verified
      const owner = issuer === null ? null : { ...issuer, source: 'registry' }
      assert.deepEqual(plain(report.organisation), owner, `${name}: ${report.reason}`)
      for (const { validator, organisation } of plain(report.decision.signers)) {
        const { validator: _, ...said } = operators.find((it) => it?.validator === validator) ?? {}
        if (organisation.source === 'registry') proven += 1
        const expected = said.number === undefined ? undefined : { ...said, source: 'registry' }
        const unproven = organisation.source === 'registry' ? organisation : undefined
        assert.deepEqual(unproven, expected, `${name}: ${validator}`)
      }
    }
  }
  assert.ok(held === 18 && proven >= 24 && proofs.length >= 80, `${held}, ${proven}, ${proofs.length}`)
})

test('a bit of the part is another proof', () => {
  const { compact } = proofs.find(({ name }) => name === 'joined later, with an LEI')
  const good = bytes(compact)
  const part = new TextDecoder().decode(good).lastIndexOf('Association C') - 4
  for (let at = part; at < good.length; at += 37) {
    const other = Uint8Array.from(good)
    other[at] ^= 1 << (at % 8)
    assert.notEqual(verify({ proof: other, trust }).verdict, 'valid', `byte ${at}`)
  }
})
