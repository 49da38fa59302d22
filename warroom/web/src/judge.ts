/** Verification in a worker, for a limited time: a proof may be made to take long. */
import type { Question } from '@tbsi/verify/index.js'
import workerUrl from './judge.worker.ts?worker&url'
import type { Judgement } from './judgement.js'
import { VERIFY_MS_MAX } from './limits.js'
import { scriptUrl } from './policy.js'

export type { Judgement, Member } from './judgement.js'

const TOO_LONG = `the proof takes longer than ${VERIFY_MS_MAX / 1000} s to verify here; use \`tbsi verify\``
const BROKEN = 'the verifier of this page could not be started; load the page again'

/** Never throws: what cannot be told is told so. */
export function judge(question: Question): Promise<Judgement> {
  return new Promise((resolve) => {
    const worker = new Worker(scriptUrl(workerUrl), { type: 'module' })
    const end = (judgement: Judgement) => {
      clearTimeout(timer)
      worker.terminate()
      resolve(judgement)
    }
    const cannot = (reason: string): Judgement =>
      ({ report: { verdict: 'could not tell', code: 'unreadable', reason }, members: [], leaf: null })
    const timer = setTimeout(() => end(cannot(TOO_LONG)), VERIFY_MS_MAX)
    worker.addEventListener('message', ({ data }: MessageEvent<Judgement>) => end(data))
    worker.addEventListener('error', () => end(cannot(BROKEN)))
    worker.postMessage(question)
  })
}
