// Builds `dist`: modules and types by the compiler, and single files for pages without a bundler.
//
// usage: node build.mjs
import { build } from 'esbuild'
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

rmSync(here('dist'), { recursive: true, force: true })
execFileSync(process.execPath, [here('node_modules/typescript/bin/tsc'), '-p', here('.')], {
  stdio: 'inherit',
})
await build({
  entryPoints: {
    'verify': here('src/verify/index.ts'),
    'sdk': here('src/index.ts'),
    'tbsi-proof': here('src/element/index.ts'),
  },
  outdir: here('dist/browser'),
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
})
