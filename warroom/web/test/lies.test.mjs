// War rooms that lie: each is caught by the page, which says what contradicts what.
import assert from 'node:assert/strict'
import test from 'node:test'
import { axe, go, launch, noBrowser, shoot, trust, visit } from './browser.mjs'
import { serve, tile } from './mock/server.mjs'
import { world } from './mock/world.mjs'

const options = { skip: noBrowser }
const net = world()
const { named } = net
/** The same network with another record in an early place: its log forked. */
const forked = world({ change: (all) => { all[300].digest = `0x${'ee'.repeat(32)}` } })

async function found(page, code) {
  await page.waitForSelector(`[data-finding=${code}]`)
  return page.locator(`[data-finding=${code}]`).first().textContent()
}

/** Opens a page under a lie, trusting the genesis file beforehand. */
async function under(lie, route, use, { before } = {}) {
  const room = await serve(net)
  const browser = await launch()
  try {
    const { page, wrong } = await visit(browser)
    await trust(page, room, net.genesisText)
    await before?.(page, room)
    room.lie = lie
    await go(page, room, route)
    await page.reload()
    await use(page, room)
    assert.deepEqual(wrong.filter((it) => !/404|429/.test(it)), [])
  } finally {
    await browser.close()
    room.close()
  }
}

test('altered figures', options, () => under(
  (path, truth) => {
    if (path !== '/now') return truth
    truth.attestations += 1000
    truth.byKind[0].count += 1000
    return truth
  },
  'now',
  async (page) => {
    const words = await found(page, 'figures')
    assert.ok(words.includes('2 of them') && words.includes('attestations in all'), words)
    assert.ok(await page.locator('.figures .mark.wrong').count() >= 1)
    assert.equal(await page.locator('.bar.bad').count(), 1)
    assert.deepEqual(await axe(page), [])
    await shoot(page, 'en-lie-figures')
  }))

test('a hidden revocation, and one that never was', options, async () => {
  const hide = (path, truth) => {
    if (path === `/attestations/${named.revoked}`) Object.assign(truth, { verdict: 'stands', history: truth.history.slice(0, 1) })
    if (path === `/attestations/${named.document}`) truth.verdict = 'revoked'
    return truth
  }
  await under(hide, `attestation/${named.revoked}`, async (page, room) => {
    const words = await found(page, 'hiddenRevocation')
    assert.ok(words.includes(`record ${named.revocation}`), words)
    await page.waitForSelector('[data-outcome=revoked]')
    await shoot(page, 'en-lie-hidden-revocation')
    await go(page, room, `attestation/${named.document}`)
    await found(page, 'falseRevocation')
    await page.waitForSelector('[data-outcome=stands]')
  })
})

test('a revocation that is cut out of the tiles', options, () => under(
  // The log without the record: its tiles lead to another root.
  (path, truth) => (path.startsWith('/tiles/') ? tile(cut, path.slice(7)) ?? null : truth),
  `attestation/${named.revoked}`,
  async (page) => {
    await found(page, 'otherTiles')
    assert.equal(await page.locator('[data-outcome]').count(), 0)
  }))

const cut = world({ change: (all) => { all[named.revocation] = { ...all[named.revocation], id: `0x${'ab'.repeat(32)}` } } })

test('a stale checkpoint, and figures of more than is proven', options, async () => {
  const old = net.tip(400)
  const stale = (path, truth) => {
    if (path === '/status') {
      Object.assign(truth.checkpoint, { size: 400, root: old.logRoot, height: old.height, timeMs: old.timeMs })
      Object.assign(truth.indexed, { size: 400, root: old.logRoot })
    }
    return path.endsWith('/bundle') ? net.bundle(Number(path.split('/')[2]), 400) : truth
  }
  await under(stale, 'now', async (page) => {
    await found(page, 'stale')
    await found(page, 'rolledBack')
    await found(page, 'claimsMore')
    await shoot(page, 'en-lie-stale')
  })
})

test('a forked log', options, async () => {
  await under(() => undefined, 'now', async (page, room) => {
    // Another log of the same size under the same height: two certificates.
    room.world = forked
    await page.reload()
    await found(page, 'fork')
    assert.equal(await page.locator('.bar.good').count(), 0)
    await shoot(page, 'en-lie-fork')
  })
  // Seen with 400 records, then grown from others.
  const small = (path, truth) => {
    const early = net.tip(400)
    if (path === '/status') Object.assign(truth.checkpoint, { size: 400, root: early.logRoot, height: early.height, timeMs: early.timeMs })
    if (path === '/status') Object.assign(truth.indexed, { size: 400 })
    return path.endsWith('/bundle') ? net.bundle(Number(path.split('/')[2]), 400) : truth
  }
  const room = await serve(net, small)
  const browser = await launch()
  try {
    const { page } = await visit(browser)
    await trust(page, room, net.genesisText)
    Object.assign(room, { lie: undefined, world: forked })
    await page.reload()
    const words = await found(page, 'rewritten')
    assert.ok(words.includes('first 400 records'), words)
  } finally {
    await browser.close()
    room.close()
  }
})

test('a checkpoint below quorum, another network, a proof of another record, another text of it', options, async () => {
  const below = (path, truth) => {
    if (path.endsWith('/bundle')) truth.certificate.signatures.pop()
    return truth
  }
  await under(below, 'now', async (page) => {
    const words = await found(page, 'headInvalid')
    assert.ok(words.includes('strictly more than 2/3'), words)
    assert.equal(await page.locator('.figures .mark.proven').count(), 0)
  })
  const other = (path, truth) => {
    if (path === '/status') truth.genesisHash = `0x${'00'.repeat(32)}`
    return truth
  }
  await under(other, 'now', (page) => found(page, 'otherNetwork'))
  const swapped = (path, truth) => (path === `/attestations/${named.document}/bundle` ? net.bundle(named.salted) : truth)
  await under(swapped, `attestation/${named.document}`, async (page) => {
    await page.waitForSelector('tbsi-proof [data-verdict=invalid]')
    assert.equal(await page.locator('.facts .mark.proven').count(), await page.locator('.facts .legal .mark.proven').count())
  })
  const reworded = (path, truth) => {
    if (path === `/attestations/${named.document}`) truth.statement = { ...truth.statement, issuer: `0x${'b2'.repeat(20)}` }
    return truth
  }
  await under(reworded, `attestation/${named.document}`, async (page) => {
    assert.ok((await found(page, 'otherLeaf')).includes('issuer'))
  })
})

test('legal names that are not in the genesis file', options, () => under(
  (path, truth) => {
    if (path === '/organisations') truth.items[1].name.en = 'Taiwan Electronic Document Association'
    return truth
  },
  'organisations',
  async (page) => {
    await page.waitForSelector('tbody tr:nth-child(2) .mark.wrong')
    await page.waitForSelector('tbody tr:nth-child(1) .mark.proven')
  }))

const XSS = '<img src=x onerror="alert(1)"><script>alert(2)</script>"\'>'

/** Every text that people read, as an attack; and addresses that run. */
function poison(value, key = '') {
  if (typeof value === 'string') {
    if (/url/i.test(key)) return 'javascript:alert(3)'
    return /^(en|zhTw|label|labelZhTw|detail|technology|caip2|version|node|name|network|did|endpoint|kindName|query|event|problem)$|name/i.test(key) ? XSS : value
  }
  if (Array.isArray(value)) return value.map((it) => poison(it, key))
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, it]) => [name, poison(it, name)]))
}

test('texts that attack are shown as text', options, () => under(
  (path, truth) => (path.endsWith('/bundle') || path === '/genesis' ? truth : poison(truth)),
  'now',
  async (page, room) => {
    await page.waitForSelector('.figures')
    for (const route of ['now', `attestation/${named.revoked}`, `attestation/${named.ballots[0]}`, 'organisations', 'organisations/1', 'motions', 'motions/1', 'chains', `provenance?id=${net.all[named.old].id}`, 'search?q=04595257', 'follow']) {
      await go(page, room, route)
      await page.waitForFunction(() => document.querySelector('main').textContent.includes('<img src=x'))
      assert.equal(await page.locator('main img, main script').count(), 0, route)
      const links = await page.locator('main a').evaluateAll((all) => all.map((it) => it.protocol))
      assert.ok(links.every((it) => ['http:', 'https:'].includes(it)), `${route}: ${links.join()}`)
    }
    await go(page, room, `search?q=${encodeURIComponent(XSS)}`)
    await page.waitForSelector('#found')
  }))

test('what is not known is said so, and never zero', options, () => under(
  (path, truth) => {
    if (path === '/now') Object.assign(truth, { height: null, timeMs: null, ageMs: null, blockIntervalMs: null })
    return truth
  },
  'chains',
  async (page, room) => {
    await page.waitForSelector('.chain')
    const values = await page.locator('.chain dd').allTextContents()
    assert.deepEqual(values.slice(3, 5), ['1', 'not known'])
    await go(page, room, 'now')
    await page.waitForSelector('.figures')
    assert.ok((await page.locator('.figures').textContent()).includes('not known'))
  }))

test('a war room without certificates: the note that validators cosigned', options, async () => {
  const noted = (path, truth) => {
    if (path === '/status') Object.assign(truth.checkpoint, { basis: 'cosignatures', height: null, timeMs: null, note: net.note(), noteSize: 600 })
    return path.endsWith('/bundle') ? null : truth
  }
  await under(noted, 'now', async (page) => {
    await page.waitForSelector('.bar.good')
    assert.ok((await page.locator('.bar.good').textContent()).includes('Cosigned by 3 of 4 founding validators'))
    await page.waitForSelector('[data-recount=done]')
  })
  const forgedNote = (path, truth) => {
    const said = noted(path, truth)
    if (path === '/status') said.checkpoint.note = said.checkpoint.note.replace('\n600\n', '\n601\n')
    return said
  }
  await under(forgedNote, 'now', (page) => found(page, 'headInvalid'))
})

test('a war room that answers no more for a while is asked again', options, () => {
  let refused = 0
  return under(
    (path) => (path.startsWith('/tiles/') && (refused += 1) <= 3 ? { tooMany: true } : undefined),
    'now',
    async (page) => {
      await page.waitForSelector('[data-recount=done]')
      assert.ok(refused > 3)
      assert.equal(await page.locator('[data-finding]').count(), 0)
    })
})

test('no answer, garbage, an endless answer', options, async () => {
  await under((path) => (path === '/now' ? Buffer.from('<!doctype html>') : undefined), 'now', async (page) => {
    await page.waitForSelector('.notice.trouble')
    assert.ok((await page.locator('main .notice.trouble').textContent()).includes('not of the expected form'))
  })
  await under((path) => (path === '/now' ? Buffer.alloc(5 * 1024 * 1024, ' ') : undefined), 'now', async (page) => {
    await page.waitForSelector('.notice.trouble')
    assert.ok((await page.locator('main .notice.trouble').textContent()).includes('larger than this page accepts'))
  })
})
