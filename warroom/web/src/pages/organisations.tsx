/** The real-name registry: who takes part, under which identifiers, and what became of them. */
import type { Organisation, OrganisationPage, OrganisationSummary } from '../api.js'
import { to, type Route } from '../route.js'
import { SeriesChart } from '../ui/chart.js'
import { useAsked, useRoom } from '../ui/context.js'
import { Bytes, Known, Legal, Mark, SafeLink, Table, Unknowns, Waiting } from '../ui/parts.js'
import { COLON, COMMA, type Pair } from '../words/say.js'
import { CHOICES, GOVERNANCE_REASONS, KEYS, ORGANISATION_KINDS, PERMISSIONS, POSSESSION, STANDINGS, STATUSES, term } from '../words/terms.js'

const W = {
  lead: ['Everybody here takes part under a legal name. Names of founders are compared with the genesis file that you trust.', '所有參與者皆以法定名稱登記。創設者的名稱會與您信任的創世檔比對。'],
  list: ['Organisations', '機構'],
  name: ['Legal name', '法定名稱'], kind: ['Kind', '類別'], status: ['Status', '狀態'], taxId: ['統一編號 (tax id)', '統一編號'], lei: ['LEI', 'LEI'],
  votes: ['Has a vote', '有投票權'], records: ['Records', '紀錄數'], newest: ['Newest', '最新一筆'], validators: ['Validators', '驗證者'],
  yes: ['yes', '是'], no: ['no', '否'],
  digits: ['check digits are right', '檢查碼正確'], badDigits: ['check digits are wrong', '檢查碼錯誤'],
  jurisdiction: ['Jurisdiction', '管轄地'], contact: ['Contact', '聯絡方式'],
  agreement: ['Agreement (SHA-256)', '協議（SHA-256）'], credential: ['Credential (SHA-256)', '資格證明（SHA-256）'],
  nodes: ['Nodes and keys', '節點與金鑰'], node: ['Node', '節點'], software: ['Software', '軟體版本'], power: ['Voting power', '投票權'], keys: ['Keys, and proof of possession', '金鑰與持有證明'],
  accounts: ['Accounts', '帳號'], account: ['Account', '帳號'], may: ['May', '權限'], since: ['Since block', '自區塊'],
  standing: ['What happened', '歷程'], what: ['What', '事項'], when: ['Time', '時間'], why: ['Reason or evidence', '事由或證據'], act: ['Record', '紀錄'],
  ballots: ['Votes cast', '投票紀錄'], motion: ['Motion', '動議'], choice: ['Vote', '投票'],
  noBallots: ['None.', '無。'],
  over: ['Records over time', '紀錄的時間分布'],
  service: ['Service levels over time', '服務水準'], serviceUnknown: ['not known: the log does not say', '未知：日誌未記載'],
  all: ['All organisations', '全部機構'], leaves: ['All its records', '其全部紀錄'],
  founding: ['founding', '創設'], validates: ['validates', '驗證'], observes: ['observes', '觀察'],
} as const satisfies Record<string, Pair>

export function OrganisationsPage({ route }: { route: Route }) {
  return route.id === null ? <All /> : <One number={route.id} />
}

function All() {
  const { t, n } = useRoom()
  const { value, problem, again } = useAsked<OrganisationPage>('organisations?limit=100')
  if (value === null) return <Waiting problem={problem} again={again} />
  return (
    <>
      <p class="lead">{t(W.lead)}</p>
      <Table caption={t(W.list)} head={[t(W.name), t(W.kind), t(W.status), t(W.taxId), t(W.lei), t(W.votes), t(W.validators), t(W.records)]}>
        {value.items.map((it) => (
          <tr key={it.organisation}>
            <td><Legal name={it.name} /></td>
            <td>{t(term(ORGANISATION_KINDS, it.kind))}</td>
            <td>{t(term(STATUSES, it.status))}</td>
            <td><Identifier of={it.taxId} valid={it.taxIdValid} /></td>
            <td><Identifier of={it.lei} valid={it.leiValid} /></td>
            <td>{it.votes === null ? <Known of={null} /> : t(it.votes ? W.yes : W.no)}</td>
            <td class="number">{n(it.validators)}</td>
            <td class="number">{n(it.leaves)}</td>
          </tr>
        ))}
      </Table>
      <Unknowns of={value.notKnown} />
    </>
  )
}

function Identifier({ of, valid }: { of: string | null; valid: boolean | null }) {
  const { t } = useRoom()
  if (of === null) return <Known of={null} />
  if (valid === null) return <>{of}</>
  return <>{of} <small class={valid ? '' : 'wrong'}>{t(valid ? W.digits : W.badDigits)}</small></>
}

function One({ number }: { number: string }) {
  const { t, of } = useRoom()
  const path = /^[1-9][0-9]{0,8}$/.test(number) ? `organisations/${number}` : null
  const { value, problem, again } = useAsked<Organisation>(path)
  if (value === null) return <Waiting problem={problem} again={again} />
  return (
    <>
      <p><a href={to('organisations')}>{t(W.all)}</a></p>
      <h2>{of(value.name)}</h2>
      <Facts of={value} />
      <p><a href={to('leaves', null, { organisation: String(value.organisation) })}>{t(W.leaves)}</a></p>
      <StandingTable of={value} />
      <Nodes of={value} />
      <Accounts of={value} />
      <Ballots of={value} />
      <section aria-labelledby="over"><h3 id="over">{t(W.over)}</h3><SeriesChart series={value.series} /></section>
      <dl><dt>{t(W.service)}</dt><dd class="unknown">{t(W.serviceUnknown)}</dd></dl>
      <Unknowns of={value.notKnown} />
    </>
  )
}

function Facts({ of }: { of: OrganisationSummary & Pick<Organisation, 'agreementHash' | 'credentialHash'> }) {
  const { t, n, time } = useRoom()
  return (
    <dl class="facts">
      <dt>{t(W.name)}</dt>
      <dd><Legal name={of.name} /><br /><span lang="zh-TW">{of.name.zhTw}</span> <span lang="en">{of.name.en}</span></dd>
      <dt>{t(W.kind)}</dt><dd>{t(term(ORGANISATION_KINDS, of.kind))}</dd>
      <dt>{t(W.status)}</dt><dd>{t(term(STATUSES, of.status))}</dd>
      <dt>{t(W.votes)}</dt><dd>{of.votes === null ? <Known of={null} /> : t(of.votes ? W.yes : W.no)}</dd>
      <dt>{t(W.taxId)}</dt><dd><Identifier of={of.taxId} valid={of.taxIdValid} /></dd>
      <dt>{t(W.lei)}</dt><dd><Identifier of={of.lei} valid={of.leiValid} /></dd>
      <dt>{t(W.jurisdiction)}</dt><dd><Known of={of.jurisdiction} /></dd>
      <dt>{t(W.contact)}</dt><dd><SafeLink url={of.contactUrl} /></dd>
      <dt>{t(W.agreement)}</dt><dd><Bytes of={of.agreementHash} name={t(W.agreement)} /></dd>
      <dt>{t(W.credential)}</dt><dd><Bytes of={of.credentialHash} name={t(W.credential)} /></dd>
      <dt>{t(W.records)}</dt><dd>{n(of.leaves)} <Mark proof="said" /> {t(COLON, { name: t(W.newest), value: time(of.lastMs) })}</dd>
    </dl>
  )
}

/** The record of an act, or that it is of the founding. */
function Act({ position }: { position: number | null }) {
  const { t } = useRoom()
  return position === null ? <>{t(W.founding)}</> : <a href={to('attestation', position)}>{position}</a>
}

function StandingTable({ of }: { of: Organisation }) {
  const { t, time, of: words } = useRoom()
  return (
    <Table caption={t(W.standing)} head={[t(W.what), t(W.when), t(W.why), t(W.act)]}>
      {of.standing.map((it, at) => (
        <tr key={at}>
          <td>{it.nameEn === null ? t(term(STANDINGS, it.what)) : t(COLON, { name: t(term(STANDINGS, it.what)), value: words({ en: it.nameEn, zhTw: it.nameZhTw ?? '' }) })}</td>
          <td>{time(it.timeMs)}</td>
          <td>
            {it.reason === null ? '' : t(term(GOVERNANCE_REASONS, it.reason))}
            {it.evidenceHash === null ? null : <code class="short">{it.evidenceHash}</code>}
          </td>
          <td><Act position={it.position} /></td>
        </tr>
      ))}
    </Table>
  )
}

function Nodes({ of }: { of: Organisation }) {
  const { t, n } = useRoom()
  if (of.nodes.length === 0) return null
  return (
    <Table caption={t(W.nodes)} head={[t(W.node), t(W.status), t(W.software), t(W.power), t(W.keys)]}>
      {of.nodes.map((it) => (
        <tr key={it.name}>
          <td>{it.name}<br /><small>{t(it.validates ? W.validates : W.observes)}</small></td>
          <td>{t(term(STATUSES, it.status))}</td>
          <td><Known of={it.version} /></td>
          <td class="number">{n(it.power)}</td>
          <td>
            <ul class="plain">
              {it.keys.map(({ kind, key, possession, position }) => (
                <li key={`${kind} ${key}`}>
                  {t(COLON, { name: t(term(KEYS, kind)), value: '' })} <code class="short">{key}</code> {t(term(POSSESSION, possession))}{t(COMMA)}<Act position={position} />
                </li>
              ))}
            </ul>
          </td>
        </tr>
      ))}
    </Table>
  )
}

function Accounts({ of }: { of: Organisation }) {
  const { t } = useRoom()
  if (of.accounts.length === 0) return null
  return (
    <Table caption={t(W.accounts)} head={[t(W.account), t(W.may), t(W.since), t(W.act)]}>
      {of.accounts.map((it) => (
        <tr key={it.account}>
          <td><a href={to('leaves', null, { issuer: it.account })}><code>{it.account}</code></a><br /><small class="wrap">{it.did}</small></td>
          <td>{it.permissions.map((may) => t(term(PERMISSIONS, may))).join(t(COMMA))}</td>
          <td class="number">{it.sinceHeight}</td>
          <td><Act position={it.position} /></td>
        </tr>
      ))}
    </Table>
  )
}

function Ballots({ of }: { of: Organisation }) {
  const { t, time } = useRoom()
  if (of.votesCast.length === 0) return <section aria-labelledby="ballots"><h3 id="ballots">{t(W.ballots)}</h3><p>{t(W.noBallots)}</p></section>
  return (
    <Table caption={t(W.ballots)} head={[t(W.motion), t(W.choice), t(W.when), t(W.act)]}>
      {of.votesCast.map((it) => (
        <tr key={it.position}>
          <td><a href={to('motions', it.motion)}>{it.motion}</a></td>
          <td>{t(term(CHOICES, it.choice))}</td>
          <td>{time(it.timeMs)}</td>
          <td><Act position={it.position} /></td>
        </tr>
      ))}
    </Table>
  )
}
