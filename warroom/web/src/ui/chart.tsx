/** Records over time: a picture, and the same as a table. The library is loaded when it is needed. */
import { useEffect, useRef } from 'preact/hooks'
import type { Series } from '../api.js'
import type { Pair } from '../words/say.js'
import { useRoom } from './context.js'
import { Table } from './parts.js'

const W = {
  caption: ['Records per {span}, by block time', '每 {span}的紀錄數（依區塊時間）'],
  table: ['The same as a table', '以表格顯示'],
  when: ['From', '起'],
  count: ['Records', '紀錄數'],
  none: ['There are no records in this time.', '此期間沒有紀錄。'],
} as const satisfies Record<string, Pair>

/** Rows of the table: the newest ones. */
const ROWS_MAX = 200
const HEIGHT = 180

/** Intervals without records are left out of the answer, and are zero. */
function filled({ stepMs, fromMs, points }: Series, toMs: number): [number[], number[]] {
  const counts = new Map(points.map(({ fromMs: at, count }) => [at, count]))
  const first = points[0]?.fromMs ?? fromMs
  const steps = Math.min(1500, Math.max(1, Math.ceil((toMs - first) / stepMs)))
  const times = Array.from({ length: steps }, (_, at) => first + at * stepMs)
  return [times.map((ms) => ms / 1000), times.map((ms) => counts.get(ms) ?? 0)]
}

export function SeriesChart({ series }: { series: Series }) {
  const { t, n, time, span, state } = useRoom()
  const box = useRef<HTMLDivElement>(null)
  const caption = t(W.caption, { span: span(series.stepMs) })
  useEffect(() => {
    const element = box.current
    if (element === null || series.points.length === 0) return undefined
    let gone = false
    let drawn: { destroy: () => void } | undefined
    void import('./plot.js').then(({ plot }) => {
      if (!gone) drawn = plot(element, filled(series, series.toMs), HEIGHT, t(W.count), state.language)
    })
    return () => { gone = true; drawn?.destroy() }
  }, [series, state.language])
  if (series.points.length === 0) return <p>{t(W.none)}</p>
  return (
    <figure>
      <figcaption>{caption}</figcaption>
      <div ref={box} class="plot" aria-hidden="true" />
      <details>
        <summary>{t(W.table)}</summary>
        <Table caption={caption} head={[t(W.when), t(W.count)]}>
          {series.points.slice(-ROWS_MAX).reverse().map(({ fromMs, count }) => (
            <tr key={fromMs}><td>{time(fromMs)}</td><td class="number">{n(count)}</td></tr>
          ))}
        </Table>
      </details>
    </figure>
  )
}
