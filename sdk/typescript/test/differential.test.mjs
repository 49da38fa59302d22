// Random changes of good proofs: the verdict and code are those of the real `tbsi verify`.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { verify } from '@tbsi/sdk/verify'
import { bundleCases, read } from './vectors.mjs'

const bin = process.env.TBSI_BINARY
const CHANGES = 300
const SYMBOLS = '0123456789abcdef"{}[],:.-eE\\ '

/** Numbers below `end`, the same in every run. */
function numbers(seed) {
  let state = seed
  return (end) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * end)
  }
}

function changed(bytes, below) {
  const at = below(bytes.length)
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  const copy = Buffer.from(bytes)
  switch (below(6)) {
    case 0: copy[at] ^= 1 << below(8); return copy
    case 1: return Buffer.concat([before, after.subarray(1 + below(3))])
    case 2: return Buffer.concat([before, Buffer.from([below(256)]), after])
    case 3: copy[at] = SYMBOLS.charCodeAt(below(SYMBOLS.length)); return copy
    case 4: return Buffer.concat([before, after.subarray(0, below(40)), after])
    default: copy[at] = 0x30 + below(10); return copy
  }
}

test('verdicts on random changes', { skip: bin ? false : 'set TBSI_BINARY' }, () => {
  const below = numbers(7)
  const dir = mkdtempSync(join(tmpdir(), 'tbsi-changes-'))
  const [file, path] = ['genesis.json', 'proof'].map((name) => join(dir, name))
  const genesis = JSON.stringify(read('bundle.json').genesis)
  const good = bundleCases().filter(({ verified, trustedCheckpoint }) => verified && !trustedCheckpoint)
  const codes = new Set()
  try {
    writeFileSync(file, genesis)
    for (let number = 0; number < CHANGES; number += 1) {
      const { name, proof } = good[below(good.length)]
      const proofChanged = changed(changed(Buffer.from(proof), below), below)
      writeFileSync(path, proofChanged)
      const { stdout } = spawnSync(bin, ['verify', path, '--genesis', file, '--json'])
      const theirs = JSON.parse(stdout)
      const ours = verify({ proof: new Uint8Array(proofChanged), trust: { genesis } })
      const shown = `change ${number} of ${name}: ${theirs.reason} | ${ours.reason}`
      assert.deepEqual([ours.verdict, ours.code], [theirs.verdict, theirs.code], shown)
      codes.add(theirs.code)
    }
    assert.ok(codes.size >= 6, [...codes].join())
  } finally {
    rmSync(dir, { recursive: true })
  }
})
