#!/usr/bin/env node
// npm's solc (JavaScript) behind the two calls that forge makes of a native one.
import { readFileSync } from 'node:fs'
import solc from 'solc'

if (process.argv.includes('--version')) {
  const version = solc.version().replace('.Emscripten.clang', '.Linux.g++')
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${version}`)
} else if (process.argv.includes('--standard-json')) {
  process.stdout.write(solc.compile(readFileSync(0, 'utf8')))
} else {
  console.error(`solc.mjs: ${process.argv.slice(2).join(' ')}: use --version or --standard-json`)
  process.exit(2)
}
