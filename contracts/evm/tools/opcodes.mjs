// Which rules of Ethereum the instructions of some code need, read from its bytes.
// bridge/src/evm/rules.rs asks a chain for the same instructions.

/** From the oldest rules that matter to the newest. */
export const RULES = ['istanbul', 'berlin', 'london', 'paris', 'shanghai', 'cancun', 'prague', 'osaka']

/** Instructions that came with, or after, Istanbul; those before are in every chain's rules. */
const SINCE = new Map([
  [0x46, ['CHAINID', 'istanbul']],
  [0x47, ['SELFBALANCE', 'istanbul']],
  [0x48, ['BASEFEE', 'london']],
  [0x5f, ['PUSH0', 'shanghai']],
  [0x49, ['BLOBHASH', 'cancun']],
  [0x4a, ['BLOBBASEFEE', 'cancun']],
  [0x5c, ['TLOAD', 'cancun']],
  [0x5d, ['TSTORE', 'cancun']],
  [0x5e, ['MCOPY', 'cancun']],
  [0x1e, ['CLZ', 'osaka']],
])

const inside = (code, from, to) => code >= from && code <= to
/** Whether some rules up to Osaka have an instruction with this number. */
const exists = (code) =>
  SINCE.has(code) ||
  inside(code, 0x00, 0x0b) ||
  inside(code, 0x10, 0x1d) ||
  code === 0x20 ||
  inside(code, 0x30, 0x45) ||
  inside(code, 0x50, 0x5b) ||
  inside(code, 0x60, 0xa4) ||
  inside(code, 0xf0, 0xf5) ||
  [0xfa, 0xfd, 0xfe, 0xff].includes(code)

/**
 * The instructions in hex code that rules up to `newest` do not have, as `name at position`. The
 * compiler puts the code of what a contract creates behind its own; all of it is read, from the
 * first byte to the last, and what is no instruction at all is reported too.
 */
export function later(hex, newest) {
  const code = Buffer.from(hex.replace(/^0x/, ''), 'hex')
  const limit = RULES.indexOf(newest)
  const found = []
  let at = 0
  while (at < code.length) {
    const [name, since] = SINCE.get(code[at]) ?? []
    if (since && RULES.indexOf(since) > limit) found.push(`${name} at ${at}`)
    if (!exists(code[at])) found.push(`0x${code[at].toString(16)} at ${at}`)
    at += 1 + (inside(code[at], 0x60, 0x7f) ? code[at] - 0x5f : 0)
  }
  if (at > code.length) found.push('a PUSH without its bytes')
  return found
}

/** What must be found, and what must not: the check itself is tried each time it is used. */
const CASES = [
  ['6000600055', 'london', 0],
  ['615f5e00', 'london', 0],
  ['7f' + '5f'.repeat(32) + '00', 'london', 0],
  ['5f', 'london', 1],
  ['60005f', 'london', 1],
  ['615f5f5f', 'london', 1],
  ['5f', 'shanghai', 0],
  ['5e', 'shanghai', 1],
  ['5c5d5e494a', 'london', 5],
  ['48', 'london', 0],
  ['48', 'berlin', 1],
  ['1e', 'prague', 1],
  ['1e', 'osaka', 0],
  ['0c', 'osaka', 1],
  ['61ff', 'london', 1],
]
for (const [hex, newest, count] of CASES) {
  const found = later(hex, newest)
  if (found.length !== count) throw new Error(`opcodes of ${hex} up to ${newest}: ${found}`)
}
