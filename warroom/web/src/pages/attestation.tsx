/** One record: what it says, proven in the page, and what became of it. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import { stringify, type Report } from '@tbsi/verify/index.js'
import { proves } from '../acts.js'
import type { Attestation } from '../api.js'
import type { Verdict } from '../log/history.js'
import { prove, otherFields, type Proven } from '../record.js'
import { asProblem } from '../room.js'
import { to, type Route } from '../route.js'
import { useAsked, useRoom } from '../ui/context.js'
import { Download } from '../ui/download.js'
import { Embed } from '../ui/embed.js'
import { Became } from '../ui/became.js'
import { Bytes, Legal, Mark, Table, Unknowns, Waiting } from '../ui/parts.js'
import { ProofReport } from '../ui/proof.js'
import { Qr } from '../ui/qr.js'
import { COMMA, type Pair } from '../words/say.js'
import { FINDINGS } from '../words/findings.js'
import { EVENTS, KINDS, REASONS, term } from '../words/terms.js'

const W = {
  none: ['Which record? Give its number.', '請指定紀錄編號。'],
  record: ['Record {position} of the log', '日誌第 {position} 筆紀錄'],
  kind: ['Statement', '陳述'], issuer: ['Issuer', '簽發者'], account: ['Account', '帳號'],
  when: ['Time', '時間'], block: ['block {height}', '區塊 {height}'],
  digest: ['Digest', '摘要'], id: ['Id', '識別碼'], schema: ['Schema', '綱要'],
  commits: ['The digest commits to', '摘要所涵蓋的內容'],
  textHash: ['SHA-256 of the schema\'s text', '綱要文字的 SHA-256'],
  act: ['Act of governance', '治理行為'],
  actProven: ['The hash of this text is the one in the proven record.', '此文字的雜湊值與經證明的紀錄相符。'],
  actWrong: ['The hash of this text is not the one in the proven record.', '此文字的雜湊值與經證明的紀錄不符。'],
  proof: ['Proof, verified in your browser', '證明（由您的瀏覽器驗證）'],
  needsTrust: ['Choose a genesis file, and this record is proven here.', '請選擇創世檔，即可在此證明這筆紀錄。'],
  proving: ['Proving the record…', '正在證明這筆紀錄…'],
  proven: ['What is shown above is what the proven record says.', '以上所示與經證明的紀錄相符。'],
  history: ['History, as the war room tells it', '沿革（戰情室所述）'],
  what: ['What', '事項'], by: ['By', '由'], counts: ['Counts', '是否有效'], detail: ['Detail', '細節'], position: ['Record', '紀錄'],
  yes: ['yes', '是'], stranger: ['no: not by the issuer', '否：非簽發者所為'],
  progress: ['{have} of {need}', '{have}／{need}'],
  relayed: ['Where it was relayed', '中繼至何處'],
  relayedUnknown: ['not known: the log does not say', '未知：日誌未記載'],
  keep: ['Keep', '保存'],
  bundle: ['Proof bundle', '證明檔'], note: ['.tlog-proof', '.tlog-proof'], report: ['Report', '查核報告'], print: ['Print', '列印'],
  qr: ['Address of this record, as a QR code', '此紀錄網址的 QR 碼'],
  provenance: ['Versions of this data set', '此資料的版本沿革'],
} as const satisfies Record<string, Pair>

export function AttestationPage({ route }: { route: Route }) {
  const { t } = useRoom()
  const position = /^(0|[1-9][0-9]{0,14})$/.test(route.id ?? '') ? Number(route.id) : null
  const { value, problem, again } = useAsked<Attestation>(position === null ? null : `attestations/${position}`)
  const proven = useProof(position)
  if (position === null) return <p>{t(W.none)}</p>
  if (value === null) return <Waiting problem={problem} again={again} />
  return <Shown said={value} position={position} proven={proven} />
}

type Proving = { readonly state: 'none' | 'running' } | { readonly state: 'failed'; readonly words: Pair } |
  { readonly state: 'done'; readonly proven: Proven }

function useProof(position: number | null): Proving {
  const { room, state } = useRoom()
  const [proving, set] = useState<Proving>({ state: 'none' })
  const { trusted } = state
  useEffect(() => {
    if (position === null || trusted === null) return undefined
    let gone = false
    set({ state: 'running' })
    prove(room.api, position, trusted).then(
      (proven) => { if (!gone) set({ state: 'done', proven }) },
      (thrown: unknown) => { if (!gone) set({ state: 'failed', words: asProblem(thrown).said }) })
    return () => { gone = true }
  }, [position, trusted, room])
  return proving
}

function Shown({ said, position, proven }: { said: Attestation; position: number; proven: Proving }) {
  const { t, state } = useRoom()
  const [verdict, came] = useState<Verdict | null>(null)
  const report = useMemo(
    () => (proven.state === 'done' ? withOutcome(proven.proven.report, verdict) : null), [proven, verdict])
  const statement = proven.state === 'done' ? proven.proven.statement : null
  const different = statement === null ? [] : otherFields(said, statement)
  return (
    <>
      <p class="lead">{t(W.record, { position })}</p>
      {different.length === 0 ? null : (
        <div class="notice lie" role="alert" data-finding="otherLeaf">
          <p>{t(FINDINGS.otherLeaf, { field: different.join(', ') })}</p>
        </div>
      )}
      {said.id === null || statement === null || said.verdict === null ? null
        : <Became said={said} statement={statement} position={position} came={came} />}
      <Says said={said} proven={statement !== null && different.length === 0} />
      {said.act === null ? null : <ActText said={said} statement={statement} />}
      <section aria-labelledby="proof">
        <h2 id="proof">{t(W.proof)}</h2>
        {state.trusted === null ? <p>{t(W.needsTrust)}</p> : null}
        {proven.state === 'running' ? <p role="status">{t(W.proving)}</p> : null}
        {proven.state === 'failed' ? <p class="notice trouble" role="alert">{t(proven.words)}</p> : null}
        {report === null ? null : <ProofReport report={report} />}
      </section>
      {said.history.length === 0 ? null : <Told said={said} />}
      {said.id === null ? null : (
        <dl><dt>{t(W.relayed)}</dt><dd class="unknown">{t(W.relayedUnknown)}</dd></dl>
      )}
      <Keep said={said} position={position} proven={proven} />
      <Unknowns of={said.notKnown} />
    </>
  )
}

/** A bundle says nothing of what came later; this page has read that itself, and says it above. */
function withOutcome(report: Report, verdict: Verdict | null): Report {
  if ('code' in report) return report
  const counts = verdict !== 'revoked' && verdict !== 'algorithmRevoked'
  return { ...report, revocation: null, verdict: counts ? report.verdict : 'void' }
}

function Says({ said, proven }: { said: Attestation; proven: boolean }) {
  const { t, time, n, of } = useRoom()
  const { statement, schema } = said
  const mark = <Mark proof={proven ? 'proven' : 'said'} />
  const known = ['kind', 'chainId', 'height', 'timeMs', 'transactionIndex', 'ordinal', 'issuer', 'id', 'schema', 'digest', 'algorithm']
  const more = Object.entries(statement).filter(([name]) => !known.includes(name))
  return (
    <dl class="facts">
      <dt>{t(W.kind)}</dt><dd>{t(term(KINDS, statement.kind))} {mark}</dd>
      <dt>{t(W.issuer)}</dt><dd><Legal name={said.issuerName} /></dd>
      <dt>{t(W.account)}</dt><dd><Bytes of={String(statement['issuer'])} name={t(W.account)} /> {mark}</dd>
      <dt>{t(W.when)}</dt><dd>{time(Number(statement['timeMs']))}{t(COMMA)}{t(W.block, { height: n(Number(statement['height'])) })} {mark}</dd>
      {statement['digest'] === undefined ? null
        : <><dt>{t(W.digest)}</dt><dd><Bytes of={String(statement['digest'])} name={t(W.digest)} /> {mark}</dd></>}
      {said.id === null ? null
        : <><dt>{t(W.id)}</dt><dd><Bytes of={said.id} name={t(W.id)} /> {mark}</dd></>}
      {schema === null ? null : (
        <>
          <dt>{t(W.schema)}</dt><dd>{schema.name ?? <Bytes of={schema.schema} name={t(W.schema)} />}</dd>
          <dt>{t(W.commits)}</dt><dd>{of(schema)}</dd>
          {schema.textHash === null ? null
            : <><dt>{t(W.textHash)}</dt><dd><Bytes of={schema.textHash} name={t(W.textHash)} /></dd></>}
        </>
      )}
      {more.map(([name, value]) => <MoreField key={name} name={name} value={value} />)}
    </dl>
  )
}

/** A field of a rarer kind of record, under its name in SPEC §9.3. */
function MoreField({ name, value }: { name: string; value: string | number | boolean }) {
  return <><dt><code>{name}</code></dt><dd>{typeof value === 'string' ? <Bytes of={value} name={name} /> : String(value)}</dd></>
}

function ActText({ said, statement }: { said: Attestation; statement: Proven['statement'] }) {
  const { t, of } = useRoom()
  const { act } = said
  if (act === null) return null
  const holds = statement === null ? null : proves(statement, act)
  return (
    <section aria-labelledby="act">
      <h2 id="act">{t(W.act)}</h2>
      <p>{of(act)} <Mark proof={holds === null ? 'said' : holds ? 'proven' : 'wrong'} /></p>
      {holds === null ? null : <p>{t(holds ? W.actProven : W.actWrong)}</p>}
      <p><code>{act.event}</code></p>
    </section>
  )
}

function Told({ said }: { said: Attestation }) {
  const { t, time } = useRoom()
  return (
    <Table caption={t(W.history)} head={[t(W.what), t(W.when), t(W.by), t(W.detail), t(W.counts), t(W.position)]}>
      {said.history.map((event) => (
        <tr key={`${event.position} ${event.what}`}>
          <td>{t(term(EVENTS, event.what))}</td>
          <td>{time(event.timeMs)}</td>
          <td>{event.issuerName === null ? <code class="short">{event.issuer}</code> : <Legal name={event.issuerName} />}</td>
          <td>
            {event.reason === null ? null : t(term(REASONS, event.reason))}
            {event.need === null ? null : t(W.progress, { have: event.have ?? 0, need: event.need })}
            {event.otherPosition === null ? null : <a href={to('attestation', event.otherPosition)}>{t(W.record, { position: event.otherPosition })}</a>}
          </td>
          <td>{t(event.counts ? W.yes : W.stranger)}</td>
          <td><a href={to('attestation', event.position)}>{event.position}</a></td>
        </tr>
      ))}
    </Table>
  )
}

function Keep({ said, position, proven }: { said: Attestation; position: number; proven: Proving }) {
  const { room, t } = useRoom()
  const done = proven.state === 'done' ? proven.proven : null
  const name = `record-${position}`
  return (
    <section class="keep" aria-labelledby="keep">
      <h2 id="keep">{t(W.keep)}</h2>
      <div class="buttons">
        <Download label={t(W.bundle)} name={`${name}.tbsi.json`}
          fetch={() => (done === null ? room.api.bundle(position) : Promise.resolve(done.proof))} />
        <Download label={t(W.note)} name={`${name}.tlog-proof`}
          fetch={() => room.api.bytes(`attestations/${position}/tlog-proof`, 64 * 1024)} />
        {done === null ? null
          : <Download label={t(W.report)} name={`${name}.report.json`} fetch={() => Promise.resolve(`${stringify(done.report, 2)}\n`)} />}
        <button type="button" onClick={() => print()}>{t(W.print)}</button>
      </div>
      {said.id === null ? null : <p><a href={to('provenance', null, { id: said.id })}>{t(W.provenance)}</a></p>}
      <figure class="code">
        <Qr text={location.href} label={t(W.qr)} />
        <figcaption>{t(W.qr)}: <code>{location.href}</code></figcaption>
      </figure>
      {said.id === null ? null : <Embed position={position} />}
    </section>
  )
}
