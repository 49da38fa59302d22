/** Who may use whose data set, and who said that it did. Each act can be proven here. */
import { useState } from 'preact/hooks'
import { proves } from '../acts.js'
import type { Attestation, Consent, ConsentPage, ConsentTerms } from '../api.js'
import { consentOf, sameTerms } from '../consent.js'
import { prove } from '../record.js'
import { asProblem } from '../room.js'
import { to, type Route } from '../route.js'
import { useAsked, useRoom } from '../ui/context.js'
import { Bytes, Legal, Mark, Table, Unknowns, Waiting, type Proof } from '../ui/parts.js'
import { COLON, type Pair } from '../words/say.js'
import { CONSENT_ACTS, CONSENTS, GOVERNANCE_REASONS, term } from '../words/terms.js'

const W = {
  lead: [
    'Which organisation lets which other use a data set, for what and until when. What gives needs both; what takes away, either. Agreement, data set and purposes are digests: what they stand for is with the organisations.',
    '哪個機構授權哪個機構使用資料集、目的為何、至何時為止。授予須雙方同意；縮小或撤銷任一方即可。協議、資料集與目的均為摘要，其內容由雙方保存。',
  ],
  list: ['Authorisations, newest first', '授權（新到舊）'],
  none: ['Nothing is authorised that is known.', '沒有已知的授權。'],
  consent: ['Authorisation', '授權'], giver: ['Whose data set', '資料提供機構'], taker: ['Who may use it', '被授權機構'],
  status: ['Status', '狀態'], until: ['Until before', '至（不含）'], uses: ['Uses stated', '使用次數'],
  data: ['Data set', '資料集'], terms: ['Terms in force', '現行條件'], offered: ['Offered, not accepted yet', '已提出，尚未接受'],
  from: ['From', '自'], agreement: ['Agreement', '協議'], purposes: ['Purposes', '目的'],
  begun: ['Accepted by both since', '雙方同意自'], revoked: ['Revoked', '撤銷時間'],
  acts: ['What both did', '雙方的行為'], act: ['Act', '行為'], by: ['By', '機構'], account: ['Account', '帳戶'],
  when: ['Time', '時間'], record: ['Record', '紀錄'], version: ['Terms', '條件版次'],
  used: ['Uses that were stated, newest first', '所表示的使用（新到舊）'], purpose: ['Purpose', '目的'], subject: ['What was done', '使用內容'],
  notUsed: ['No use was stated.', '未表示任何使用。'],
  prove: ['Prove acts and uses in my browser', '在我的瀏覽器中證明行為與使用'],
  proving: ['Proving {done} of {all}…', '正在證明 {done}／{all}…'],
  needsTrust: ['Choose a genesis file to prove them.', '請選擇創世檔以證明。'],
  all: ['All authorisations', '全部授權'],
  offline: [
    'Whether it held at a time is proven by the state of the chain: `tbsi consent prove` fetches that, `tbsi consent verify` verifies it offline.',
    '某時點是否有效，由鏈的狀態證明：以 `tbsi consent prove` 取得，並以 `tbsi consent verify` 離線驗證。',
  ],
} as const satisfies Record<string, Pair>

export function ConsentsPage({ route }: { route: Route }) {
  return route.id === null ? <All /> : <One number={route.id} />
}

function All() {
  const { t, n, time } = useRoom()
  const { value, problem, again } = useAsked<ConsentPage>('consents?limit=200')
  if (value === null) return <Waiting problem={problem} again={again} />
  return (
    <>
      <p class="lead">{t(W.lead)}</p>
      {value.items.length === 0 ? <p>{t(W.none)}</p> : (
        <Table caption={t(W.list)} head={[t(W.consent), t(W.giver), t(W.taker), t(W.status), t(W.until), t(W.uses)]}>
          {value.items.map((it) => (
            <tr key={it.consent}>
              <td><a href={to('consents', it.consent)}>{it.consent}</a></td>
              <td><Legal name={it.grantorName} /></td>
              <td><Legal name={it.granteeName} /></td>
              <td>{t(term(CONSENTS, it.status))}</td>
              <td>{time((it.terms ?? it.offered)?.untilMs)}</td>
              <td>{n(it.uses)}</td>
            </tr>
          ))}
        </Table>
      )}
      <Unknowns of={value.notKnown} />
    </>
  )
}

function One({ number }: { number: string }) {
  const { t, time } = useRoom()
  const path = /^[1-9][0-9]{0,8}$/.test(number) ? `consents/${number}` : null
  const { value: consent, problem, again } = useAsked<Consent>(path)
  if (consent === null) return <Waiting problem={problem} again={again} />
  return (
    <>
      <p><a href={to('consents')}>{t(W.all)}</a></p>
      <h2>{t(COLON, { name: `${t(W.consent)} ${consent.consent}`, value: t(term(CONSENTS, consent.status)) })}</h2>
      <dl class="facts">
        <dt>{t(W.giver)}</dt><dd><Legal name={consent.grantorName} /></dd>
        <dt>{t(W.taker)}</dt><dd><Legal name={consent.granteeName} /></dd>
        <dt>{t(W.data)}</dt><dd><Bytes of={consent.dataSet} name={t(W.data)} /></dd>
        {consent.begunMs === null ? null : <><dt>{t(W.begun)}</dt><dd>{time(consent.begunMs)}</dd></>}
        {consent.revokedMs === null ? null : <><dt>{t(W.revoked)}</dt><dd>{time(consent.revokedMs)}</dd></>}
      </dl>
      {consent.terms === null ? null : <Terms of={consent.terms} title={W.terms} />}
      {consent.offered === null ? null : <Terms of={consent.offered} title={W.offered} />}
      <Acts consent={consent} />
      <p>{t(W.offline)}</p>
      <Unknowns of={consent.notKnown} />
    </>
  )
}

function Terms({ of, title }: { of: ConsentTerms; title: Pair }) {
  const { t, time } = useRoom()
  return (
    <section>
      <h3>{t(title)}</h3>
      <dl class="facts">
        <dt>{t(W.from)}</dt><dd>{time(of.fromMs)}</dd>
        <dt>{t(W.until)}</dt><dd>{time(of.untilMs)}</dd>
        <dt>{t(W.purposes)}</dt>
        <dd><ul class="plain">{of.purposes.map((it) => <li key={it}><Bytes of={it} name={t(W.purpose)} /></li>)}</ul></dd>
        <dt>{t(W.agreement)}</dt><dd><Bytes of={of.agreement} name={t(W.agreement)} /></dd>
      </dl>
    </section>
  )
}

/** Proves the record at a position, and that its text says what the war room says of it. */
type Claim = (act: NonNullable<ReturnType<typeof consentOf>>) => boolean

function claims(consent: Consent): [number, Claim][] {
  const parties = (act: { consent: number; grantor: number; grantee: number }) =>
    act.consent === consent.consent && act.grantor === consent.grantor && act.grantee === consent.grantee
  const acts = consent.acts.flatMap((it): [number, Claim][] => (it.position === null ? [] : [[it.position, (act) => parties(act) &&
    act.what === it.what && act.by === it.by && act.version === it.version && sameTerms(act.terms, it.terms)]]))
  const uses = consent.usesShown.flatMap((it): [number, Claim][] => (it.position === null ? [] : [[it.position, (act) => parties(act) &&
    act.what === 'reliedOn' && act.version === it.version && act.purpose === it.purpose && act.subject === it.subject]]))
  return [...acts, ...uses]
}

function Acts({ consent }: { consent: Consent }) {
  const { room, state, t, time } = useRoom()
  const [checked, set] = useState<Readonly<Record<number, Proof>>>({})
  const [done, count] = useState<number | null>(null)
  const [problem, complain] = useState<Pair | null>(null)
  const { trusted } = state
  const all = claims(consent)
  const check = async () => {
    if (trusted === null) return
    complain(null)
    const found: Record<number, Proof> = {}
    try {
      for (const [at, [position, holds]] of all.entries()) {
        count(at)
        const { statement } = await prove(room.api, position, trusted)
        const { act } = await room.api.get<Attestation>(`attestations/${position}`)
        const read = act !== null && statement !== null && proves(statement, act) ? consentOf(act) : null
        found[position] = read !== null && holds(read) ? 'proven' : 'wrong'
        set({ ...found })
      }
    } catch (thrown) {
      complain(asProblem(thrown).said)
    }
    count(null)
  }
  const record = (position: number | null) => (position === null ? null : <a href={to('attestation', position)}>{position}</a>)
  const mark = (position: number | null) => <Mark proof={position === null ? 'said' : checked[position] ?? 'said'} />
  return (
    <>
      <Table caption={t(W.acts)} head={[t(W.act), t(W.by), t(W.account), t(W.version), t(W.when), t(W.record)]}>
        {consent.acts.map((it) => (
          <tr key={it.position}>
            <td>{t(term(CONSENT_ACTS, it.what))}{it.reason === null ? '' : ` (${t(term(GOVERNANCE_REASONS, it.reason))})`} {mark(it.position)}</td>
            <td><Legal name={it.name} /></td>
            <td><code class="short">{it.account}</code></td>
            <td>{it.version ?? '–'}</td>
            <td>{time(it.timeMs)}</td>
            <td>{record(it.position)}</td>
          </tr>
        ))}
      </Table>
      {consent.usesShown.length === 0 ? <p>{t(W.notUsed)}</p> : (
        <Table caption={t(W.used)} head={[t(W.account), t(W.purpose), t(W.subject), t(W.version), t(W.when), t(W.record)]}>
          {consent.usesShown.map((it) => (
            <tr key={it.position}>
              <td><code class="short">{it.account}</code> {mark(it.position)}</td>
              <td><code class="short">{it.purpose}</code></td>
              <td><code class="short">{it.subject}</code></td>
              <td>{it.version}</td>
              <td>{time(it.timeMs)}</td>
              <td>{record(it.position)}</td>
            </tr>
          ))}
        </Table>
      )}
      <p role="status">{done === null ? '' : t(W.proving, { done, all: all.length })}{problem === null ? '' : t(problem)}</p>
      {trusted === null ? <p>{t(W.needsTrust)}</p>
        : <button type="button" class="main" disabled={done !== null} onClick={() => void check()}>{t(W.prove)}</button>}
    </>
  )
}
