/** A report as a piece of a page. Text goes in as text: nothing of a proof becomes markup. */
import { algorithmBy } from '../verify/digest.js'
import type { Fails, Holds, OrganisationReport, Report } from '../verify/report.js'
import { timesOf, type Times } from '../verify/time.js'
import { stepsOf, type StepState } from './steps.js'
import {
  CODES, KINDS, STATE_WORDS, STEP_WORDS, VERDICTS, fill, say, type Language,
} from './words.js'

type Child = Node | string

function make(tag: string, part: string, ...children: readonly Child[]): HTMLElement {
  const element = document.createElement(tag)
  if (part !== '') element.setAttribute('part', part)
  element.append(...children)
  return element
}

/** What a page may add to a report. */
export interface Shown {
  /** Where a war room shows the leaf. */
  readonly room?: string | undefined
  /** Whether the steps are seen without being asked for. */
  readonly steps?: boolean
}

/** The whole of a report. */
export function view(report: Report, language: Language, shown: Shown = {}): HTMLElement {
  const { room } = shown
  const verdict = make('p', 'verdict', say(language, VERDICTS[report.verdict]))
  verdict.setAttribute('role', 'status')
  const body = 'code' in report ? failed(report, language) : held(report, language)
  const root = make('div', 'report', verdict, ...body, steps(report, language, shown.steps === true))
  root.dataset['verdict'] = report.verdict
  if (room !== undefined) {
    const link = document.createElement('a')
    Object.assign(link, { href: room, textContent: fill(language, 'room') })
    root.append(make('p', 'room', link))
  }
  return root
}

const MARKS: Readonly<Record<StepState, string>> = {
  holds: '✓', fails: '✗', open: '?', after: '–', absent: '–',
}

/** What was checked, in order; a reader sees where it ended. */
function steps(report: Report, language: Language, open: boolean): HTMLElement {
  const items = stepsOf(report).map(({ name, state }) => {
    const mark = make('span', 'mark', MARKS[state])
    mark.setAttribute('aria-hidden', 'true')
    const item = make('li', 'step', mark, ' ', say(language, STEP_WORDS[name]),
      make('small', '', say(language, STATE_WORDS[state])))
    item.dataset['state'] = state
    return item
  })
  const details = make('details', 'details',
    make('summary', '', fill(language, 'steps')), make('ol', 'steps', ...items))
  details.toggleAttribute('open', open)
  return details
}

function failed({ code, reason }: Fails, language: Language): Child[] {
  const details = make('details', 'details',
    make('summary', '', fill(language, 'details')), make('p', 'reason', `${code}: ${reason}`))
  return [make('p', 'why', say(language, CODES[code])), details]
}

function held(report: Holds, language: Language): Child[] {
  const rows = make('dl', 'facts')
  const row = (name: Parameters<typeof fill>[1], ...values: readonly Child[]) => {
    rows.append(make('dt', '', fill(language, name)), make('dd', '', ...values))
  }
  const { organisation, issuer, map } = report
  const legal = organisation === null ? fill(language, 'unproven') : names(organisation, language)
  // All validators together say what the map holds: it has no issuer.
  if (report.statement.kind !== 'mapRoot') row('issuer', legal, small(issuer))
  row('time', timeOf(report, language), ...boundsOf(report, language))
  row('kind', say(language, KINDS[report.statement.kind] ?? ['?', '?']))
  const attestation = report.statement.kind === 'attestation'
  if (attestation || report.file !== null) row('file', fileOf(report, language))
  if (report.revocation !== null) row('revocation', revocationOf(report, language))
  const successor = report.revocation?.supersession?.['successor']
  if (successor !== undefined) row('successor', small(String(successor)))
  for (const { digest, first } of map?.digests ?? []) {
    const found = first === null
      ? fill(language, 'notAttested', { time: digestsTime(report, language) })
      : fill(language, 'firstAttested', { block: first.height, leaf: first.leafIndex })
    row('asked', small(digest), found)
  }
  return [rows, detailsOf(report, language)]
}

const small = (text: string) => make('small', 'code', text)

/** Both legal names, that of the reader's language first. */
export function names(of: OrganisationReport, language: Language): string {
  const both = language === 'en' ? [of.nameEn, of.nameZhTw] : [of.nameZhTw, of.nameEn]
  const identifiers = [
    of.taxId === null ? '' : `統一編號 ${of.taxId}`,
    of.lei === null ? '' : `LEI ${of.lei}`,
  ]
  return [both.filter((name) => name !== '').join(' '), ...identifiers]
    .filter((text) => text !== '').join(', ')
}

function timeOf({ time, statement }: Holds, language: Language): string {
  return moment(time, statement.height, language)
}

function moment(time: Times, height: unknown, language: Language): string {
  const text = language === 'en' ? time.utc : time.taipei
  const zone = language === 'en' ? ' UTC' : '（臺北時間）'
  const readable = text.replace('T', ' ').replace(/(?:Z|\+08:00)$/, zone)
  const comma = language === 'en' ? ', ' : '，'
  return `${readable}${comma}${fill(language, 'block')} ${String(height)}`
}

/** Up to where digests are known; without a time if the proof has none. */
function digestsTime({ map }: Holds, language: Language): string {
  const { height, timeMs = null } = map?.digestsKnownUpTo ?? {}
  if (timeMs !== null) return moment(timesOf(timeMs), height, language)
  return `${fill(language, 'block')} ${String(height)}`
}

function boundsOf({ timeAccuracyMs }: Holds, language: Language): Child[] {
  if (timeAccuracyMs === null) return []
  const seconds = (ms: bigint) => Number(ms) / 1000
  const { ahead, behind } = timeAccuracyMs
  return [make('small', '', fill(language, 'bounds', {
    ahead: seconds(ahead), behind: seconds(behind),
  }))]
}

function fileOf({ file }: Holds, language: Language): string {
  return file === null ? fill(language, 'noFile') : fill(language, 'sameFile', { file: file.file })
}

function revocationOf({ revocation }: Holds, language: Language): string {
  const { status = 'notChecked', asOf, asOfTimeMs, source } = revocation ?? {}
  if (source !== 'map' || status === 'notChecked') return fill(language, status, { block: asOf })
  const { timeMs = asOfTimeMs, height = asOf } = revocation?.revocation ?? {}
  const time = moment(timesOf(timeMs as bigint), height, language)
  return fill(language, PROVEN[status], { time })
}

const PROVEN = {
  notRevoked: 'provenNotRevoked',
  revoked: 'provenRevoked',
  algorithmRevoked: 'provenAlgorithmRevoked',
} as const

function detailsOf(report: Holds, language: Language): HTMLElement {
  const { statement, decision, trusted } = report
  const details = make('details', 'details', make('summary', '', fill(language, 'details')))
  const rows = make('dl', 'facts')
  const row = (name: string, value: Child) => {
    rows.append(make('dt', '', name), make('dd', '', value))
  }
  if (typeof statement['digest'] === 'string') {
    const algorithm = algorithmBy(Number(statement['algorithm']))
    const bits = algorithm === undefined ? undefined : 2 + algorithm.bits / 4
    const shown = statement['digest'].slice(0, bits)
    row(`${fill(language, 'digest')} (${algorithm?.name ?? '?'})`, small(shown))
  }
  if (statement['id'] !== undefined) row(fill(language, 'id'), small(String(statement['id'])))
  row(fill(language, 'network'), make('span', '', trusted.network ?? '', small(trusted.genesisHash)))
  if (report.handovers.length > 0) {
    row(fill(language, 'handovers'), String(report.handovers.length))
  }
  const signers = make('ul', 'signers', ...decision.signers.map(({ organisation }) =>
    make('li', '', names(organisation, language))))
  const signed = fill(language, 'signedBy', {
    count: decision.signers.length, power: decision.power, total: decision.totalPower,
  })
  details.append(rows, make('p', '', signed), signers)
  return details
}

/** Colours reach 4.5:1 on white and, in dark, on black (WCAG 2.2 §1.4.3). */
export const STYLE = `
:host { display: block; font: 1rem/1.5 system-ui, "Noto Sans TC", sans-serif; color: inherit;
  --good: #18794e; --bad: #b3261e; --open: #8a5a00; --quiet: #595959; }
[part=report] { border: 1px solid #767676; border-inline-start: .4rem solid #767676;
  border-radius: .3rem; padding: .7rem 1rem; overflow-wrap: anywhere; }
[data-verdict=valid] { border-inline-start-color: var(--good); }
[data-verdict=invalid], [data-verdict=void] { border-inline-start-color: var(--bad); }
[data-verdict="could not tell"] { border-inline-start-color: var(--open); }
[part=verdict] { font-weight: 700; font-size: 1.15rem; margin: 0 0 .4rem; }
[data-verdict=valid] [part=verdict]::before { content: "✓ "; color: var(--good); }
[data-verdict=invalid] [part=verdict]::before, [data-verdict=void] [part=verdict]::before {
  content: "✗ "; color: var(--bad); }
[data-verdict="could not tell"] [part=verdict]::before { content: "? "; color: var(--open); }
[part=facts] { display: grid; grid-template-columns: max-content 1fr; gap: .2rem .9rem; margin: 0; }
dt { color: var(--quiet); } dd { margin: 0; } small { display: block; color: var(--quiet); }
[part=code], [part=reason] { font-family: ui-monospace, monospace; font-size: .8rem; }
[part=details] { margin-top: .6rem; } summary { cursor: pointer; } p { margin: .4rem 0; }
[part=signers], [part=steps] { margin: 0; padding-inline-start: 1.2rem; }
[part=steps] { list-style: none; padding-inline-start: 0; } [part=step] { margin: .2rem 0; }
[part=mark] { display: inline-block; inline-size: 1.2rem; font-weight: 700; color: var(--quiet); }
[part=step] small { display: inline; margin-inline-start: .5rem; }
[data-state=holds] [part=mark] { color: var(--good); } [data-state=fails] [part=mark] { color: var(--bad); }
[data-state=open] [part=mark] { color: var(--open); }
@media (max-width: 28rem) { [part=facts] { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .4rem; } }
@media (prefers-color-scheme: dark) {
  :host { --good: #5fd39b; --bad: #ff9d94; --open: #f0c060; --quiet: #b4b4b4; } }
@media print { :host { --good: #000; --bad: #000; --open: #000; --quiet: #333; }
  details::details-content { content-visibility: visible; } }
`
