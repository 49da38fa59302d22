// The verifier and <tbsi-proof> in a real browser, under a strict policy, without a network.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { verify, stringify } from '@tbsi/sdk/verify'
import { complaints, launch, noBrowser, serve } from './browser.mjs'
import { mapCases } from './map-cases.mjs'
import { bundleCases, bytes, read } from './vectors.mjs'

const built = (name) => readFileSync(new URL(`../dist/browser/${name}`, import.meta.url))
const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"
const options = { skip: noBrowser }

test('verdicts in a page are those in Node.js, offline', options, async () => {
  const { genesis } = read('bundle.json')
  const cases = ['verdicts.json', 'map_verdicts.json'].flatMap((name) => read(name).cases)
  const shared = cases.map((it) =>
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

/** Proofs with the map: id, case, language, verdict, and words that are shown. */
const STAPLED = [
  ['quiet', 'not revoked', 'en', 'valid', 'proven: not revoked up to 2023-11-14 22:13:23 UTC, block 2'],
  ['since', 'nothing since the map root', 'zh-TW', 'valid',
    '經證明：截至 2023-11-15 06:13:25（臺北時間），區塊 5 未撤銷'],
  ['revoked', 'revoked', 'en', 'void',
    'proven: revoked by its issuer on 2023-11-14 22:13:22 UTC, block 2'],
  ['superseded', 'superseded, and revoked by a stranger', 'zh-TW', 'valid', `已由下列存證取代0x${'77'.repeat(32)}`],
  ['algorithm', 'of a revoked algorithm', 'zh-TW', 'void', '其摘要演算法已廢止'],
  ['absent', 'absent, nothing there', 'en', 'valid',
    'not attested by anyone up to 2023-11-14 22:13:23 UTC, block 2'],
  ['behind', 'digests behind, nothing since', 'zh-TW', 'valid', '首次存證於區塊 1，第 0 筆紀錄'],
  ['map', 'a sibling changed', 'zh-TW', 'invalid', '無法由經簽署的對照表推得'],
]

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
    ${STAPLED.map(([id, , lang]) => element(`id="${id}" src="${id}.json" lang="${lang}"`)).join('')}
    ${element('id="old" src="quiet.json" status-max-age="60"')}
    ${element('id="young" src="quiet.json" status-max-age="1e10"')}
    ${element('id="odd" src="quiet.json" status-max-age="a day"')}
    ${element('id="missing" src="good.json" status-max-age="60"')}
    <tbsi-proof id="trust" src="good.json"></tbsi-proof>`
  const { server, url } = await serve({
    '/': ['text/html', html], '/tbsi-proof.js': ['text/javascript', built('tbsi-proof.js')],
    '/genesis.json': ['application/json', JSON.stringify(genesis)],
    '/good.json': ['application/json', good.proof],
    ...Object.fromEntries(STAPLED.map(([id, name]) =>
      [`/${id}.json`, ['application/json', mapCases().find((it) => it.name === `map: ${name} (json)`).proof]])),
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
      old: ['could not tell', 'is too old'], young: ['valid', 'not revoked up to'],
      odd: ['could not tell', 'whole milliseconds'], missing: ['could not tell', 'does not say what became'],
      ...Object.fromEntries(STAPLED.map(([id, , , verdict, words]) => [id, [verdict, words]])),
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
