/** Versions of a data set and who else vouches for it: a picture, and the same as a list. */
import { useRef } from 'preact/hooks'
import type { Provenance } from '../api.js'
import { GRAPH_NODES_MAX } from '../limits.js'
import { to, type Route } from '../route.js'
import { useAsked, useRoom } from '../ui/context.js'
import { Legal, Table, Waiting } from '../ui/parts.js'
import { either, type Pair } from '../words/say.js'
import { EDGES, VERDICTS, term } from '../words/terms.js'

const W = {
  lead: [
    'Which version replaced which, and who else attested the same bytes. Derivations and grants have no records on this chain yet, so none are shown.',
    '哪一版本取代了哪一版本，以及還有誰存證了相同的內容。衍生與授權在此鏈上尚無紀錄，因此不顯示。',
  ],
  which: ['Id of an attestation', '存證的識別碼'],
  show: ['Show', '顯示'],
  picture: ['Picture of the versions; the tables below say the same.', '版本關係圖；下方表格內容相同。'],
  nodes: ['Versions', '版本'], edges: ['How they hang together', '關聯'],
  record: ['Record', '紀錄'], by: ['Issuer', '簽發者'], when: ['Time', '時間'], status: ['Status', '狀態'],
  from: ['Record', '紀錄'], how: ['Relation', '關係'], other: ['Other record', '另一筆紀錄'], said: ['Said in', '出處'],
  counts: ['Counts', '是否有效'], yes: ['yes', '是'], no: ['no: not by the issuer', '否：非簽發者所為'],
  more: ['There is more than is shown.', '尚有未顯示的內容。'],
  unknown: ['not on this chain', '不在此鏈上'],
  bad: ['An id is 0x and 64 hex digits.', '識別碼為 0x 加 64 個十六進位數字。'],
} as const satisfies Record<string, Pair>

const ID = /^0x[0-9a-f]{64}$/

export function ProvenancePage({ route }: { route: Route }) {
  const { t } = useRoom()
  const input = useRef<HTMLInputElement>(null)
  const id = route.query.get('id')?.trim().toLowerCase() ?? ''
  return (
    <>
      <p class="lead">{t(W.lead)}</p>
      <form onSubmit={(event) => {
        event.preventDefault()
        location.hash = to('provenance', null, { id: input.current?.value.trim() ?? '' })
      }}>
        <label class="field">{t(W.which)}<input type="text" ref={input} defaultValue={id} spellcheck={false} /></label>
        <button type="submit" class="main">{t(W.show)}</button>
      </form>
      {id === '' ? null : ID.test(id) ? <Graph id={id} /> : <p class="notice trouble" role="alert">{t(W.bad)}</p>}
    </>
  )
}

function Graph({ id }: { id: string }) {
  const { t, time } = useRoom()
  const { value, problem, again } = useAsked<Provenance>(`provenance?id=${id}`)
  if (value === null) return <Waiting problem={problem} again={again} />
  const nodes = value.nodes.slice(0, GRAPH_NODES_MAX)
  const named = new Map(nodes.map((it) => [it.node, it]))
  const link = (node: string) => {
    const position = named.get(node)?.position ?? null
    return position === null ? <>{t(W.unknown)} <code class="short">{node}</code></> : <a href={to('attestation', position)}>{position}</a>
  }
  return (
    <>
      <Picture of={{ ...value, nodes }} />
      <Table caption={t(W.nodes)} head={[t(W.record), t(W.by), t(W.when), t(W.status)]}>
        {nodes.map((it) => (
          <tr key={it.node} class={it.node === value.start ? 'chosen' : ''}>
            <td>{link(it.node)}</td>
            <td>{it.issuerName === null ? <code class="short">{it.issuer ?? '?'}</code> : <Legal name={it.issuerName} />}</td>
            <td>{time(it.timeMs)}</td>
            <td>{t(term(VERDICTS, it.verdict))}</td>
          </tr>
        ))}
      </Table>
      {value.edges.length === 0 ? null : (
        <Table caption={t(W.edges)} head={[t(W.from), t(W.how), t(W.other), t(W.said), t(W.counts)]}>
          {value.edges.map((it) => (
            <tr key={`${it.from} ${it.to} ${it.position}`}>
              <td>{link(it.from)}</td><td>{t(term(EDGES, it.what))}</td><td>{link(it.to)}</td>
              <td><a href={to('attestation', it.position)}>{it.position}</a></td>
              <td>{t(it.counts ? W.yes : W.no)}</td>
            </tr>
          ))}
        </Table>
      )}
      {value.more ? <p>{t(W.more)}</p> : null}
    </>
  )
}

const [BOX, ROOM, HIGH, GAP] = [200, 70, 62, 26]

/** Columns by steps of supersession, rows for what has the same digest. */
function placed({ nodes, edges }: Provenance): Map<string, readonly [x: number, y: number]> {
  const column = new Map(nodes.map(({ node }) => [node, 0]))
  // As many rounds as nodes: a circle ends there too.
  for (let round = 0; round < nodes.length; round += 1) {
    let moved = false
    for (const { from, to: end, what } of edges) {
      const least = (column.get(from) ?? 0) + (what === 'supersededBy' ? 1 : 0)
      if (column.has(end) && (column.get(end) ?? 0) < least && least < nodes.length) {
        column.set(end, least)
        moved = true
      }
    }
    if (!moved) break
  }
  const rows = new Map<number, number>()
  return new Map(nodes.map(({ node }) => {
    const x = column.get(node) ?? 0
    const y = rows.get(x) ?? 0
    rows.set(x, y + 1)
    return [node, [x * (BOX + ROOM), y * (HIGH + GAP)] as const]
  }))
}

function Picture({ of }: { of: Provenance }) {
  const { t, state, time } = useRoom()
  const at = placed(of)
  const width = Math.max(...[...at.values()].map(([x]) => x)) + BOX
  const height = Math.max(...[...at.values()].map(([, y]) => y)) + HIGH
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t(W.picture)}>
      <svg class="graph" role="img" aria-label={t(W.picture)} width={width + 8} height={height + 8} viewBox={`-4 -4 ${width + 8} ${height + 8}`}>
        <defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L10 5L0 10z" /></marker></defs>
        {of.edges.map((edge) => {
          const [from, end] = [at.get(edge.from), at.get(edge.to)]
          if (from === undefined || end === undefined) return null
          const side = end[0] > from[0]
          const [x1, y1] = side ? [from[0] + BOX, from[1] + HIGH / 2] : [from[0] + BOX / 2, from[1] + HIGH]
          const [x2, y2] = side ? [end[0], end[1] + HIGH / 2] : [end[0] + BOX / 2, end[1]]
          return <path key={`${edge.from} ${edge.to} ${edge.position}`} d={`M${x1} ${y1}L${x2} ${y2}`} class={edge.counts ? edge.what : 'void'} marker-end={edge.what === 'supersededBy' ? 'url(#arrow)' : undefined} />
        })}
        {of.nodes.map((it) => {
          const [x, y] = at.get(it.node) ?? [0, 0]
          const name = it.issuerName === null ? it.issuer ?? t(W.unknown) : either(state.language, it.issuerName.en, it.issuerName.zhTw)
          return (
            <g key={it.node} transform={`translate(${x} ${y})`} class={it.node === of.start ? 'chosen' : ''}>
              <rect width={BOX} height={HIGH} rx="6" />
              <text x="10" y="20">{t(W.record)} {it.position ?? '?'} · {t(term(VERDICTS, it.verdict))}</text>
              <text x="10" y="37" class="quiet">{name.length > 24 ? `${name.slice(0, 23)}…` : name}</text>
              <text x="10" y="53" class="quiet">{time(it.timeMs)}</text>
            </g>
          )
        })}
      </svg>
    </div>
  )
}
