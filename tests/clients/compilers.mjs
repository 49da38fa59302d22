// Compilers where Hardhat keeps those that it downloaded: npm's solc, also by the name of a native
// one. Its own download is from no registry of packages.
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { longVersion } from './solc.mjs'

const SOLC = fileURLToPath(new URL('./solc.mjs', import.meta.url))
const SOLJSON = createRequire(import.meta.url).resolve('solc/soljson.js')

/** Fills a directory that Hardhat is then told of by XDG_CACHE_HOME; returns it. */
export function compilers(cache) {
  for (const kept of ['compilers-v2', 'compilers-v3']) {
    const dir = join(cache, 'hardhat-nodejs', kept)
    const native = listed(join(dir, 'linux-amd64'), `solc-linux-amd64-v${longVersion}`)
    writeFileSync(native, `#!/bin/sh\nexec node "${SOLC}" "$@"\n`)
    chmodSync(native, 0o755)
    symlinkSync(SOLJSON, listed(join(dir, 'wasm'), `soljson-v${longVersion}.js`))
  }
  return cache
}

/** Writes the list of a platform with one compiler; returns where that is to be. */
function listed(dir, path) {
  const [version, build] = longVersion.split('+')
  const entry = { path, version, build, longVersion, urls: [], keccak256: '', sha256: '' }
  const list = { builds: [entry], releases: { [version]: path }, latestRelease: version }
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'list.json'), JSON.stringify(list))
  return join(dir, path)
}
