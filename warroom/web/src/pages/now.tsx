/** The chain at a glance. Figures with ✓ were counted again in this browser. */
import { useEffect } from 'preact/hooks'
import type { Now, Signer } from '../api.js'
import { REFRESH_MS, RECOUNT_UNASKED_LEAVES_MAX } from '../limits.js'
import { ofLink, to } from '../route.js'
import { SeriesChart } from '../ui/chart.js'
import { useAsked, useRoom } from '../ui/context.js'
import { Known, Legal, Mark, Table, Unknowns, Waiting, type Proof } from '../ui/parts.js'
import type { Pair } from '../words/say.js'
import { KINDS, term } from '../words/terms.js'

const W = {
  height: ['Height', '區塊高度'],
  age: ['Newest block', '最新區塊'],
  ago: ['{span} ago', '{span} 前'],
  records: ['Records in all', '紀錄總數'],
  attestations: ['Attestations in all', '存證總數'],
  rate: ['Records per second', '每秒紀錄數'],
  minute: ['last minute', '最近一分鐘'],
  hour: ['last hour', '最近一小時'],
  day: ['last day', '最近一天'],
  interval: ['Time between blocks', '區塊間隔'],
  byKind: ['Records by kind', '依種類'],
  bySchema: ['Attestations by schema', '依綱要'],
  byOrganisation: ['Records by organisation', '依機構'],
  kind: ['Kind', '種類'], schema: ['Schema', '綱要'], organisation: ['Organisation', '機構'], count: ['Count', '數量'],
  newest: ['Newest', '最新一筆'],
  warnings: ['To look at', '注意事項'],
  noWarnings: ['Nothing needs attention.', '無注意事項。'],
  more: ['more', '詳情'],
  validators: ['Validators of the newest checkpoint', '最新檢查點的驗證者'],
  validator: ['Validator', '驗證者'], signed: ['Signed', '是否簽署'], version: ['Software', '軟體版本'], record: ['Service record', '服務紀錄'],
  yes: ['yes', '是'], no: ['no', '否'],
  ofSeen: ['{signed} of {seen} checkpoints that this war room saw', '此戰情室所見 {seen} 個檢查點中簽署 {signed} 個'],
  power: ['Voting power', '投票權'],
  routes: ['Routes to other chains', '往他鏈的路徑'],
  noRoutes: ['No messages to other chains.', '沒有傳往他鏈的訊息。'],
  destination: ['Destination', '目的鏈'], messages: ['Messages', '訊息數'], pending: ['Waiting', '等候中'], oldest: ['Oldest that waits', '最舊的等候項目'],
  over: ['Over time', '時間分布'],
  recount: ['Recount in my browser', '在我的瀏覽器中重新計算'],
  recountWhy: [
    'Your browser fetches all {size} records, computes their hashes up to the root that the validators signed, and counts them itself.',
    '您的瀏覽器會取得全部 {size} 筆紀錄，逐一計算雜湊值直到驗證者簽署的根，並自行計數。',
  ],
  counting: ['Counted {done} of {all} records…', '已計算 {done}／{all} 筆紀錄…'],
  agrees: ['Counted {count} records here: every figure with ✓ agrees.', '已在此計算 {count} 筆紀錄：標示 ✓ 的數字均相符。'],
  differs: ['Counted {count} records here: {wrong} figures do not agree.', '已在此計算 {count} 筆紀錄：{wrong} 個數字不符。'],
  byCheckpoint: ['In the checkpoint that the validators signed: {value}.', '驗證者簽署的檢查點載明：{value}。'],
  byCount: ['Your browser counted {value} in the {size} records up to the signed root.', '您的瀏覽器在推得簽署根的 {size} 筆紀錄中，計得 {value}。'],
  contradicts: ['The war room says {claimed}; your browser counted {counted}.', '戰情室稱 {claimed}；您的瀏覽器計得 {counted}。'],
  needsTrust: ['Choose a genesis file first: without it, nothing can be counted up to a signature.', '請先選擇創世檔：否則無從推算至任何簽章。'],
} as const satisfies Record<string, Pair>

export function NowPage() {
  const { room, state } = useRoom()
  const { value: now, problem, again } = useAsked<Now>('now', REFRESH_MS)
  const small = now !== null && now.size <= RECOUNT_UNASKED_LEAVES_MAX
  const counted = state.recount.counts !== null
  useEffect(() => {
    if (now !== null && state.head !== null && (small || counted)) void room.recount(now)
  }, [now?.size, now, state.head?.size])
  if (now === null) return <Waiting problem={problem} again={again} />
  return (
    <>
      <KeyFigures now={now} />
      <Warnings now={now} />
      <Counting now={now} />
      <Over now={now} />
      <div class="columns"><ByKind now={now} /><BySchema now={now} /></div>
      <ByOrganisation now={now} />
      <Validators now={now} />
      <Routes now={now} />
      <Unknowns of={now.notKnown} />
    </>
  )
}

/** A figure of the war room beside what this browser counted, if it counted the same records. */
function Figure({ claimed, counted, size }: { claimed: number; counted: number | null; size: number }) {
  const { t, n } = useRoom()
  if (counted === null) return <>{n(claimed)} <Mark proof="said" /></>
  const same = claimed === counted
  return (
    <>
      {n(claimed)}{' '}
      <Mark proof={same ? 'proven' : 'wrong'}>
        {same ? t(W.byCount, { value: n(counted), size: n(size) })
          : t(W.contradicts, { claimed: n(claimed), counted: n(counted) })}
      </Mark>
    </>
  )
}

/** What was counted, if it is of the same records as these figures. */
function useCounts(now: Now) {
  const { state } = useRoom()
  const { counts, state: done } = state.recount
  return counts !== null && done === 'done' && counts.leaves === now.size ? counts : null
}

function KeyFigures({ now }: { now: Now }) {
  const { state, t, n, span } = useRoom()
  const { head } = state
  const counts = useCounts(now)
  const signed = (value: string, claimed: number | null, proven: number | null): [string, Proof, string] =>
    proven === null || claimed === null ? [value, 'said', ''] : [n(Math.max(proven, 0)), 'proven', t(W.byCheckpoint, { value: n(proven) })]
  const [height, heightProof, heightHow] = signed(n(now.height), now.height, head?.height ?? null)
  // The head may be newer than these figures. If it is older, the next look tells; see findings.
  const size: Proof = head !== null && now.size <= head.size ? 'proven' : 'said'
  const age = head === null ? now.ageMs : Date.now() - head.timeMs
  const rates = [[W.minute, now.rates.lastMinute], [W.hour, now.rates.lastHour], [W.day, now.rates.lastDay]] as const
  return (
    <dl class="figures">
      <div><dt>{t(W.height)}</dt><dd>{height} {heightProof === 'said' ? <Mark proof="said" /> : <Mark proof="proven">{heightHow}</Mark>}</dd></div>
      <div>
        <dt>{t(W.age)}</dt>
        <dd>{t(W.ago, { span: span(age) })} <Mark proof={head === null ? 'said' : 'proven'} /></dd>
      </div>
      <div>
        <dt>{t(W.records)}</dt>
        <dd>
          {n(now.size)}{' '}
          {size === 'said' ? <Mark proof="said" /> : (
            <Mark proof={size}>{t(W.byCheckpoint, { value: n(head?.size) })}</Mark>
          )}
        </dd>
      </div>
      <div>
        <dt>{t(W.attestations)}</dt>
        <dd><Figure claimed={now.attestations} counted={counts === null ? null : counts.kinds.get('attestation') ?? 0} size={now.size} /></dd>
      </div>
      <div><dt>{t(W.interval)}</dt><dd><Known of={now.blockIntervalMs === null ? null : `${n(now.blockIntervalMs / 1000, 2)} s`} /> <Mark proof="said" /></dd></div>
      <div class="wide">
        <dt>{t(W.rate)}</dt>
        <dd>{rates.map(([name, rate]) => <span class="rate" key={name[0]}><strong>{n(rate / 1000, 2)}</strong> {t(name)}</span>)} <Mark proof="said" /></dd>
      </div>
    </dl>
  )
}

function Warnings({ now }: { now: Now }) {
  const { t, of } = useRoom()
  return (
    <section aria-labelledby="warnings">
      <h2 id="warnings">{t(W.warnings)}</h2>
      {now.warnings.length === 0 ? <p>{t(W.noWarnings)}</p> : (
        <ul class="warnings">
          {now.warnings.map((warning) => {
            const link = warning.link === null ? null : ofLink(warning.link)
            return (
              <li key={`${warning.code} ${warning.en}`}>
                {of(warning)}{' '}
                {link === null ? null : <a href={link} aria-label={`${t(W.more)}: ${of(warning)}`}>{t(W.more)}</a>}
              </li>
            )
          })}
        </ul>
      )}
    </section>
  )
}

function Counting({ now }: { now: Now }) {
  const { room, state, t, n } = useRoom()
  const { recount, head } = state
  const words = recount.state === 'running' ? t(W.counting, { done: n(recount.done), all: n(recount.all) })
    : recount.state === 'failed' && recount.reason !== null ? t(recount.reason)
      : recount.state === 'done' ? t(recount.differences.length === 0 ? W.agrees : W.differs, {
        count: n(recount.counts?.leaves), wrong: n(recount.differences.length),
      }) : t(head === null ? W.needsTrust : W.recountWhy, { size: n(now.size) })
  return (
    <section class="counting" aria-labelledby="recount">
      <h2 id="recount">{t(W.recount)}</h2>
      <p role="status" data-recount={recount.state}>{words}</p>
      {recount.state === 'running' ? <progress max={Math.max(1, recount.all)} value={recount.done} aria-label={t(W.recount)} /> : (
        <button type="button" class="main" disabled={head === null} onClick={() => void room.recount(now)}>{t(W.recount)}</button>
      )}
    </section>
  )
}

function Over({ now }: { now: Now }) {
  const { t } = useRoom()
  return <section aria-labelledby="over"><h2 id="over">{t(W.over)}</h2><SeriesChart series={now.series} /></section>
}

/** A bar beside a number, for the eye alone. */
function Bar({ value, max }: { value: number; max: number }) {
  return <span class="share" aria-hidden="true"><span style={{ inlineSize: `${Math.round((100 * value) / Math.max(1, max))}%` }} /></span>
}

function ByKind({ now }: { now: Now }) {
  const { t } = useRoom()
  const counts = useCounts(now)
  const max = Math.max(...now.byKind.map((it) => it.count))
  return (
    <Table caption={t(W.byKind)} head={[t(W.kind), t(W.count)]}>
      {now.byKind.map(({ kind, count }) => (
        <tr key={kind}>
          <td><a href={to('leaves', null, { kind })}>{t(term(KINDS, kind))}</a></td>
          <td class="number"><Bar value={count} max={max} /><Figure claimed={count} counted={counts === null ? null : new Map<string, number>(counts.kinds).get(kind) ?? 0} size={now.size} /></td>
        </tr>
      ))}
    </Table>
  )
}

function BySchema({ now }: { now: Now }) {
  const { t } = useRoom()
  const counts = useCounts(now)
  const max = Math.max(...now.bySchema.map((it) => it.count))
  return (
    <Table caption={t(W.bySchema)} head={[t(W.schema), t(W.count)]}>
      {now.bySchema.map(({ schema, name, count }) => (
        <tr key={schema}>
          <td><a href={to('leaves', null, { schema })}>{name ?? <code class="short">{schema}</code>}</a></td>
          <td class="number"><Bar value={count} max={max} /><Figure claimed={count} counted={counts === null ? null : counts.schemas.get(schema) ?? 0} size={now.size} /></td>
        </tr>
      ))}
    </Table>
  )
}

function ByOrganisation({ now }: { now: Now }) {
  const { t, n, time } = useRoom()
  const max = Math.max(...now.byOrganisation.map((it) => it.count))
  return (
    <Table caption={t(W.byOrganisation)} head={[t(W.organisation), t(W.count), t(W.newest)]}>
      {now.byOrganisation.map(({ organisation, name, count, lastMs }) => (
        <tr key={organisation}>
          <td><Legal name={name} /></td>
          <td class="number"><Bar value={count} max={max} />{n(count)} <Mark proof="said" /></td>
          <td>{time(lastMs)}</td>
        </tr>
      ))}
    </Table>
  )
}

function Validators({ now }: { now: Now }) {
  const { state, t, n, of } = useRoom()
  const { head } = state
  // Names and signatures of the verified set; version and record are what the war room says.
  const told = new Map(now.validators.map((it) => [it.validator, it]))
  const members: readonly { name: { en: string; zhTw: string }; power: number; signed: boolean | null; told: Signer | undefined; key: string; proof: Proof }[] =
    head === null
      ? now.validators.map((it) => ({ name: { en: it.nameEn, zhTw: it.nameZhTw }, power: it.power, signed: it.signed, told: it, key: it.validator, proof: 'said' }))
      : head.members.map((it, at) => ({
        name: { en: it.nameEn, zhTw: it.nameZhTw }, power: it.power, signed: it.signed,
        told: it.address === null ? now.validators.find((one) => one.nameEn === it.nameEn) : told.get(it.address), key: it.address ?? String(at), proof: 'proven',
      }))
  return (
    <Table caption={t(W.validators)} head={[t(W.validator), t(W.power), t(W.signed), t(W.version), t(W.record)]}>
      {members.map(({ name, power, signed, told: said, key, proof }) => (
        <tr key={key}>
          <td>{said?.organisation == null ? of(name) : <a href={to('organisations', said.organisation)}>{of(name)}</a>} <Mark proof={proof} /></td>
          <td class="number">{n(power)}</td>
          <td>{signed === null ? <Known of={null} /> : t(signed ? W.yes : W.no)}</td>
          <td><Known of={said?.version} /></td>
          <td>{said === undefined ? <Known of={null} /> : t(W.ofSeen, { signed: n(said.checkpointsSigned), seen: n(said.checkpointsSeen) })}</td>
        </tr>
      ))}
    </Table>
  )
}

function Routes({ now }: { now: Now }) {
  const { t, n, time } = useRoom()
  if (now.routes.length === 0) return <section aria-labelledby="routes"><h2 id="routes">{t(W.routes)}</h2><p>{t(W.noRoutes)}</p></section>
  return (
    <Table caption={t(W.routes)} head={[t(W.destination), t(W.messages), t(W.newest), t(W.pending), t(W.oldest)]}>
      {now.routes.map((route) => (
        <tr key={route.destination}>
          <td>{route.caip2 ?? <code class="short">{route.destination}</code>}</td>
          <td class="number">{n(route.messages)}</td>
          <td>{time(route.newestMs)}</td>
          <td>{n(route.pending)}</td>
          <td>{time(route.oldestPendingMs)}</td>
        </tr>
      ))}
    </Table>
  )
}
