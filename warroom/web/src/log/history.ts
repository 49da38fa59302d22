/** What verified leaves say became of an attestation (SPEC §12.4). */
import type { Statement } from '@tbsi/verify/leaf.js'
import { FILE_SCHEMA, SALTED_FILE_SCHEMA } from '@tbsi/verify/digest.js'

/** One leaf of the history, and where it is. */
export interface Event {
  readonly index: number
  readonly statement: Statement
}

/** What the log itself says, as far as it was read. */
export interface History {
  readonly revocation: Event | null
  readonly supersession: Event | null
  readonly opened: Event | null
  readonly countersignatures: readonly Event[]
  /** The digest's algorithm was revoked: it proves nothing any more. */
  readonly algorithmRevoked: Event | null
  /** Said by accounts that are not the issuer: it counts for nothing. */
  readonly strangers: number
}

/** Status of an algorithm whose digests count for nothing (SPEC §12.6). */
const REVOKED = 3n

const BUILT_IN: readonly string[] = [FILE_SCHEMA, SALTED_FILE_SCHEMA]

/** Collects events about one attestation, and the schema's registration. */
export class Historian {
  readonly #events: Event[] = []
  #revocable: boolean | null
  #algorithm: Event | null = null
  constructor(readonly of: Statement) {
    this.#revocable = BUILT_IN.includes(String(of['schema'])) ? true : null
  }

  see(statement: Statement, index: number): void {
    if (statement.kind === 'schemaRegistered' && statement['schema'] === this.of['schema']) {
      this.#revocable ??= statement['revocable'] === true
    }
    if (statement.kind === 'algorithmSet' && statement['algorithm'] === this.of['algorithm']) {
      this.#algorithm = statement['status'] === REVOKED ? { index, statement } : null
    }
    if (statement.kind === 'attestation' || statement['id'] !== this.of['id']) return
    if (statement.chainId === this.of.chainId) this.#events.push({ index, statement })
  }

  /** Of a schema that was not seen, a revocation is taken to count: it warns too much. */
  get history(): History {
    const own = (kind: string) => this.#events.find(({ statement }) =>
      statement.kind === kind && statement.issuer === this.of.issuer) ?? null
    const all = (kind: string) => this.#events.filter(({ statement }) => statement.kind === kind)
    const strangers = [...all('revocation'), ...all('supersession')]
      .filter(({ statement }) => statement.issuer !== this.of.issuer).length
    return {
      revocation: this.#revocable === false ? null : own('revocation'),
      supersession: own('supersession'),
      opened: all('countersigningOpened')[0] ?? null,
      countersignatures: all('countersignature'),
      algorithmRevoked: this.#algorithm,
      strangers,
    }
  }
}

export type Verdict = 'stands' | 'superseded' | 'revoked' | 'algorithmRevoked'

/** What it comes to, as the `verdict` of a war room. */
export function verdictOf({ revocation, supersession, algorithmRevoked }: History): Verdict {
  if (revocation !== null) return 'revoked'
  if (algorithmRevoked !== null) return 'algorithmRevoked'
  return supersession === null ? 'stands' : 'superseded'
}
