// Whether the system contracts, as the artifacts have them, fit the storage that is described in
// tests/vectors/storage_layouts.json. UPDATE_LAYOUTS=1 adds what was appended; what no longer fits
// is refused, since no network could take that code (SPEC §13.12). NEW_NETWORKS=1 with it writes
// what is there, for a version with which networks are founded anew.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { misfit } from './layout.mjs'

const ARTIFACTS = new URL('../artifacts/', import.meta.url)
const VECTORS = new URL('../../../tests/vectors/storage_layouts.json', import.meta.url)

const json = (url) => JSON.parse(readFileSync(url, 'utf8'))
const update = process.env.UPDATE_LAYOUTS === '1'
const anew = update && process.env.NEW_NETWORKS === '1'
const known = json(VECTORS)
let failures = 0

const complain = (words) => {
  failures += 1
  console.error(words)
}

for (const { name, before, after, misfit: expected } of known.cases) {
  const got = misfit(before, after)
  if (got !== expected) complain(`case ${name}: ${got}, expected ${expected}`)
}
const layouts = {}
for (const file of readdirSync(ARTIFACTS).sort()) {
  const { contract, storageLayout } = json(new URL(file, ARTIFACTS))
  if (!storageLayout) continue
  layouts[contract] = storageLayout
  const before = known.contracts[contract]
  const problem = before ? misfit(before, storageLayout) : null
  if (problem && !anew) complain(`${contract}: ${problem}: the new code does not fit its storage`)
  else if (JSON.stringify(before) === JSON.stringify(storageLayout)) {
    console.log(`${contract}: ${storageLayout.length} variables as they were`)
  } else if (!update) {
    complain(`${contract}: there are new variables; if that is meant, run UPDATE_LAYOUTS=1 node tools/layouts.mjs`)
  }
}
for (const contract of Object.keys(known.contracts)) {
  if (!layouts[contract] && !anew) complain(`${contract}: its artifact is gone`)
}
if (failures) process.exit(1)
if (update) {
  writeFileSync(VECTORS, `${JSON.stringify({ ...known, contracts: layouts }, null, 2)}\n`)
  console.log('wrote tests/vectors/storage_layouts.json')
}
