/** A war room's API (warroom/openapi.json): heard, bounded and not believed. */
import {
  ANSWER_BYTES_MAX, GENESIS_BYTES_MAX, PROOF_BYTES_MAX, REQUEST_MS_MAX, RETRIES_MAX, RETRY_MS_MAX,
} from './limits.js'
import type { Pair } from './words/say.js'
import { TILE_BYTES_MAX } from './log/tiles.js'
import type { Tiles } from './log/read.js'

export interface Both { readonly en: string; readonly zhTw: string }
export interface NotKnown extends Both { readonly field: string; readonly code: string }
export interface Name { readonly organisation: number; readonly zhTw: string; readonly en: string; readonly basis: 'genesis' | 'registry' }
export interface Alarm extends Both {
  readonly code: string
  readonly severity: 'lie' | 'trouble'
  readonly sinceMs: number
  readonly source: string | null
}
export interface Source {
  readonly kind: 'rpc' | 'tiles'
  readonly url: string
  readonly reachable: boolean | null
  readonly size: number | null
  readonly height: number | null
  readonly problem: string | null
}
export interface Signer {
  readonly validator: string
  readonly power: number
  readonly nameZhTw: string
  readonly nameEn: string
  readonly organisation: number | null
  readonly node: string | null
  readonly version: string | null
  readonly signed: boolean | null
  readonly lastSignedMs: number | null
  readonly checkpointsSeen: number
  readonly checkpointsSigned: number
}
export interface Checkpoint {
  readonly size: number
  readonly root: string
  readonly height: number | null
  readonly timeMs: number | null
  readonly basis: 'certificate' | 'cosignatures' | 'genesis'
  readonly note: string | null
  readonly noteSize: number | null
  readonly handovers: number
  readonly signers: readonly Signer[]
}
export interface Status {
  readonly api: string
  readonly software: string
  readonly network: string
  readonly chainId: number
  readonly genesisHash: string
  readonly origin: string
  readonly sources: readonly Source[]
  readonly indexed: { readonly size: number; readonly root: string; readonly height: number | null; readonly timeMs: number | null }
  readonly checkpoint: Checkpoint
  readonly acts: { readonly total: number; readonly read: number }
  readonly alarms: readonly Alarm[]
  readonly nowMs: number
  readonly catchingUp: boolean
  readonly notKnown: readonly NotKnown[]
}
export interface Series {
  readonly stepMs: number
  readonly fromMs: number
  readonly toMs: number
  readonly points: readonly { readonly fromMs: number; readonly count: number }[]
}
export interface Now {
  readonly size: number
  readonly height: number | null
  readonly timeMs: number | null
  readonly ageMs: number | null
  readonly blockIntervalMs: number | null
  readonly rates: { readonly lastMinute: number; readonly lastHour: number; readonly lastDay: number }
  readonly attestations: number
  readonly byOrganisation: readonly { readonly organisation: number; readonly name: Name | null; readonly count: number; readonly lastMs: number }[]
  readonly bySchema: readonly { readonly schema: string; readonly name: string | null; readonly count: number; readonly lastMs: number }[]
  readonly byKind: readonly { readonly kind: string; readonly count: number; readonly lastMs: number }[]
  readonly series: Series
  readonly validators: readonly Signer[]
  readonly routes: readonly {
    readonly destination: string
    readonly caip2: string | null
    readonly messages: number
    readonly newestMs: number
    readonly pending: number | null
    readonly oldestPendingMs: number | null
  }[]
  readonly warnings: readonly (Both & { readonly code: string; readonly link: string | null })[]
  readonly alarms: readonly Alarm[]
  readonly notKnown: readonly NotKnown[]
}
export interface Hit {
  readonly what: string
  readonly by: string
  readonly label: string
  readonly labelZhTw: string
  readonly link: string
  readonly position: number | null
  readonly proven: boolean
}
export interface Search {
  readonly query: string
  readonly understoodAs: readonly string[]
  readonly hits: readonly Hit[]
  readonly more: boolean
  readonly size: number
  readonly notKnown: readonly NotKnown[]
}
export type Statement = Readonly<Record<string, string | number | boolean>> & { readonly kind: string }
export interface Leaf {
  readonly position: number
  readonly leaf: string
  readonly statement: Statement
  readonly issuerName: Name | null
}
export interface LeafPage { readonly size: number; readonly items: readonly Leaf[]; readonly next: string | null }
export interface HistoryEvent {
  readonly what: string
  readonly position: number
  readonly height: number
  readonly timeMs: number
  readonly issuer: string
  readonly issuerName: Name | null
  readonly counts: boolean
  readonly reason: number | null
  readonly other: string | null
  readonly otherPosition: number | null
  readonly have: number | null
  readonly need: number | null
  readonly deadlineS: number | null
}
export interface Schema extends Both {
  readonly schema: string
  readonly name: string | null
  readonly commitsTo: number | null
  readonly revocable: boolean | null
  readonly textHash: string | null
  readonly owner: string | null
  readonly registeredAt: number | null
}
export interface Act extends Both {
  readonly event: string
  readonly contract: string
  readonly topics: readonly string[]
  readonly data: string
}
export interface Attestation extends Leaf {
  readonly id: string | null
  readonly schema: Schema | null
  readonly verdict: 'stands' | 'superseded' | 'revoked' | 'algorithmRevoked' | null
  readonly history: readonly HistoryEvent[]
  readonly historyMore: boolean
  readonly act: Act | null
  readonly size: number
  readonly notKnown: readonly NotKnown[]
}
export interface OrganisationSummary {
  readonly organisation: number
  readonly name: Name
  readonly kind: string | null
  readonly status: 'active' | 'suspended' | 'left'
  readonly votes: boolean | null
  readonly taxId: string | null
  readonly taxIdValid: boolean | null
  readonly lei: string | null
  readonly leiValid: boolean | null
  readonly jurisdiction: string | null
  readonly contactUrl: string | null
  readonly leaves: number
  readonly lastMs: number | null
  readonly validators: number
}
export interface Organisation extends OrganisationSummary {
  readonly agreementHash: string | null
  readonly credentialHash: string | null
  readonly nodes: readonly {
    readonly node: number | null
    readonly name: string
    readonly endpoint: string | null
    readonly version: string | null
    readonly validates: boolean
    readonly power: number | null
    readonly status: string
    readonly keys: readonly {
      readonly kind: string
      readonly key: string
      readonly sinceHeight: number | null
      readonly possession: 'founding' | 'contract' | 'none'
      readonly position: number | null
    }[]
  }[]
  readonly accounts: readonly {
    readonly account: string
    readonly permissions: readonly string[]
    readonly sinceHeight: number
    readonly position: number | null
    readonly did: string
  }[]
  readonly standing: readonly {
    readonly what: string
    readonly height: number
    readonly timeMs: number
    readonly position: number | null
    readonly reason: number | null
    readonly evidenceHash: string | null
    readonly nameZhTw: string | null
    readonly nameEn: string | null
  }[]
  readonly votesCast: readonly { readonly motion: number; readonly choice: string; readonly timeMs: number; readonly position: number }[]
  readonly series: Series
  readonly size: number
  readonly notKnown: readonly NotKnown[]
}
export interface OrganisationPage {
  readonly size: number
  readonly items: readonly OrganisationSummary[]
  readonly next: string | null
  readonly notKnown: readonly NotKnown[]
}
export interface Motion extends Both {
  readonly motion: number
  readonly kind: number
  readonly kindName: string
  readonly organisation: number
  readonly name: Name | null
  readonly subject: number | null
  readonly subjectName: Name | null
  readonly status: string
  readonly proposedMs: number
  readonly deadlineMs: number
  readonly executableFromMs: number | null
  readonly executableUntilMs: number | null
  readonly closedMs: number | null
  readonly yes: number
  readonly no: number
  readonly abstain: number
  readonly conflict: number
  readonly ballots: readonly {
    readonly organisation: number
    readonly name: Name | null
    readonly choice: string
    readonly account: string
    readonly timeMs: number
    readonly position: number
  }[]
  readonly position: number
}
export interface MotionPage {
  readonly size: number
  readonly items: readonly Motion[]
  readonly next: string | null
  readonly notKnown: readonly NotKnown[]
}
export interface ConsentTerms {
  readonly agreement: string
  readonly fromMs: number
  readonly untilMs: number
  readonly purposes: readonly string[]
}
export interface ConsentSummary {
  readonly consent: number
  readonly grantor: number
  readonly grantorName: Name | null
  readonly grantee: number
  readonly granteeName: Name | null
  readonly dataSet: string
  readonly status: string
  readonly versions: number
  readonly terms: ConsentTerms | null
  readonly offered: ConsentTerms | null
  readonly begunMs: number | null
  readonly revokedMs: number | null
  readonly uses: number
}
export interface Consent extends ConsentSummary {
  readonly acts: readonly {
    readonly what: string
    readonly by: number
    readonly name: Name | null
    readonly account: string
    readonly version: number | null
    readonly terms: ConsentTerms | null
    readonly reason: number | null
    readonly timeMs: number
    readonly position: number | null
  }[]
  readonly usesShown: readonly {
    readonly version: number
    readonly account: string
    readonly purpose: string
    readonly subject: string
    readonly timeMs: number
    readonly position: number | null
  }[]
  readonly notKnown: readonly NotKnown[]
}
export interface ConsentPage {
  readonly size: number
  readonly items: readonly ConsentSummary[]
  readonly next: string | null
  readonly notKnown: readonly NotKnown[]
}
export interface ChainPage {
  readonly size: number
  readonly items: readonly {
    readonly chain: number | null
    readonly caip2: string | null
    readonly technology: string | null
    readonly operator: number | null
    readonly operatorName: Name | null
    readonly status: string | null
    readonly contactUrl: string | null
    readonly destination: string
    readonly messages: number
    readonly facts: number
    readonly assurances: readonly { readonly assurance: number; readonly label: string; readonly count: number }[]
    readonly received: number | null
    readonly newestMs: number | null
    readonly position: number | null
  }[]
  readonly notKnown: readonly NotKnown[]
}
export interface Provenance {
  readonly start: string
  readonly nodes: readonly {
    readonly node: string
    readonly what: string
    readonly id: string | null
    readonly position: number | null
    readonly timeMs: number | null
    readonly issuer: string | null
    readonly issuerName: Name | null
    readonly schema: string | null
    readonly digest: string | null
    readonly verdict: string | null
  }[]
  readonly edges: readonly {
    readonly from: string
    readonly to: string
    readonly what: string
    readonly position: number
    readonly counts: boolean
  }[]
  readonly more: boolean
  readonly size: number
}

/** A request that brought no answer that can be used. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  constructor(
    /** `offline`, or the code of the problem after `urn:tbsi:warroom:`, or `answer`. */
    readonly code: string,
    readonly status: number | null,
    readonly said: Pair,
  ) {
    super(said[0])
  }
}

const OFFLINE: Pair = [
  'The war room cannot be reached. Check its address and your connection; Verify works without it.',
  '無法連線至戰情室。請檢查網址與網路；「驗證」不需連線即可使用。',
]
const TOO_LARGE: Pair = [
  'The answer is larger than this page accepts; it was not read.', '回應超過本頁可接受的大小，未予讀取。',
]
const NO_JSON: Pair = ['The answer is not of the expected form.', '回應的格式不符預期。']

export class Api {
  /** `base` ends with a slash, such as `https://room.example/api/v1/`. */
  constructor(readonly base: string) {}

  url(path: string): string {
    return new URL(path.replace(/^\//, ''), this.base).href
  }

  /** Asks for an object; its shape is what openapi.json says, its content is not believed. */
  async get<T>(path: string, signal?: AbortSignal): Promise<T> {
    const bytes = await this.bytes(path, ANSWER_BYTES_MAX, signal)
    try {
      const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
      if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as T
    } catch {
      // Said below.
    }
    throw new ApiError('answer', null, NO_JSON)
  }

  bundle(position: number, signal?: AbortSignal): Promise<Uint8Array> {
    return this.bytes(`attestations/${position}/bundle`, PROOF_BYTES_MAX, signal)
  }

  genesis(): Promise<Uint8Array> {
    return this.bytes('genesis', GENESIS_BYTES_MAX)
  }

  readonly tiles: Tiles = (path, signal) => this.bytes(`tiles/${path}`, TILE_BYTES_MAX, signal)

  /** A recount may ask for more than a war room answers at once: then it asks more slowly. */
  async bytes(path: string, max: number, signal?: AbortSignal): Promise<Uint8Array> {
    for (let sent = 0; ; sent += 1) {
      const answer = await this.#ask(path, max, signal)
      if (answer.status < 300) return answer.body
      if (answer.status !== 429 || sent === RETRIES_MAX) throw problem(answer.status, answer.body)
      const wait = Math.min(RETRY_MS_MAX, Math.max(1, answer.afterS) * 1000)
      await new Promise((resolve) => { setTimeout(resolve, wait) })
      signal?.throwIfAborted()
    }
  }

  async #ask(path: string, max: number, signal?: AbortSignal): Promise<{ status: number; body: Uint8Array; afterS: number }> {
    const limit = AbortSignal.timeout(REQUEST_MS_MAX)
    const either = signal === undefined ? limit : AbortSignal.any([signal, limit])
    let response: Response
    try {
      response = await fetch(this.url(path), { signal: either, credentials: 'omit', referrerPolicy: 'no-referrer' })
    } catch {
      signal?.throwIfAborted()
      throw new ApiError('offline', null, OFFLINE)
    }
    const afterS = Number(response.headers.get('retry-after') ?? 1)
    const body = await bounded(response, max)
    return { status: response.ok ? 200 : response.status, body, afterS: Number.isFinite(afterS) ? afterS : 1 }
  }
}

/** Reads a body of at most so many bytes. */
async function bounded(response: Response, max: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let size = 0
  const reader = response.body?.getReader()
  try {
    for (let next = await reader?.read(); next?.value !== undefined; next = await reader?.read()) {
      size += next.value.length
      if (size > max) {
        await reader?.cancel()
        throw new ApiError('answer', response.status, TOO_LARGE)
      }
      pieces.push(next.value)
    }
  } catch (thrown) {
    if (thrown instanceof ApiError) throw thrown
    throw new ApiError('offline', response.status, OFFLINE)
  }
  const bytes = new Uint8Array(size)
  pieces.reduce((at, piece) => { bytes.set(piece, at); return at + piece.length }, 0)
  return bytes
}

/** What a problem document says (RFC 9457); a status if it is none. */
function problem(status: number, body: Uint8Array): ApiError {
  const plain: Pair = [`The war room answered with HTTP ${status}.`, `戰情室回應 HTTP ${status}。`]
  try {
    const { type, detail, detailZhTw } = JSON.parse(new TextDecoder().decode(body)) as Record<string, unknown>
    if (typeof detail !== 'string' || typeof detailZhTw !== 'string') return new ApiError('answer', status, plain)
    const code = typeof type === 'string' ? type.replace('urn:tbsi:warroom:', '') : 'answer'
    return new ApiError(code, status, [detail, detailZhTw])
  } catch {
    return new ApiError('answer', status, plain)
  }
}
