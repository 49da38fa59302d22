/** Acts of authorisations (SPEC §20.2), as their text says them. Whoever reads has proven the text. */
import type { Act, ConsentTerms } from './api.js'

export interface ConsentStep {
  readonly what: 'offered' | 'accepted' | 'narrowed' | 'revoked' | 'reliedOn'
  readonly consent: number
  readonly grantor: number
  readonly grantee: number
  /** Organisation that did it; null for a use, which is the grantee's. */
  readonly by: number | null
  readonly version: number | null
  readonly terms: ConsentTerms | null
  readonly purpose: string | null
  readonly subject: string | null
}

const WHAT: Readonly<Record<string, ConsentStep['what']>> = {
  AuthorisationOffered: 'offered', AuthorisationAccepted: 'accepted', AuthorisationNarrowed: 'narrowed',
  AuthorisationRevoked: 'revoked', AuthorisationReliedOn: 'reliedOn',
}
const PURPOSES_MAX = 16

/** Words of ABI encoding from a byte on; what lies outside is not there. */
class Words {
  constructor(readonly hex: string, readonly from = 0) {}

  word(place: number): string {
    const at = (this.from + 32 * place) * 2
    const word = this.hex.slice(at, at + 64)
    if (word.length !== 64) throw new RangeError('the text is cut short')
    return `0x${word}`
  }

  number(place: number): number {
    const value = BigInt(this.word(place))
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError('a number is too large')
    return Number(value)
  }

  tuple(place: number): Words {
    return new Words(this.hex, this.from + this.number(place))
  }
}

function termsOf(words: Words): ConsentTerms {
  const list = words.tuple(3)
  const count = list.number(0)
  if (count > PURPOSES_MAX) throw new RangeError('too many purposes')
  return {
    agreement: words.word(0), fromMs: words.number(1) * 1000, untilMs: words.number(2) * 1000,
    purposes: Array.from({ length: count }, (_, at) => list.word(1 + at)),
  }
}

/** Reads an act; null for one of something else, or that cannot be read. */
export function consentOf(act: Act): ConsentStep | null {
  const what = WHAT[act.event]
  const [consent, grantor, grantee] = act.topics.map((topic) => Number(BigInt(topic)))
  if (what === undefined || consent === undefined || grantor === undefined || grantee === undefined) return null
  const parties = { what, consent, grantor, grantee, terms: null, purpose: null, subject: null }
  const data = new Words(act.data.toLowerCase().slice(2))
  try {
    if (what === 'revoked') return { ...parties, by: data.number(0), version: null }
    if (what === 'reliedOn') {
      return { ...parties, by: null, version: data.number(0), purpose: data.word(2), subject: data.word(3) }
    }
    const stated = data.tuple(0)
    return { ...parties, version: stated.number(0), by: stated.number(1), terms: termsOf(stated.tuple(4)) }
  } catch {
    return null
  }
}

/** Whether two terms allow the same, under one agreement. */
export function sameTerms(one: ConsentTerms | null, other: ConsentTerms | null): boolean {
  if (one === null || other === null) return one === other
  return one.agreement === other.agreement && one.fromMs === other.fromMs && one.untilMs === other.untilMs &&
    one.purposes.join() === other.purposes.join()
}
