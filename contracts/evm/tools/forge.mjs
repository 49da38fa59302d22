// Runs forge's own program. The command in node_modules/.bin is a wrapper that ends with code 0
// when the program fails.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'

const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' }
const target = `${process.platform}-${ARCHITECTURES[process.arch] ?? process.arch}`
const forge = createRequire(import.meta.url).resolve(`@foundry-rs/forge-${target}/bin/forge`)
const { status, error } = spawnSync(forge, process.argv.slice(2), { stdio: 'inherit' })
if (error) throw error
process.exit(status ?? 1)
