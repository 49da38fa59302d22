#!/usr/bin/env node
// npm's solc (JavaScript) behind the two calls that forge and Hardhat make of a native one. They
// would download theirs.
import { readFileSync, realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import solc from 'solc'

/** The version as compilers are listed by: `0.8.37+commit.6de90e7d`. */
export const longVersion = solc.version().replace('.Emscripten.clang', '')

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--version')) {
    const version = `${longVersion}.Linux.g++`
    console.log(`solc, the solidity compiler commandline interface\nVersion: ${version}`)
  } else if (process.argv.includes('--standard-json')) {
    process.stdout.write(solc.compile(readFileSync(0, 'utf8')))
  } else {
    console.error(`solc.mjs: ${process.argv.slice(2).join(' ')}: use --version or --standard-json`)
    process.exit(2)
  }
}
