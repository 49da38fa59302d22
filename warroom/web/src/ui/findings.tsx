/** What contradicts itself: found by this browser, or told by the war room. */
import type { Pair } from '../words/say.js'
import { FINDINGS, TROUBLE } from '../words/findings.js'
import { useRoom } from './context.js'

const W = {
  found: ['Found by your browser', '由您的瀏覽器發現'],
  told: ['The war room reports', '戰情室通報'],
  since: ['since {time}', '自 {time}'],
} as const satisfies Record<string, Pair>

export function Findings() {
  const { state, t, of, time } = useRoom()
  const alarms = state.status?.alarms ?? []
  if (state.findings.length === 0 && alarms.length === 0) return null
  return (
    <div class="findings" role="alert">
      {state.findings.map(({ code, values }) => (
        <div class={TROUBLE.includes(code) ? 'notice trouble' : 'notice lie'} key={code} data-finding={code}>
          <strong>{t(W.found)}</strong>
          <p>{t(FINDINGS[code], values)}</p>
        </div>
      ))}
      {alarms.map((alarm) => (
        <div class={alarm.severity === 'lie' ? 'notice lie' : 'notice trouble'} key={`${alarm.code} ${alarm.sinceMs}`}>
          <strong>{t(W.told)}</strong>
          <p>{of(alarm)} <small>{t(W.since, { time: time(alarm.sinceMs) })}</small></p>
        </div>
      ))}
    </div>
  )
}
