// Compiles the bridge's contracts with npm's solc, without forge, and compares them with the
// committed artifacts byte for byte. UPDATE_ARTIFACT=1 writes the artifacts instead.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import solc from 'solc'
import { layoutOf } from './layout.mjs'
import { later } from './opcodes.mjs'

const ROOT = new URL('../', import.meta.url)
/** What is deployed has `bytecode`, on other chains or on our own, what is in genesis `deployedBytecode`. */
const CONTRACTS = [
  { name: 'Outbox', path: 'src/Outbox.sol', genesis: true },
  { name: 'LightClient', path: 'src/bridge/LightClient.sol' },
  { name: 'Inbox', path: 'src/bridge/Inbox.sol' },
  { name: 'IbcLightClient', path: 'src/bridge/IbcLightClient.sol' },
  { name: 'DocumentRegister', path: 'src/bridge/examples/DocumentRegister.sol' },
  { name: 'FabricFacts', path: 'src/fabric/FabricFacts.sol', own: true },
].filter(({ path }) => existsSync(new URL(path, ROOT)))
/** What decides the bytecode; foundry.toml says the same. */
const SETTINGS = {
  remappings: ['@openzeppelin/=node_modules/@openzeppelin/'],
  optimizer: { enabled: true, runs: 200 },
  evmVersion: 'osaka',
  viaIR: false,
  metadata: { bytecodeHash: 'none', appendCBOR: false },
}
/** What other chains' contracts are compiled for. */
const ELSEWHERE = 'london'
/** Rules whose instructions suffice for them: GoQuorum has Berlin's, without BASEFEE. */
const OLDEST = 'berlin'
/** Our own chain's rules are known; other chains' are not. */
const isOurs = ({ genesis, own }) => Boolean(genesis || own)
const settingsOf = (one) => ({ ...SETTINGS, evmVersion: isOurs(one) ? 'osaka' : ELSEWHERE })
const CODE_MAX = 24_576

const read = (file) => readFileSync(new URL(file, ROOT), 'utf8')

/** Compiles those contracts that are for the same rules. */
function compile(contracts) {
  const selection = ({ name }) => ({ [name]: ['abi', 'evm.bytecode', 'evm.deployedBytecode', 'storageLayout'] })
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(contracts.map(({ path }) => [path, { content: read(path) }])),
    settings: {
      ...settingsOf(contracts[0]),
      outputSelection: Object.fromEntries(contracts.map((one) => [one.path, selection(one)])),
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
  return contracts.map((one) => ({ ...one, built: output.contracts[one.path][one.name] }))
}

function artifact({ name, genesis, own, built: { abi, evm, storageLayout } }) {
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
  const settings = settingsOf({ genesis, own })
  const whole = { contract: name, solc: solc.version(), settings, abi, ...bytecode }
  return `${JSON.stringify(whole, null, 2)}\n`
}

const compiled = [true, false].flatMap((ours) =>
  compile(CONTRACTS.filter((one) => isOurs(one) === ours)),
)
let wrong = 0
compiled.forEach((contract) => {
  const file = new URL(`artifacts/${contract.name}.json`, ROOT)
  const tooNew = isOurs(contract) ? [] : later(contract.built.evm.bytecode.object, OLDEST)
  if (tooNew.length) {
    console.error(`${contract.name} has what ${OLDEST} has not: ${tooNew.slice(0, 5).join(', ')}`)
    wrong++
  }
  const text = artifact(contract)
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
