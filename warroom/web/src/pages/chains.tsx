/** Other chains: registered, written to, and facts that were brought from them. */
import type { ChainPage } from '../api.js'
import { to } from '../route.js'
import { useAsked, useRoom } from '../ui/context.js'
import { Known, Legal, SafeLink, Unknowns, Waiting } from '../ui/parts.js'
import { COLON, type Pair } from '../words/say.js'
import { STATUSES, term } from '../words/terms.js'

const W = {
  lead: [
    'Chains that organisations run, messages to them, and facts brought from them. The label says what a fact rests on: who would have to lie for it to be false.',
    '各機構營運的鏈、傳往它們的訊息，以及由它們帶來的事實。標示說明事實所依據者：須由誰說謊才會失真。',
  ],
  none: ['No other chain is known.', '沒有已知的他鏈。'],
  technology: ['Technology', '技術'], operator: ['Operator', '營運者'], status: ['Status', '狀態'],
  sent: ['Messages to it', '傳往的訊息'], received: ['Messages from it', '傳來的訊息'], facts: ['Facts, by assurance', '事實（依保證等級）'],
  newest: ['Newest', '最新一筆'], contact: ['Contact', '聯絡方式'], act: ['Record that registered it', '登記的紀錄'],
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
      {value.items.length === 0 ? <p>{t(W.none)}</p> : value.items.map((it) => (
        <section key={it.destination} class="chain">
          <h2>{it.caip2 ?? <code class="short">{it.destination}</code>}</h2>
          <dl class="facts">
            <dt>{t(W.technology)}</dt><dd><Known of={it.technology} /></dd>
            <dt>{t(W.operator)}</dt><dd>{it.operator === null ? <Known of={null} /> : <Legal name={it.operatorName} />}</dd>
            <dt>{t(W.status)}</dt><dd>{t(term(STATUSES, it.status))}</dd>
            <dt>{t(W.sent)}</dt><dd>{n(it.messages)}</dd>
            <dt>{t(W.received)}</dt><dd>{n(it.received)}</dd>
            <dt>{t(W.facts)}</dt>
            <dd>
              {it.facts === 0 ? n(0) : (
                <ul class="plain">
                  {it.assurances.map(({ assurance, count }) => (
                    <li key={assurance}>{t(COLON, { name: n(count), value: t(term(ASSURANCES, assurance)) })}</li>
                  ))}
                </ul>
              )}
            </dd>
            <dt>{t(W.newest)}</dt><dd>{time(it.newestMs)}</dd>
            <dt>{t(W.contact)}</dt><dd><SafeLink url={it.contactUrl} /></dd>
            <dt>{t(W.act)}</dt>
            <dd>{it.position === null ? <Known of={null} /> : <a href={to('attestation', it.position)}>{it.position}</a>}</dd>
          </dl>
        </section>
      ))}
      <Unknowns of={value.notKnown} />
    </>
  )
}
