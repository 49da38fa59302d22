/** Why something proves nothing. Never leaves this package: verdicts say it (SPEC §10.5). */

/** What is wrong with the form of a proof. */
export type FormProblem =
  /** No proof that could be read: too long, cut short, not JSON of the shape. */
  | 'unreadable'
  /** Newer software may be able to read it. */
  | 'otherVersion'
  /** Parts that contradict each other, or are not in canonical form. */
  | 'form'

/** Bytes that are no proof, or none in canonical form. */
export class FormError extends Error {
  override readonly name = 'FormError'
  constructor(
    readonly problem: FormProblem,
    message: string,
  ) {
    super(message)
  }
}

/** Which rule a decision breaks, as far as verdicts depend on it. */
export type DecisionProblem = 'validatorSet' | 'before' | 'fork' | 'other'

/** A decision that does not follow from what is trusted. */
export class DecisionError extends Error {
  override readonly name = 'DecisionError'
  constructor(
    readonly problem: DecisionProblem,
    message: string,
  ) {
    super(message)
  }
}

/** The step of SPEC §10.4 at which a proof fails; `map` is all of §10.7, `registry` of §10.11. */
export type Step =
  | 'genesis' | 'leaf' | 'inclusion' | 'handover' | 'decision' | 'map' | 'registry'

/** A proof that was read and does not hold. */
export class ProofError extends Error {
  override readonly name = 'ProofError'
  constructor(
    readonly step: Step,
    message: string,
    readonly detail: {
      /** Of the handover, from 1. */
      readonly handover?: number
      readonly problem?: DecisionProblem
    } = {},
  ) {
    super(message)
  }
}

/** What the caller trusts, or compares with, cannot be used. */
export class TrustError extends Error {
  override readonly name = 'TrustError'
}

/** The words of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
