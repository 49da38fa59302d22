// Every page in both languages, at the desk and on a phone, in the light and in the dark.
import assert from 'node:assert/strict'
import test from 'node:test'
import { axe, file, go, launch, noBrowser, shoot, trust, visit } from './browser.mjs'
import { serve } from './mock/server.mjs'
import { DOCUMENT, FORM, SALT, world } from './mock/world.mjs'

const options = { skip: noBrowser }
const net = world()
const { named } = net

/** Each page, and what shows that it is there. */
const PAGES = [
  ['now', '[data-recount=done]'],
  [`search?q=04595257`, '.hits a'],
  [`attestation/${named.document}`, '[data-outcome=stands]'],
  [`attestation/${named.revoked}`, '[data-outcome=revoked]'],
  [`attestation/${named.ballots[0]}`, '#act ~ p .mark.proven'],
  ['verify', '.drop'],
  ['organisations', 'tbody tr:nth-child(4)'],
  ['organisations/1', '.facts'],
  ['motions', 'tbody tr'],
  ['motions/1', 'tbody tr:nth-child(3)'],
  ['chains', '.chain'],
  ['consents', 'p.lead'],
  [`provenance?id=${net.all[named.old].id}`, '.graph'],
  ['follow', 'option[value="4"]'],
  ['trust', '#trusted'],
  ['leaves?kind=attestation', 'tbody tr:nth-child(50)'],
]

/** `checked`: axe looks at each page too. Both colours, widths and languages have one such round. */
async function through(browser, room, { language, width, dark, checked = false }) {
  const { context, page, wrong } = await visit(browser, { language, width, dark })
  const label = `${language}${width < 500 ? '-phone' : ''}${dark ? '-dark' : ''}`
  await page.goto(room.url)
  await page.waitForSelector('.bar.open')
  assert.deepEqual(await axe(page), [], `${label}: before a genesis file is chosen`)
  await shoot(page, `${label}-first`)
  await trust(page, room, net.genesisText)
  const complaints = []
  for (const [route, there] of PAGES) {
    await go(page, room, route)
    await page.waitForSelector(there, { state: 'attached' })
    // What is proven in the page shows a verdict before the picture is taken.
    if (route.startsWith('attestation')) await page.waitForSelector('tbsi-proof [data-verdict]')
    if (checked) complaints.push(...(await axe(page)).map((it) => `${label} ${route}: ${it}`))
    const wide = await page.evaluate(() => document.documentElement.scrollWidth)
    if (wide > width) complaints.push(`${label} ${route}: ${wide} wide`)
    const heading = await page.locator('h1').textContent()
    const chinese = /[\u4e00-\u9fff]/.test(heading)
    assert.equal(chinese, language !== 'en', `${label} ${route}: ${heading}`)
    await shoot(page, `${label}-${route.split('?')[0].replaceAll('/', '-')}`)
  }
  assert.deepEqual(complaints, [])
  assert.deepEqual(wrong, [], label)
  await context.close()
}

test('every page, in both languages, at the desk and on a phone', options, async () => {
  const room = await serve(net)
  const browser = await launch()
  try {
    await through(browser, room, { language: 'en', width: 1100, dark: false, checked: true })
    await through(browser, room, { language: 'zh-TW', width: 1100, dark: true })
    await through(browser, room, { language: 'zh-TW', width: 360, dark: true, checked: true })
    await through(browser, room, { language: 'en', width: 360, dark: false })
  } finally {
    await browser.close()
    room.close()
  }
})

test('figures carry a mark that opens their proof; the recount agrees', options, async () => {
  const room = await serve(net)
  const browser = await launch()
  try {
    const { page, wrong } = await visit(browser)
    await page.goto(room.url)
    // Without a genesis file nothing is called checked.
    await page.waitForSelector('.figures')
    assert.equal(await page.locator('main .mark.proven').count(), 0)
    await trust(page, room, net.genesisText)
    await go(page, room, 'now')
    await page.waitForSelector('[data-recount=done]')
    assert.ok((await page.locator('[data-recount]').textContent()).includes('600'))
    assert.equal(await page.locator('main .mark.wrong').count(), 0)
    const mark = page.locator('.figures div:nth-child(4) button.mark')
    await mark.click()
    const attestations = net.all.filter(({ kind }) => kind === 'attestation').length
    const how = await page.locator('.figures div:nth-child(4) .how').textContent()
    assert.ok(how.includes(`counted ${attestations} in the 600 records`), how)
    // By keyboard alone: the skip link, then the navigation.
    await page.reload()
    await page.waitForSelector('.bar.good')
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate(() => document.activeElement?.className), 'skip')
    await page.keyboard.press('Enter')
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'main')
    assert.deepEqual(wrong, [])
    // Names of the quorum are those of the certificate.
    await page.locator('.bar summary').click()
    const members = await page.locator('.members li').allTextContents()
    assert.equal(members.filter((it) => it.endsWith('– signed')).length, 3)
    assert.ok(members.some((it) => it === 'Example Auditors Ltd. – did not sign this one'), members.join())
  } finally {
    await browser.close()
    room.close()
  }
})

test('a file is found by its digest, and is never sent', options, async () => {
  const room = await serve(net)
  const browser = await launch()
  try {
    const { page, wrong } = await visit(browser)
    await trust(page, room, net.genesisText)
    await go(page, room, 'search')
    room.asked.length = 0
    const given = [{ name: 'minutes.pdf', mimeType: 'application/pdf', buffer: DOCUMENT }]
    await page.locator('.drop input').setInputFiles(given)
    await page.waitForSelector('.hits a')
    assert.equal(await page.locator('.hits a').getAttribute('href'), `#/attestation/${named.document}`)
    assert.ok(room.asked.every((it) => it.startsWith('GET ') && !it.includes('minutes')), room.asked.join('\n'))
    await page.locator('.hits a').click()
    await page.waitForSelector('[data-outcome=stands]')
    await page.waitForSelector('tbsi-proof [data-verdict=valid]')
    const steps = page.locator('tbsi-proof [part=step]')
    assert.equal(await steps.count(), 9)
    assert.equal(await page.locator('tbsi-proof [data-state=fails]').count(), 0)
    // A stranger's revocation is in the log, and counts for nothing.
    await page.emulateMedia({ media: 'print' })
    await shoot(page, 'en-print-attestation')
    await page.emulateMedia({ media: null })
    assert.ok((await page.locator('main').textContent()).includes('Somebody else said that it is revoked'))
    await go(page, room, 'search')
    const salted = [file('form.txt', FORM), file('form.txt.tbsi.salt', SALT.toString('hex'))]
    await page.locator('.drop input').setInputFiles(salted)
    await page.waitForSelector(`.hits a[href="#/attestation/${named.salted}"]`)
    assert.deepEqual(wrong, [])
  } finally {
    await browser.close()
    room.close()
  }
})

test('ballots are proven one by one', options, async () => {
  const room = await serve(net)
  const browser = await launch()
  try {
    const { page, wrong } = await visit(browser)
    await trust(page, room, net.genesisText)
    await go(page, room, 'motions/1')
    await page.getByRole('button', { name: 'Prove the ballots' }).click()
    await page.waitForSelector('tbody tr:nth-child(3) td:nth-child(2) .mark.proven')
    // A ballot that says something else than its record is called wrong.
    room.lie = (path, truth) => {
      if (path === '/motions/1') truth.ballots[2].choice = 'yes'
      return truth
    }
    await page.reload()
    await page.getByRole('button', { name: 'Prove the ballots' }).click()
    await page.waitForSelector('tbody tr:nth-child(3) td:nth-child(2) .mark.wrong')
    assert.deepEqual(wrong, [])
  } finally {
    await browser.close()
    room.close()
  }
})
