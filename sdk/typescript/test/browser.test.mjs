// The verifier and <tbsi-proof> in a real browser, under a strict policy, without a network.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { verify, stringify } from '@tbsi/sdk/verify'
import { complaints, launch, noBrowser, serve } from './browser.mjs'
import { bundleCases, bytes, read } from './vectors.mjs'

const built = (name) => readFileSync(new URL(`../dist/browser/${name}`, import.meta.url))
const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"
const options = { skip: noBrowser }

test('verdicts in a page are those in Node.js, offline', options, async () => {
  const { genesis } = read('bundle.json')
  const shared = read('verdicts.json').cases.map((it) =>
    ({ ...it, proof: it.text ?? bytes(it.bytes), trust: { genesis: JSON.stringify(genesis) } }))
  const questions = [...bundleCases(), ...shared].map(({ name, proof, trust }) => ({ name, proof, trust }))
  const page_ = '<!doctype html><script type="module" src="page.js"></script>'
  const script = `import { verify, stringify } from './verify.js'
    window.judge = ({ proof, trust }) =>
      stringify(verify({ proof: Array.isArray(proof) ? new Uint8Array(proof) : proof, trust }))`
  const { server, url } = await serve({
    '/': ['text/html', page_], '/page.js': ['text/javascript', script],
    '/verify.js': ['text/javascript', built('verify.js')],
  }, POLICY)
  const browser = await launch()
  try {
    const context = await browser.newContext()
    const page = await context.newPage()
    const wrong = complaints(page)
    await page.goto(url)
    await page.waitForFunction(() => window.judge !== undefined)
    await context.setOffline(true)
    server.close()
    for (const { name, proof, trust } of questions) {
      const given = { proof: typeof proof === 'string' ? proof : [...proof], trust }
      const said = await page.evaluate((question) => window.judge(question), given)
      assert.equal(said, stringify(verify({ proof, trust })), name)
    }
    assert.ok(questions.length > 120)
    assert.deepEqual(wrong, [])
  } finally {
    await browser.close()
    server.close()
  }
})

test('<tbsi-proof> beside a document', options, async () => {
  const { genesis } = read('bundle.json')
  const good = bundleCases().find(({ name }) => name === 'two handovers (json)')
  const hostile = JSON.parse(good.proof)
  hostile.validators[0].nameEn = '<img src=x onerror=alert(1)>'
  const element = (attributes) => `<tbsi-proof genesis="genesis.json" ${attributes}></tbsi-proof>`
  const html = `<!doctype html><html lang="en"><script type="module" src="tbsi-proof.js"></script><body>
    ${element('id="good" src="good.json"')} ${element('id="zh" src="good.json" lang="zh-TW"')}
    ${element('id="bad" src="bad.json"')} ${element('id="none" src="none.json"')}
    ${element('id="file" src="good.json" file="other.pdf"')}
    <tbsi-proof id="trust" src="good.json"></tbsi-proof>`
  const { server, url } = await serve({
    '/': ['text/html', html], '/tbsi-proof.js': ['text/javascript', built('tbsi-proof.js')],
    '/genesis.json': ['application/json', JSON.stringify(genesis)],
    '/good.json': ['application/json', good.proof],
    '/bad.json': ['application/json', JSON.stringify(hostile)],
    '/other.pdf': ['application/pdf', 'another document'],
  }, POLICY)
  const browser = await launch()
  try {
    const page = await browser.newPage()
    const wrong = complaints(page)
    await page.goto(url)
    const expected = {
      good: ['valid', 'The proof holds'], zh: ['valid', '證明驗證通過'],
      bad: ['invalid', 'The proof does not hold'], none: ['could not tell', 'This is no proof'],
      file: ['invalid', 'not the one that was attested'], trust: ['could not tell', 'genesis file'],
    }
    for (const [id, [verdict, words]] of Object.entries(expected)) {
      await page.waitForFunction((of) => document.getElementById(of).report !== undefined, id)
      const report = page.locator(`#${id} [part=report]`)
      assert.equal(await report.getAttribute('data-verdict'), verdict, id)
      assert.ok((await report.textContent()).includes(words), `${id}: ${await report.textContent()}`)
    }
    assert.equal(await page.locator('img').count(), 0)
    // What is missing was asked for, and nothing else went wrong.
    assert.deepEqual(wrong.filter((text) => !text.includes('404')), [])
  } finally {
    await browser.close()
    server.close()
  }
})
