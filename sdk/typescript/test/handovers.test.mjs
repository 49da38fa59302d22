// tests/vectors/handovers.json: streams of handovers that every verifier follows alike.
import assert from 'node:assert/strict'
import test from 'node:test'
import { anchorOf, anchorOfSet } from '../dist/verify/anchor.js'
import { decodeCheckpoint } from '../dist/verify/decision.js'
import { parseGenesis } from '../dist/verify/genesis.js'
import { followStream } from '../dist/verify/handovers.js'
import { utf8 } from '../dist/verify/bytes.js'
import { verify } from '@tbsi/sdk/verify'
import { bytes, read } from './vectors.mjs'

const vectors = read('handovers.json')
const genesis = parseGenesis(utf8(JSON.stringify(vectors.genesis)))
const chain = { chainId: genesis.chainId, genesisHash: genesis.hash }

function trustedBy({ trustedCheckpoint }) {
  return trustedCheckpoint === undefined
    ? { ...anchorOfSet(chain, genesis.validators.hash), timeMs: genesis.timeMs }
    : anchorOf(chain, decodeCheckpoint(bytes(trustedCheckpoint)))
}

for (const it of vectors.cases) {
  test(`handovers: ${it.name}`, () => {
    const stream = bytes(it.stream)
    const follow = () => followStream(stream, trustedBy(it), BigInt(it.height))
    if (it.followed === undefined) {
      assert.throws(follow, ({ message }) => message.includes(it.refused))
    } else {
      const { anchor, followed } = follow()
      assert.deepEqual([followed, Number(anchor.height)], [it.followed.count, it.followed.height])
    }
    if (it.height !== 1200) return
    const trust = it.trustedCheckpoint === undefined
      ? { genesis: JSON.stringify(vectors.genesis) }
      : { encodedCheckpoint: it.trustedCheckpoint, genesisHash: vectors.genesisHash }
    const report = verify({ proof: bytes(vectors.proof), trust, handovers: stream })
    assert.equal(report.verdict === 'valid', it.followed?.proofHolds ?? false, report.reason)
    if (it.followed === undefined) assert.equal(report.code, 'handovers')
    else if (it.followed.proofHolds) assert.equal(Number(report.followed), it.followed.count)
  })
}

test('handovers: none is missing', () => assert.ok(vectors.cases.length >= 35))
