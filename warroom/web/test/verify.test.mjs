// Proofs and time stamps that are dropped on the page, good and tampered, with and without a connection.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { file, go, launch, noBrowser, shoot, trust, visit } from './browser.mjs'
import { serve } from './mock/server.mjs'
import { DOCUMENT, FORM, SALT, world } from './mock/world.mjs'

const options = { skip: noBrowser }
const vectors = (name) => JSON.parse(readFileSync(new URL(`../../../tests/vectors/${name}`, import.meta.url), 'utf8'))
const content = (it) => (it.text === undefined ? Buffer.from(it.bytes.slice(2), 'hex') : Buffer.from(it.text))

const net = world()

async function drop(page, ...files) {
  await page.locator('.drop input').setInputFiles(files)
}

/** Drops a proof, and waits for the verdict that is expected. */
async function verdict(page, files, expected) {
  const again = page.getByRole('button', { name: 'Begin anew' })
  if (await again.count() > 0) await again.click()
  await page.waitForFunction(() => document.querySelector('tbsi-proof') === null)
  await drop(page, ...files)
  const report = page.locator('tbsi-proof [part=report]')
  await report.waitFor()
  assert.equal(await report.getAttribute('data-verdict'), expected)
  return report
}

test('tampered proofs are refused, with the reason; the page works offline once loaded', options, async () => {
  const room = await serve(net)
  const browser = await launch()
  try {
    const { context, page, wrong } = await visit(browser)
    await page.goto(room.url)
    // The page is kept once its worker is in charge.
    await page.evaluate(async () => { await navigator.serviceWorker.ready })
    const { genesis } = vectors('bundle.json')
    await trust(page, room, JSON.stringify(genesis), '.bar')
    await go(page, room, 'verify')
    await context.setOffline(true)
    room.close()
    await page.reload()
    await page.waitForSelector('.drop')
    const cases = [...vectors('verdicts.json').cases, ...vectors('map_verdicts.json').cases]
    const good = cases.filter((it) => it.verdict === 'valid').slice(0, 3)
    // Each code of what is invalid, and twenty at least.
    const tampered = [...new Map(cases.filter((it) => it.verdict === 'invalid').map((it) => [it.code, it])).values()]
    tampered.push(...cases.filter((it) => it.verdict === 'invalid' && !tampered.includes(it)).filter((_, at) => at % 9 === 0).slice(0, 14))
    assert.ok(tampered.length >= 20, String(tampered.length))
    for (const it of good) await verdict(page, [file('a.tbsi.json', content(it))], 'valid')
    for (const it of tampered) {
      const report = await verdict(page, [file('a.tbsi.json', content(it))], 'invalid')
      const text = await report.textContent()
      assert.ok(text.includes(`${it.code}: `), `${it.name}: ${text}`)
      assert.equal(await page.locator('tbsi-proof [data-state=fails]').count(), 1, it.name)
    }
    assert.deepEqual(wrong.filter((text) => !text.includes('ERR_INTERNET_DISCONNECTED')), [])
  } finally {
    await browser.close()
    room.close()
  }
})

test('a proof with its document and salt', options, async () => {
  const room = await serve(net)
  const browser = await launch()
  try {
    const { page, wrong } = await visit(browser)
    await trust(page, room, net.genesisText)
    await go(page, room, 'verify')
    const proof = file('minutes.pdf.tbsi.json', JSON.stringify(net.bundle(net.named.document)))
    const held = await verdict(page, [proof, file('minutes.pdf', DOCUMENT)], 'valid')
    assert.ok((await held.textContent()).includes('has this digest, to the last bit'))
    await shoot(page, 'en-verify-valid')
    const other = await verdict(page, [proof, file('minutes.pdf', `${DOCUMENT} `)], 'invalid')
    assert.ok((await other.textContent()).includes('otherFile'))
    await shoot(page, 'en-verify-other-file')
    const salted = file('form.txt.tbsi.json', JSON.stringify(net.bundle(net.named.salted)))
    const salt = file('form.txt.tbsi.salt', `${SALT.toString('hex')}\n`)
    await verdict(page, [salted, file('form.txt', FORM), salt], 'valid')
    await verdict(page, [salted, file('form.txt', FORM)], 'could not tell')
    // Too large for a proof: refused before it is read.
    await page.getByRole('button', { name: 'Begin anew' }).click()
    await drop(page, file('bomb.tbsi.json', Buffer.alloc(33 * 1024 * 1024, '[')))
    await page.waitForSelector('.notice.lie')
    assert.ok((await page.locator('main .notice.lie').textContent()).includes('33554432 bytes'))
    // Nested too deep: no verdict, and the page lives.
    await page.getByRole('button', { name: 'Begin anew' }).click()
    await verdict(page, [file('deep.tbsi.json', '['.repeat(4 * 1024 * 1024))], 'could not tell')
    assert.deepEqual(wrong, [])
  } finally {
    await browser.close()
    room.close()
  }
})

test('time stamps of another authority, whole and changed', options, async () => {
  const room = await serve(net)
  const browser = await launch()
  try {
    const { page, wrong } = await visit(browser)
    await go(page, room, 'verify')
    const { replies: [{ reply }], trust: certificates } = vectors('evidence_records.json')
    const token = Buffer.from(reply.slice(2), 'hex')
    const shown = async (expected, ...files) => {
      const again = page.getByRole('button', { name: 'Begin anew' })
      if (await again.count() > 0) await again.click()
      await page.waitForFunction(() => document.querySelector('.report') === null)
      await drop(page, ...files)
      const report = page.locator('.report')
      await report.waitFor()
      assert.equal(await report.getAttribute('data-verdict'), expected, await report.textContent())
      return report.textContent()
    }
    const stamp = file('a.tsr', token)
    const pem = file('authority.pem', certificates)
    await shown('could not tell', stamp)
    await shown('valid', stamp, pem, file('a', 'a'))
    await shoot(page, 'en-verify-stamp')
    assert.ok((await shown('invalid', stamp, pem, file('a', 'b'))).includes('another digest'))
    // One bit of the time that is stamped, and one of the signature.
    const changed = (at) => { const copy = Buffer.from(token); copy[at] ^= 1; return file('a.tsr', copy) }
    const time = token.indexOf('20200914') + 7
    assert.ok(time > 7)
    assert.ok((await shown('invalid', changed(time), pem)).includes('changed after it was signed'))
    assert.ok((await shown('invalid', changed(token.length - 1), pem)).includes('not by the certificate'))
    await shown('could not tell', file('a.tsr', token.subarray(0, 300)), pem)
    assert.deepEqual(wrong, [])
  } finally {
    await browser.close()
    room.close()
  }
})
