/** Search by whatever one has: a file, which stays here, or a number, a name, an address. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { toHex } from '@tbsi/verify/bytes.js'
import type { Hit, Search } from '../api.js'
import { digestOfFile, kindOf } from '../files.js'
import { SEARCH_CHARS_MAX } from '../limits.js'
import { messageOf } from '../room.js'
import { ofLink, to, type Route } from '../route.js'
import { useAsked, useRoom } from '../ui/context.js'
import { Drop } from '../ui/drop.js'
import { Mark, Unknowns, Waiting } from '../ui/parts.js'
import type { Pair } from '../words/say.js'
import { FOUND, FOUND_BY, term } from '../words/terms.js'

const W = {
  lead: ['Find what was attested, and who is who.', '查詢已存證的內容，以及各機構與帳號。'],
  byFile: ['By a file', '以檔案查詢'],
  drop: ['Drop a file here. It stays on this device: only its digest, 32 bytes, is asked for. With a salt, drop the salt file too.', '將檔案拖放到這裡。檔案留在此裝置上：只會查詢其摘要（32 位元組）。若有鹽值檔，請一併放入。'],
  hashing: ['Computing the digest of {name}…', '正在計算 {name} 的摘要…'],
  of: ['SHA-256 of {name}', '{name} 的 SHA-256'],
  salted: ['SHA-256 of {name} with its salt', '{name} 加鹽值的 SHA-256'],
  byWord: ['By words or numbers', '以文字或數字查詢'],
  what: ['Digest, id, 統一編號, LEI, legal name, DID, account, schema, transaction, height, motion, or chain (CAIP-2)', '摘要、識別碼、統一編號、LEI、法定名稱、DID、帳號、綱要、交易、區塊高度、動議或鏈（CAIP-2）'],
  go: ['Search', '搜尋'],
  understood: ['Understood as: {what}', '理解為：{what}'],
  none: ['Nothing was found among {size} records. If a file was changed by one bit, has a salt, or was attested under another algorithm than SHA-256, its digest is another one.', '在 {size} 筆紀錄中查無結果。檔案若有一個位元不同、加了鹽值，或以 SHA-256 以外的演算法存證，摘要就會不同。'],
  found: ['{count} found', '找到 {count} 筆'],
  more: ['There is more: say more of what you look for.', '還有更多結果：請輸入更明確的內容。'],
  by: ['by {what}', '依{what}'],
  nodeSays: ['a node says so; the log does not prove it', '節點所述，日誌無法證明'],
  long: ['A search has at most {max} characters.', '搜尋至多 {max} 個字元。'],
  unread: ['The file could not be read: {reason}', '無法讀取檔案：{reason}'],
  comma: [', ', '、'],
} as const satisfies Record<string, Pair>

export function SearchPage({ route }: { route: Route }) {
  const { t } = useRoom()
  const asked = route.query.get('q')?.trim() ?? ''
  const file = route.query.get('file')
  const input = useRef<HTMLInputElement>(null)
  const [told, tell] = useState<string | null>(null)
  useEffect(() => { if (input.current !== null) input.current.value = file === null ? asked : '' }, [asked, file])
  const go = (q: string, named?: string) => {
    if (q.length > SEARCH_CHARS_MAX) return tell(t(W.long, { max: SEARCH_CHARS_MAX }))
    location.hash = to('search', null, named === undefined ? { q } : { q, file: named })
  }
  const hash = async (files: readonly File[]) => {
    try {
      const kinds = await Promise.all(files.slice(0, 2).map(async (it) => [await kindOf(it), it] as const))
      const salt = kinds.find(([kind]) => kind === 'salt')?.[1]
      const document = files.find((it) => it !== salt)
      if (document === undefined) return
      tell(t(W.hashing, { name: document.name }))
      const digest = await digestOfFile(document, 'sha2-256', salt)
      tell(null)
      go(toHex(digest), t(salt === undefined ? W.of : W.salted, { name: document.name }))
    } catch (thrown) {
      tell(t(W.unread, { reason: messageOf(thrown) }))
    }
  }
  return (
    <>
      <p class="lead">{t(W.lead)}</p>
      <section aria-labelledby="by-file">
        <h2 id="by-file">{t(W.byFile)}</h2>
        <Drop many label={t(W.drop)} use={(files) => void hash(files)} />
      </section>
      <section aria-labelledby="by-word">
        <h2 id="by-word">{t(W.byWord)}</h2>
        <form role="search" onSubmit={(event) => {
          event.preventDefault()
          const q = input.current?.value.trim() ?? ''
          if (q !== '') go(q)
        }}>
          <label class="field">{t(W.what)}<input type="search" ref={input} maxLength={SEARCH_CHARS_MAX} spellcheck={false} /></label>
          <button type="submit" class="main">{t(W.go)}</button>
        </form>
      </section>
      <p role="status">{told}</p>
      {asked === '' ? null : <Results q={asked} file={file} />}
    </>
  )
}

function Results({ q, file }: { q: string; file: string | null }) {
  const { t, n } = useRoom()
  const { value, problem, again } = useAsked<Search>(`search?${new URLSearchParams({ q })}`)
  if (value === null) return <Waiting problem={problem} again={again} />
  return (
    <section aria-labelledby="found">
      <h2 id="found">{t(W.found, { count: n(value.hits.length) })}</h2>
      {file === null ? null : <p>{file}: <code>{q}</code></p>}
      {value.understoodAs.length === 0 ? null
        : <p>{t(W.understood, { what: value.understoodAs.map((it) => t(term(FOUND_BY, it))).join(t(W.comma)) })}</p>}
      {value.hits.length === 0 ? <p>{t(W.none, { size: n(value.size) })}</p> : (
        <ul class="hits">{value.hits.map((hit) => <Found hit={hit} key={`${hit.link} ${hit.by}`} />)}</ul>
      )}
      {value.more ? <p>{t(W.more)}</p> : null}
      <Unknowns of={value.notKnown} />
    </section>
  )
}

function Found({ hit }: { hit: Hit }) {
  const { t, of } = useRoom()
  const link = ofLink(hit.link)
  const label = of({ en: hit.label, zhTw: hit.labelZhTw })
  return (
    <li>
      <span class="tag">{t(term(FOUND, hit.what))}</span>{' '}
      {link === null ? label : <a href={link}>{label}</a>}{' '}
      <small>{t(W.by, { what: t(term(FOUND_BY, hit.by)) })}</small>{' '}
      {hit.proven ? null : <><Mark proof="said" /> <small>{t(W.nodeSays)}</small></>}
    </li>
  )
}
