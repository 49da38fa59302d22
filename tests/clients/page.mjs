// Runs the pieces of JavaScript on the page for developers of dApps, as they stand there, with a
// proof that fits and one that does not.
//
// usage: page.mjs JSON     { address, url, leaf, index, checkpoint, path, issuer }
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const CONTRACTS = fileURLToPath(new URL('../../contracts/evm/', import.meta.url))
const given = JSON.parse(process.argv[2])
const page = readFileSync(join(CONTRACTS, 'src/bridge/README.md'), 'utf8')
const pieces = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code)
const names = ['ethers', 'viem']
assert.equal(pieces.length, names.length, 'pieces of JavaScript on the page')

const dir = mkdtempSync(join(tmpdir(), 'tbsi-page-'))
symlinkSync(fileURLToPath(new URL('node_modules', import.meta.url)), join(dir, 'node_modules'))
// The page reads artifacts from the folder of the contracts.
process.chdir(CONTRACTS)
try {
  for (const [i, name] of names.entries()) {
    assert.match(pieces[i], new RegExp(`from '${name}'`))
    const file = join(dir, `${name}.mjs`)
    const values = '{ address, url, leaf, index, checkpoint, path }'
    // Imports stay at the top; the rest becomes a function of the values that the page names.
    const lines = pieces[i].split('\n')
    const imports = lines.filter((line) => line.startsWith('import '))
    const rest = lines.filter((line) => !line.startsWith('import '))
    writeFileSync(
      file,
      [...imports, `export default async (${values}) => {`, ...rest, 'return attestation', '}'].join('\n'),
    )
    const { default: verify } = await import(pathToFileURL(file))
    const attestation = await verify(given)
    assert.equal(attestation.issuer.toLowerCase(), given.issuer.toLowerCase())
    assert.equal(Number(attestation.algorithm), 0x12)
    assert.equal(attestation.words.length, 1)
    const other = given.leaf.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))
    const refused = await verify({ ...given, leaf: other }).then(
      () => null,
      (error) => String(error.message ?? error),
    )
    assert.match(refused ?? 'taken', /LightClientLogRoot/)
    console.log(`ok ${name}`)
  }
} finally {
  rmSync(dir, { recursive: true })
}
