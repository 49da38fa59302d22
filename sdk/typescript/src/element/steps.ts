/** What was checked, one step after the other (SPEC §10.4, §10.7, §10.11), and where it ended. */
import type { Code, Report } from '../verify/report.js'

export const STEPS = [
  'form', 'genesis', 'leaf', 'inclusion', 'handover', 'checkpoint', 'map', 'registry', 'file',
] as const
export type StepName = (typeof STEPS)[number]

/** `open`: it could not be told; `after`: it was not reached; `absent`: there was nothing to check. */
export type StepState = 'holds' | 'fails' | 'open' | 'after' | 'absent'

export interface Step {
  readonly name: StepName
  readonly state: StepState
}

/** At which step a verdict against a proof, or none, comes about. */
const AT: Readonly<Record<Code, StepName>> = {
  form: 'form', otherVersion: 'form', unreadable: 'form',
  trust: 'genesis', otherNetwork: 'genesis',
  leaf: 'leaf', inclusion: 'inclusion',
  handover: 'handover', handovers: 'handover', gap: 'handover',
  checkpoint: 'checkpoint', fork: 'checkpoint', beforeTrusted: 'checkpoint',
  map: 'map', statusMissing: 'map', statusOld: 'map', status: 'map',
  registry: 'registry',
  file: 'file', otherFile: 'file',
}

/** All steps of a report, in order. */
export function stepsOf(report: Report): Step[] {
  if (!('code' in report)) {
    const there: Readonly<Partial<Record<StepName, boolean>>> = {
      handover: report.handovers.length > 0, map: report.map !== null,
      registry: report.organisation?.source === 'registry', file: report.file !== null,
    }
    return STEPS.map((name) => ({ name, state: there[name] === false ? 'absent' : 'holds' }))
  }
  const failed = STEPS.indexOf(AT[report.code])
  const state = report.verdict === 'invalid' ? 'fails' : 'open'
  return STEPS.map((name, at) => ({ name, state: at < failed ? 'holds' : at > failed ? 'after' : state }))
}
