// Hashes, attests and verifies in the page. Nothing of a document leaves it but the digest.
import {
  ALGORITHMS, SALTED_FILE_SCHEMA, TbsiClient, TbsiError, digestDocument, formatSalt, inspect,
  networkOf, newSalt, parseSalt, toHex, walletSender,
} from './tbsi/sdk.js'
import './tbsi/tbsi-proof.js'
import { WORDS } from './words.js'

/** Bytes of a proof or a salt. */
const PART_BYTES_MAX = 32 * 1024 * 1024
/** Files that are verified together: a document, its proof, its salt. */
const GIVEN_MAX = 3

const $ = (id) => document.getElementById(id)
const genesis = fetch('genesis.json').then(async (response) => new Uint8Array(await response.arrayBuffer()))

let language = navigator.language.startsWith('zh') ? 'zh-TW' : 'en'
/** The document to attest, its digest and salt. */
let chosen
/** What is to be verified. */
let given = {}
let wallet = window.ethereum

const say = (name) => WORDS[name][language === 'en' ? 0 : 1]

function speak() {
  document.documentElement.lang = language
  document.title = say('title')
  for (const element of document.querySelectorAll('[data-say]')) {
    element.textContent = say(element.dataset.say)
  }
  for (const button of document.querySelectorAll('[data-language]')) {
    button.setAttribute('aria-pressed', String(button.dataset.language === language))
  }
  for (const id of ['made', 'verdict']) {
    const { report } = $(id)
    $(id).setAttribute('lang', language)
    if (report !== undefined) $(id).report = report
  }
  listGiven()
}

// Wallets announce themselves (EIP-6963); the first one serves.
window.addEventListener('eip6963:announceProvider', ({ detail }) => { wallet ??= detail.provider })
window.dispatchEvent(new Event('eip6963:requestProvider'))

async function client() {
  const url = new URL('rpc', document.baseURI).href
  return new TbsiClient({ url, trust: { genesis: await genesis } })
}

/** Reads a document piece by piece, however large it is. */
async function choose(file) {
  if (file === undefined) return
  const salt = $('salted').checked ? newSalt() : undefined
  const turn = {}
  chosen = { turn }
  Object.assign($('attest'), { disabled: true })
  $('chosen').hidden = false
  $('done').hidden = true
  tell('')
  $('name').textContent = file.name
  $('digest').textContent = say('reading')
  const digest = await digestDocument(file, 'sha2-256', salt).catch(() => undefined)
  if (chosen.turn !== turn) return
  if (digest === undefined) {
    $('chosen').hidden = true
    return tell(say('unreadable'), true)
  }
  chosen = { turn, file, salt, digest }
  $('digest').textContent = toHex(digest)
  $('attest').disabled = false
}

function tell(text, wrong = false) {
  $('progress').textContent = text
  $('progress').classList.toggle('wrong', wrong)
}

async function attest() {
  if (wallet === undefined) return tell(say('noWallet'), true)
  $('attest').disabled = true
  tell(say('signing'))
  try {
    const { file, salt, digest } = chosen
    const tbsi = await client()
    await switchWallet()
    const subject = salt === undefined ? { digest } : { digest, schema: SALTED_FILE_SCHEMA }
    const attested = await tbsi.attest(walletSender(wallet), subject)
    const compared = { name: file.name, digest, ...(salt === undefined ? {} : { salt }) }
    $('made').report = await tbsi.verify(attested.proof, { file: compared })
    offer($('proof-file'), `${file.name}.tbsi.json`, attested.proof)
    $('salt-file').hidden = salt === undefined
    if (salt !== undefined) offer($('salt-file'), `${file.name}.tbsi.salt`, formatSalt(salt))
    $('done').hidden = false
    tell('')
  } catch (error) {
    tell(say('failed') + reasonOf(error), true)
    $('attest').disabled = false
  }
}

function reasonOf(error) {
  // The code of EIP-1193 for a user who declines.
  if (error?.code === 4001) return say('rejected')
  return error instanceof TbsiError ? error.message : String(error?.message ?? error)
}

/** Has the wallet talk to this network; one that does not know it is told where it is. */
async function switchWallet() {
  const { chainId: number, name } = networkOf(await genesis)
  const chainId = `0x${number.toString(16)}`
  if (BigInt(await wallet.request({ method: 'eth_chainId' })) === number) return
  const ask = (method, of) => wallet.request({ method, params: [of] })
  try {
    await ask('wallet_switchEthereumChain', { chainId })
  } catch (error) {
    if (error?.code !== 4902) throw error
    const nativeCurrency = { name: 'none', symbol: 'NONE', decimals: 18 }
    const rpcUrls = [new URL('rpc', document.baseURI).href]
    await ask('wallet_addEthereumChain', { chainId, chainName: name, nativeCurrency, rpcUrls })
  }
}

function offer(link, name, content) {
  if (link.href.startsWith('blob:')) URL.revokeObjectURL(link.href)
  link.href = URL.createObjectURL(new Blob([content], { type: 'application/octet-stream' }))
  link.download = name
}

/** Takes files for the verification, by what their names say. */
async function take(files) {
  const named = [...files].slice(0, GIVEN_MAX).map((file) => [kindOf(file.name), file])
  // A new proof begins a new question.
  const begins = given.proof !== undefined && named.some(([kind]) => kind === 'proof')
  given = { ...(begins ? {} : given), ...Object.fromEntries(named) }
  listGiven()
  await judge()
}

function kindOf(name) {
  if (name.endsWith('.tbsi.salt')) return 'salt'
  return /\.tbsi(\.json)?$/.test(name) ? 'proof' : 'document'
}

function listGiven() {
  const kinds = [['proof', 'asProof'], ['document', 'asDocument'], ['salt', 'asSalt']]
  const items = kinds.filter(([kind]) => given[kind] !== undefined).map(([kind, word]) => {
    const item = document.createElement('li')
    item.textContent = say(word) + say('colon') + given[kind].name
    return item
  })
  if (items.length > 0 && given.proof === undefined) {
    items.push(Object.assign(document.createElement('li'), { textContent: say('needsProof') }))
  }
  $('given').replaceChildren(...items)
}

async function judge() {
  const question = await questionOf().catch(() => null)
  $('verdict').hidden = !question
  $('ask').hidden = true
  $('problem').textContent = question === null ? say('unreadable') : ''
  if (!question) return
  $('verdict').question = question
}

async function questionOf() {
  const { proof: file, document: subject, salt: saltFile } = given
  if (file === undefined) return undefined
  const parts = [file, saltFile].filter((part) => part !== undefined)
  if (parts.some(({ size }) => size > PART_BYTES_MAX)) return undefined
  const proof = new Uint8Array(await file.arrayBuffer())
  const trust = { genesis: await genesis }
  if (subject === undefined) return { proof, trust }
  const salt = saltFile === undefined ? undefined : await saltFile.text()
  const says = inspect(proof)
  const compared = await comparable(subject, says, salt)
  return { proof, trust, file: compared }
}

/** The digest as the proof's algorithm has it, so that no document is held in memory. */
async function comparable(file, says, salt) {
  const algorithm = ALGORITHMS.find(({ code }) => BigInt(code) === says?.algorithm)
  const compared = { name: file.name, ...(salt === undefined ? {} : { salt }) }
  if (algorithm?.create === undefined) return compared
  const bytes = salt === undefined ? undefined : parseSalt(salt)
  return { ...compared, digest: await digestDocument(file, algorithm.name, bytes) }
}

async function ask() {
  $('ask').disabled = true
  const { proof, file } = await questionOf()
  $('verdict').report = await (await client()).verify(proof, file === undefined ? {} : { file })
  $('ask').disabled = false
  $('ask').hidden = true
}

function droppable(zone, input, use) {
  const over = (event) => {
    event.preventDefault()
    zone.classList.toggle('over', event.type === 'dragover')
  }
  for (const type of ['dragover', 'dragleave']) zone.addEventListener(type, over)
  zone.addEventListener('drop', (event) => {
    over(event)
    use(event.dataTransfer.files)
  })
  input.addEventListener('change', () => {
    const files = [...input.files]
    // So that the same file, changed since, can be chosen again.
    input.value = ''
    use(files)
  })
}

droppable($('attest-drop'), $('document'), ([file]) => choose(file))
droppable($('verify-drop'), $('proof'), take)
$('salted').addEventListener('change', () => choose(chosen?.file))
$('attest').addEventListener('click', attest)
$('ask').addEventListener('click', ask)
$('verdict').addEventListener('tbsi-verdict', ({ detail }) => {
  $('ask').hidden = detail.verdict !== 'valid' || detail.revocation === null
})
for (const button of document.querySelectorAll('[data-language]')) {
  button.addEventListener('click', () => {
    language = button.dataset.language
    speak()
  })
}
speak()
