/** Small pieces that pages are made of. */
import type { ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'
import type { ApiError, Name, NotKnown } from '../api.js'
import { to } from '../route.js'
import type { Trusted } from '../trust/genesis.js'
import { NOT_KNOWN, type Pair } from '../words/say.js'
import { useRoom } from './context.js'

const W = {
  proven: ['checked by your browser', '已由您的瀏覽器查核'],
  said: ['said by this war room, not checked', '戰情室所述，未經查核'],
  wrong: ['contradicts the proof', '與證明矛盾'],
  copy: ['Copy', '複製'],
  copied: ['Copied', '已複製'],
  loading: ['Asking the war room…', '正在詢問戰情室…'],
  again: ['Try again', '再試一次'],
  unknown: ['What is not known here, and why', '此處未知的事項與原因'],
  nobody: ['no organisation that is known', '無已知的機構'],
  genesis: ['legal name as in the genesis file that you trust', '法定名稱與您信任的創世檔相符'],
  registry: ['legal name by an act of governance', '法定名稱依治理行為'],
  otherName: ['not the legal name in the genesis file', '與創世檔中的法定名稱不符'],
} as const satisfies Record<string, Pair>

/** How far something was checked. */
export type Proof = 'proven' | 'said' | 'wrong'

const MARKS: Readonly<Record<Proof, string>> = { proven: '✓', said: '○', wrong: '✗' }

/** A mark that says whether something was checked; with `children`, it opens how. */
export function Mark({ proof, children }: { proof: Proof; children?: ComponentChildren }) {
  const { t } = useRoom()
  const [open, set] = useState(false)
  const id = useId()
  const words = t(W[proof])
  if (children === undefined) {
    return <span class={`mark ${proof}`} role="img" aria-label={words} title={words}>{MARKS[proof]}</span>
  }
  return (
    <span class="marked">
      <button type="button" class={`mark ${proof}`} aria-expanded={open} aria-controls={id} title={words}
        aria-label={words} onClick={() => set(!open)}>{MARKS[proof]}</button>
      <span id={id} class="how" hidden={!open}>{children}</span>
    </span>
  )
}

/** Bytes in hex, with a button that copies them. */
export function Bytes({ of, name }: { of: string | null | undefined; name: string }) {
  const { t } = useRoom()
  const [copied, set] = useState(false)
  if (of === null || of === undefined) return <NotKnownText />
  const copy = () => {
    navigator.clipboard?.writeText(of).then(() => set(true), () => set(false))
  }
  return (
    <span class="bytes">
      <code>{of}</code>{' '}
      <button type="button" class="small" aria-label={`${t(W.copy)}: ${name}`} onClick={copy}>{t(copied ? W.copied : W.copy)}</button>
    </span>
  )
}

export function NotKnownText() {
  const { t } = useRoom()
  return <span class="unknown">{t(NOT_KNOWN)}</span>
}

/** A value, or that it is not known. */
export function Known({ of }: { of: string | number | null | undefined }) {
  return of === null || of === undefined || of === '' ? <NotKnownText /> : <>{of}</>
}

/** What a page shows while it waits, or if nothing came. */
export function Waiting({ problem, again }: { problem: ApiError | null; again: () => void }) {
  const { t, state } = useRoom()
  if (problem === null) return <p role="status">{t(W.loading)}</p>
  return (
    <div class="notice trouble" role="alert">
      <p>{problem.said[state.language === 'en' ? 0 : 1]}</p>
      <button type="button" onClick={again}>{t(W.again)}</button>
    </div>
  )
}

export function Unknowns({ of }: { of: readonly NotKnown[] }) {
  const { t, of: words } = useRoom()
  const different = [...new Set(of.map(words))]
  if (different.length === 0) return null
  return (
    <details class="unknowns">
      <summary>{t(W.unknown)}</summary>
      <ul>{different.map((text) => <li key={text}>{text}</li>)}</ul>
    </details>
  )
}

/** Whether a name that is said to be of the genesis file is in it. */
export function proofOfName(trusted: Trusted | null, name: Name): Proof {
  if (name.basis !== 'genesis' || trusted === null) return 'said'
  const found = trusted.founders[name.organisation - 1]
  return found?.en === name.en && found.zhTw === name.zhTw ? 'proven' : 'wrong'
}

/** A legal name as a link to its organisation, and whether it was checked. */
export function Legal({ name }: { name: Name | null }) {
  const { t, of, state } = useRoom()
  if (name === null) return <span class="unknown">{t(W.nobody)}</span>
  const proof = proofOfName(state.trusted, name)
  const how = proof === 'wrong' ? W.otherName : name.basis === 'genesis' ? W.genesis : W.registry
  return (
    <span class="legal">
      <a href={to('organisations', name.organisation)}>{of(name)}</a>{' '}
      <span title={t(how)}><Mark proof={proof} /></span>
    </span>
  )
}

/** An https address out of the registry; anything else is text and no link. */
export function SafeLink({ url }: { url: string | null }) {
  if (url === null || url === '') return <NotKnownText />
  const safe = /^https:\/\/[\x21-\x7e]{1,250}$/.test(url) && URL.canParse(url)
  return safe ? <a href={url} rel="noopener noreferrer nofollow" target="_blank">{url}</a> : <code>{url}</code>
}

/** A table with a caption, which scrolls by itself on a phone. */
export function Table({ caption, head, children }: { caption: string; head: readonly string[]; children: ComponentChildren }) {
  return (
    // Keyboards can scroll what has the focus.
    <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption>{caption}</caption>
        <thead><tr>{head.map((name) => <th scope="col" key={name}>{name}</th>)}</tr></thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}
