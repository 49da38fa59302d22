// alloy against one node: builds the program here with the packages of its lock file, and runs it
// with the creation code of the contract that the other clients use too.
import { spawnSync } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileNotebook } from '../../clients/notebook.mjs'

const [http, ws] = process.argv.slice(2)
if (http === undefined || ws === undefined) {
  console.error('usage: node run.mjs HTTP_URL WS_URL')
  process.exit(2)
}
const cwd = fileURLToPath(new URL('.', import.meta.url))
const target = process.env.CARGO_TARGET_DIR ?? join(homedir(), '.cache/tbsi/target')
const env = { ...process.env, CARGO_TARGET_DIR: join(target, 'alloy') }

function cargo(words, stdio) {
  return spawnSync('cargo', words, { cwd, env, stdio })
}

const fetched = cargo(['fetch', '--locked', '--quiet'], ['ignore', 'ignore', 'pipe'])
if (fetched.status !== 0) {
  const said = fetched.error?.message ?? fetched.stderr.toString().trim().split('\n').at(-1)
  console.log(`skipped: cargo fetch: ${said}`)
  process.exit(0)
}
const { bytecode } = compileNotebook()
const ran = cargo(['run', '--locked', '--offline', '--quiet', '--', http, ws, bytecode], 'inherit')
process.exit(ran.status ?? 1)
