// Serves the page on loopback, with the genesis file of a network and a way to one of its nodes.
//
// usage: node serve.mjs --genesis FILE --rpc URL [--port PORT]
import { createServer } from 'node:http'
import { readFileSync, realpathSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/** Bytes of a request to the node. */
const REQUEST_BYTES_MAX = 5 * 1024 * 1024

const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8', '.json': 'application/json',
}

// All that the page may do: its own files, and its own server.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const KIT = '../../sdk/typescript/dist/browser/'

/** The files that there are; nothing else is read. */
export function filesOf(genesis) {
  return new Map([
    ['/', here('index.html')],
    ...['notarise.js', 'notarise.css', 'words.js'].map((name) => [`/${name}`, here(name)]),
    ...['sdk.js', 'tbsi-proof.js'].map((name) => [`/tbsi/${name}`, here(KIT + name)]),
    ['/genesis.json', genesis],
  ])
}

async function forward(request, response, rpc) {
  const pieces = []
  let size = 0
  for await (const piece of request) {
    size += piece.length
    if (size > REQUEST_BYTES_MAX) return response.writeHead(413).end()
    pieces.push(piece)
  }
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(rpc, { method: 'POST', headers, body: Buffer.concat(pieces) })
  response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()))
}

/** The server, not listening yet. */
export function server({ genesis, rpc }) {
  const files = filesOf(genesis)
  return createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost')
    const file = files.get(pathname)
    if (request.method === 'POST' && pathname === '/rpc') {
      forward(request, response, rpc).catch((error) => {
        response.writeHead(502, { 'content-type': 'text/plain' }).end(`${rpc}: ${error.message}\n`)
      })
    } else if (request.method === 'GET' && file !== undefined) {
      const type = TYPES[extname(pathname === '/' ? file : pathname)]
      const headers = { 'content-type': type, 'content-security-policy': POLICY, 'cache-control': 'no-cache' }
      response.writeHead(200, headers).end(readFileSync(file))
    } else {
      response.writeHead(404).end()
    }
  })
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { genesis: { type: 'string' }, rpc: { type: 'string' }, port: { type: 'string', default: '8080' } },
  })
  if (values.genesis === undefined || values.rpc === undefined) {
    console.error('usage: node serve.mjs --genesis FILE --rpc URL [--port PORT]')
    process.exit(2)
  }
  server(values).listen(Number(values.port), '127.0.0.1', function () {
    console.log(`http://127.0.0.1:${this.address().port}/`)
  })
}
