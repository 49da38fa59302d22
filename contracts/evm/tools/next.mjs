// Compiles test/NextChains.sol and compares with tests/vectors/next_chains.json: code that may take
// the place of `Chains` and code that may not. UPDATE_VECTORS=1 writes it.
import { readFileSync, writeFileSync } from 'node:fs'
import solc from 'solc'
import { layoutOf, misfit } from './layout.mjs'

const ROOT = new URL('../', import.meta.url)
const VECTORS = new URL('../../tests/vectors/next_chains.json', ROOT)
const SOURCE = 'test/NextChains.sol'
const NAMES = ['NextChains', 'UnfitChains']

const read = (file) => readFileSync(new URL(file, ROOT), 'utf8')
const { settings, storageLayout } = JSON.parse(read('artifacts/Chains.json'))
const wanted = Object.fromEntries(NAMES.map((name) => [name, ['evm.deployedBytecode', 'storageLayout']]))
const input = {
  language: 'Solidity',
  sources: { [SOURCE]: { content: read(SOURCE) } },
  settings: { ...settings, outputSelection: { [SOURCE]: wanted } },
}
const output = JSON.parse(
  solc.compile(JSON.stringify(input), { import: (file) => ({ contents: read(file) }) }),
)
if (output.errors?.length) {
  for (const { formattedMessage } of output.errors) console.error(formattedMessage)
  process.exit(1)
}
const vectors = Object.fromEntries(
  NAMES.map((name) => {
    const { evm, storageLayout } = output.contracts[SOURCE][name]
    const artifact = {
      storageLayout: layoutOf(storageLayout),
      deployedBytecode: `0x${evm.deployedBytecode.object}`,
    }
    return [name, artifact]
  }),
)
const [fits, unfit] = NAMES.map((name) => misfit(storageLayout, vectors[name].storageLayout))
if (fits !== null || unfit === null) throw new Error(`misfits: ${fits}, ${unfit}`)
const text = `${JSON.stringify(vectors, null, 2)}\n`
if (process.env.UPDATE_VECTORS === '1') {
  writeFileSync(VECTORS, text)
  console.log('wrote tests/vectors/next_chains.json')
} else if (readFileSync(VECTORS, 'utf8') !== text) {
  console.error('tests/vectors/next_chains.json is not what test/NextChains.sol compiles to')
  console.error('if the change is meant, run UPDATE_VECTORS=1 node tools/next.mjs')
  process.exit(1)
} else {
  console.log('tests/vectors/next_chains.json reproduces byte for byte')
}
