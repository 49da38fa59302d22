// A real browser, which the environment names: TBSI_CHROMIUM.
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after } from 'node:test'
import { chromium } from 'playwright-core'
import { NOW_MS } from './mock/world.mjs'

const executablePath = process.env.TBSI_CHROMIUM
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Whether there is one; tests that need it are skipped otherwise. */
export const noBrowser = executablePath ? false : 'needs a browser: set TBSI_CHROMIUM'

/** Milliseconds that a condition is waited for. */
const WAIT_MS_MAX = 120_000

let running

/** One browser for all tests of a file; `close` leaves it without visitors. */
export async function launch() {
  // Containers let no process make the namespaces of Chromium's own sandbox.
  running ??= chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
  const browser = await running
  return {
    newContext: (of) => browser.newContext(of),
    close: async () => { for (const context of browser.contexts()) await context.close() },
  }
}

after(async () => { await (await running)?.close() })

/** A visitor at a time, by default that of the small network's newest block; what the page complains of is in `wrong`. */
export async function visit(browser, { language = 'en', width = 1100, height = 800, dark = false, now = NOW_MS } = {}) {
  const context = await browser.newContext({
    locale: language === 'en' ? 'en-GB' : 'zh-TW', viewport: { width, height }, colorScheme: dark ? 'dark' : 'light',
  })
  // A condition that does not come about on a busy machine is waited for long enough.
  context.setDefaultTimeout(WAIT_MS_MAX)
  const page = await context.newPage()
  await page.clock.setFixedTime(now)
  const wrong = []
  page.on('console', (message) => { if (message.type() === 'error') wrong.push(message.text()) })
  page.on('pageerror', (error) => { wrong.push(String(error)) })
  page.on('dialog', (dialog) => { wrong.push(`a dialog: ${dialog.message()}`); void dialog.dismiss() })
  return { context, page, wrong }
}

export const file = (name, content) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(content) })

/** Goes to a page of the room, by its address after `#`. */
export async function go(page, room, route) {
  const at = `${room.url}#/${route}`
  if (page.url().startsWith(room.url)) await page.evaluate((hash) => { location.hash = hash }, `#/${route}`)
  else await page.goto(at)
  await page.waitForFunction((hash) => location.hash === hash, `#/${route}`)
}

/** Chooses the genesis file, as a visitor does. */
export async function trust(page, room, genesis, bar = '.bar.good') {
  await go(page, room, 'trust')
  await page.locator('#own ~ .drop input').setInputFiles(file('genesis.json', genesis))
  await page.waitForSelector(bar)
}

/** What axe complains of, of the rules of WCAG 2.2 A and AA; to be empty. */
export async function axe(page) {
  await page.evaluate(AXE)
  const { violations } = await page.evaluate(() => window.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
  }))
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary?.split('\n')[1] ?? ''}`))
}

const shots = process.env.TBSI_SCREENSHOTS

export async function shoot(page, name) {
  if (!shots) return
  mkdirSync(shots, { recursive: true })
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
}
