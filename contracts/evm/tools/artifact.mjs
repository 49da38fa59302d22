// Compiles Attestations.sol with npm's solc, without forge, and compares the result with the
// committed artifact byte for byte. UPDATE_ARTIFACT=1 writes the artifact instead.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import solc from 'solc'

const CONTRACT = 'Attestations'
const ROOT = new URL('../', import.meta.url)
const ARTIFACT = new URL(`artifacts/${CONTRACT}.json`, ROOT)
/** What decides the bytecode; foundry.toml says the same. */
const SETTINGS = {
  remappings: ['@openzeppelin/=node_modules/@openzeppelin/'],
  optimizer: { enabled: true, runs: 200 },
  evmVersion: 'osaka',
  viaIR: false,
  metadata: { bytecodeHash: 'none', appendCBOR: false },
}

function compile() {
  const path = `src/${CONTRACT}.sol`
  const read = (file) => readFileSync(new URL(file, ROOT), 'utf8')
  const input = {
    language: 'Solidity',
    sources: { [path]: { content: read(path) } },
    settings: {
      ...SETTINGS,
      outputSelection: { [path]: { [CONTRACT]: ['abi', 'evm.deployedBytecode'] } },
    },
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
  return output.contracts[path][CONTRACT]
}

function artifact() {
  const { abi, evm } = compile()
  const code = evm.deployedBytecode
  // Code with gaps to be filled at deployment cannot be placed in a genesis state.
  for (const gaps of ['immutableReferences', 'linkReferences']) {
    if (Object.keys(code[gaps] ?? {}).length) throw new Error(`the code has ${gaps}`)
  }
  const whole = {
    contract: CONTRACT,
    solc: solc.version(),
    settings: SETTINGS,
    abi,
    deployedBytecode: `0x${code.object}`,
  }
  return `${JSON.stringify(whole, null, 2)}\n`
}

const built = artifact()
if (process.env.UPDATE_ARTIFACT === '1') {
  writeFileSync(ARTIFACT, built)
  console.log(`wrote ${fileURLToPath(ARTIFACT)}`)
} else if (readFileSync(ARTIFACT, 'utf8') !== built) {
  console.error(
    `artifacts/${CONTRACT}.json is not what the sources compile to; if the change is meant, ` +
      'run UPDATE_ARTIFACT=1 node tools/artifact.mjs',
  )
  process.exit(1)
} else {
  console.log(`artifacts/${CONTRACT}.json reproduces byte for byte`)
}
