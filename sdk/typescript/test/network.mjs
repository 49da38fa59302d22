// A running network of `tbsi testnet`, which the environment names:
// TBSI_BINARY, TBSI_NETWORK (its directory), TBSI_RPC, TBSI_WS.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseJson } from '../dist/verify/json.js'
import { plain } from '../dist/client/rpc.js'
import { toHex } from '@tbsi/sdk'

const { TBSI_BINARY: bin, TBSI_NETWORK: dir, TBSI_RPC: url, TBSI_WS: wsUrl } = process.env

/** Whether there is one; tests that need it are skipped otherwise. */
export const missing = [bin, dir, url, wsUrl].every(Boolean)
  ? false : 'needs a network: set TBSI_BINARY, TBSI_NETWORK, TBSI_RPC, TBSI_WS'

export const network = { bin, dir, url, wsUrl }

export function genesisFile() {
  return join(dir, 'genesis.json')
}

export function genesis() {
  return readFileSync(genesisFile(), 'utf8')
}

/** Runs `tbsi` and returns what it printed; fails if its exit code is none of `codes`. */
export function tbsi(args, codes = [0]) {
  const { status, stdout, stderr } = spawnSync(bin, args, { encoding: 'utf8', timeout: 120_000 })
  if (!codes.includes(status)) throw new Error(`tbsi ${args.join(' ')}: ${status}\n${stdout}${stderr}`)
  return stdout
}

/** What `tbsi verify --json` says; integers are bigints, as in reports. */
export function tbsiVerify(args) {
  return plain(parseJson(tbsi(['verify', ...args, '--json'], [0, 1, 2])))
}

export function freshKey() {
  return toHex(globalThis.crypto.getRandomValues(new Uint8Array(32)))
}
