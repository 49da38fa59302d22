// What a page has to load.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { gzipSync } from 'node:zlib'

test('the verifier is at most 60 kB, gzipped', () => {
  for (const file of ['verify.js', 'tbsi-proof.js', 'sdk.js']) {
    const bytes = readFileSync(new URL(`../dist/browser/${file}`, import.meta.url))
    const size = gzipSync(bytes, { level: 9 }).length
    assert.ok(size <= 60_000, `${file}: ${size} bytes`)
    console.log(`${file}: ${size} bytes`)
  }
})
