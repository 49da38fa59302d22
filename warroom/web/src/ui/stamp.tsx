/** What a time stamp says, and how far it was checked. */
import { toHex } from '@tbsi/verify/bytes.js'
import { STEPS, type StampReport, type Step } from '../stamp/token.js'
import { to } from '../route.js'
import type { Pair } from '../words/say.js'
import { useRoom } from './context.js'
import { Bytes } from './parts.js'

const W = {
  valid: ['The time stamp holds', '時戳驗證通過'],
  invalid: ['The time stamp does not hold', '時戳無效'],
  open: ['The time stamp is whole, and whose it is cannot be told', '時戳完整，但無法判斷由誰簽發'],
  unread: ['Could not tell', '無法判斷'],
  openWhy: [
    'Drop the certificate of the authority that you trust here too (.pem). Or look at the record of the log that the time stamp names: its proof needs no certificate.',
    '請一併放入您信任的時戳機構憑證（.pem）。或查看時戳所指的日誌紀錄：其證明不需要憑證。',
  ],
  time: ['Time', '時間'], accuracy: ['within {ms} ms', '誤差 {ms} 毫秒內'], digest: ['Digest', '摘要'],
  signer: ['Signed by', '簽署者'], issuer: ['Certificate issued by', '憑證簽發者'], valid_: ['Certificate valid', '憑證有效期間'],
  fingerprint: ['Fingerprint of the certificate (SHA-256)', '憑證指紋（SHA-256）'],
  file: ['File', '檔案'], same: ['has this digest, to the last bit', '摘要完全相符'], notCompared: ['not compared', '未比對'],
  record: ['Record of the log, if a node of TBSI made it', '若由 TBSI 節點簽發，日誌紀錄為'],
  steps: ['What was checked, step by step', '逐步查核的內容'],
} as const satisfies Record<string, Pair>

const STEP_WORDS: Readonly<Record<Step, Pair>> = {
  form: ['It can be read as a time stamp (RFC 3161)', '可讀取為時戳（RFC 3161）'],
  digest: ['What is signed is this time stamp, unchanged', '所簽署者即此時戳，未經更動'],
  signature: ['The signature is by the key of the certificate in it', '簽章出自所附憑證的金鑰'],
  signer: ['The certificate is for time stamps alone, was valid, and is the one that was signed', '憑證僅供時戳使用、當時有效，且為所簽署的那一張'],
  file: ['The file has the digest that was stamped', '檔案的摘要與時戳相符'],
  trust: ['The certificate leads to one that you trust', '憑證可追溯至您信任的憑證'],
}

/** What became of a step. */
function stateOf(report: StampReport, step: Step): string {
  const failed = report.failed === null ? STEPS.length : STEPS.indexOf(report.failed)
  const at = STEPS.indexOf(step)
  if (at > failed) return '–'
  if (at === failed) return report.verdict === 'invalid' ? '✗' : '?'
  if (step === 'file' && report.file === 'notCompared') return '–'
  return step === 'trust' && report.trust === 'notGiven' ? '?' : '✓'
}

export function StampView({ report }: { report: StampReport }) {
  const { t, time, n } = useRoom()
  const { stamp, verdict } = report
  const open = verdict === 'could not tell' && report.failed === null
  const words = verdict === 'valid' ? W.valid : verdict === 'invalid' ? W.invalid : open ? W.open : W.unread
  return (
    <div class={`report ${verdict.replaceAll(' ', '-')}`} data-verdict={verdict}>
      <p class="verdict">{t(words)}</p>
      {open ? <p>{t(W.openWhy)}</p> : report.reason === null ? null : <p><code>{report.reason}</code></p>}
      {stamp === null ? null : (
        <dl class="facts">
          <dt>{t(W.time)}</dt>
          <dd>{time(stamp.timeMs)}{stamp.accuracyMs === null ? '' : `, ${t(W.accuracy, { ms: n(stamp.accuracyMs) })}`}</dd>
          <dt>{t(W.digest)} ({stamp.algorithm ?? '?'})</dt><dd><Bytes of={toHex(stamp.imprint)} name={t(W.digest)} /></dd>
          <dt>{t(W.file)}</dt><dd>{t(report.file === 'same' ? W.same : W.notCompared)}</dd>
          <dt>{t(W.signer)}</dt><dd>{stamp.signer.name}</dd>
          <dt>{t(W.issuer)}</dt><dd>{stamp.signer.issuer}</dd>
          <dt>{t(W.valid_)}</dt><dd>{time(stamp.signer.fromMs)} – {time(stamp.signer.untilMs)}</dd>
          <dt>{t(W.fingerprint)}</dt><dd><Bytes of={stamp.signer.fingerprint} name={t(W.fingerprint)} /></dd>
          <dt>{t(W.record)}</dt>
          <dd>{stamp.serial < 2n ** 53n ? <a href={to('attestation', stamp.serial.toString())}>{stamp.serial.toString()}</a> : stamp.serial.toString()}</dd>
        </dl>
      )}
      <h3>{t(W.steps)}</h3>
      <ol class="steps">{STEPS.map((step) => <li key={step}><span class="step" aria-hidden="true">{stateOf(report, step)}</span> {t(STEP_WORDS[step])}</li>)}</ol>
    </div>
  )
}
