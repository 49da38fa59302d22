/** Other chains: registered, written to, and facts that were brought from them. */
import type { ChainPage } from '../api.js'
import { to } from '../route.js'
import { useAsked, useRoom } from '../ui/context.js'
import { Known, Legal, SafeLink, Table, Unknowns, Waiting } from '../ui/parts.js'
import type { Pair } from '../words/say.js'
import { STATUSES, term } from '../words/terms.js'

const W = {
  lead: [
    'Chains that organisations run, messages to them, and facts brought from them. The label says what a fact rests on: who would have to lie for it to be false.',
    '各機構營運的鏈、傳往它們的訊息，以及由它們帶來的事實。標示說明事實所依據者：須由誰說謊才會失真。',
  ],
  none: ['No other chain is known.', '沒有已知的他鏈。'],
  list: ['Other chains', '他鏈'],
  chain: ['Chain', '鏈'], technology: ['Technology', '技術'], operator: ['Operator', '營運者'], status: ['Status', '狀態'],
  sent: ['Messages to it', '傳往的訊息'], received: ['Messages from it', '傳來的訊息'], facts: ['Facts, by assurance', '事實（依保證等級）'],
  newest: ['Newest', '最新一筆'], contact: ['Contact', '聯絡方式'], act: ['Record', '紀錄'],
} as const satisfies Record<string, Pair>

/** Kinds of clients (SPEC §16.1), by their code. */
const ASSURANCES: Readonly<Record<string, Pair>> = {
  1: ['sealed by a quorum of its validators (QBFT)', '由其足夠多數的驗證者封緘（QBFT）'],
  2: ['sealed by a quorum of its validators (IBFT 2.0)', '由其足夠多數的驗證者封緘（IBFT 2.0）'],
}

export function ChainsPage() {
  const { t, n, time } = useRoom()
  const { value, problem, again } = useAsked<ChainPage>('chains')
  if (value === null) return <Waiting problem={problem} again={again} />
  return (
    <>
      <p class="lead">{t(W.lead)}</p>
      {value.items.length === 0 ? <p>{t(W.none)}</p> : (
        <Table caption={t(W.list)} head={[t(W.chain), t(W.technology), t(W.operator), t(W.status), t(W.sent), t(W.received), t(W.facts), t(W.newest), t(W.contact), t(W.act)]}>
          {value.items.map((it) => (
            <tr key={it.destination}>
              <td>{it.caip2 ?? <code class="short">{it.destination}</code>}</td>
              <td><Known of={it.technology} /></td>
              <td>{it.operator === null ? <Known of={null} /> : <Legal name={it.operatorName} />}</td>
              <td>{t(term(STATUSES, it.status))}</td>
              <td class="number">{n(it.messages)}</td>
              <td class="number">{n(it.received)}</td>
              <td>{it.facts === 0 ? n(0) : <ul class="plain">{it.assurances.map(({ assurance, count }) => <li key={assurance}>{n(count)} {t(term(ASSURANCES, assurance))}</li>)}</ul>}</td>
              <td>{time(it.newestMs)}</td>
              <td><SafeLink url={it.contactUrl} /></td>
              <td>{it.position === null ? <Known of={null} /> : <a href={to('attestation', it.position)}>{it.position}</a>}</td>
            </tr>
          ))}
        </Table>
      )}
      <Unknowns of={value.notKnown} />
    </>
  )
}
