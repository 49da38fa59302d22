/** Motions, with ballots by name. Each ballot can be proven here. */
import { useEffect, useState } from 'preact/hooks'
import { ballotOf, proves } from '../acts.js'
import type { Attestation, Motion, MotionPage } from '../api.js'
import { prove } from '../record.js'
import { asProblem } from '../room.js'
import { to, type Route } from '../route.js'
import { useAsked, useRoom } from '../ui/context.js'
import { Legal, Mark, Table, Unknowns, Waiting, type Proof } from '../ui/parts.js'
import { COLON, COMMA, type Pair } from '../words/say.js'
import { CHOICES, STATUSES, term } from '../words/terms.js'

const W = {
  list: ['Motions, newest first', '動議（新到舊）'],
  none: ['No motion is known.', '沒有已知的動議。'],
  motion: ['Motion', '動議'], asks: ['What it asks for', '內容'], by: ['Proposed by', '提案機構'], status: ['Status', '狀態'], votes: ['Votes', '票數'], ends: ['Ends', '截止'],
  tally: ['{yes} yes, {no} no, {abstain} abstain', '贊成 {yes}、反對 {no}、棄權 {abstain}'],
  left: ['{span} left', '剩餘 {span}'], over: ['over', '已截止'],
  subject: ['About', '對象'], proposed: ['Proposed', '提出時間'], closes: ['Ballots until', '投票截止'],
  from: ['Can be carried out from', '可執行自'], until: ['until', '至'], closed: ['Closed', '結束時間'],
  ballots: ['Ballots by name', '記名投票'], organisation: ['Organisation', '機構'], choice: ['Vote', '投票'], when: ['Time', '時間'], act: ['Record', '紀錄'],
  noBallots: ['Nobody has voted yet.', '尚無投票。'],
  prove: ['Prove the ballots in my browser', '在我的瀏覽器中證明投票'],
  proving: ['Proving {done} of {all} ballots…', '正在證明 {done}／{all} 張選票…'],
  all: ['All motions', '全部動議'],
  record: ['Record that proposed it', '提案的紀錄'],
  needsTrust: ['Choose a genesis file to prove ballots.', '請選擇創世檔以證明投票。'],
} as const satisfies Record<string, Pair>

export function MotionsPage({ route }: { route: Route }) {
  return route.id === null ? <All /> : <One number={route.id} />
}

/** Time to a moment by the visitor's clock, once a second. */
function Countdown({ untilMs }: { untilMs: number }) {
  const { t, span } = useRoom()
  const [now, tick] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => tick(Date.now()), 1000)
    return () => { clearInterval(timer) }
  }, [])
  return <>{untilMs <= now ? t(W.over) : t(W.left, { span: span(untilMs - now) })}</>
}

const tally = ({ yes, no, abstain, conflict }: Motion) => ({ yes, no, abstain: abstain + conflict })

function All() {
  const { t, of } = useRoom()
  const { value, problem, again } = useAsked<MotionPage>('motions?limit=50')
  if (value === null) return <Waiting problem={problem} again={again} />
  return (
    <>
      {value.items.length === 0 ? <p>{t(W.none)}</p> : (
        <Table caption={t(W.list)} head={[t(W.motion), t(W.asks), t(W.by), t(W.status), t(W.votes), t(W.ends)]}>
          {value.items.map((it) => (
            <tr key={it.motion}>
              <td><a href={to('motions', it.motion)}>{it.motion}</a></td>
              <td>{of(it)}</td>
              <td><Legal name={it.name} /></td>
              <td>{t(term(STATUSES, it.status))}</td>
              <td>{t(W.tally, tally(it))}</td>
              <td>{it.status === 'open' ? <Countdown untilMs={it.deadlineMs} /> : t(W.over)}</td>
            </tr>
          ))}
        </Table>
      )}
      <Unknowns of={value.notKnown} />
    </>
  )
}

function One({ number }: { number: string }) {
  const { t, of, time } = useRoom()
  const path = /^[1-9][0-9]{0,8}$/.test(number) ? `motions/${number}` : null
  const { value: motion, problem, again } = useAsked<Motion>(path)
  if (motion === null) return <Waiting problem={problem} again={again} />
  return (
    <>
      <p><a href={to('motions')}>{t(W.all)}</a></p>
      <h2>{t(COLON, { name: `${t(W.motion)} ${motion.motion}`, value: of(motion) })}</h2>
      <dl class="facts">
        <dt>{t(W.status)}</dt>
        <dd><strong>{t(term(STATUSES, motion.status))}</strong>{motion.status === 'open' ? <>{t(COMMA)}<Countdown untilMs={motion.deadlineMs} /></> : null}</dd>
        <dt>{t(W.votes)}</dt><dd>{t(W.tally, tally(motion))}</dd>
        <dt>{t(W.by)}</dt><dd><Legal name={motion.name} /></dd>
        {motion.subject === null || motion.subject === 0 ? null : <><dt>{t(W.subject)}</dt><dd><Legal name={motion.subjectName} /></dd></>}
        <dt>{t(W.proposed)}</dt><dd>{time(motion.proposedMs)}</dd>
        <dt>{t(W.closes)}</dt><dd>{time(motion.deadlineMs)}</dd>
        {motion.executableFromMs === null ? null
          : <><dt>{t(W.from)}</dt><dd>{time(motion.executableFromMs)} {t(W.until)} {time(motion.executableUntilMs)}</dd></>}
        {motion.closedMs === null ? null : <><dt>{t(W.closed)}</dt><dd>{time(motion.closedMs)}</dd></>}
        <dt>{t(W.record)}</dt><dd><a href={to('attestation', motion.position)}>{motion.position}</a></dd>
      </dl>
      <Ballots motion={motion} />
    </>
  )
}

type Checked = Readonly<Record<number, Proof>>

function Ballots({ motion }: { motion: Motion }) {
  const { room, state, t, time } = useRoom()
  const [checked, set] = useState<Checked>({})
  const [done, count] = useState<number | null>(null)
  const [problem, complain] = useState<Pair | null>(null)
  const { trusted } = state
  const check = async () => {
    if (trusted === null) return
    complain(null)
    const found: Record<number, Proof> = {}
    try {
      for (const [at, ballot] of motion.ballots.entries()) {
        count(at)
        const { statement } = await prove(room.api, ballot.position, trusted)
        const { act } = await room.api.get<Attestation>(`attestations/${ballot.position}`)
        const cast = act !== null && statement !== null && proves(statement, act) ? ballotOf(act) : null
        const same = cast?.motion === motion.motion && cast.organisation === ballot.organisation && cast.choice === ballot.choice
        found[ballot.position] = same ? 'proven' : 'wrong'
        set({ ...found })
      }
    } catch (thrown) {
      complain(asProblem(thrown).said)
    }
    count(null)
  }
  if (motion.ballots.length === 0) return <p>{t(W.noBallots)}</p>
  return (
    <>
      <Table caption={t(W.ballots)} head={[t(W.organisation), t(W.choice), t(W.when), t(W.act)]}>
        {motion.ballots.map((it) => (
          <tr key={it.position}>
            <td><Legal name={it.name} /></td>
            <td>{t(term(CHOICES, it.choice))} <Mark proof={checked[it.position] ?? 'said'} /></td>
            <td>{time(it.timeMs)}</td>
            <td><a href={to('attestation', it.position)}>{it.position}</a></td>
          </tr>
        ))}
      </Table>
      <p role="status">{done === null ? '' : t(W.proving, { done, all: motion.ballots.length })}{problem === null ? '' : t(problem)}</p>
      {trusted === null ? <p>{t(W.needsTrust)}</p>
        : <button type="button" class="main" disabled={done !== null} onClick={() => void check()}>{t(W.prove)}</button>}
    </>
  )
}
