// examples/credential as its page says: issue, check, revoke; a changed file is no credential.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { freshKey, genesisFile, missing, network, tbsiVerify } from './network.mjs'

const kit = fileURLToPath(new URL('..', import.meta.url))
const source = join(kit, '../../examples/credential/issuer.ts')

/** That its types are right. */
function compiles(dir) {
  const options = {
    extends: join(kit, 'tsconfig.json'),
    compilerOptions: {
      noEmit: true, declaration: false, module: 'preserve', moduleResolution: 'bundler', rootDir: '/',
      types: ['node'], typeRoots: [join(kit, 'node_modules/@types')],
      paths: { '@tbsi/sdk': [join(kit, 'dist/index.d.ts')] },
    },
    include: [source],
  }
  const file = join(dir, 'tsconfig.json')
  writeFileSync(file, JSON.stringify(options))
  const words = [join(kit, 'node_modules/typescript/bin/tsc'), '-p', file]
  const { status, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8' })
  assert.equal(status, 0, stdout)
}

test('an association issues a credential and withdraws it', { skip: missing }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'tbsi-credential-'))
  try {
    compiles(dir)
    const program = join(dir, 'issuer.mjs')
    await build({
      entryPoints: [source], bundle: true, platform: 'node', format: 'esm', outfile: program,
      alias: { '@tbsi/sdk': join(kit, 'dist/index.js') },
    })
    const env = {
      ...process.env, ETH_RPC_URL: network.url, TBSI_GENESIS: genesisFile(), ISSUER_KEY: freshKey() }
    const issuer = (...words) =>
      spawnSync(process.execPath, [program, ...words], { cwd: dir, env, encoding: 'utf8' })
    const says = (code, pattern, ...words) => {
      const { status, stdout, stderr } = issuer(...words)
      assert.equal(status, code, `${words}: ${stdout}${stderr}`)
      assert.match(`${stdout}${stderr}`, pattern)
    }
    const claims = {
      type: ['Membership'], validFrom: '2026-12-01T00:00:00Z', credentialSubject: { name: '王小明' } }
    writeFileSync(join(dir, 'claims.json'), JSON.stringify(claims))
    writeFileSync(join(dir, 'none.json'), '{}')

    says(2, /no `type`/, 'issue', 'none.json', 'none')
    says(0, /^issued 0x[0-9a-f]{64}$/m, 'issue', 'claims.json', 'member')
    says(0, /^valid/, 'check', 'member')
    const path = join(dir, 'member.json')
    const [proof, salt] = [`${path}.tbsi.json`, `${path}.tbsi.salt`]
    const verify = () => tbsiVerify([
      proof, '--genesis', genesisFile(), '--file', path, '--salt', salt, '--rpc', network.url])
    assert.equal(verify().verdict, 'valid')

    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace('王小明', '王小華'))
    says(1, /^invalid/, 'check', 'member')
    writeFileSync(path, text)
    says(2, /no reason `because`; there are: .*affiliation-changed/, 'revoke', 'member', 'because')
    says(0, /^revoked 0x/, 'revoke', 'member', 'affiliation-changed')
    says(1, /^void/, 'check', 'member')
    assert.equal(verify().verdict, 'void')
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
