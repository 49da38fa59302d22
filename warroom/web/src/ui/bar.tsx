/** What the visitor trusts, and the newest checkpoint as this browser verified it. */
import { to } from '../route.js'
import type { VerifiedHead } from '../trust/head.js'
import type { Pair } from '../words/say.js'
import { useRoom } from './context.js'

const W = {
  nothing: [
    'Nothing here is checked yet: you have not said which network you trust.',
    '以下內容尚未查核：您還沒有指定信任哪個網路。',
  ],
  choose: ['Choose its genesis file', '選擇創世檔'],
  offline: ['The war room cannot be reached; what you verify here needs no connection.', '無法連線至戰情室；在此驗證不需要連線。'],
  waiting: ['Checking the newest checkpoint…', '正在查核最新的檢查點…'],
  empty: ['The chain has decided nothing yet.', '此鏈尚未決定任何區塊。'],
  failed: ['The newest checkpoint is not checked.', '最新的檢查點未經查核。'],
  checked: [
    'Checked in your browser: {size} records up to block {height}, {time}. Signed by {signed} of {all} validators.',
    '已由您的瀏覽器查核：截至區塊 {height}（{time}）共 {size} 筆紀錄，{all} 個驗證者中有 {signed} 個簽署。',
  ],
  noted: [
    'Checked in your browser: {size} records, {time}. Cosigned by {signed} of {all} founding validators.',
    '已由您的瀏覽器查核：{time} 共 {size} 筆紀錄，{all} 個創設驗證者中有 {signed} 個副署。',
  ],
  who: ['Who signed', '簽署者'],
  power: ['{power} of {total} voting power, more than two thirds is needed', '投票權 {power}／{total}，須超過三分之二'],
  signed: ['signed', '已簽署'],
  unsigned: ['did not sign this one', '未簽署此檢查點'],
  root: ['Root of the log', '日誌的根雜湊'],
  handovers: ['Changes of validators that were followed: {count}', '已追溯的驗證者變更：{count} 次'],
  network: ['Network', '網路'],
} as const satisfies Record<string, Pair>

export function TrustBar() {
  const { state, t } = useRoom()
  const { trusted, head, status, problem, started } = state
  if (trusted === null) {
    return (
      <section class="bar open" aria-label={t(W.network)}>
        <p>{t(W.nothing)} <a class="button" href={to('trust')}>{t(W.choose)}</a></p>
      </section>
    )
  }
  if (head === null) {
    const decided = status?.checkpoint.basis !== 'genesis'
    const words = problem !== null ? W.offline : !started ? W.waiting : decided ? W.failed : W.empty
    return <section class="bar open" aria-label={t(W.network)}><p role="status">{trusted.genesis.name}: {t(words)}</p></section>
  }
  return <Checked head={head} name={trusted.genesis.name} />
}

function Checked({ head, name }: { head: VerifiedHead; name: string }) {
  const { t, n, time, state } = useRoom()
  const signed = head.members.filter((it) => it.signed).length
  const values = {
    size: n(head.size), height: n(head.height), time: time(head.timeMs), signed, all: head.members.length,
  }
  const grave = state.findings.some(({ code }) => !['stale', 'noProof', 'unreadTiles'].includes(code))
  return (
    <section class={grave ? 'bar bad' : 'bar good'} aria-label={t(W.network)}>
      <details>
        <summary>
          <strong>{name}</strong>{' '}
          <span class="mark proven" aria-hidden="true">✓</span>{' '}
          {t(head.basis === 'certificate' ? W.checked : W.noted, values)}
        </summary>
        <p>{t(W.power, { power: n(head.power), total: n(head.totalPower) })}</p>
        <ul class="members">
          {head.members.map((it, at) => (
            <li key={it.address ?? at}>
              {state.language === 'en' ? it.nameEn || it.nameZhTw : it.nameZhTw || it.nameEn}{' – '}
              {t(it.signed ? W.signed : W.unsigned)}
            </li>
          ))}
        </ul>
        {head.handovers > 0 ? <p>{t(W.handovers, { count: head.handovers })}</p> : null}
        <p>{t(W.root)}: <code>{head.rootHex}</code></p>
      </details>
    </section>
  )
}
