/**
 * Checkpoints as notes (SPEC §9.6): where a war room reads static tiles alone there are no
 * certificates, and validators vouch for the log with cosignatures. Keys are those of the genesis
 * file, so this holds for the founding validators only.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { equal, fromHex, fromUint, toHex, utf8 } from '@tbsi/verify/bytes.js'
import { sha256 } from '@tbsi/verify/hash.js'
import { operatorId } from '@tbsi/verify/validators.js'
import type { Trusted } from './genesis.js'

/** Bytes, and signatures, of a note. */
const NOTE_BYTES_MAX = 256 * 1024
const SIGNATURES_MAX = 100
const COSIGNATURE = 4

export class NoteError extends Error {
  override readonly name = 'NoteError'
}

/** A validator of the founding, its key for the log, and whether it signed. */
export interface Cosigner {
  readonly nameZhTw: string
  readonly nameEn: string
  readonly power: number
  readonly signedMs: number | null
}

export interface VerifiedNote {
  readonly size: number
  readonly root: Uint8Array
  /** By when a quorum had signed. */
  readonly timeMs: number
  readonly power: number
  readonly totalPower: number
  readonly cosigners: readonly Cosigner[]
}

interface Known { readonly name: string; readonly key: Uint8Array | undefined; readonly of: Omit<Cosigner, 'signedMs'> }

/** The keys with which the founding validators cosign. */
function keysOf({ bytes, hash, genesis }: Trusted): { origin: string; known: Known[] } {
  const origin = `tbsi/${genesis.chainId}/${hash.slice(2, 18)}`
  const file = JSON.parse(new TextDecoder().decode(bytes)) as {
    organisations: Record<string, { name_zh_tw: string; name_en: string }>
    nodes: { organisation: string; validator?: { power: number; log_key?: string } }[]
  }
  const known = file.nodes.flatMap(({ organisation, validator }) => {
    const named = file.organisations[organisation]
    if (validator === undefined || named === undefined) return []
    const of = { nameZhTw: named.name_zh_tw, nameEn: named.name_en, power: validator.power }
    const operator = toHex(operatorId(of.nameZhTw, of.nameEn)).slice(2)
    return [{ name: `${origin}/${operator}`, key: fromHex(validator.log_key?.toLowerCase() ?? ''), of }]
  })
  return { origin, known }
}

/** Verifies a note, which validators with more than 2/3 of the founding power have to have signed. */
export function verifyNote(note: string, trusted: Trusted): VerifiedNote {
  if (note.length > NOTE_BYTES_MAX) throw new NoteError('the note is too long')
  const { origin, known } = keysOf(trusted)
  const end = note.indexOf('\n\n')
  const text = note.slice(0, end + 1)
  const lines = note.slice(end + 2).split('\n')
  const [name, size, root, ...more] = text.split('\n')
  if (end < 0 || lines.pop() !== '' || more.length !== 1 || more[0] !== '') throw new NoteError('this is no note of a log')
  if (name !== origin) throw new NoteError(`the note is of the log ${name}, not of ${origin}`)
  if (!/^(0|[1-9][0-9]{0,14})$/.test(size ?? '')) throw new NoteError('the size in the note is none')
  const hash = base64(root ?? '')
  if (hash?.length !== 32) throw new NoteError('the root in the note is none')
  if (lines.length > SIGNATURES_MAX) throw new NoteError(`more than ${SIGNATURES_MAX} signatures`)
  const cosigners = known.map((it) => ({ ...it.of, signedMs: signedAt(lines, it, text) }))
  const totalPower = cosigners.reduce((sum, { power }) => sum + power, 0)
  const signed = cosigners.filter(({ signedMs }) => signedMs !== null)
    .sort((one, other) => (other.signedMs ?? 0) - (one.signedMs ?? 0))
  let [power, timeMs]: [number, number | undefined] = [0, undefined]
  for (const it of signed) {
    power += it.power
    if (timeMs === undefined && 3 * power > 2 * totalPower) timeMs = it.signedMs ?? undefined
  }
  if (timeMs === undefined) {
    throw new NoteError(
      `validators with ${power} of ${totalPower} voting power cosigned, more than 2/3 are needed; if the ` +
      'validators have changed since the founding, ask a war room that is fed by a node')
  }
  return { size: Number(size), root: hash, timeMs, power, totalPower, cosigners }
}

/** When a key cosigned; null if it did not. A wrong signature of it refuses the note. */
function signedAt(lines: readonly string[], { name, key }: Known, text: string): number | null {
  if (key?.length !== 32) return null
  const id = sha256(utf8(`${name}\n`), new Uint8Array([COSIGNATURE]), key).slice(0, 4)
  const mine = lines.map((line) => lineOf(line)).filter((it) => it.name === name && equal(it.id, id))
  if (mine.length === 0) return null
  const [only] = mine
  if (mine.length > 1 || only === undefined || only.rest.length !== 72) {
    throw new NoteError('a signature is there twice, or of another length')
  }
  const seconds = fromUint(only.rest.slice(0, 8))
  const message = utf8(`cosignature/v1\ntime ${seconds}\n${text}`)
  let good = false
  try {
    good = ed25519.verify(only.rest.slice(8), message, key, { zip215: false })
  } catch {
    // Said below.
  }
  if (!good) throw new NoteError(`the signature of ${name} does not verify`)
  return Number(seconds) * 1000
}

function lineOf(line: string): { name: string; id: Uint8Array; rest: Uint8Array } {
  const found = /^— (\S+) (\S+)$/.exec(line)
  const bytes = base64(found?.[2] ?? '')
  if (found === null || bytes === undefined || bytes.length < 5) throw new NoteError('a signature line is none')
  return { name: found[1] ?? '', id: bytes.slice(0, 4), rest: bytes.slice(4) }
}

function base64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
  } catch {
    return undefined
  }
}
