// A real browser, which the environment names: TBSI_CHROMIUM.
import { createServer } from 'node:http'
import { chromium } from 'playwright-core'

const executablePath = process.env.TBSI_CHROMIUM

/** Whether there is one; tests that need it are skipped otherwise. */
export const noBrowser = executablePath ? false : 'needs a browser: set TBSI_CHROMIUM'

export function launch() {
  // Containers let no process make the namespaces of Chromium's own sandbox.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
}

/** Serves these files, each `[type, content]`, under a strict policy; where. */
export async function serve(files, policy) {
  const server = createServer(({ url }, response) => {
    const [type, content] = files[new URL(url, 'http://localhost').pathname] ?? []
    if (content === undefined) return response.writeHead(404).end()
    response.writeHead(200, { 'content-type': type, 'content-security-policy': policy }).end(content)
  })
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  return { server, url: `http://127.0.0.1:${server.address().port}` }
}

/** What the page complains of; to be empty in the end. */
export function complaints(page) {
  const all = []
  page.on('console', (message) => { if (message.type() === 'error') all.push(message.text()) })
  page.on('pageerror', (error) => { all.push(String(error)) })
  return all
}
