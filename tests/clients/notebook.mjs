// Compiles Notebook.sol. As a program it prints the creation code, for `cast send --create`.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import solc from 'solc'

/** The contract's ABI and its creation code (0x-hex). */
export function compileNotebook() {
  const content = readFileSync(new URL('./Notebook.sol', import.meta.url), 'utf8')
  const input = {
    language: 'Solidity',
    sources: { 'Notebook.sol': { content } },
    settings: {
      evmVersion: 'osaka',
      optimizer: { enabled: true },
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
    },
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input)))
  if (output.errors !== undefined) {
    throw new Error(output.errors.map((error) => error.formattedMessage).join('\n'))
  }
  const { abi, evm } = output.contracts['Notebook.sol'].Notebook
  return { abi, bytecode: `0x${evm.bytecode.object}` }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(compileNotebook().bytecode)
}
