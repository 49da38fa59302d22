/** What a verification comes to: the report, and parts of a proof that holds. */
import { parseProof } from '@tbsi/verify/bundle.js'
import { toHex } from '@tbsi/verify/bytes.js'
import { verify, type Question, type Report } from '@tbsi/verify/index.js'

/** One of the validators that had to decide. */
export interface Member {
  readonly address: string | null
  readonly nameZhTw: string
  readonly nameEn: string
  readonly power: number
  readonly signed: boolean
}

export interface Judgement {
  readonly report: Report
  /** The set that decided; its hash is in the checkpoint, so names and powers are as signed. */
  readonly members: readonly Member[]
  /** The proven leaf; null if nothing is proven. */
  readonly leaf: Uint8Array | null
}

export function judgement(question: Question): Judgement {
  const report = verify(question)
  if ('code' in report) return { report, members: [], leaf: null }
  const { bundle } = parseProof(typeof question.proof === 'string'
    ? new TextEncoder().encode(question.proof) : question.proof)
  const signed = new Set<string>(report.decision.signers.map(({ validator }) => validator))
  const members = bundle.validators.validators.map(({ address, nameZhTw, nameEn, power }) => ({
    address: toHex(address), nameZhTw, nameEn, power: Number(power), signed: signed.has(toHex(address)),
  }))
  return { report, members, leaf: bundle.leaf }
}
