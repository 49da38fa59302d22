/** How to hear of new records: an Atom feed of what one chooses. */
import { useState } from 'preact/hooks'
import type { OrganisationPage } from '../api.js'
import { useAsked, useRoom } from '../ui/context.js'
import { Bytes } from '../ui/parts.js'
import type { Pair } from '../words/say.js'
import { KINDS } from '../words/terms.js'

const W = {
  lead: ['Hear of new records without coming back: put this address into any feed reader. Choose what you want to hear of.', '不必回到本頁即可得知新紀錄：將下列網址加入任何訂閱閱讀器。請選擇您想得知的內容。'],
  organisation: ['Organisation', '機構'], kind: ['Kind of record', '紀錄種類'], schema: ['Schema (0x and 64 hex digits)', '綱要（0x 加 64 個十六進位數字）'], issuer: ['Account (0x and 40 hex digits)', '帳號（0x 加 40 個十六進位數字）'],
  any: ['any', '不限'],
  address: ['Address of the feed', '訂閱網址'],
  open: ['Open the feed', '開啟訂閱'],
  bad: ['The schema or the account is not complete; it is left out.', '綱要或帳號不完整，未列入。'],
  believe: [
    'A feed is what the war room says. Each entry leads to its record, which this page proves.',
    '訂閱內容為戰情室所述。每一項都連至其紀錄，由本頁證明。',
  ],
  others: ['Webhooks (signed, sent again until they arrive) and e-mail are set up by whoever runs the war room: ask there.', '網路鉤子（附簽章、重送至送達為止）與電子郵件由戰情室的營運者設定，請向其洽詢。'],
} as const satisfies Record<string, Pair>

export function FollowPage() {
  const { room, t, of } = useRoom()
  const { value } = useAsked<OrganisationPage>('organisations?limit=100')
  const [chosen, set] = useState({ organisation: '', kind: '', schema: '', issuer: '' })
  const schema = chosen.schema.trim().toLowerCase()
  const issuer = chosen.issuer.trim().toLowerCase()
  const query = new URLSearchParams()
  if (chosen.organisation !== '') query.set('organisation', chosen.organisation)
  if (chosen.kind !== '') query.set('kind', chosen.kind)
  if (/^0x[0-9a-f]{64}$/.test(schema)) query.set('schema', schema)
  if (/^0x[0-9a-f]{40}$/.test(issuer)) query.set('issuer', issuer)
  const bad = (schema !== '' && !query.has('schema')) || (issuer !== '' && !query.has('issuer'))
  const asked = query.toString()
  const address = room.api.url(`feed.atom${asked === '' ? '' : `?${asked}`}`)
  return (
    <>
      <p class="lead">{t(W.lead)}</p>
      <form onSubmit={(event) => event.preventDefault()}>
        <label class="field">{t(W.organisation)}
          <select value={chosen.organisation} onChange={(event) => set({ ...chosen, organisation: event.currentTarget.value })}>
            <option value="">{t(W.any)}</option>
            {value?.items.map((it) => <option key={it.organisation} value={String(it.organisation)}>{of(it.name)}</option>)}
          </select>
        </label>
        <label class="field">{t(W.kind)}
          <select value={chosen.kind} onChange={(event) => set({ ...chosen, kind: event.currentTarget.value })}>
            <option value="">{t(W.any)}</option>
            {Object.entries(KINDS).map(([kind, words]) => <option key={kind} value={kind}>{t(words)}</option>)}
          </select>
        </label>
        <label class="field">{t(W.schema)}<input type="text" spellcheck={false} onInput={(event) => set({ ...chosen, schema: event.currentTarget.value })} /></label>
        <label class="field">{t(W.issuer)}<input type="text" spellcheck={false} onInput={(event) => set({ ...chosen, issuer: event.currentTarget.value })} /></label>
        {bad ? <p class="notice trouble" role="alert">{t(W.bad)}</p> : null}
      </form>
      <section aria-labelledby="address">
        <h2 id="address">{t(W.address)}</h2>
        <p class="wrap"><Bytes of={address} name={t(W.address)} /></p>
        <p><a class="button" href={address} type="application/atom+xml">{t(W.open)}</a></p>
        <p>{t(W.believe)}</p>
        <p>{t(W.others)}</p>
      </section>
    </>
  )
}
