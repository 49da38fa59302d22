// Where npm put Foundry's own programs. The commands in node_modules/.bin are wrappers that end
// with code 0 when the program fails. As a program it prints the path: `node foundry.mjs cast`.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' }

/** The path of `cast` or `anvil` for this machine. */
export function foundry(tool) {
  const target = `${process.platform}-${ARCHITECTURES[process.arch] ?? process.arch}`
  return createRequire(import.meta.url).resolve(`@foundry-rs/${tool}-${target}/bin/${tool}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(foundry(process.argv[2]))
}
