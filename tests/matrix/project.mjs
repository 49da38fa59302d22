// A Hardhat project in an empty directory, with the packages of a folder here.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { compilers } from '../clients/compilers.mjs'

const COMMAND_MS = 5 * 60_000

/** Makes the project from `files`, by path, and hands `body` what runs Hardhat in it. */
export async function project(packages, files, settings, body) {
  const dir = mkdtempSync(join(tmpdir(), 'tbsi-hardhat-'))
  try {
    symlinkSync(join(packages, 'node_modules'), join(dir, 'node_modules'))
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, path)), { recursive: true })
      writeFileSync(join(dir, path), text)
    }
    const env = {
      ...process.env,
      ...settings,
      XDG_CACHE_HOME: compilers(join(dir, 'cache')),
      HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true',
      HARDHAT_IGNITION_CONFIRM_DEPLOYMENT: 'false',
      CI: 'true',
    }
    const options = { cwd: dir, env, timeout: COMMAND_MS, maxBuffer: 16 * 1024 * 1024 }
    await body(async (program, ...words) => {
      const { stdout } = await promisify(execFile)(program, words, options)
      return stdout
    })
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
