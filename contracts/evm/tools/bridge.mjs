// Compiles the bridge's contracts with npm's solc, without forge, and compares them with the
// committed artifacts byte for byte. UPDATE_ARTIFACT=1 writes the artifacts instead.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import solc from 'solc'
import { layoutOf } from './layout.mjs'

const ROOT = new URL('../', import.meta.url)
/** What is deployed on other chains has `bytecode`, what is in genesis `deployedBytecode`. */
const CONTRACTS = [
  { name: 'Outbox', path: 'src/Outbox.sol', genesis: true },
  { name: 'LightClient', path: 'src/bridge/LightClient.sol' },
  { name: 'Inbox', path: 'src/bridge/Inbox.sol' },
  { name: 'IbcLightClient', path: 'src/bridge/IbcLightClient.sol' },
  { name: 'DocumentRegister', path: 'src/bridge/examples/DocumentRegister.sol' },
].filter(({ path }) => existsSync(new URL(path, ROOT)))
/** What decides the bytecode; foundry.toml says the same. */
const SETTINGS = {
  remappings: ['@openzeppelin/=node_modules/@openzeppelin/'],
  optimizer: { enabled: true, runs: 200 },
  evmVersion: 'osaka',
  viaIR: false,
  metadata: { bytecodeHash: 'none', appendCBOR: false },
}
/** The oldest fork whose instructions the code may use. */
const OLDEST = 'cancun'
const CODE_MAX = 24_576

const read = (file) => readFileSync(new URL(file, ROOT), 'utf8')

function compile(evmVersion) {
  const selection = ({ name }) => ({ [name]: ['abi', 'evm.bytecode', 'evm.deployedBytecode', 'storageLayout'] })
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(CONTRACTS.map(({ path }) => [path, { content: read(path) }])),
    settings: {
      ...SETTINGS,
      evmVersion,
      outputSelection: Object.fromEntries(CONTRACTS.map((one) => [one.path, selection(one)])),
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
  return CONTRACTS.map(({ name, path }) => output.contracts[path][name])
}

function artifact({ name, genesis }, { abi, evm, storageLayout }) {
  const code = evm.deployedBytecode
  const size = code.object.length / 2
  if (size > CODE_MAX) throw new Error(`${name}: ${size} bytes of code, at most ${CODE_MAX}`)
  const gaps = ['immutableReferences', 'linkReferences']
  if (genesis && gaps.some((gap) => Object.keys(code[gap] ?? {}).length)) {
    throw new Error(`${name}: the code has gaps, which genesis cannot fill`)
  }
  const bytecode = genesis
    ? { storageLayout: layoutOf(storageLayout), deployedBytecode: `0x${code.object}` }
    : { bytecode: `0x${evm.bytecode.object}` }
  const whole = { contract: name, solc: solc.version(), settings: SETTINGS, abi, ...bytecode }
  return `${JSON.stringify(whole, null, 2)}\n`
}

const built = compile(SETTINGS.evmVersion)
const oldest = compile(OLDEST)
let wrong = 0
CONTRACTS.forEach((contract, i) => {
  const file = new URL(`artifacts/${contract.name}.json`, ROOT)
  if (!contract.genesis && built[i].evm.bytecode.object !== oldest[i].evm.bytecode.object) {
    console.error(`${contract.name} needs a later fork than ${OLDEST}`)
    wrong++
  }
  const text = artifact(contract, built[i])
  if (process.env.UPDATE_ARTIFACT === '1') {
    writeFileSync(file, text)
    console.log(`wrote artifacts/${contract.name}.json`)
  } else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    console.error(
      `artifacts/${contract.name}.json is not what the sources compile to; if the change is ` +
        'meant, run UPDATE_ARTIFACT=1 node tools/bridge.mjs',
    )
    wrong++
  } else {
    console.log(`artifacts/${contract.name}.json reproduces byte for byte`)
  }
})
process.exit(wrong ? 1 : 0)
