/**
 * `<tbsi-proof>`: verifies a proof in the reader's browser and says what it proves.
 *
 *     <tbsi-proof src="report.pdf.tbsi.json" genesis="genesis.json" file="report.pdf"></tbsi-proof>
 *
 * Whoever puts it on a page vouches for the genesis file. It asks nobody but the page's own
 * server, so it says of revocation what is stapled to the proof, or that it was not checked.
 */
import { verify, type GivenFile, type Question, type Report, type Trust } from '../verify/index.js'
import { STYLE, view } from './view.js'
import { fill, languageOf, type Language } from './words.js'

export { STYLE, view } from './view.js'
export { languageOf, type Language } from './words.js'

/** Bytes of a document that the element compares; larger ones are for `tbsi verify`. */
const FILE_BYTES_MAX = 512 * 1024 * 1024
/** Bytes of a proof or genesis file. */
const PART_BYTES_MAX = 64 * 1024 * 1024
/** Bytes of a salt file. */
const SALT_BYTES_MAX = 68

const ATTRIBUTES =
  ['src', 'genesis', 'checkpoint', 'file', 'salt', 'status-max-age', 'room', 'steps', 'lang'] as const

export class TbsiProofElement extends HTMLElement {
  static readonly observedAttributes = ATTRIBUTES
  readonly #root = this.attachShadow({ mode: 'open' })
  #turn = 0
  #question: Question | undefined
  #report: Report | undefined

  connectedCallback(): void {
    // A constructed sheet: a page's policy needs to allow no inline styles.
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(STYLE)
    this.#root.adoptedStyleSheets = [sheet]
    this.#changed()
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.#changed()
  }

  /** What was verified last. */
  get report(): Report | undefined {
    return this.#report
  }

  /** Shows a report that was made elsewhere, for instance after a node was asked. */
  set report(report: Report | undefined) {
    this.#turn += 1
    this.#show(report)
  }

  /** What to verify, instead of what the attributes name. */
  set question(question: Question | undefined) {
    this.#question = question
    this.#changed()
  }

  #language(): Language {
    const near = this.closest('[lang]')?.getAttribute('lang')
    return languageOf(near ?? navigator.language)
  }

  /** Attributes that are set one after the other make one verification. */
  #changed(): void {
    const turn = ++this.#turn
    this.#show(undefined)
    queueMicrotask(async () => {
      if (turn !== this.#turn) return
      if (this.#question === undefined && this.getAttribute('src') === null) return
      const report = await this.#judge()
      if (turn !== this.#turn) return
      this.#show(report)
      const detail = report
      this.dispatchEvent(new CustomEvent('tbsi-verdict', { detail, bubbles: true, composed: true }))
    })
  }

  #show(report: Report | undefined): void {
    this.#report = report
    const language = this.#language()
    const loading = () => document.createTextNode(fill(language, 'loading'))
    this.#root.replaceChildren(
      report === undefined ? loading() : view(report, language, {
        room: this.#room(report), steps: this.hasAttribute('steps'),
      }))
  }

  /** Where a war room shows the leaf, if the page names one. */
  #room(report: Report): string | undefined {
    const room = this.getAttribute('room')
    if (room === null || 'code' in report || !URL.canParse(room, document.baseURI)) return undefined
    const url = new URL(room, document.baseURI)
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined
    url.hash = `/attestation/${report.leafIndex}`
    return url.href
  }

  async #judge(): Promise<Report> {
    if (this.#question !== undefined) return verify(this.#question)
    let code: 'unreadable' | 'trust' | 'file' = 'unreadable'
    try {
      const proof = await this.#part('src', PART_BYTES_MAX)
      code = 'trust'
      const trust = await this.#trust()
      code = 'file'
      const file = await this.#file()
      return verify({
        proof, trust, ...(file === undefined ? {} : { file }), ...this.#statusAge(),
      })
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown)
      return { verdict: 'could not tell', code, reason }
    }
  }

  async #trust(): Promise<Trust> {
    if (this.getAttribute('checkpoint') !== null) {
      return { checkpoint: await this.#part('checkpoint', PART_BYTES_MAX) }
    }
    return { genesis: await this.#part('genesis', PART_BYTES_MAX) }
  }

  async #file(): Promise<GivenFile | undefined> {
    const address = this.getAttribute('file')
    if (address === null) return undefined
    const name = decodeURIComponent(new URL(address, document.baseURI).pathname.split('/').pop() ?? '')
    const bytes = await this.#part('file', FILE_BYTES_MAX)
    if (this.getAttribute('salt') === null) return { name, bytes }
    const salt = new TextDecoder().decode(await this.#part('salt', SALT_BYTES_MAX))
    return { name, bytes, salt }
  }

  /** Seconds that a status may be old, by the reader's clock; any number without the attribute. */
  #statusAge(): Pick<Question, 'statusAge'> {
    const seconds = this.getAttribute('status-max-age')
    if (seconds === null) return {}
    return { statusAge: { maxAgeMs: Number(seconds) * 1000, atMs: Date.now() } }
  }

  /** What an attribute names, of at most so many bytes. */
  async #part(attribute: (typeof ATTRIBUTES)[number], max: number): Promise<Uint8Array> {
    const address = this.getAttribute(attribute)
    if (address === null) throw new Error(`the attribute \`${attribute}\` is missing`)
    const response = await fetch(new URL(address, document.baseURI))
    if (!response.ok) throw new Error(`${address}: HTTP ${response.status}`)
    const pieces: Uint8Array[] = []
    let size = 0
    const reader = response.body?.getReader()
    for (let next = await reader?.read(); next?.value !== undefined; next = await reader?.read()) {
      size += next.value.length
      if (size > max) throw new Error(`${address} has more than ${max} bytes`)
      pieces.push(next.value)
    }
    const bytes = new Uint8Array(size)
    pieces.reduce((at, piece) => { bytes.set(piece, at); return at + piece.length }, 0)
    return bytes
  }
}

if (customElements.get('tbsi-proof') === undefined) {
  customElements.define('tbsi-proof', TbsiProofElement)
}
