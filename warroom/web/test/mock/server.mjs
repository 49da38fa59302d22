// Serves the built page and a war room's API on loopback; `lie` changes what it answers.
import { createServer } from 'node:http'
import { readFileSync, readdirSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rootOf } from './bytes.mjs'
import { answersOf } from './answers.mjs'

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url))
const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml', '.webmanifest': 'application/manifest+json',
}
/** As a war room serves the page. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
  "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

function pages() {
  const files = readdirSync(DIST, { recursive: true, withFileTypes: true }).filter((it) => it.isFile())
  return new Map(files.map((it) => {
    const path = `${it.parentPath}/${it.name}`.replaceAll('//', '/')
    return [`/${path.slice(DIST.length)}`, readFileSync(path)]
  }))
}

const WIDTH = 256
const number = (path) => Number(path.replaceAll('x', '').replaceAll('/', ''))

/** A tile of a log (SPEC §9.5); undefined for what it does not have. */
export function tile({ leaves, hashes }, path) {
  const found = /^tile\/(entries|[0-7])\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path)
  if (found === null) return undefined
  const [, level, index, width = WIDTH] = found
  const [from, count] = [number(index) * WIDTH, Number(width)]
  if (level === 'entries') {
    const entries = leaves.slice(from, from + count)
    if (entries.length !== count) return undefined
    return Buffer.concat(entries.flatMap((leaf) => [Buffer.from([leaf.length >> 8, leaf.length & 255]), leaf]))
  }
  const span = WIDTH ** Number(level)
  const nodes = Array.from({ length: count }, (_, at) => hashes.slice((from + at) * span, (from + at + 1) * span))
  return nodes.some((it) => it.length !== span) ? undefined : Buffer.concat(nodes.map(rootOf))
}

function answer(world, answers, path, query) {
  const [, what, id, part] = path.split('/')
  if (path === '/status') return answers.status()
  if (path === '/now') return answers.now()
  if (path === '/genesis') return Buffer.from(world.genesisText)
  if (path === '/attestations') return answers.list(query)
  if (what === 'attestations' && part === 'bundle') return world.leaves[Number(id)] === undefined ? null : world.bundle(Number(id))
  if (what === 'attestations') return answers.attestation(Number(id))
  if (path === '/organisations') return answers.organisations()
  if (what === 'organisations') return answers.organisation(Number(id))
  if (path === '/motions') return answers.motions()
  if (what === 'motions') return id === '1' ? answers.motion() : null
  if (path === '/chains') return answers.chains()
  if (path === '/consents') return answers.consents()
  if (path === '/provenance') return answers.provenance(query.get('id'))
  if (path === '/search') return answers.search(query.get('q') ?? '')
  if (what === 'tiles') return tile(world, path.slice('/tiles/'.length)) ?? null
  return null
}

const MISSING = {
  type: 'urn:tbsi:warroom:notFound', title: 'Not found', status: 404, detail: 'There is no such thing in the log as indexed.', detailZhTw: '日誌中沒有此項目。', parameter: null,
}

/**
 * A war room of a network. `lie(path, answer)` may return something else than the answer; it is
 * asked for each request; with `tooMany` the answer is 429. It is kept in `room.lie` so that a test can change it.
 */
export async function serve(world, lie) {
  const files = pages()
  const room = { lie, world, asked: [] }
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost')
    const api = /^\/api\/v1(\/.*)$/.exec(pathname)?.[1]
    room.asked.push(`${request.method} ${request.url}`)
    if (api === undefined) {
      const file = files.get(pathname === '/' ? '/index.html' : pathname)
      if (file === undefined) return response.writeHead(404).end()
      const headers = { 'content-type': TYPES[extname(pathname === '/' ? '.html' : pathname)] ?? 'text/html', 'content-security-policy': POLICY, 'cache-control': 'no-cache' }
      return response.writeHead(200, headers).end(file)
    }
    const truth = answer(room.world, answersOf(room.world), api, searchParams)
    const said = room.lie?.(api, truth, searchParams) ?? truth
    if (said?.tooMany) return response.writeHead(429, { 'content-type': 'application/problem+json', 'retry-after': '1' }).end(JSON.stringify(MISSING))
    if (said === null) return response.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify(MISSING))
    const bytes = Buffer.isBuffer(said)
    response.writeHead(200, { 'content-type': bytes ? 'application/octet-stream' : 'application/json', 'access-control-allow-origin': '*' })
      .end(bytes ? said : JSON.stringify(said))
  })
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  return Object.assign(room, {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () => { server.closeAllConnections(); server.close() },
  })
}
