/** What people read, in English and in Traditional Chinese. */
import type { Code, Report } from '../verify/report.js'
import type { StepName, StepState } from './steps.js'

export type Language = 'en' | 'zh-TW'

/** The language of a tag such as `zh-Hant-TW`. */
export function languageOf(tag: string | null | undefined): Language {
  return tag?.toLowerCase().startsWith('zh') === true ? 'zh-TW' : 'en'
}

type Both = readonly [en: string, zhTw: string]

/** The sentence of the language. */
export function say(language: Language, [en, zhTw]: Both): string {
  return language === 'en' ? en : zhTw
}

export const VERDICTS: Readonly<Record<Report['verdict'], Both>> = {
  'valid': ['The proof holds', '證明驗證通過'],
  'void': ['The proof holds, but counts for nothing', '證明成立，但已無效力'],
  'invalid': ['The proof does not hold', '證明無效'],
  'could not tell': ['Could not tell', '無法判斷'],
}

export const CODES: Readonly<Record<Code, Both>> = {
  leaf: ['The statement is of another chain or time than the proof.', '陳述與證明的鏈或時間不符。'],
  inclusion: ['The statement is not in the log that was signed.', '陳述不在經簽署的紀錄中。'],
  handover: ['A handover between validators does not hold.', '驗證者之間的交接不成立。'],
  checkpoint: [
    'No sufficient majority of the known validators signed this.',
    '未取得已知驗證者足夠多數的簽章。',
  ],
  fork: [
    'It contradicts the checkpoint that you trust: somebody signed two histories.',
    '與您信任的檢查點矛盾：有人簽署了兩份歷史。',
  ],
  map: [
    'What it says of the present state does not follow from the map that was signed.',
    '其所述的現況無法由經簽署的對照表推得。',
  ],
  registry: [
    'Whose account it was does not follow from the registry that was signed.',
    '帳號的歸屬無法由經簽署的機構登錄推得。',
  ],
  form: ['Parts of the proof contradict each other.', '證明的各部分互相矛盾。'],
  otherFile: [
    'The file is not the one that was attested, or was changed since.',
    '檔案不是存證的那一份，或之後被更動。',
  ],
  otherNetwork: ['The proof is of another network.', '證明屬於另一個網路。'],
  gap: [
    'The proof begins after a change of the validators that is not in it.',
    '證明始於一次未附上的驗證者變更之後。',
  ],
  beforeTrusted: ['The proof is older than what you trust.', '證明早於您信任的檢查點。'],
  statusMissing: [
    'The proof does not say what became of it since; fetch it again with its status.',
    '證明未附後續狀態；請重新取得附狀態的證明。',
  ],
  statusOld: [
    'What it says became of it is too old; fetch the proof again.',
    '證明所附的狀態過舊；請重新取得證明。',
  ],
  otherVersion: ['A newer version of this software may be able to read the proof.', '較新版本的軟體或許能讀取這份證明。'],
  unreadable: ['This is no proof, or only a part of one.', '這不是證明，或不完整。'],
  trust: ['The genesis file or checkpoint cannot be used.', '創世檔或檢查點無法使用。'],
  handovers: ['The file of handovers cannot be used.', '交接檔無法使用。'],
  file: ['The file cannot be compared; a salt may be missing.', '無法比對檔案；可能缺少鹽值檔。'],
  status: ['The node could not tell whether it was revoked.', '節點無法告知是否已撤銷。'],
}

export const WORDS = {
  issuer: ['Issuer', '簽發者'],
  unproven: ['legal name: not proved', '法定名稱：未經證明'],
  time: ['Time', '時間'],
  bounds: [
    "by the validators' clocks: at most {ahead} s ahead, usually at most {behind} s behind",
    '依驗證者時鐘：至多快 {ahead} 秒，通常至多慢 {behind} 秒',
  ],
  block: ['block', '區塊'],
  kind: ['Statement', '陳述'],
  digest: ['Digest', '摘要'],
  id: ['Id', '識別碼'],
  file: ['File', '檔案'],
  sameFile: ['{file} has this digest, to the last bit', '{file} 的摘要完全相符'],
  noFile: ['not compared', '未比對'],
  revocation: ['Revocation', '撤銷'],
  notChecked: ['not checked', '未查詢'],
  notRevoked: ['not revoked as of block {block}, says the node', '節點表示：截至區塊 {block} 未撤銷'],
  revoked: ['revoked by its issuer', '已由簽發者撤銷'],
  algorithmRevoked: ['its digest algorithm was revoked', '其摘要演算法已廢止'],
  provenNotRevoked: ['proven: not revoked up to {time}', '經證明：截至 {time} 未撤銷'],
  provenRevoked: ['proven: revoked by its issuer on {time}', '經證明：已由簽發者於 {time} 撤銷'],
  provenAlgorithmRevoked: [
    'proven: its digest algorithm was revoked, up to {time}',
    '經證明：截至 {time}，其摘要演算法已廢止',
  ],
  successor: ['Superseded by', '已由下列存證取代'],
  asked: ['Digest that was looked for', '查找的摘要'],
  notAttested: ['not attested by anyone up to {time}', '截至 {time} 無人存證'],
  firstAttested: [
    'first attested in block {block}, as leaf {leaf}', '首次存證於區塊 {block}，第 {leaf} 筆紀錄',
  ],
  signedBy: [
    'Signed by {count} validators with {power} of {total} voting power',
    '{count} 個驗證者簽署，投票權 {power}／{total}',
  ],
  network: ['Network', '網路'],
  details: ['Details', '詳細資料'],
  handovers: ['Handovers between validators', '驗證者交接'],
  steps: ['What was checked, step by step', '逐步查核的內容'],
  room: ['Look at it in the war room', '在戰情室中查看'],
  loading: ['Verifying the proof…', '正在驗證證明…'],
} as const satisfies Record<string, Both>

/** A sentence with its values. */
export function fill(
  language: Language,
  name: keyof typeof WORDS,
  values: Readonly<Record<string, unknown>> = {},
): string {
  const sentence = say(language, WORDS[name])
  return sentence.replace(/\{(\w+)\}/g, (_, key: string) => String(values[key]))
}

export const KINDS: Readonly<Record<string, Both>> = {
  attestation: ['attestation', '存證'],
  revocation: ['revocation', '撤銷'],
  supersession: ['supersession', '取代'],
  countersigningOpened: ['countersigning opened', '開放連署'],
  countersignature: ['countersignature', '連署'],
  schemaRegistered: ['schema registered', '登記綱要'],
  algorithmSet: ['algorithm set', '設定演算法'],
  mapRoot: ['root of the map of what is current', '對照表的根雜湊'],
  governanceAct: ['act of governance', '治理行為'],
  message: ['message to another chain', '傳往他鏈的訊息'],
  foreignFact: ['fact of another chain', '他鏈的事實'],
}

/** What each step checks. */
export const STEP_WORDS: Readonly<Record<StepName, Both>> = {
  form: ['The proof can be read, and its parts fit together', '證明可以讀取，各部分相符'],
  genesis: ['It is of the network whose genesis file is trusted', '屬於所信任創世檔的網路'],
  leaf: ['The record is whole, of this chain, and not later than the checkpoint', '紀錄完整、屬於本鏈，且不晚於檢查點'],
  inclusion: ['The record is in the log that the checkpoint names', '紀錄在檢查點所指的日誌中'],
  handover: ['Each change of validators was signed by the old ones and the new ones', '驗證者每次變更，皆由新舊雙方簽署'],
  checkpoint: ['Validators with more than two thirds of the voting power signed the checkpoint', '投票權超過三分之二的驗證者簽署了檢查點'],
  map: ['Its status follows from the map that was signed', '狀態可由經簽署的對照表推得'],
  registry: ['The legal name follows from the registry that was signed', '法定名稱可由經簽署的機構登錄推得'],
  file: ['The file has the digest that was attested', '檔案的摘要與存證相符'],
}

/** What became of a step. */
export const STATE_WORDS: Readonly<Record<StepState, Both>> = {
  holds: ['holds', '成立'],
  fails: ['does not hold', '不成立'],
  open: ['cannot be told', '無法判斷'],
  after: ['not reached', '未進行'],
  absent: ['nothing to check', '無須查核'],
}
