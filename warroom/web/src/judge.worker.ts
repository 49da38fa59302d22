/** Verifies beside the page, so that a proof that takes long stops nobody from reading. */
import { judgement } from './judgement.js'
import type { Question } from '@tbsi/verify/index.js'

addEventListener('message', ({ data }: MessageEvent<Question>) => {
  postMessage(judgement(data))
})
