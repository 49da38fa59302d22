/** The newest checkpoint, verified: what everything else on the page is held against. */
import { fromHex, toHex } from '@tbsi/verify/bytes.js'
import type { Holds, Report } from '@tbsi/verify/index.js'
import { judge, type Member } from '../judge.js'
import type { Trusted } from './genesis.js'
import { verifyNote } from './note.js'

export type { Member } from '../judge.js'

/** A checkpoint that a quorum of named validators signed, under the trusted genesis file. */
export interface VerifiedHead {
  readonly basis: 'certificate' | 'cosignatures'
  /** null where a note alone vouches for the log. */
  readonly height: number | null
  readonly timeMs: number
  readonly size: number
  readonly root: Uint8Array
  readonly rootHex: string
  /** What the certificate is over; null without one. */
  readonly digest: string | null
  readonly members: readonly Member[]
  readonly power: number
  readonly totalPower: number
  readonly handovers: number
}

/** A proof that does not hold, and why. */
export class HeadError extends Error {
  override readonly name = 'HeadError'
  constructor(readonly report: Exclude<Report, Holds>) {
    super(report.reason)
  }
}

/** Verifies the proof of a leaf and takes its checkpoint. */
export async function verifyHead(proof: Uint8Array, trusted: Trusted): Promise<VerifiedHead> {
  const { report, members } = await judge({ proof, trust: { genesis: trusted.bytes } })
  if ('code' in report) throw new HeadError(report)
  const { height, timeMs, logSize, logRoot, digest, power, totalPower } = report.decision
  return {
    basis: 'certificate', height: Number(height), timeMs: Number(timeMs), size: Number(logSize),
    root: fromHex(logRoot) ?? new Uint8Array(), rootHex: logRoot, digest, members,
    power: Number(power), totalPower: Number(totalPower), handovers: report.handovers.length,
  }
}

/** The same of a note that validators cosigned. */
export function verifyNoteHead(note: string, trusted: Trusted): VerifiedHead {
  const { size, root, timeMs, power, totalPower, cosigners } = verifyNote(note, trusted)
  return {
    basis: 'cosignatures', height: null, timeMs, size, root, rootHex: toHex(root), digest: null,
    power, totalPower, handovers: 0,
    members: cosigners.map(({ nameZhTw, nameEn, power: weight, signedMs }) =>
      ({ address: null, nameZhTw, nameEn, power: weight, signed: signedMs !== null })),
  }
}
