// What a visitor has to load before a chart is drawn.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import test from 'node:test'
import { gzipSync } from 'node:zlib'

const DIST = new URL('../dist/', import.meta.url)
const LIMIT = 300_000
const read = (name) => readFileSync(new URL(name, DIST))

test('the page has at most 300 kB, gzipped, before charts', () => {
  const assets = readdirSync(new URL('assets/', DIST)).map((name) => `assets/${name}`)
  const charts = assets.filter((name) => /\/plot-/.test(name))
  assert.ok(charts.length >= 1, assets.join())
  const loaded = ['index.html', 'sw.js', 'icon.svg', 'manifest.webmanifest', ...assets.filter((name) => !charts.includes(name))]
  const bytes = loaded.reduce((sum, name) => sum + gzipSync(read(name), { level: 9 }).length, 0)
  console.log(`page: ${bytes} bytes gzipped, charts: ${charts.reduce((sum, name) => sum + gzipSync(read(name)).length, 0)}`)
  assert.ok(bytes <= LIMIT, `${bytes} bytes`)
})

test('nothing of the page is inline, and nothing is of another host', () => {
  const html = read('index.html').toString()
  assert.ok(!/<script(?![^>]*\ssrc=)[^>]*>/.test(html) && !/<style/.test(html) && !/\sstyle=/.test(html), html)
  const addresses = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address)
  assert.ok(addresses.every((it) => it.startsWith('./')), addresses.join())
})
