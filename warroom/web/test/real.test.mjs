// The page against a real follower of a real network, which the environment names: TBSI_ROOM, its
// address, and TBSI_GENESIS, a file. `tests/tests/page.rs` starts them; without them all is skipped.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { axe, go, launch, noBrowser, shoot, trust, visit } from './browser.mjs'

const { TBSI_ROOM: url, TBSI_GENESIS: genesisFile } = process.env
const options = { skip: noBrowser || (url ? false : 'needs a war room: `cargo test -p tbsi-tests --test page` starts one') }
const room = { url }

const ask = async (path) => (await fetch(`${url}api/v1/${path}`)).json()

/** Positions of leaves that the page shows, by what they are. */
async function named() {
  const { items } = await ask('attestations?kind=any&limit=200')
  const of = (kind) => items.filter((it) => it.statement.kind === kind).map((it) => it.position).sort((a, b) => a - b)
  const [revocation] = of('revocation')
  const attestations = of('attestation')
  const shown = await Promise.all(attestations.map((it) => ask(`attestations/${it}`)))
  const revoked = shown.find(({ verdict }) => verdict === 'revoked')
  return { attestations, revocation, revoked: revoked.position, id: shown[0].id }
}

for (const [language, width, dark] of [['en', 1100, false], ['zh-TW', 1100, false], ['zh-TW', 360, true]]) {
  test(`every page of a real war room, ${language}, ${width} wide`, options, async () => {
    const browser = await launch()
    try {
      const { attestations, revoked, id } = await named()
      const { page, wrong } = await visit(browser, { language, width, dark, now: Date.now() })
      await trust(page, room, readFileSync(genesisFile))
      const pages = [
        ['now', '[data-recount=done]'],
        ['search?q=04595257', '.hits a'],
        [`attestation/${attestations[0]}`, '[data-outcome=superseded]'],
        [`attestation/${revoked}`, '[data-outcome=revoked]'],
        ['organisations', 'tbody tr:nth-child(5)'],
        ['organisations/1', '.facts'],
        ['motions', 'tbody tr:nth-child(2)'],
        ['motions/1', 'tbody tr:nth-child(3)'],
        ['chains', '.chain'],
        ['consents', 'tbody tr:nth-child(3)'],
        ['consents/1', 'tbody tr:nth-child(3)'],
        [`provenance?id=${id}`, '.graph'],
        ['leaves?kind=governanceAct', 'tbody tr'],
      ]
      const complaints = []
      for (const [route, there] of pages) {
        await go(page, room, route)
        await page.waitForSelector(there, { state: 'attached' })
        if (route === 'consents/1') await proven(page)
        complaints.push(...(await axe(page)).map((it) => `${route}: ${it}`))
        const wide = await page.evaluate(() => document.documentElement.scrollWidth)
        if (wide > width) complaints.push(`${route}: ${wide} wide`)
        const name = `real-${language}${width < 500 ? '-phone' : ''}${dark ? '-dark' : ''}-${route.split('?')[0].replaceAll('/', '-')}`
        await shoot(page, name)
      }
      assert.deepEqual(complaints, [])
      assert.deepEqual(wrong, [])
      // Nothing that is shown contradicts what was proven.
      assert.equal(await page.locator('main .mark.wrong').count(), 0)
    } finally {
      await browser.close()
    }
  })
}

/** Acts and uses of the authorisation are proven one by one. */
async function proven(page) {
  await page.locator('button.main').click()
  const marks = page.locator('main table .mark')
  await page.waitForFunction(() => {
    const all = [...document.querySelectorAll('main table td:first-child .mark')]
    return all.length === 4 && all.every((it) => it.classList.contains('proven'))
  })
  assert.ok(await marks.count() > 3)
}

test('acts of an authorisation that say something else are called wrong', options, async () => {
  const browser = await launch()
  try {
    const { page } = await visit(browser, { now: Date.now() })
    await trust(page, room, readFileSync(genesisFile))
    await page.route('**/api/v1/consents/1', async (route) => {
      const answer = await (await route.fetch()).json()
      answer.acts[2].terms.purposes.push(answer.dataSet)
      answer.usesShown[0].subject = answer.dataSet
      await route.fulfill({ json: answer })
    })
    await go(page, room, 'consents/1')
    await page.locator('button.main').click()
    await page.waitForFunction(() => document.querySelectorAll('main table .mark.wrong').length === 2)
  } finally {
    await browser.close()
  }
})
