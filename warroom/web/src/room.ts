/**
 * What the page knows of one war room: what it says, what this browser verified of that, and where
 * the two contradict each other. Pages read it, and nothing else keeps state.
 */
import { CODES, languageOf, say as sayElement } from '@tbsi/element/words.js'
import { Api, ApiError, type Now, type Status } from './api.js'
import { RECOUNT_LEAVES_MAX, STALE_MS } from './limits.js'
import { count, differences, noCounts, type Counts, type Difference } from './log/count.js'
import { OtherLogError, readLog } from './log/read.js'
import { pin, pinned, readGenesis, unpin, type Trusted } from './trust/genesis.js'
import { HeadError, verifyHead, verifyNoteHead, type VerifiedHead } from './trust/head.js'
import { forget, hold, type Contradiction } from './trust/memory.js'
import type { Finding } from './words/findings.js'
import { duration, type Language, type Pair } from './words/say.js'
import { KINDS, term } from './words/terms.js'

export interface Recount {
  readonly state: 'none' | 'running' | 'done' | 'failed'
  readonly done: number
  readonly all: number
  readonly counts: Counts | null
  readonly differences: readonly Difference[]
  readonly reason: Pair | null
}

export interface State {
  readonly language: Language
  readonly started: boolean
  readonly status: Status | null
  readonly problem: ApiError | null
  readonly trusted: Trusted | null
  /** Whether the trusted file is kept for later visits. */
  readonly kept: boolean
  /** The file that the war room offers; trusted by nobody yet. */
  readonly offered: Trusted | null
  readonly head: VerifiedHead | null
  readonly findings: readonly Finding[]
  readonly recount: Recount
}

const NO_RECOUNT: Recount = { state: 'none', done: 0, all: 0, counts: null, differences: [], reason: null }
const LANGUAGE = 'tbsi.language'

export class Room {
  state: State
  readonly #listeners = new Set<() => void>()
  #turn = 0
  #counting: AbortController | null = null

  constructor(readonly api: Api) {
    const chosen = stored(LANGUAGE)
    this.state = {
      language: languageOf(chosen ?? navigator.language), started: false, status: null, problem: null,
      trusted: null, kept: false, offered: null, head: null, findings: [], recount: NO_RECOUNT,
    }
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  #set(change: Partial<State>): void {
    this.state = { ...this.state, ...change }
    for (const listener of this.#listeners) listener()
  }

  speak(language: Language): void {
    store(LANGUAGE, language)
    this.#set({ language })
    // Findings have their sentences in the language of before.
    void this.refresh()
  }

  async start(): Promise<void> {
    const trusted = await pinned()
    if (trusted !== undefined) this.#set({ trusted, kept: true })
    await this.refresh()
    this.#set({ started: true })
  }

  /** Takes a genesis file as true, from now on and for later visits. */
  async trust(trusted: Trusted): Promise<void> {
    this.stopCounting()
    this.#set({ trusted, kept: false, head: null, findings: [], recount: NO_RECOUNT })
    const kept = await pin(trusted)
    this.#set({ kept })
    await this.refresh()
  }

  async distrust(): Promise<void> {
    this.stopCounting()
    const { trusted } = this.state
    if (trusted !== null) forget(trusted.hash)
    await unpin()
    this.#set({ trusted: null, kept: false, head: null, findings: [], recount: NO_RECOUNT })
    await this.refresh()
  }

  /** Asks again, and verifies what comes. */
  async refresh(): Promise<void> {
    const turn = ++this.#turn
    let status: Status
    try {
      status = await this.api.get<Status>('status')
    } catch (thrown) {
      if (turn === this.#turn) this.#set({ problem: asProblem(thrown) })
      return
    }
    if (turn !== this.#turn) return
    this.#set({ status, problem: null })
    const { trusted, offered } = this.state
    if (offered?.hash !== status.genesisHash && trusted?.hash !== status.genesisHash) await this.#offer()
    if (trusted === null || turn !== this.#turn) return
    const { head: verified, findings } = await this.#verified(status, trusted)
    if (turn !== this.#turn) return
    // Without a proof the last checkpoint that was verified stays what it was, and grows old.
    const unproven = findings.some(({ code }) => code === 'noProof')
    const head = unproven ? this.state.head : verified
    const age = Date.now() - (head?.timeMs ?? Date.now())
    if (age > STALE_MS) findings.push({ code: 'stale', values: { age: duration(this.state.language, age) } })
    // Findings about figures are of the last count, and stay until the next.
    const counted = this.state.findings.filter(({ code }) => code === 'figures')
    this.#set({ head, findings: [...findings, ...counted] })
  }

  async #offer(): Promise<void> {
    try {
      this.#set({ offered: readGenesis(await this.api.genesis()) })
    } catch {
      this.#set({ offered: null })
    }
  }

  async #verified(status: Status, trusted: Trusted): Promise<{ head: VerifiedHead | null; findings: Finding[] }> {
    if (status.genesisHash !== trusted.hash) {
      const values = { theirs: String(status.genesisHash), yours: trusted.hash }
      return { head: null, findings: [{ code: 'otherNetwork', values }] }
    }
    if (status.checkpoint.basis === 'genesis') return { head: null, findings: [] }
    let head: VerifiedHead
    try {
      head = await this.#head(status, trusted)
    } catch (thrown) {
      return { head: null, findings: [headFinding(thrown, this.state.language)] }
    }
    const findings = [...contradictions(status, head), ...await this.#remembered(trusted, head)]
    return { head, findings }
  }

  async #head(status: Status, trusted: Trusted): Promise<VerifiedHead> {
    const { size, basis, note } = status.checkpoint
    if (basis === 'cosignatures' && note !== null) return verifyNoteHead(note, trusted)
    return verifyHead(await this.api.bundle(size - 1), trusted)
  }

  async #remembered(trusted: Trusted, head: VerifiedHead): Promise<Finding[]> {
    try {
      const found = await hold(trusted.hash, head, this.api.tiles)
      return found === null ? [] : [memoryFinding(found, head)]
    } catch (thrown) {
      return [tilesFinding(thrown, this.state.language)]
    }
  }

  /** Counts again what `now` says, from leaves that lead to the verified checkpoint. */
  async recount(now: Now): Promise<void> {
    if ((this.state.head?.size ?? 0) < now.size) await this.refresh()
    const { head } = this.state
    if (head === null) return
    if (head.size < now.size) {
      const values = { claimed: now.size, proven: head.size }
      this.#found('claimsMore', [{ code: 'claimsMore', values }])
      return
    }
    if (now.size > RECOUNT_LEAVES_MAX) {
      const reason: Pair = [
        `The log has more than ${RECOUNT_LEAVES_MAX} records: count them with “tbsi log audit”.`,
        `日誌超過 ${RECOUNT_LEAVES_MAX} 筆紀錄：請以「tbsi log audit」計算。`,
      ]
      this.#set({ recount: { ...NO_RECOUNT, state: 'failed', reason } })
      return
    }
    await this.#count(head, now)
  }

  async #count(head: VerifiedHead, now: Now): Promise<void> {
    this.stopCounting()
    const counting = new AbortController()
    this.#counting = counting
    const before = this.state.recount.counts
    const counts = before !== null && before.leaves <= now.size ? copy(before) : noCounts()
    const from = counts.leaves
    if (from === now.size && from > 0) return this.#counted(counts, now)
    this.#set({ recount: { ...NO_RECOUNT, state: 'running', all: now.size - from, counts: before } })
    try {
      await readLog({
        tiles: this.api.tiles, head, from, to: now.size, signal: counting.signal,
        visit: (leaf) => { count(counts, leaf) },
        progress: (done, all) => {
          if (!counting.signal.aborted) this.#set({ recount: { ...this.state.recount, done, all } })
        },
      })
      if (!counting.signal.aborted) this.#counted(counts, now)
    } catch (thrown) {
      if (counting.signal.aborted) return
      const finding = tilesFinding(thrown, this.state.language)
      this.#set({ recount: { ...NO_RECOUNT, state: 'failed', reason: ['See above.', '請見上方說明。'] } })
      this.#found(finding.code, [finding])
    }
  }

  #counted(counts: Counts, now: Now): void {
    const found = differences(counts, now)
    const recount: Recount = { state: 'done', done: counts.leaves, all: now.size, counts, differences: found, reason: null }
    this.#set({ recount })
    this.#found('figures', found.length === 0 ? [] : [figuresFinding(found, this.state.language)])
  }

  stopCounting(): void {
    this.#counting?.abort()
    this.#counting = null
  }

  /** Replaces findings of a code. */
  #found(code: Finding['code'], found: readonly Finding[]): void {
    const others = this.state.findings.filter((it) => it.code !== code)
    this.#set({ findings: [...others, ...found] })
  }
}

function copy(counts: Counts): Counts {
  return {
    ...counts, kinds: new Map(counts.kinds), schemas: new Map(counts.schemas), hours: new Map(counts.hours),
  }
}

/** Where what the war room says of its checkpoint is not what it proves. */
export function contradictions({ checkpoint, indexed }: Status, head: VerifiedHead): Finding[] {
  const claimed = Math.max(checkpoint.size, indexed.size)
  if (claimed > head.size) return [{ code: 'claimsMore', values: { claimed, proven: head.size } }]
  const same = checkpoint.size === head.size
  const otherTime = checkpoint.height === head.height && head.height !== null &&
    checkpoint.timeMs !== head.timeMs
  if (same && (checkpoint.root !== head.rootHex || otherTime)) {
    return [{ code: 'otherRoot', values: { size: head.size } }]
  }
  return []
}

function headFinding(thrown: unknown, language: Language): Finding {
  if (thrown instanceof HeadError) {
    const { code, reason, verdict } = thrown.report
    return { code: verdict === 'invalid' ? 'headInvalid' : 'noProof', values: { reason: `${sayElement(language, CODES[code])} (${reason})` } }
  }
  const reason = thrown instanceof ApiError ? thrown.said[language === 'en' ? 0 : 1] : messageOf(thrown)
  return { code: thrown instanceof ApiError ? 'noProof' : 'headInvalid', values: { reason } }
}

function memoryFinding(found: Contradiction, head: VerifiedHead): Finding {
  if (found.kind === 'fork') return { code: 'fork', values: { height: head.height ?? '?' } }
  if (found.kind === 'rolledBack') {
    return { code: 'rolledBack', values: { size: head.size, seen: found.seen.size } }
  }
  return { code: 'rewritten', values: { size: found.seen.size } }
}

export function tilesFinding(thrown: unknown, language: Language): Finding {
  if (thrown instanceof OtherLogError) {
    return { code: 'otherTiles', values: { got: thrown.got, expected: thrown.expected } }
  }
  const reason = thrown instanceof ApiError ? thrown.said[language === 'en' ? 0 : 1] : messageOf(thrown)
  return { code: 'unreadTiles', values: { reason } }
}

const WHAT: Readonly<Record<Difference['what'], Pair>> = {
  attestations: ['attestations in all', '存證總數'],
  kind: ['records of the kind', '紀錄種類'],
  schema: ['attestations under the schema', '綱要的存證數'],
  hour: ['records in an hour', '每小時紀錄數'],
}

function figuresFinding(found: readonly Difference[], language: Language): Finding {
  const [first] = found as readonly [Difference]
  const of = first.what === 'kind' ? term(KINDS, first.of)[language === 'en' ? 0 : 1] : first.of
  const what = `${WHAT[first.what][language === 'en' ? 0 : 1]} ${of}`.trim()
  return {
    code: 'figures', values: { count: found.length, what, claimed: first.claimed, counted: first.counted },
  }
}

export function asProblem(thrown: unknown): ApiError {
  return thrown instanceof ApiError ? thrown : new ApiError('page', null, [messageOf(thrown), messageOf(thrown)])
}

export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))

export function stored(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

export function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // Then it is asked for again on the next visit.
  }
}
