/** Any proof or time stamp, with or without the file: all in the page, and without a connection. */
import { useEffect, useState } from 'preact/hooks'
import type { Report } from '@tbsi/verify/index.js'
import { judge } from '../judge.js'
import { FILE_KINDS, comparable, contentOf, digestOfFile, kindOf, TooLargeError, type FileKind } from '../files.js'
import { FILES_MAX } from '../limits.js'
import { messageOf } from '../room.js'
import { to } from '../route.js'
import { verifyStamp, type StampReport } from '../stamp/token.js'
import { readCertificates } from '../stamp/x509.js'
import { readGenesis } from '../trust/genesis.js'
import { useRoom } from '../ui/context.js'
import { Drop } from '../ui/drop.js'
import { ProofReport } from '../ui/proof.js'
import { StampView } from '../ui/stamp.js'
import type { Pair } from '../words/say.js'

const W = {
  lead: [
    'Drop a proof or a time stamp here, with its document if you have it. Everything is checked on this device; nothing is sent, and no connection is needed.',
    '將證明或時戳拖放到這裡，若有文件請一併放入。一切都在此裝置上查核，不會送出任何內容，也不需要連線。',
  ],
  drop: [
    'Proofs end with .tbsi.json or .tbsi, time stamps with .tsr, salts with .tbsi.salt, certificates with .pem',
    '證明檔名以 .tbsi.json 或 .tbsi 結尾，時戳以 .tsr 結尾，鹽值檔以 .tbsi.salt 結尾，憑證以 .pem 結尾',
  ],
  given: ['What you gave', '您提供的檔案'],
  colon: ['{kind}: {name}', '{kind}：{name}'],
  missing: ['The proof or the time stamp is still missing.', '還缺少證明或時戳。'],
  needsTrust: ['A proof is checked under a genesis file that you trust: drop it here too, or choose it under Trust.', '證明須依您信任的創世檔查核：請一併拖放到這裡，或到「信任」頁選擇。'],
  trust: ['Trust', '信任'],
  working: ['Checking…', '查核中…'],
  result: ['Result', '結果'],
  again: ['Begin anew', '重新開始'],
  tooLarge: ['{name} has more than {max} bytes, which is more than a {kind} has. It was not read.', '{name} 超過 {max} 位元組，不可能是{kind}，未予讀取。'],
  problem: ['That did not work: {reason}', '未能完成：{reason}'],
} as const satisfies Record<string, Pair>

type Given = Partial<Record<FileKind, File>>
type Result = { readonly state: 'none' | 'working' | 'needsTrust' } |
  { readonly state: 'proof'; readonly report: Report } | { readonly state: 'stamp'; readonly report: StampReport } |
  { readonly state: 'problem'; readonly words: string }

export function VerifyPage() {
  const { room, state, t } = useRoom()
  const { trusted } = state
  const [given, set] = useState<Given>({})
  const [result, show] = useState<Result>({ state: 'none' })
  const problem = (thrown: unknown): Result => ({
    state: 'problem',
    words: thrown instanceof TooLargeError
      ? t(W.tooLarge, { name: thrown.file, max: thrown.max, kind: t(FILE_KINDS[thrown.kind]) })
      : t(W.problem, { reason: messageOf(thrown) }),
  })
  const take = async (files: readonly File[]) => {
    try {
      const named = await Promise.all(files.slice(0, FILES_MAX).map(async (file) => [await kindOf(file), file] as const))
      const genesis = named.find(([kind]) => kind === 'genesis')?.[1]
      if (genesis !== undefined) await room.trust(readGenesis(await contentOf(genesis, 'genesis')))
      // A new proof begins a new question.
      const begins = named.some(([kind]) => kind === 'proof' || kind === 'stamp')
      set((last) => ({ ...(begins && (last.proof ?? last.stamp) !== undefined ? {} : last), ...Object.fromEntries(named) }))
    } catch (thrown) {
      show(problem(thrown))
    }
  }
  useEffect(() => {
    let gone = false
    const done = (it: Result) => { if (!gone) show(it) }
    if (given.proof === undefined && given.stamp === undefined) done({ state: 'none' })
    else if (given.proof !== undefined && trusted === null) done({ state: 'needsTrust' })
    else {
      done({ state: 'working' })
      const judging = given.proof !== undefined && trusted !== null
        ? judgeProof(given, trusted.bytes) : judgeStamp(given)
      judging.then(done, (thrown: unknown) => done(problem(thrown)))
    }
    return () => { gone = true }
  }, [given, trusted])
  const listed = Object.entries(given) as [FileKind, File][]
  return (
    <>
      <p class="lead">{t(W.lead)}</p>
      <Drop many label={t(W.drop)} use={(files) => void take(files)} />
      {listed.length === 0 ? null : (
        <section aria-labelledby="given">
          <h2 id="given">{t(W.given)}</h2>
          <ul>{listed.map(([kind, file]) => <li key={kind}>{t(W.colon, { kind: t(FILE_KINDS[kind]), name: file.name })}</li>)}</ul>
          {given.proof === undefined && given.stamp === undefined ? <p>{t(W.missing)}</p> : null}
          <button type="button" onClick={() => set({})}>{t(W.again)}</button>
        </section>
      )}
      <div aria-live="polite">
        {result.state === 'needsTrust' ? <p class="notice trouble">{t(W.needsTrust)} <a href={to('trust')}>{t(W.trust)}</a></p> : null}
        {result.state === 'working' ? <p role="status">{t(W.working)}</p> : null}
        {result.state === 'problem' ? <p class="notice lie">{result.words}</p> : null}
        {result.state === 'proof' ? <section aria-labelledby="result"><h2 id="result">{t(W.result)}</h2><ProofReport report={result.report} /></section> : null}
        {result.state === 'stamp' ? <section aria-labelledby="result"><h2 id="result">{t(W.result)}</h2><StampView report={result.report} /></section> : null}
      </div>
    </>
  )
}

async function judgeProof(given: Given, genesis: Uint8Array): Promise<Result> {
  const proof = await contentOf(given.proof as File, 'proof')
  const { document } = given
  const file = document === undefined ? undefined : await comparable(document, proof, given.salt)
  const { report } = await judge({ proof, trust: { genesis }, ...(file === undefined ? {} : { file }) })
  return { state: 'proof', report }
}

async function judgeStamp({ stamp, document, certificates, salt }: Given): Promise<Result> {
  const bytes = await contentOf(stamp as File, 'stamp')
  const trusted = certificates === undefined ? [] : readCertificates(await contentOf(certificates, 'certificates'))
  const digest = document === undefined
    ? undefined : (algorithm: string) => digestOfFile(document, algorithm, salt)
  return { state: 'stamp', report: await verifyStamp(bytes, trusted, digest) }
}
