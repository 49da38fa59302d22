// Issues credentials: a statement about somebody as JSON, attested under a salt, so that the chain
// shows neither what it says nor about whom. The holder keeps three files, and whoever is shown
// them verifies them without the issuer; the issuer can withdraw.
//
//     issuer issue CLAIMS.json NAME     writes NAME.json, NAME.json.tbsi.salt, NAME.json.tbsi.json
//     issuer check NAME                 what whoever is shown the three files comes to
//     issuer revoke NAME REASON         reasons are those of SPEC §12.8
//
// Environment: ETH_RPC_URL, TBSI_GENESIS (the network's file), and to issue ISSUER_KEY (0x-hex).
import { readFileSync, writeFileSync } from 'node:fs'
import {
  REASONS, TbsiClient, attestationOf, formatSalt, keySender, type Hex, type Report, type Sender,
} from '@tbsi/sdk'

/** What a credential says; names are those of W3C's data model. */
interface Credential {
  readonly type: readonly string[]
  readonly validFrom: string
  readonly credentialSubject: Readonly<Record<string, unknown>>
}

function files(name: string) {
  return { document: `${name}.json`, salt: `${name}.json.tbsi.salt`, proof: `${name}.json.tbsi.json` }
}

async function issue(client: TbsiClient, sender: Sender, claims: Credential, name: string) {
  for (const field of ['type', 'validFrom', 'credentialSubject'] as const) {
    if (claims[field] === undefined) throw new Error(`the claims have no \`${field}\``)
  }
  // These bytes are what is attested: whoever writes them anew gets other ones.
  const document = `${JSON.stringify(claims, null, 2)}\n`
  const { id, proof, salt } = await client.attest(sender, { document, salt: true })
  const { document: text, salt: kept, proof: proven } = files(name)
  writeFileSync(text, document)
  writeFileSync(kept, formatSalt(salt as Uint8Array), { mode: 0o600 })
  writeFileSync(proven, proof as string)
  return id
}

/** Verifies offline, and asks a node whether the issuer withdrew the credential since. */
async function check(client: TbsiClient, name: string): Promise<Report> {
  const { document, salt, proof } = files(name)
  const file = { name: document, bytes: readFileSync(document), salt: readFileSync(salt, 'utf8') }
  return client.verify(readFileSync(proof), { file })
}

async function revoke(client: TbsiClient, sender: Sender, name: string, reason: string) {
  const at = REASONS.indexOf(reason)
  if (at < 0) throw new Error(`no reason \`${reason}\`; there are: ${REASONS.join(', ')}`)
  const id = attestationOf(readFileSync(files(name).proof))
  if (id === undefined) throw new Error(`${files(name).proof} is no proof of an attestation`)
  await client.revoke(sender, id, at + 1)
  return id
}

function setting(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') throw new Error(`set ${name}`)
  return value
}

async function main([command, name, more]: readonly string[]): Promise<number> {
  if (command === undefined || name === undefined) throw new Error('usage: issuer issue|check|revoke ...')
  const url = setting('ETH_RPC_URL')
  const client = new TbsiClient({ url, trust: { genesis: readFileSync(setting('TBSI_GENESIS')) } })
  const sender = () => keySender(setting('ISSUER_KEY') as Hex, url)
  if (command === 'issue' && more !== undefined) {
    const claims = JSON.parse(readFileSync(name, 'utf8')) as Credential
    console.log(`issued ${await issue(client, sender(), claims, more)}`)
    return 0
  }
  if (command === 'revoke' && more !== undefined) {
    console.log(`revoked ${await revoke(client, sender(), name, more)}`)
    return 0
  }
  if (command !== 'check') throw new Error(`\`${command}\`: use issue, check or revoke`)
  const report = await check(client, name)
  console.log(`${report.verdict}${report.reason === undefined ? '' : `: ${report.reason}`}`)
  return report.verdict === 'valid' ? 0 : 1
}

main(process.argv.slice(2)).then(
  (code) => { process.exitCode = code },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 2
  },
)
