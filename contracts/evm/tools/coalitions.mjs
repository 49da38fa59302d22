// Searches for a coalition that gains something (SPEC §13.6): sequences of acts with 4 to 12
// organisations each, and a ledger of what was tried. Many cores share the work.
//
// usage: coalitions.mjs [SEQUENCES [SEED]]     100000 and 0x1 by default; JOBS=n for n cores
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

const TEST = 'testFuzz_ACoalitionGainsNothing'
/** Sequences of one case, as the test has it. */
const WINDOWS = 4
const ORGANISATIONS = [4, 5, 6, 7, 8, 9, 10, 11, 12]

const [sequences = '100000', seed = '0x1'] = process.argv.slice(2)
if (!/^[1-9][0-9]{0,8}$/.test(sequences) || !/^0x[0-9a-f]{1,64}$/.test(seed)) {
  console.error('usage: coalitions.mjs [SEQUENCES [SEED]]: at most 999999999 of them, a seed as 0x and hex digits')
  process.exit(2)
}
const cases = Math.ceil(Number(sequences) / ORGANISATIONS.length / WINDOWS)
const forge = fileURLToPath(new URL('forge.mjs', import.meta.url))

/** Of one number of organisations: what forge says, and how long it took. */
function search(organisations) {
  const started = Date.now()
  const options = ['test', '--match-test', TEST, '--fuzz-runs', `${cases}`, '--fuzz-seed', seed]
  const child = spawn(process.execPath, [forge, ...options], {
    // The profile `long` has a number of cases of its own.
    env: { ...process.env, FOUNDRY_PROFILE: 'default', ORGANISATIONS: `${organisations}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => { said += text })
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, said, seconds: Math.round((Date.now() - started) / 1000) }))
  })
}

const waiting = [...ORGANISATIONS].reverse()
const found = new Map()
async function work() {
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    found.set(next, await search(next))
  }
}
await Promise.all(Array.from({ length: Number(process.env.JOBS ?? availableParallelism()) }, work))

let failed = false
for (const [organisations, { code, said, seconds }] of [...found].sort(([one], [other]) => one - other)) {
  const runs = Number(/\(runs: ([0-9]+),/.exec(said)?.[1] ?? 0)
  const kept = code === 0 && runs === cases
  failed ||= !kept
  console.log(`ledger: ${kept ? 'kept  ' : 'FAILED'}  ${organisations} organisations, ` +
    `${runs * WINDOWS} sequences, seed ${seed}, ${seconds} s`)
  if (!kept) console.error(said)
}
console.log(`ledger: ${cases * WINDOWS * found.size} sequences of acts of coalitions in all`)
process.exit(failed ? 1 : 0)
