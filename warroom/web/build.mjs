// Builds `dist`: the page, its service worker, and <tbsi-proof> in one file.
//
// usage: node build.mjs
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const kit = (path) => here(`../../sdk/typescript/src/${path}`)

const shared = {
  root: here('.'),
  configFile: false,
  logLevel: 'warn',
  resolve: {
    // The kit's sources, with the libraries that this folder's lock file names.
    alias: [
      { find: /^@tbsi\/verify\/(.*)\.js$/, replacement: `${kit('verify')}/$1.ts` },
      { find: /^@tbsi\/element\/(.*)\.js$/, replacement: `${kit('element')}/$1.ts` },
      { find: '@tbsi/document.js', replacement: kit('client/document.ts') },
    ],
    dedupe: ['@noble/curves', '@noble/hashes'],
  },
}

await build({
  ...shared,
  // Works below any path of any host.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
  build: {
    target: 'es2022', outDir: here('dist'), emptyOutDir: true, modulePreload: { polyfill: false },
    // Nothing is inlined: the page's policy allows no script or style of its own text.
    assetsInlineLimit: 0, reportCompressedSize: false,
  },
})
await build({
  ...shared,
  publicDir: false,
  build: {
    target: 'es2022', outDir: here('dist'), emptyOutDir: false, reportCompressedSize: false,
    lib: { entry: kit('element/index.ts'), formats: ['es'], fileName: () => 'tbsi-proof.js' },
  },
})

const files = readdirSync(here('dist'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => `${entry.parentPath}/${entry.name}`.slice(here('dist').length + 1))
  .filter((name) => name !== 'sw.js')
  .sort()
const hash = createHash('sha256')
for (const name of files) hash.update(name).update(readFileSync(here(`dist/${name}`)))
const listed = files.map((name) => (name === 'index.html' ? './' : `./${name}`))
const worker = readFileSync(here('src/sw.js'), 'utf8')
  .replace('__FILES__', JSON.stringify(listed))
  .replace('__VERSION__', hash.digest('hex').slice(0, 16))
writeFileSync(here('dist/sw.js'), worker)
