/** What this browser found to contradict itself, or to be missing. */
import type { Pair, Values } from './say.js'

export type FindingCode =
  | 'otherNetwork' | 'headInvalid' | 'noProof' | 'fork' | 'rolledBack' | 'rewritten' | 'stale' | 'claimsMore'
  | 'otherRoot' | 'otherTiles' | 'figures' | 'hiddenRevocation' | 'falseRevocation' | 'otherLeaf' | 'unreadTiles'

export interface Finding {
  readonly code: FindingCode
  readonly values: Values
}

/** Those of `trouble` may be nobody's fault; the others show that somebody says what is not so. */
export const TROUBLE: readonly FindingCode[] = ['noProof', 'stale', 'unreadTiles']

export const FINDINGS: Readonly<Record<FindingCode, Pair>> = {
  otherNetwork: [
    'This war room shows another network than the one whose genesis file you trust ({theirs}, not {yours}). Nothing here is checked. Go to the right war room, or choose the other genesis file on purpose.',
    '此戰情室顯示的網路，與您信任的創世檔不同（{theirs}，而非 {yours}）。以下內容一概未經查核。請改用正確的戰情室，或自行確認後改選另一個創世檔。',
  ],
  headInvalid: [
    'The newest checkpoint does not hold: {reason}. Do not rely on anything that this war room shows.',
    '最新的檢查點不成立：{reason}。請勿採信此戰情室顯示的任何內容。',
  ],
  noProof: [
    'The war room gives no proof of its newest checkpoint, so nothing here is checked: {reason}',
    '戰情室未提供最新檢查點的證明，因此以下內容均未查核：{reason}',
  ],
  fork: [
    'Two histories: for block {height}, this browser saw another checkpoint before, and validators signed both. Keep this page open and tell an auditor; both checkpoints are evidence against those who signed.',
    '出現兩份歷史：區塊 {height} 先前在此瀏覽器中是另一個檢查點，而兩者都有驗證者簽署。請保留本頁並通知稽核者；兩個檢查點都是指認簽署者的證據。',
  ],
  rolledBack: [
    'The war room shows an older log than this browser saw before: {size} records, not {seen}. It is behind, or hides what came later.',
    '戰情室顯示的日誌比此瀏覽器先前看過的還舊：{size} 筆紀錄，而非 {seen} 筆。它可能落後，或隱瞞了之後的內容。',
  ],
  rewritten: [
    'The log was rewritten: its first {size} records are not those that this browser saw before. Do not rely on it, and tell an auditor.',
    '日誌遭改寫：前 {size} 筆紀錄與此瀏覽器先前看過的不同。請勿採信，並通知稽核者。',
  ],
  stale: [
    'The newest checkpoint is {age} old by your clock. The chain stands still, the war room has stopped, or your clock is wrong. What is shown was true then.',
    '依您的時鐘，最新的檢查點已是 {age} 前的資料。可能是鏈停擺、戰情室停止更新，或您的時鐘有誤。所示內容為當時的情形。',
  ],
  claimsMore: [
    'The war room speaks of {claimed} records, and proves {proven}. Figures of more than that are not checked.',
    '戰情室聲稱有 {claimed} 筆紀錄，但只證明了 {proven} 筆。超出的數字未經查核。',
  ],
  otherRoot: [
    'The checkpoint that the war room tells of is not the one that it proves, for the same {size} records.',
    '同樣的 {size} 筆紀錄，戰情室所述的檢查點與其證明的檢查點不同。',
  ],
  otherTiles: [
    'The records that the war room serves are not those that the validators signed: they lead to the root {got}, signed is {expected}.',
    '戰情室提供的紀錄不是驗證者簽署的那些：算出的根雜湊為 {got}，經簽署的是 {expected}。',
  ],
  unreadTiles: [
    'The records could not be read, so that this log could not be held against what this browser saw before, or counted: {reason}',
    '無法讀取紀錄，因此無法與此瀏覽器先前看過的內容比對或重新計算：{reason}',
  ],
  figures: [
    'Figures are wrong: {count} of them are not what the records come to. First: {what} – said {claimed}, counted {counted}.',
    '數字有誤：其中 {count} 個與紀錄不符。第一個：{what}，聲稱 {claimed}，實際計算為 {counted}。',
  ],
  hiddenRevocation: [
    'The war room hides what became of this attestation: the log has it {verdict} in record {position}, the war room says “{claimed}”.',
    '戰情室隱瞞了這筆存證的後續：日誌第 {position} 筆紀錄顯示「{verdict}」，戰情室卻稱「{claimed}」。',
  ],
  falseRevocation: [
    'The war room says “{claimed}”, and the log has nothing of the kind in the {leaves} records that this browser read.',
    '戰情室稱「{claimed}」，但此瀏覽器讀取的 {leaves} 筆日誌紀錄中並無此事。',
  ],
  otherLeaf: [
    'What the war room says of this record is not what the proven record says: {field}.',
    '戰情室所述與經證明的紀錄不符：{field}。',
  ],
}
