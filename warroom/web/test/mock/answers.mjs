// What a war room answers (warroom/openapi.json) of the small network: the truth, for servers to bend.
import { ACCOUNTS, FILE, NOW_MS, SALTED } from './world.mjs'
import { hex, keccak, rootOf } from './bytes.mjs'

const HOUR = 3_600_000

const counted = (items, key) => {
  const counts = new Map()
  for (const it of items) {
    const of = key(it)
    const { count = 0 } = counts.get(of) ?? {}
    counts.set(of, { count: count + 1, lastMs: it.timeMs })
  }
  return [...counts]
}

const KINDS = ['attestation', 'revocation', 'supersession', 'countersigningOpened', 'countersignature', 'schemaRegistered', 'governanceAct', 'message']

/** Answers of a network; each is made anew, so that a server may change it. */
export function answersOf(world) {
  const { all, named, leaves, hashes, names, validators, genesisHash, genesis } = world
  const size = leaves.length
  const tip = world.tip()
  const acts = new Map(named.acts.map(({ position, act }) => [position, act]))
  const name = (organisation) => (organisation === 0 ? null
    : { organisation, zhTw: names[organisation - 1].nameZhTw, en: names[organisation - 1].nameEn, basis: 'genesis' })
  const issuerName = (account) => name(ACCOUNTS.indexOf(account) + 1)
  const series = (items) => {
    const points = counted(items, (it) => it.timeMs - (it.timeMs % HOUR)).map(([fromMs, { count }]) => ({ fromMs, count }))
    return { stepMs: HOUR, fromMs: points[0]?.fromMs ?? 0, toMs: (points.at(-1)?.fromMs ?? 0) + HOUR, points }
  }
  const signers = validators.map((it) => ({
    validator: it.address, power: it.power, nameZhTw: it.nameZhTw, nameEn: it.nameEn,
    organisation: names.findIndex((one) => one.nameEn === it.nameEn) + 1, node: 'node', version: it.nameZhTw === '' ? null : '0.1.0',
    signed: it.nameZhTw !== '', lastSignedMs: tip.timeMs, checkpointsSeen: 120, checkpointsSigned: it.nameZhTw === '' ? 0 : 118,
  }))
  const root = hex(rootOf(hashes))
  const status = () => ({
    api: '1.0.0', software: '0.1.0', network: genesis.name, chainId: genesis.chain_id, genesisHash, origin: `tbsi/${genesis.chain_id}/${genesisHash.slice(2, 18)}`,
    sources: [{ kind: 'rpc', url: 'http://127.0.0.1:8545', reachable: true, size, height: tip.height, answeredMs: NOW_MS, problem: null }],
    indexed: { size, root, height: tip.height, timeMs: tip.timeMs },
    checkpoint: {
      size, root, height: tip.height, timeMs: tip.timeMs, basis: 'certificate', encoded: null, certificate: null, note: null, noteSize: null,
      handovers: 0, power: 7, totalPower: 9, quorum: 7, signers,
    },
    acts: { total: named.acts.length, read: named.acts.length }, alarms: [], nowMs: NOW_MS, catchingUp: false, notKnown: [],
  })
  const now = () => ({
    size, height: tip.height, timeMs: tip.timeMs, ageMs: 2000, blockIntervalMs: 412, rates: { lastMinute: 0, lastHour: 6, lastDay: 6 },
    attestations: all.filter((it) => it.kind === 'attestation').length,
    byOrganisation: counted(all, (it) => ACCOUNTS.indexOf(it.issuer) + 1).map(([organisation, more]) => ({ organisation, name: name(organisation), ...more }))
      .sort((one, other) => other.count - one.count),
    bySchema: counted(all.filter((it) => it.kind === 'attestation'), (it) => it.schema)
      .map(([schema, more]) => ({ schema, name: { [FILE]: 'tbsi:file:v1', [SALTED]: 'tbsi:salted-file:v1' }[schema] ?? null, ...more })),
    byKind: counted(all, (it) => it.kind).map(([kind, more]) => ({ kind, ...more })).sort((one, other) => KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind)),
    series: series(all), validators: signers,
    routes: [{ destination: hex(keccak('eip155:1')), caip2: 'eip155:1', messages: 1, newestMs: all.find((it) => it.kind === 'message').timeMs, pending: null, oldestPendingMs: null }],
    warnings: [{ code: 'validatorMissing', en: 'Example Auditors Ltd. (node-d) signed no checkpoint that was seen in the last ten minutes.', zhTw: 'Example Auditors Ltd.（node-d）未簽署最近十分鐘所見的任何檢查點。', link: '/organisations/4' }],
    alarms: [], notKnown: [{ field: '/routes/0/pending', code: 'notInLog', en: 'Acknowledgements of messages are in no leaf.', zhTw: '訊息的回執不在日誌中。' }],
  })
  const leaf = (position) => ({ position, leaf: hex(leaves[position]), statement: all[position], issuerName: issuerName(all[position].issuer) })
  const schemaOf = (schema) => {
    const registered = all.findIndex((it) => it.kind === 'schemaRegistered' && it.schema === schema)
    const at = registered < 0 ? undefined : all[registered]
    const salted = schema === SALTED
    return {
      schema, name: { [FILE]: 'tbsi:file:v1', [SALTED]: 'tbsi:salted-file:v1' }[schema] ?? null, commitsTo: at?.commitsTo ?? (salted ? 2 : 1), revocable: true,
      textHash: at?.textHash ?? null, owner: at?.issuer ?? null, registeredAt: at === undefined ? null : registered,
      en: salted ? 'A salt of 32 bytes, then the bytes of a file.' : 'The bytes of a file.', zhTw: salted ? '32 位元組的鹽值，其後為檔案的位元組。' : '檔案的位元組。',
    }
  }
  const WHAT = { attestation: 'attested', revocation: 'revoked', supersession: 'superseded', countersigningOpened: 'countersigningOpened', countersignature: 'countersigned' }
  const history = (of) => all.flatMap((it, position) => {
    if (it.id !== of.id || WHAT[it.kind] === undefined) return []
    const counts = it.issuer === of.issuer || it.kind === 'countersignature'
    const other = it.successor ?? null
    return [{
      what: WHAT[it.kind], position, height: it.height, timeMs: it.timeMs, issuer: it.issuer, issuerName: issuerName(it.issuer), counts,
      reason: it.reason ?? null, other, otherPosition: other === null ? null : all.findIndex((one) => one.kind === 'attestation' && one.id === other),
      have: it.have ?? null, need: it.need ?? it.threshold ?? null, deadlineS: it.deadline ?? null,
    }]
  })
  const attestation = (position) => {
    const it = all[position]
    if (it === undefined) return null
    const told = it.kind === 'attestation' ? history(it) : []
    const own = (what) => told.some((event) => event.what === what && event.counts)
    const act = acts.get(position)
    return {
      ...leaf(position), id: it.kind === 'attestation' ? it.id : null, schema: it.kind === 'attestation' ? schemaOf(it.schema) : null,
      verdict: it.kind !== 'attestation' ? null : own('revoked') ? 'revoked' : own('superseded') ? 'superseded' : 'stands',
      history: told, historyMore: false, relayed: null,
      act: act === undefined ? null : { ...act, en: `${act.event}: an act of governance.`, zhTw: `${act.event}：治理行為。` },
      size, links: { bundle: null, tlogProof: null, provenance: null },
      notKnown: [{ field: '/relayed', code: 'notInLog', en: 'Where a leaf was relayed is in no leaf.', zhTw: '條目轉送至何處不在日誌中。' }],
    }
  }
  const summary = (organisation) => {
    const file = Object.values(genesis.organisations)[organisation - 1]
    const own = all.filter((it) => it.issuer === ACCOUNTS[organisation - 1])
    return {
      organisation, name: name(organisation), kind: file.kind, status: 'active', votes: true, taxId: file.tax_id ?? null, taxIdValid: file.tax_id === undefined ? null : true,
      lei: file.lei ?? null, leiValid: file.lei === undefined ? null : true, jurisdiction: file.jurisdiction ?? 'TW', contactUrl: organisation === 1 ? 'https://example.org/contact' : null,
      leaves: own.length, lastMs: own.at(-1)?.timeMs ?? null, validators: 1,
    }
  }
  const page = (items) => ({ size, items, next: null, notKnown: [] })
  const organisations = () => page([1, 2, 3, 4].map(summary))
  const choices = [[1, 'yes'], [2, 'yes'], [3, 'no']]
  const organisation = (number) => (names[number - 1] === undefined ? null : {
    ...summary(number), agreementHash: `0x${'77'.repeat(32)}`, credentialHash: null,
    nodes: [{
      node: number, name: `node-${'abcd'[number - 1]}`, endpoint: '/ip4/127.0.0.1/tcp/9000', version: '0.1.0', validates: true, power: validators[number - 1].power, status: 'inUse',
      keys: [{ kind: 'validator', key: validators.find((it) => it.nameEn === names[number - 1].nameEn).address, sinceHeight: 0, possession: 'founding', position: null }],
    }],
    accounts: [{ account: ACCOUNTS[number - 1], permissions: ['send', 'attest', 'administer', 'vote'], sinceHeight: 0, position: null, did: `did:pkh:eip155:${genesis.chain_id}:${ACCOUNTS[number - 1]}` }],
    standing: [{ what: 'joined', height: 0, timeMs: genesis.time_ms, position: null, reason: null, evidenceHash: null, nameZhTw: names[number - 1].nameZhTw, nameEn: names[number - 1].nameEn }],
    votesCast: choices.flatMap(([of, choice], at) => (of === number ? [{ motion: 1, choice, timeMs: all[named.ballots[at]].timeMs, position: named.ballots[at] }] : [])),
    series: series(all.filter((it) => it.issuer === ACCOUNTS[number - 1])), service: null, size,
    notKnown: [{ field: '/service', code: 'notInLog', en: 'Service levels are in no leaf.', zhTw: '服務水準不在日誌中。' }],
  })
  const motion = () => ({
    motion: 1, kind: 10, kindName: 'SetQuota', organisation: 1, name: name(1), subject: 2, subjectName: name(2), arguments: '0x',
    en: 'Organisation 2 may use 1000 gas and 10 leaves in a period.', zhTw: '機構 2 每期可使用 1000 單位 gas 與 10 筆紀錄。', status: 'open',
    proposedMs: all[named.proposed].timeMs, deadlineMs: NOW_MS + 3 * 86_400_000, executableFromMs: null, executableUntilMs: null, closedMs: null,
    yes: 2, no: 1, abstain: 0, conflict: 0, position: named.proposed,
    ballots: choices.map(([of, choice], at) => ({ organisation: of, name: name(of), choice, account: ACCOUNTS[of - 1], timeMs: all[named.ballots[at]].timeMs, position: named.ballots[at] })),
  })
  const chains = () => ({
    size, notKnown: [],
    items: [{
      chain: 1, caip2: 'eip155:1', technology: 'Ethereum', operator: 1, operatorName: name(1), status: 'active', contactUrl: 'https://example.org', destination: hex(keccak('eip155:1')),
      messages: 1, facts: 2, assurances: [{ assurance: 1, label: 'qbft', count: 2 }], received: null, newestMs: NOW_MS - HOUR, position: null,
    }],
  })
  const provenance = (id) => {
    const at = (position, verdict) => ({
      node: all[position].id, what: 'attestation', id: all[position].id, position, timeMs: all[position].timeMs, issuer: all[position].issuer,
      issuerName: issuerName(all[position].issuer), schema: all[position].schema, digest: all[position].digest, verdict,
    })
    const [old, current, same] = [named.old, named.current, named.same]
    return {
      start: id, nodes: [at(old, 'superseded'), at(current, 'stands'), at(same, 'stands')], more: false, size,
      edges: [
        { from: all[old].id, to: all[current].id, what: 'supersededBy', position: named.supersession, counts: true },
        { from: all[current].id, to: all[same].id, what: 'sameDigest', position: same, counts: true },
      ],
    }
  }
  const search = (q) => {
    const query = q.toLowerCase()
    const hits = all.flatMap((it, position) => (it.kind === 'attestation' && [it.digest, it.id].includes(query)
      ? [{ what: 'attestation', by: it.id === query ? 'id' : 'digest', label: `Record ${position}`, labelZhTw: `第 ${position} 筆紀錄`, link: `/attestations/${position}`, position, proven: true }] : []))
    const found = [1, 2, 3, 4].map(summary).filter((it) => [it.taxId, it.lei].includes(q) || (q.length > 1 && (it.name.en.includes(q) || it.name.zhTw.includes(q))))
    hits.push(...found.map((it) => ({ what: 'organisation', by: it.taxId === q ? 'taxId' : it.lei === q ? 'lei' : 'name', label: it.name.en, labelZhTw: it.name.zhTw || it.name.en, link: `/organisations/${it.organisation}`, position: null, proven: true })))
    return { query, understoodAs: /^0x/.test(q) ? ['digest', 'id', 'schema'] : ['name'], hits, more: false, size, notKnown: [] }
  }
  const list = (query) => {
    const wanted = (it) => (query.get('kind') === 'any' || it.kind === (query.get('kind') ?? 'attestation')) &&
      (query.get('schema') === null || it.schema === query.get('schema')) && (query.get('issuer') === null || it.issuer === query.get('issuer'))
    const before = Number(query.get('cursor') ?? size)
    const found = all.map((it, at) => at).filter((at) => at < before && wanted(all[at])).reverse().slice(0, Number(query.get('limit') ?? 50))
    return { size, items: found.map(leaf), next: found.length === 50 ? String(found.at(-1)) : null }
  }
  return { status, now, attestation, organisations, organisation, motion, motions: () => page([motion()]), consents: () => page([]), chains, provenance, search, list }
}
