/** Which network is trusted: the genesis file, chosen by the visitor. */
import { useState } from 'preact/hooks'
import { GENESIS_BYTES_MAX } from '../limits.js'
import { messageOf, store } from '../room.js'
import { readGenesis, type Trusted } from '../trust/genesis.js'
import { useRoom } from '../ui/context.js'
import { Drop } from '../ui/drop.js'
import { Bytes } from '../ui/parts.js'
import type { Pair } from '../words/say.js'

const W = {
  why: [
    'All that is checked here follows from one file: the genesis file of the network, which names its founders and their keys. Get it, or its hash, from somebody other than this war room: your association, a printed notice, a court file.',
    '此處的一切查核，皆由一個檔案推得：網路的創世檔，其中載明創設者及其金鑰。請向此戰情室以外的來源取得該檔或其雜湊值：您的公會、紙本公告或法院卷宗。',
  ],
  now: ['What you trust now', '您目前信任的網路'],
  kept: ['Kept in this browser for later visits.', '已存於此瀏覽器，供日後使用。'],
  notKept: [
    'Not kept: this browser stores files for pages over https alone. You will be asked again.',
    '未保存：此瀏覽器僅為 https 頁面保存檔案。下次會再詢問。',
  ],
  forget: ['Trust it no longer', '不再信任'],
  choose: ['Your own genesis file', '您自己的創世檔'],
  drop: ['Drop the genesis file here, or choose it', '將創世檔拖放到這裡，或選擇檔案'],
  offered: ['The file that this war room offers', '此戰情室提供的檔案'],
  compare: [
    'Compare this hash, all of it, with one that you have from elsewhere. If it is the same, this is the same file.',
    '請將此雜湊值逐字與您由他處取得的比對。完全相同，即為同一檔案。',
  ],
  expected: ['Hash that you have from elsewhere', '您由他處取得的雜湊值'],
  same: ['It is the same: trust this network', '相同：信任此網路'],
  other: ['That is another hash. Do not trust this file.', '雜湊值不同。請勿信任此檔。'],
  unchecked: ['I could not compare it; trust it all the same', '我無法比對，仍要信任'],
  bad: ['This file cannot be used: {reason}', '此檔無法使用：{reason}'],
  tooLarge: ['it has more than {max} bytes', '超過 {max} 位元組'],
  hash: ['Genesis hash', '創世雜湊值'],
  founders: ['Founders', '創設者'],
  chain: ['Chain id', '鏈識別碼'],
  none: ['The war room offers none, or cannot be reached.', '戰情室未提供，或無法連線。'],
  where: ['Address of the war room', '戰情室網址'],
  whereWhy: ['This page can show any war room. Leave it empty for the one that served this page.', '本頁可顯示任何戰情室。留空則使用提供本頁的戰情室。'],
  set: ['Use this address', '使用此網址'],
  noUrl: ['This is no address: it begins with https:// and ends with /api/v1/.', '這不是網址：應以 https:// 開頭，以 /api/v1/ 結尾。'],
} as const satisfies Record<string, Pair>

export function TrustPage() {
  const { room, state, t } = useRoom()
  const { trusted, offered } = state
  const [problem, set] = useState<string | null>(null)
  const use = async (file: File | undefined) => {
    if (file === undefined) return
    set(null)
    try {
      if (file.size > GENESIS_BYTES_MAX) throw new Error(t(W.tooLarge, { max: GENESIS_BYTES_MAX }))
      await room.trust(readGenesis(new Uint8Array(await file.arrayBuffer())))
    } catch (thrown) {
      set(messageOf(thrown))
    }
  }
  return (
    <>
      <p class="lead">{t(W.why)}</p>
      {trusted === null ? null : (
        <section aria-labelledby="trusted">
          <h2 id="trusted">{t(W.now)}</h2>
          <Facts of={trusted} />
          <p>{t(state.kept ? W.kept : W.notKept)}</p>
          <p><button type="button" onClick={() => void room.distrust()}>{t(W.forget)}</button></p>
        </section>
      )}
      <section aria-labelledby="own">
        <h2 id="own">{t(W.choose)}</h2>
        <Drop label={t(W.drop)} use={([file]) => void use(file)} />
        {problem === null ? null : <p class="notice lie" role="alert">{t(W.bad, { reason: problem })}</p>}
      </section>
      {trusted === null ? <Offered offered={offered} /> : null}
      <Address />
    </>
  )
}

function Facts({ of }: { of: Trusted }) {
  const { t, of: words } = useRoom()
  return (
    <dl>
      <dt>{t(W.hash)}</dt><dd><Bytes of={of.hash} name={t(W.hash)} /></dd>
      <dt>{t(W.chain)}</dt><dd>{of.genesis.name}, {of.genesis.chainId.toString()}</dd>
      <dt>{t(W.founders)}</dt>
      <dd><ul>{of.founders.map((founder) => <li key={founder.en}>{words(founder)}</li>)}</ul></dd>
    </dl>
  )
}

function Offered({ offered }: { offered: Trusted | null }) {
  const { room, t } = useRoom()
  const [typed, set] = useState('')
  const given = typed.trim().toLowerCase()
  const same = offered !== null && (given === offered.hash || given === offered.hash.slice(2))
  return (
    <section aria-labelledby="offered">
      <h2 id="offered">{t(W.offered)}</h2>
      {offered === null ? <p>{t(W.none)}</p> : (
        <>
          <Facts of={offered} />
          <p>{t(W.compare)}</p>
          <form onSubmit={(event) => { event.preventDefault(); if (same) void room.trust(offered) }}>
            <label class="field">{t(W.expected)}
              <input type="text" spellcheck={false} autocomplete="off" value={typed}
                onInput={(event) => set(event.currentTarget.value)} />
            </label>
            {given.length >= 64 && !same ? <p class="notice lie" role="alert">{t(W.other)}</p> : null}
            <div class="buttons">
              <button type="submit" class="main" disabled={!same}>{t(W.same)}</button>
              <button type="button" onClick={() => void room.trust(offered)}>{t(W.unchecked)}</button>
            </div>
          </form>
        </>
      )}
    </section>
  )
}

function Address() {
  const { room, t } = useRoom()
  const [typed, set] = useState(room.api.base)
  const [wrong, complain] = useState(false)
  const use = () => {
    const given = typed.trim()
    const url = URL.canParse(given) ? new URL(given.replace(/\/?$/, '/')) : null
    if (given !== '' && (url === null || !['https:', 'http:'].includes(url.protocol))) return complain(true)
    if (url === null) localStorage.removeItem('tbsi.room')
    else store('tbsi.room', url.href)
    location.reload()
  }
  return (
    <section aria-labelledby="address">
      <h2 id="address">{t(W.where)}</h2>
      <p>{t(W.whereWhy)}</p>
      <form onSubmit={(event) => { event.preventDefault(); use() }}>
        <label class="field">{t(W.where)}
          <input type="url" spellcheck={false} value={typed} onInput={(event) => { complain(false); set(event.currentTarget.value) }} />
        </label>
        {wrong ? <p class="notice lie" role="alert">{t(W.noUrl)}</p> : null}
        <button type="submit">{t(W.set)}</button>
      </form>
    </section>
  )
}
