// Compiles the genesis contracts with npm's solc, without forge, and compares the results with
// the committed artifacts byte for byte. UPDATE_ARTIFACT=1 writes the artifacts instead.
import { readFileSync, writeFileSync } from 'node:fs'
import solc from 'solc'
import { layoutOf } from './layout.mjs'

const CONTRACTS = [
  'Attestations',
  'Authorisations',
  'Chains',
  'Equivocations',
  'Facts',
  'Motions',
  'Nodes',
  'Organisations',
  'Permissions',
  'Upgrades',
]
const ROOT = new URL('../', import.meta.url)
/** Bytes of code (EIP-170). */
const CODE_BYTES_MAX = 24576
/** What decides the bytecode; foundry.toml says the same. */
const SETTINGS = {
  remappings: ['@openzeppelin/=node_modules/@openzeppelin/'],
  optimizer: { enabled: true, runs: 200 },
  evmVersion: 'osaka',
  viaIR: false,
  metadata: { bytecodeHash: 'none', appendCBOR: false },
}

const read = (file) => readFileSync(new URL(file, ROOT), 'utf8')
const source = (name) => `src/${name}.sol`

function compile() {
  const selected = CONTRACTS.map((name) => [
    source(name),
    { [name]: ['abi', 'evm.deployedBytecode', 'storageLayout'] },
  ])
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(
      CONTRACTS.map((name) => [source(name), { content: read(source(name)) }]),
    ),
    settings: { ...SETTINGS, outputSelection: Object.fromEntries(selected) },
  }
  const found = (file) => {
    try {
      return { contents: read(file) }
    } catch (error) {
      return { error: `${file}: ${error.message}` }
    }
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: found }))
  for (const { formattedMessage } of output.errors ?? []) console.error(formattedMessage)
  if (output.errors?.length) throw new Error('the compiler complains')
  return output.contracts
}

function artifact(contract, { abi, evm, storageLayout }) {
  const code = evm.deployedBytecode
  // Code with gaps to be filled at deployment cannot be placed in a genesis state.
  for (const gaps of ['immutableReferences', 'linkReferences']) {
    if (Object.keys(code[gaps] ?? {}).length) throw new Error(`${contract}: the code has ${gaps}`)
  }
  const bytes = code.object.length / 2
  if (bytes > CODE_BYTES_MAX) {
    throw new Error(`${contract}: ${bytes} bytes of code are more than ${CODE_BYTES_MAX}`)
  }
  const whole = {
    contract,
    solc: solc.version(),
    settings: SETTINGS,
    abi,
    storageLayout: layoutOf(storageLayout),
    deployedBytecode: `0x${code.object}`,
  }
  return `${JSON.stringify(whole, null, 2)}\n`
}

const compiled = compile()
let different = 0
for (const name of CONTRACTS) {
  const file = `artifacts/${name}.json`
  const built = artifact(name, compiled[source(name)][name])
  if (process.env.UPDATE_ARTIFACT === '1') {
    writeFileSync(new URL(file, ROOT), built)
    console.log(`wrote ${file}`)
  } else if (read(file) !== built) {
    different += 1
    console.error(`${file} is not what the sources compile to`)
  } else {
    console.log(`${file} reproduces byte for byte`)
  }
}
if (different) {
  console.error('if the change is meant, run UPDATE_ARTIFACT=1 node tools/artifact.mjs')
  process.exit(1)
}
