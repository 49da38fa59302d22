// No change of a good proof is a good proof.
import assert from 'node:assert/strict'
import test from 'node:test'
import { verify } from '@tbsi/sdk/verify'
import { bundleCases } from './vectors.mjs'

const named = (name) => bundleCases().find((it) => it.name === name)

// Of the long one every seventh byte: each of its parts is longer.
for (const [name, stride] of [['signed by a quorum (compact)', 1], ['two handovers (compact)', 7]]) {
  test(`bytes of ${name} count`, () => {
    const it = named(name)
    assert.equal(verify(it).verdict, 'valid')
    const codes = new Map()
    for (let at = 0; at < it.proof.length; at += stride) {
      const proof = it.proof.slice()
      proof[at] ^= 1 << (at % 8)
      const { verdict, code, reason } = verify({ ...it, proof })
      assert.ok(verdict === 'invalid' || verdict === 'could not tell', `byte ${at}: ${verdict}`)
      assert.ok(typeof reason === 'string' && reason !== '')
      codes.set(code, (codes.get(code) ?? 0) + 1)
      // Nor any beginning of it.
      if (at % 32 === 0) assert.notEqual(verify({ ...it, proof: it.proof.slice(0, at) }).verdict, 'valid')
    }
    // The changes reach each step.
    for (const code of ['otherNetwork', 'checkpoint', 'unreadable', 'form']) {
      assert.ok(codes.has(code), `${code} of ${[...codes.keys()]}`)
    }
  })
}

/** Paths of all values in a document. */
function* paths(value, path = []) {
  if (path.length > 0) yield path
  if (value === null || typeof value !== 'object') return
  for (const key of Object.keys(value)) yield* paths(value[key], [...path, key])
}

const CHANGES = [
  (value) => (typeof value === 'number' ? value + 1 : undefined),
  (value) => (typeof value === 'string'
    ? value.replace(/.$/u, (last) => (last === '0' ? '1' : '0')) : undefined),
  (value) => (typeof value === 'string' ? `${value}00` : undefined),
  (value) => (typeof value === 'boolean' ? !value : undefined),
  () => null,
  () => [],
  () => ({}),
]

for (const name of ['signed by a quorum (json)', 'two handovers (json)']) {
  test(`every field of ${name} counts`, () => {
    const it = named(name)
    assert.equal(verify(it).verdict, 'valid')
    const good = JSON.parse(it.proof)
    let mutants = 0
    const fails = (mutant, path) => {
      mutants += 1
      const { verdict } = verify({ ...it, proof: JSON.stringify(mutant) })
      assert.notEqual(verdict, 'valid', path.join('.'))
    }
    for (const path of paths(good)) {
      const last = path.at(-1)
      const at = (document) => path.slice(0, -1).reduce((value, key) => value[key], document)
      for (const change of CHANGES) {
        const mutant = structuredClone(good)
        const changed = change(at(mutant)[last])
        // An empty list stays one.
        if (changed === undefined || JSON.stringify(changed) === JSON.stringify(at(good)[last])) continue
        at(mutant)[last] = changed
        fails(mutant, path)
      }
      const without = structuredClone(good)
      if (Array.isArray(at(without))) at(without).splice(Number(last), 1)
      else delete at(without)[last]
      // A signature more than the quorum needs may be absent.
      if (path.at(-2) !== 'signatures') fails(without, path)
    }
    assert.ok(mutants > 300, `${mutants}`)
  })
}
