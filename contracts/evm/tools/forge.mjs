// Runs forge, the program that npm installed for this machine.
// The package `@foundry-rs/forge` would choose it too, but its command ends with code 0 when
// forge fails, and `npm ci` refuses it because the registry lacks some machines' packages.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'

const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' }
const machine = `${process.platform}-${ARCHITECTURES[process.arch] ?? process.arch}`

function program() {
  try {
    return createRequire(import.meta.url).resolve(`@foundry-rs/forge-${machine}/bin/forge`)
  } catch {
    console.error(`forge is not installed for ${machine}: run npm ci; see package.json for machines`)
    process.exit(1)
  }
}

const { status, error } = spawnSync(program(), process.argv.slice(2), { stdio: 'inherit' })
if (error) throw error
process.exit(status ?? 1)
