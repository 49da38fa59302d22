/** Changes of the validator set as one stream, from a known set on (SPEC §10.6). */
import { Cursor, equal, toHex } from './bytes.js'
import { follow, type TrustAnchor } from './anchor.js'
import { takeDecision, takeSet } from './compact.js'
import { formError } from './bundle.js'
import { TrustError } from './errors.js'
import { RECORD_BYTES_MAX } from './limits.js'

const MAGIC = new Uint8Array([0x54, 0x42, 0x48, 0x31])

/**
 * Follows a stream from `trusted` up to `height`, one record at a time: what is trusted then, and
 * how many handovers were verified. Throws a `TrustError` or a `ProofError`.
 */
export function followStream(
  stream: Uint8Array,
  trusted: TrustAnchor,
  height: bigint,
): { anchor: TrustAnchor; followed: number } {
  const cursor = new Cursor(stream)
  if (stream.length < 44 || !equal(cursor.take('format', 4), MAGIC)) {
    throw new TrustError('this is no file of `tbsi log handovers` in a form that is known here')
  }
  const chain = { chainId: cursor.uint('chain id', 8), genesisHash: cursor.take('genesis', 32) }
  const expected = trusted.chain
  if (chain.chainId !== expected.chainId || !equal(chain.genesisHash, expected.genesisHash)) {
    throw new TrustError(
      `handovers are of the network with genesis hash ${toHex(chain.genesisHash)}, trusted is ` +
      toHex(expected.genesisHash))
  }
  let set = record(frame(cursor, 0), 0, takeSet)
  let [anchor, followed] = [trusted, 0]
  for (let number = 1; cursor.left > 0; number += 1) {
    const old = set
    const { next, last, first } = record(frame(cursor, number), number, (body) => {
      const next = takeSet(body)
      const last = takeDecision(body, chain, old)
      return { next, last, first: takeDecision(body, chain, next) }
    })
    if (first.checkpoint.height > height) break
    const handover = { validators: old, last, first }
    const result = follow([handover], next, anchor, followed)
    anchor = result.anchor
    followed += result.verified.length
    set = next
  }
  return { anchor, followed }
}

function frame(cursor: Cursor, number: number): Cursor {
  if (cursor.left < 4) throw new TrustError('handovers end in the middle of a record')
  const length = cursor.small('length', 4)
  if (length > RECORD_BYTES_MAX || length > cursor.left) {
    throw new TrustError(
      `record ${number} of handovers has ${length} bytes, at most ${RECORD_BYTES_MAX} are ` +
      `allowed and ${cursor.left} are there`)
  }
  return new Cursor(cursor.take('record', length))
}

function record<T>(body: Cursor, number: number, take: (body: Cursor) => T): T {
  try {
    const taken = take(body)
    body.end()
    return taken
  } catch (thrown) {
    throw new TrustError(`record ${number} of handovers: ${formError(thrown).message}`)
  }
}
