/** What became of an attestation: read from the log itself, and held against what is told. */
import { useEffect, useState } from 'preact/hooks'
import type { Statement } from '@tbsi/verify/leaf.js'
import type { Attestation } from '../api.js'
import { HISTORY_LEAVES_MAX } from '../limits.js'
import { verdictOf, type History, type Verdict } from '../log/history.js'
import { readHistory } from '../record.js'
import { tilesFinding } from '../room.js'
import { to } from '../route.js'
import { FINDINGS, type Finding } from '../words/findings.js'
import type { Pair } from '../words/say.js'
import { REASONS, VERDICTS, term } from '../words/terms.js'
import { useRoom } from './context.js'
import { Mark } from './parts.js'

const W = {
  title: ['What became of it', '後續狀態'],
  stands: ['It stands: neither revoked nor superseded up to block {height}, {time}.', '有效：截至區塊 {height}（{time}）未撤銷，亦未被取代。'],
  revoked: ['Revoked by its issuer on {time}: {reason}.', '已由簽發者於 {time} 撤銷：{reason}。'],
  superseded: ['Superseded by its issuer on {time}; it was not revoked.', '已由簽發者於 {time} 以另一筆取代；並未撤銷。'],
  algorithmRevoked: ['Its digest algorithm was revoked on {time}: it proves nothing any more.', '其摘要演算法已於 {time} 廢止：不再具證明力。'],
  countersigned: ['Countersigned: {have} of {need}.', '會簽：{have}／{need}。'],
  strangers: ['Somebody else said that it is revoked or superseded ({count}×); that counts for nothing.', '另有他人聲稱撤銷或取代（{count} 次），不生效力。'],
  how: ['Your browser read all {leaves} records that follow it, up to the root that the validators signed.', '您的瀏覽器已讀取其後全部 {leaves} 筆紀錄，直到驗證者簽署的根。'],
  reading: ['Reading what follows it in the log: {done} of {all} records…', '正在讀取其後的日誌：{done}／{all} 筆紀錄…'],
  read: ['Read the {all} records that follow it', '讀取其後的 {all} 筆紀錄'],
  told: ['The war room says: {verdict}. Not checked.', '戰情室稱：{verdict}。未經查核。'],
  record: ['record {position}', '第 {position} 筆紀錄'],
} as const satisfies Record<string, Pair>

type Read = { readonly state: 'none' } | { readonly state: 'reading'; readonly done: number; readonly all: number } |
  { readonly state: 'done'; readonly history: History; readonly leaves: number } |
  { readonly state: 'failed'; readonly finding: Finding }

export function Became({ said, statement, position, came }: {
  said: Attestation
  statement: Statement
  position: number
  /** Told what the log comes to, once it was read. */
  came: (verdict: Verdict) => void
}) {
  const { room, state, t, n } = useRoom()
  const { head, language } = state
  const [read, set] = useState<Read>({ state: 'none' })
  const [asked, ask] = useState(false)
  const all = head === null ? 0 : Math.max(0, head.size - position - 1)
  const start = head !== null && (asked || all <= HISTORY_LEAVES_MAX)
  useEffect(() => {
    if (!start || head === null) return undefined
    const leaving = new AbortController()
    set({ state: 'reading', done: 0, all })
    readHistory(room.api, head, position, statement, {
      registeredAt: said.schema?.registeredAt ?? null, signal: leaving.signal,
      progress: (done, of) => { if (!leaving.signal.aborted) set({ state: 'reading', done, all: of }) },
    }).then(
      (history) => {
        if (leaving.signal.aborted) return
        set({ state: 'done', history, leaves: all })
        came(verdictOf(history))
      },
      (thrown: unknown) => {
        if (!leaving.signal.aborted) set({ state: 'failed', finding: tilesFinding(thrown, language) })
      })
    return () => { leaving.abort() }
  }, [start, head?.rootHex, position])
  return (
    <section aria-labelledby="became">
      <h2 id="became">{t(W.title)}</h2>
      {read.state === 'done' ? <Outcome said={said} history={read.history} leaves={read.leaves} /> : (
        <p>{t(W.told, { verdict: t(term(VERDICTS, said.verdict)) })} <Mark proof="said" /></p>
      )}
      {read.state === 'reading' ? <p role="status">{t(W.reading, { done: n(read.done), all: n(read.all) })}</p> : null}
      {read.state === 'failed' ? (
        <div class="notice lie" role="alert" data-finding={read.finding.code}><p>{t(FINDINGS[read.finding.code], read.finding.values)}</p></div>
      ) : null}
      {read.state === 'none' && head !== null && !start
        ? <button type="button" class="main" onClick={() => ask(true)}>{t(W.read, { all: n(all) })}</button> : null}
    </section>
  )
}

function Outcome({ said, history, leaves }: { said: Attestation; history: History; leaves: number }) {
  const { state, t, n, time } = useRoom()
  const verdict = verdictOf(history)
  const event = { stands: null, revoked: history.revocation, superseded: history.supersession, algorithmRevoked: history.algorithmRevoked }[verdict]
  const values = {
    height: n(state.head?.height), time: time(event === null ? state.head?.timeMs : Number(event.statement.timeMs)),
    reason: t(term(REASONS, event === null ? null : String(event.statement['reason'] ?? 1))),
  }
  const last = history.countersignatures.at(-1)?.statement
  const need = history.opened?.statement['threshold']
  return (
    <>
      <Contradiction said={said} history={history} leaves={leaves} />
      <p class={`outcome ${verdict}`} data-outcome={verdict}>
        <strong>{t(W[verdict], values)}</strong>{' '}
        {event === null ? null : <a href={to('attestation', event.index)}>{t(W.record, { position: event.index })}</a>}{' '}
        <Mark proof="proven">{t(W.how, { leaves: n(leaves) })}</Mark>
      </p>
      {history.opened === null ? null
        : <p>{t(W.countersigned, { have: String(last?.['have'] ?? 0), need: String(need) })} <Mark proof="proven" /></p>}
      {history.strangers === 0 ? null : <p>{t(W.strangers, { count: history.strangers })}</p>}
    </>
  )
}

/** What the war room says of it, if that is not what the log comes to. */
function Contradiction({ said, history, leaves }: { said: Attestation; history: History; leaves: number }) {
  const { t } = useRoom()
  const verdict = verdictOf(history)
  // A war room that looked at fewer records may not know yet.
  const event = history.revocation ?? history.algorithmRevoked ?? history.supersession
  if (said.verdict === verdict || (event !== null && event.index >= said.size)) return null
  const claimed = t(term(VERDICTS, said.verdict))
  return (
    <div class="notice lie" role="alert" data-finding={event === null ? 'falseRevocation' : 'hiddenRevocation'}>
      <p>
        {event === null ? t(FINDINGS.falseRevocation, { claimed, leaves })
          : t(FINDINGS.hiddenRevocation, { claimed, verdict: t(term(VERDICTS, verdict)), position: event.index })}
      </p>
    </div>
  )
}
