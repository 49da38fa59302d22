// examples/notarise as a visitor uses it: a wallet that signs with a key, downloads, both languages.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { createWalletClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { server } from '../../../examples/notarise/serve.mjs'
import { complaints, launch, noBrowser } from './browser.mjs'
import { freshKey, genesisFile, missing, network, tbsiVerify } from './network.mjs'

/** Where to put screenshots, for somebody to look at them. */
const shots = process.env.TBSI_SCREENSHOTS

/** What a wallet injects: requests go to a function of this process, which holds the key. */
async function injectWallet(page, state) {
  const account = privateKeyToAccount(freshKey())
  const wallet = createWalletClient({ account, transport: http(network.url) })
  await page.exposeFunction('walletRequest', async ({ method, params }) => {
    state.asked.push(method)
    if (method === 'eth_requestAccounts') return { result: [account.address] }
    if (method === 'eth_chainId') return { result: state.chainId }
    if (method === 'wallet_switchEthereumChain') return { error: { code: 4902, message: 'unknown' } }
    if (method === 'wallet_addEthereumChain') {
      state.chainId = params[0].chainId
      return { result: null }
    }
    if (state.declines) return { error: { code: 4001, message: 'User rejected the request.' } }
    assert.equal(method, 'eth_sendTransaction')
    const [{ to, data }] = params
    return { result: await wallet.sendTransaction({ to, data, chain: null }) }
  })
  await page.addInitScript(() => {
    window.ethereum = {
      request: async (args) => {
        const { result, error } = await window.walletRequest(args)
        if (error) throw Object.assign(new Error(error.message), { code: error.code })
        return result
      },
    }
  })
  return account.address.toLowerCase()
}

async function shoot(page, name) {
  if (!shots) return
  mkdirSync(shots, { recursive: true })
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
}

async function download(page, id, dir) {
  const [file] = await Promise.all([page.waitForEvent('download'), page.click(id)])
  const path = join(dir, file.suggestedFilename())
  await file.saveAs(path)
  return path
}

test('a visitor notarises a document and verifies it', { skip: noBrowser || missing }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'tbsi-notarise-'))
  const pages = server({ genesis: genesisFile(), rpc: network.url })
  await new Promise((resolve) => { pages.listen(0, '127.0.0.1', resolve) })
  const browser = await launch()
  try {
    const page = await browser.newPage({ viewport: { width: 1000, height: 800 }, locale: 'en-GB' })
    const wrong = complaints(page)
    const state = { chainId: '0x1', declines: true, asked: [] }
    const issuer = await injectWallet(page, state)
    await page.goto(`http://127.0.0.1:${pages.address().port}/`)
    const document = join(dir, '合約 contract.pdf')
    writeFileSync(document, '%PDF-1.7 of this contract')
    assert.ok(await page.locator('#attest').isDisabled())
    await shoot(page, 'en-begin')

    await page.setInputFiles('#document', document)
    await page.waitForFunction(() => !window.document.getElementById('attest').disabled)
    await page.click('#attest')
    await page.waitForFunction(() =>
      window.document.getElementById('progress').textContent.includes('you declined'))
    await shoot(page, 'en-declined')
    state.declines = false
    await page.click('#attest')
    await page.waitForSelector('#done:not([hidden])', { timeout: 60_000 })
    const report = await page.locator('#made [part=report]').textContent()
    assert.ok(report.includes('The proof holds') && report.includes(issuer), report)
    assert.ok(report.includes('has this digest, to the last bit'), report)
    assert.ok(state.asked.includes('wallet_addEthereumChain'))
    await shoot(page, 'en-attested')
    const proof = await download(page, '#proof-file', dir)
    assert.ok(proof.endsWith('合約 contract.pdf.tbsi.json'), proof)
    const theirs = tbsiVerify([proof, '--file', document, '--genesis', genesisFile()])
    assert.equal(theirs.verdict, 'valid')

    await page.setInputFiles('#proof', [document, proof])
    const verdict = page.locator('#verdict [part=report]')
    await verdict.waitFor()
    assert.equal(await verdict.getAttribute('data-verdict'), 'valid')
    await page.click('#ask')
    await page.waitForFunction(() =>
      window.document.getElementById('verdict').shadowRoot.textContent.includes('not revoked as of'))
    await page.click('[data-language=zh-TW]')
    assert.ok((await verdict.textContent()).includes('證明驗證通過'))
    assert.equal(await page.title(), '文件存證')
    await shoot(page, 'zh-verified')

    writeFileSync(document, '%PDF-1.7 of that contract')
    await page.setInputFiles('#proof', [document, proof])
    await page.waitForFunction(() =>
      window.document.getElementById('verdict').shadowRoot.textContent.includes('檔案不是存證的那一份'))
    await page.setViewportSize({ width: 360, height: 740 })
    await shoot(page, 'zh-phone-other-file')
    const width = await page.evaluate(() => window.document.documentElement.scrollWidth)
    assert.ok(width <= 360, `the page is ${width} wide on a phone`)

    await salted(page, dir)
    await shoot(page, 'zh-phone-salted')
    await page.click('[data-language=en]')
    await shoot(page, 'en-phone-salted')
    assert.deepEqual(wrong, [])
  } finally {
    await browser.close()
    pages.close()
    rmSync(dir, { recursive: true })
  }
})

async function salted(page, dir) {
  const form = join(dir, 'form.txt')
  writeFileSync(form, 'yes')
  // The document of before was changed since: it has to be chosen again.
  await page.check('#salted')
  await page.waitForFunction(() =>
    window.document.getElementById('progress').textContent.includes('請重新選擇'))
  await page.setInputFiles('#document', form)
  await page.waitForFunction(() => !window.document.getElementById('attest').disabled)
  await page.click('#attest')
  await page.waitForSelector('#done:not([hidden])', { timeout: 60_000 })
  const proof = await download(page, '#proof-file', dir)
  const salt = await download(page, '#salt-file', dir)
  assert.match(readFileSync(salt, 'utf8'), /^[0-9a-f]{64}\n$/)
  const said = tbsiVerify([proof, '--file', form, '--salt', salt, '--genesis', genesisFile()])
  assert.deepEqual([said.verdict, said.file.salted], ['valid', true])
  await page.setInputFiles('#proof', [form, proof, salt])
  await page.waitForFunction(() =>
    window.document.getElementById('verdict').report?.file?.salted === true)
}
