/** Records of the log, newest first, of a kind, a schema, an issuer. */
import { useState } from 'preact/hooks'
import type { LeafPage } from '../api.js'
import { to, type Route } from '../route.js'
import { useAsked, useRoom } from '../ui/context.js'
import { Legal, Table, Waiting } from '../ui/parts.js'
import type { Pair } from '../words/say.js'
import { KINDS, term } from '../words/terms.js'

const W = {
  list: ['Records, newest first', '紀錄（新到舊）'],
  only: ['Only: {what}', '僅顯示：{what}'],
  position: ['Record', '紀錄'], kind: ['Statement', '陳述'], by: ['Issuer', '簽發者'], when: ['Time', '時間'], digest: ['Digest', '摘要'],
  none: ['There are no such records on this page.', '此頁沒有符合的紀錄。'],
  next: ['Older ones', '較舊的紀錄'], first: ['Newest ones', '最新的紀錄'],
} as const satisfies Record<string, Pair>

const FILTERS = ['kind', 'schema', 'issuer', 'organisation', 'height', 'fromMs', 'toMs']

export function LeavesPage({ route }: { route: Route }) {
  const { t, time } = useRoom()
  const filters = [...route.query].filter(([name]) => FILTERS.includes(name))
  const [cursor, turn] = useState<string | null>(null)
  const query = new URLSearchParams(filters)
  if (!query.has('kind')) query.set('kind', query.has('schema') ? 'attestation' : 'any')
  query.set('limit', '50')
  if (cursor !== null) query.set('cursor', cursor)
  const { value, problem, again } = useAsked<LeafPage>(`attestations?${query}`)
  if (value === null) return <Waiting problem={problem} again={again} />
  const what = filters.map(([name, of]) => (name === 'kind' ? t(term(KINDS, of)) : `${name} ${of}`)).join(', ')
  return (
    <>
      {what === '' ? null : <p class="wrap">{t(W.only, { what })}</p>}
      {value.items.length === 0 ? <p>{t(W.none)}</p> : (
        <Table caption={t(W.list)} head={[t(W.position), t(W.kind), t(W.by), t(W.when), t(W.digest)]}>
          {value.items.map(({ position, statement, issuerName }) => (
            <tr key={position}>
              <td><a href={to('attestation', position)}>{position}</a></td>
              <td>{t(term(KINDS, statement.kind))}</td>
              <td>{issuerName === null ? <code class="short">{String(statement['issuer'])}</code> : <Legal name={issuerName} />}</td>
              <td>{time(Number(statement['timeMs']))}</td>
              <td>{statement['digest'] === undefined ? '' : <code class="short">{String(statement['digest'])}</code>}</td>
            </tr>
          ))}
        </Table>
      )}
      <div class="buttons">
        {cursor === null ? null : <button type="button" onClick={() => turn(null)}>{t(W.first)}</button>}
        {value.next === null ? null : <button type="button" onClick={() => turn(value.next)}>{t(W.next)}</button>}
      </div>
    </>
  )
}
