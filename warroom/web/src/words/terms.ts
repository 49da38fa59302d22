/** Words for codes of the API and of the protocol. */
import type { Pair } from './say.js'

type Terms = Readonly<Record<string, Pair>>

export const KINDS: Terms = {
  attestation: ['attestation', '存證'],
  revocation: ['revocation', '撤銷'],
  supersession: ['supersession', '取代'],
  countersigningOpened: ['countersigning opened', '開放會簽'],
  countersignature: ['countersignature', '會簽'],
  schemaRegistered: ['schema registered', '登記綱要'],
  algorithmSet: ['algorithm set', '設定演算法'],
  mapRoot: ['root of the map', '對照表的根雜湊'],
  governanceAct: ['act of governance', '治理行為'],
  message: ['message to another chain', '傳往他鏈的訊息'],
  foreignFact: ['fact of another chain', '他鏈的事實'],
}

export const REASONS: Terms = {
  1: ['unspecified', '未說明'],
  2: ['issued in error', '簽發有誤'],
  3: ['content withdrawn', '內容已撤回'],
  4: ['key compromised', '金鑰外洩'],
  5: ['superseded', '已被取代'],
  6: ['affiliation changed', '所屬關係變更'],
  7: ['cessation of operation', '終止營運'],
  8: ['privilege withdrawn', '權限已取消'],
}

/** Why an organisation was suspended or left (SPEC §13.1). */
export const GOVERNANCE_REASONS: Terms = {
  1: ['unspecified', '未說明'],
  2: ['own request', '自行申請'],
  3: ['agreement ended', '協議終止'],
  4: ['breach of the agreement', '違反協議'],
  5: ['end of the legal entity', '法人消滅'],
  6: ['security incident', '資安事件'],
  7: ['order of an authority', '主管機關命令'],
  8: ['cause removed', '事由消滅'],
}

export const VERDICTS: Terms = {
  stands: ['stands', '有效'],
  superseded: ['superseded', '已被取代'],
  revoked: ['revoked', '已撤銷'],
  algorithmRevoked: ['its digest algorithm was revoked', '其摘要演算法已廢止'],
}

export const EVENTS: Terms = {
  attested: ['attested', '存證'],
  repeated: ['attested again', '再次存證'],
  revoked: ['revoked', '撤銷'],
  superseded: ['superseded by another', '由另一筆取代'],
  supersedes: ['supersedes another', '取代另一筆'],
  countersigningOpened: ['countersigning opened', '開放會簽'],
  countersigned: ['countersigned', '會簽'],
}

export const ORGANISATION_KINDS: Terms = {
  association: ['association', '公會'],
  operator: ['operator', '營運者'],
  issuer: ['issuer', '簽發者'],
  relayer: ['relayer', '中繼者'],
  auditor: ['auditor', '稽核者'],
  authority: ['authority', '主管機關'],
}

export const STATUSES: Terms = {
  active: ['active', '有效'],
  suspended: ['suspended', '停權中'],
  left: ['left', '已退出'],
  inUse: ['in use', '使用中'],
  retired: ['retired', '已停用'],
  open: ['open for votes', '投票中'],
  passed: ['passed, waiting', '通過，等候執行'],
  executable: ['can be carried out', '可執行'],
  executed: ['carried out', '已執行'],
  rejected: ['rejected', '未通過'],
  withdrawn: ['withdrawn', '已撤回'],
  expired: ['expired', '逾期失效'],
}

export const STANDINGS: Terms = {
  joined: ['joined', '加入'],
  suspended: ['suspended', '停權'],
  reinstated: ['reinstated', '復權'],
  left: ['left', '退出'],
  amended: ['record amended', '變更登記'],
  equivocated: ['signed two contradictory statements', '簽署互相矛盾的陳述'],
  contactSet: ['contact changed', '變更聯絡方式'],
}

/** Of an authorisation, and what is done with it (SPEC §20). */
export const CONSENTS: Terms = {
  offered: ['offered, not accepted', '已提出，尚未接受'],
  active: ['in force', '有效'],
  over: ['its time is over', '已屆期'],
  revoked: ['revoked for ever', '已永久撤銷'],
}

export const CONSENT_ACTS: Terms = {
  offered: ['offered', '提出'],
  accepted: ['accepted', '接受'],
  narrowed: ['narrowed', '縮小'],
  revoked: ['revoked', '撤銷'],
}

export const CHOICES: Terms = {
  yes: ['yes', '贊成'],
  no: ['no', '反對'],
  abstain: ['abstains', '棄權'],
  conflict: ['abstains: conflict of interest', '利益迴避'],
}

export const PERMISSIONS: Terms = {
  send: ['send', '傳送'],
  deploy: ['deploy contracts', '部署合約'],
  attest: ['attest', '存證'],
  relay: ['relay', '中繼'],
  administer: ['administer', '管理'],
  vote: ['vote', '投票'],
}

export const POSSESSION: Terms = {
  founding: ['proven at the founding', '創設時已證明'],
  contract: ['verified by the contract', '合約已驗證'],
  none: ['none is asked for', '無須證明'],
}

export const KEYS: Terms = {
  validator: ['validator key', '驗證者金鑰'],
  log: ['log key', '日誌金鑰'],
  peer: ['peer key', '節點識別金鑰'],
  postQuantum: ['post-quantum key', '後量子金鑰'],
}

export const FOUND: Terms = {
  attestation: ['attestation', '存證'],
  leaf: ['record of the log', '日誌紀錄'],
  schema: ['schema', '綱要'],
  organisation: ['organisation', '機構'],
  account: ['account', '帳戶'],
  chain: ['chain', '鏈'],
  motion: ['motion', '動議'],
  block: ['block', '區塊'],
  validator: ['validator', '驗證者'],
}

/** What a search was understood as. */
export const FOUND_BY: Terms = {
  digest: ['digest', '摘要'],
  id: ['id', '識別碼'],
  position: ['position in the log', '日誌中的位置'],
  schema: ['schema', '綱要'],
  taxId: ['統一編號 (tax id)', '統一編號'],
  lei: ['LEI', 'LEI'],
  name: ['legal name', '法定名稱'],
  did: ['DID', 'DID'],
  account: ['account', '帳戶'],
  height: ['height', '高度'],
  transaction: ['transaction', '交易'],
  caip2: ['chain (CAIP-2)', '鏈（CAIP-2）'],
  motion: ['motion', '動議'],
  validator: ['validator', '驗證者'],
}

export const EDGES: Terms = {
  supersededBy: ['superseded by', '由此取代'],
  sameDigest: ['same digest', '相同摘要'],
}

/** A code's words, or the code itself: newer war rooms may know more. */
export function term(terms: Terms, code: string | number | null | undefined): Pair {
  const known = code === null || code === undefined ? undefined : terms[String(code)]
  return known ?? (code === null || code === undefined ? ['not known', '未知'] : [String(code), String(code)])
}
