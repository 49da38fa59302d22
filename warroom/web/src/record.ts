/** One record of the log, proven: what the leaf says, and what later leaves say of it. */
import type { Report } from '@tbsi/verify/index.js'
import { decodeLeaf, type Statement } from '@tbsi/verify/leaf.js'
import type { Api, Attestation } from './api.js'
import { judge } from './judge.js'
import { Historian, type History } from './log/history.js'
import { readLog } from './log/read.js'
import type { Trusted } from './trust/genesis.js'
import type { VerifiedHead } from './trust/head.js'

export interface Proven {
  readonly proof: Uint8Array
  readonly report: Report
  /** What the proven leaf says; null if nothing is proven. */
  readonly statement: Statement | null
}

/** Fetches the proof of a record and verifies it. */
export async function prove(api: Api, position: number, trusted: Trusted): Promise<Proven> {
  const proof = await api.bundle(position)
  const { report, leaf } = await judge({ proof, trust: { genesis: trusted.bytes } })
  if ('code' in report) return { proof, report, statement: null }
  // A proof of another record proves nothing of this one.
  if (Number(report.leafIndex) !== position) {
    return { proof, statement: null, report: {
      verdict: 'invalid', code: 'leaf', reason: `the proof is of record ${report.leafIndex}, not of ${position}`,
    } }
  }
  return { proof, report, statement: leaf === null ? null : decodeLeaf(leaf) }
}

/** Fields in which what a war room says of a record differs from the proven record. */
export function otherFields(said: Attestation, proven: Statement): string[] {
  const plain = (value: unknown) => (typeof value === 'bigint' ? value.toString() : String(value))
  const names = new Set([...Object.keys(said.statement), ...Object.keys(proven)])
  return [...names].filter((name) => plain(said.statement[name]) !== plain(proven[name]))
}

/** Reads all records after one, up to the verified checkpoint, for what they say of it. */
export async function readHistory(
  api: Api, head: VerifiedHead, position: number, of: Statement,
  more: { registeredAt?: number | null; progress?: (done: number, all: number) => void; signal?: AbortSignal } = {},
): Promise<History> {
  const historian = new Historian(of)
  const { registeredAt, progress, signal } = more
  if (registeredAt !== null && registeredAt !== undefined && registeredAt < position) {
    await readLog({
      tiles: api.tiles, head, from: registeredAt, to: registeredAt + 1,
      visit: (leaf, index) => historian.see(decodeLeaf(leaf), index), ...(signal === undefined ? {} : { signal }),
    })
  }
  await readLog({
    tiles: api.tiles, head, from: position + 1,
    visit: (leaf, index) => historian.see(decodeLeaf(leaf), index),
    ...(progress === undefined ? {} : { progress }), ...(signal === undefined ? {} : { signal }),
  })
  return historian.history
}
