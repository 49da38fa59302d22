/** Attests, finds and proves through one node, and verifies what it says. */
import { toHex, type Hex } from '../verify/bytes.js'
import { messageOf } from '../verify/errors.js'
import {
  inspect, verify, type Content, type GivenFile, type Report, type StatusAge, type Trust,
} from '../verify/index.js'
import { JsonObject } from '../verify/json.js'
import {
  aboutAttestation, entriesOf, readStanding, restsOn, type Entry, type Standing,
} from '../verify/standing.js'
import { attestCall, revokeCall, supersedeCall, type Call } from './calls.js'
import { attestationId, digested, type Digested, type Subject } from './document.js'
import { TbsiError } from './errors.js'
import {
  BATCH_WORDS_MAX, DOCUMENTS_MAX, FINALITY_MS_MAX, PAGES_MAX, POLL_MS, PROOFS_AT_A_TIME,
} from './limits.js'
import type { MethodName } from './methods.js'
import { Rpc, fieldOf, plain, textOf, type RpcOptions } from './rpc.js'
import type { Sender } from './sender.js'
import { subscribe, type LeafFilter, type SocketMaker } from './subscribe.js'

export interface ClientOptions extends RpcOptions {
  /** JSON-RPC address of a node. */
  readonly url: string
  /** Where it takes WebSockets; `url` with `ws` by default. */
  readonly wsUrl?: string
  readonly WebSocket?: SocketMaker
  /** The genesis file, or another thing to trust: proofs are verified before they are returned. */
  readonly trust?: Trust
  readonly finalityTimeoutMs?: number
}

/** Which leaf: by position, the first attestation with an id, or the first of a digest. */
export type Selector =
  | { readonly index: bigint | number } | { readonly id: Hex } | { readonly digest: Hex }

/** What was attested, and its proof. */
export interface Attested {
  readonly id: Hex
  readonly issuer: Hex
  readonly digest: Hex
  readonly transactionHash: Hex
  readonly leafIndex: bigint
  /** The proof in JSON; absent if none was asked for. */
  readonly proof?: string
  /** Of the proof, if something is trusted. */
  readonly report?: Report
  /** Without it nobody can show any more what was attested: keep it with the document. */
  readonly salt?: Uint8Array
}

export class TbsiClient {
  readonly rpc: Rpc
  readonly #options: ClientOptions

  constructor(options: ClientOptions) {
    this.#options = options
    this.rpc = new Rpc(options.url, options)
  }

  /** Attests one document, waits until it is final, and fetches the proof. */
  async attest(sender: Sender, subject: Subject): Promise<Attested> {
    const [attested] = await this.attestBatch(sender, [subject])
    return attested as Attested
  }

  /**
   * Attests documents in as few transactions as there can be. All of one call have one algorithm
   * and one schema. Without `proofs`, `prove` has them later.
   */
  async attestBatch(
    sender: Sender,
    subjects: readonly Subject[],
    { proofs = true }: { readonly proofs?: boolean } = {},
  ): Promise<Attested[]> {
    if (subjects.length < 1 || subjects.length > DOCUMENTS_MAX) {
      throw new TbsiError('argument', `give 1 to ${DOCUMENTS_MAX} documents`)
    }
    const all: Digested[] = []
    for (const subject of subjects) all.push(await digested(subject))
    const [first] = all as [Digested]
    if (all.some(({ algorithm, schema }) =>
      algorithm.code !== first.algorithm.code || schema !== first.schema)) {
      throw new TbsiError('argument', 'documents of one batch have one algorithm and one schema')
    }
    const [chainId, issuer] = [await this.#sameChain(sender), await sender.address()]
    const size = Math.floor(BATCH_WORDS_MAX / (first.words.length / 32))
    const attested: Attested[] = []
    for (let start = 0; start < all.length; start += size) {
      const part = all.slice(start, start + size)
      const words = new Uint8Array(part.length * first.words.length)
      part.forEach((it, at) => { words.set(it.words, at * first.words.length) })
      const call = attestCall(first.schema, first.algorithm.code, words, part.length > 1)
      const { hash, leaves } = await this.#final(sender, call)
      if (leaves.count !== BigInt(part.length)) {
        throw new TbsiError(
          'refused', `transaction ${hash} has ${leaves.count} leaves, not ${part.length}`,
          { transactionHash: hash })
      }
      const made = part.map((it, at): Attested => ({
        id: attestationId(chainId, issuer, it), issuer, digest: toHex(it.digest),
        transactionHash: hash, leafIndex: leaves.first + BigInt(at),
        ...(it.salt === undefined ? {} : { salt: it.salt }),
      }))
      attested.push(...(proofs ? await this.#proven(made) : made))
    }
    return attested
  }

  /** Withdraws an attestation of the sender's, for ever; reasons are those of SPEC §12.8. */
  async revoke(sender: Sender, id: Hex, reason = 1): Promise<Hex> {
    await this.#sameChain(sender)
    return (await this.#final(sender, revokeCall(id, reason))).hash
  }

  /** Names the attestation that takes the place of one of the sender's. */
  async supersede(sender: Sender, id: Hex, successor: Hex): Promise<Hex> {
    await this.#sameChain(sender)
    return (await this.#final(sender, supersedeCall(id, successor))).hash
  }

  /**
   * The proof of a leaf in JSON; undefined if there is no such leaf. Unverified. With `status`,
   * what became of the attestation is stapled to it (SPEC §10.7); with `names`, whose account the
   * issuer's was (SPEC §10.11).
   */
  async prove(
    selector: Selector,
    { from, status = false, names = false }: {
      readonly from?: bigint | number
      readonly status?: boolean
      readonly names?: boolean
    } = {},
  ): Promise<string | undefined> {
    return this.#proof('tbsi_getProof', selector, {
      ...(from === undefined ? {} : { from }), ...(status ? { status } : {}),
      ...(names ? { registry: true } : {}),
    })
  }

  /**
   * The proof in JSON that nobody attested a digest of 32 or 64 bytes, or of who first did.
   * Unverified; what it says is in `map.digests` of its report.
   */
  async proveAbsence(
    digest: Hex,
    { from }: { readonly from?: bigint | number } = {},
  ): Promise<string | undefined> {
    return this.#proof('tbsi_getAbsence', digest, from === undefined ? {} : { from })
  }

  async #proof(
    method: MethodName,
    of: Selector | Hex,
    options: object,
  ): Promise<string | undefined> {
    const given = Object.keys(options).length === 0 ? [] : [options]
    const result = await this.rpc.call(method, of, ...given)
    return result === null ? undefined : textOf(result)
  }

  /** Who attested a digest, or with an id: a page of entries, and where the next one begins. */
  async find(
    what: { readonly digest: Hex } | { readonly id: Hex },
    from: bigint | number = 0,
  ): Promise<{ entries: Entry[]; next: bigint | undefined }> {
    const [method, key] = 'id' in what
      ? (['tbsi_findById', what.id] as const) : (['tbsi_findByDigest', what.digest] as const)
    const page = await this.rpc.call(method, key, from)
    return this.#understood(method, () => {
      const next = fieldOf(page, 'next')
      return {
        entries: entriesOf(fieldOf(page, 'entries')),
        next: typeof next === 'bigint' ? next : undefined,
      }
    })
  }

  /** The same, page by page to the end. */
  async *findAll(what: { readonly digest: Hex } | { readonly id: Hex }): AsyncGenerator<Entry> {
    let from: bigint | undefined = 0n
    for (let page = 0; from !== undefined && page < PAGES_MAX; page += 1) {
      const found: { entries: Entry[]; next: bigint | undefined } = await this.find(what, from)
      yield* found.entries
      // A node that sends a reader back would keep it for ever.
      if (found.next !== undefined && found.next <= from) return
      from = found.next
    }
  }

  /** What became of an attestation, as the node knows; undefined if it knows none. */
  async standing(id: Hex): Promise<Standing | undefined> {
    const answer = await this.rpc.call('tbsi_getAttestation', id)
    if (answer === null) return undefined
    return this.#understood('tbsi_getAttestation', () => readStanding(id, answer))
  }

  /** How the node is doing. */
  async status(): Promise<Readonly<Record<string, unknown>>> {
    return plain(await this.rpc.call('tbsi_status')) as Record<string, unknown>
  }

  /** What became of a transaction (SPEC §6.9). */
  async transactionStatus(hash: Hex): Promise<Readonly<Record<string, unknown>>> {
    return plain(await this.rpc.call('tbsi_transactionStatus', hash)) as Record<string, unknown>
  }

  /** Leaves as they become final. */
  subscribe(filter: LeafFilter = {}, signal?: AbortSignal): AsyncGenerator<Entry, void, void> {
    const { url, wsUrl = url.replace(/^http/, 'ws'), WebSocket } = this.#options
    const options = {
      ...(WebSocket === undefined ? {} : { WebSocket }),
      ...(signal === undefined ? {} : { signal }),
    }
    return subscribe(wsUrl, filter, options)
  }

  /**
   * Verifies a proof, and asks the node whether it was revoked since. What the answer rests on is
   * proven, too; that there is nothing else is the node's word. Never throws.
   */
  async verify(
    proof: Content,
    more: {
      readonly trust?: Trust
      readonly file?: GivenFile
      readonly statusAge?: StatusAge
    } = {},
  ): Promise<Report> {
    const { trust = this.#options.trust, file, statusAge } = more
    if (trust === undefined) {
      return { verdict: 'could not tell', code: 'trust', reason: 'nothing is trusted yet' }
    }
    const question = {
      proof, trust, ...(file === undefined ? {} : { file }),
      ...(statusAge === undefined ? {} : { statusAge }),
    }
    const offline = verify(question)
    if (offline.verdict !== 'valid') return offline
    const statement = inspect(proof)
    const id = statement === undefined ? undefined : aboutAttestation(statement)
    if (id === undefined) return offline
    try {
      const of = await this.#provenStanding(id, trust)
      return verify({ ...question, standing: { of, source: this.rpc.url } })
    } catch (thrown) {
      return { verdict: 'could not tell', code: 'status', reason: messageOf(thrown) }
    }
  }

  async #provenStanding(id: Hex, trust: Trust): Promise<Standing> {
    const standing = await this.standing(id)
    if (standing === undefined) {
      throw new TbsiError(
        'unproven', `${this.rpc.url} knows no attestation ${id}; ask a node that has caught up`)
    }
    for (const { index, statement } of restsOn(standing)) {
      const proof = await this.prove({ index })
      const report = verify({ proof: proof ?? '', trust })
      const same = report.verdict === 'valid' && report.leafIndex === index &&
        textOfStatement(report.statement) === textOfStatement(statement)
      if (!same) {
        const why = report.verdict === 'valid' ? 'it proves another leaf' : report.reason
        throw new TbsiError(
          'unproven', `${this.rpc.url} told of leaf ${index}, and does not prove it: ${why}`)
      }
    }
    return standing
  }

  /** The chain id of the node, which must be the sender's. */
  async #sameChain(sender: Sender): Promise<bigint> {
    const [ours, theirs] = await Promise.all([this.rpc.call('eth_chainId'), sender.chainId()])
    const chainId = BigInt(String(ours))
    if (chainId === theirs) return chainId
    throw new TbsiError(
      'otherChain', `the wallet is on chain ${theirs}, the node on ${chainId}: switch the wallet`)
  }

  /** Sends a call and waits until it is final. */
  async #final(sender: Sender, call: Call) {
    const hash = await sender.send(call)
    const deadline = Date.now() + (this.#options.finalityTimeoutMs ?? FINALITY_MS_MAX)
    const known = { transactionHash: hash }
    for (;;) {
      const leaves = await this.rpc.call('tbsi_getLeaves', hash)
      if (leaves instanceof JsonObject) {
        await this.#succeeded(hash)
        const part = (name: string) => fieldOf(leaves, name) as bigint
        return { hash, leaves: { first: part('first'), count: part('count') } }
      }
      const { status, message } = await this.transactionStatus(hash)
      if (status === 'dropped') {
        throw new TbsiError('refused', `transaction ${hash} was dropped: ${String(message)}`, known)
      }
      if (status === 'included') await this.#succeeded(hash)
      if (Date.now() > deadline) {
        throw new TbsiError('timeout', `transaction ${hash} is not final yet`, known)
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  async #succeeded(hash: Hex): Promise<void> {
    const receipt = await this.rpc.call('eth_getTransactionReceipt', hash)
    if (fieldOf(receipt, 'status') !== '0x0') return
    throw new TbsiError(
      'refused', `transaction ${hash} is final and failed: nothing was attested`,
      { transactionHash: hash })
  }

  /** With proofs that are of just these statements, some fetched at a time. */
  async #proven(made: readonly Attested[]): Promise<Attested[]> {
    const all: Attested[] = []
    for (let start = 0; start < made.length; start += PROOFS_AT_A_TIME) {
      const part = made.slice(start, start + PROOFS_AT_A_TIME)
      all.push(...(await Promise.all(part.map((it) => this.#provenOne(it)))))
    }
    return all
  }

  async #provenOne(made: Attested): Promise<Attested> {
    const proof = (await this.prove({ index: made.leafIndex })) ?? ''
    const says = inspect(proof)
    if (says?.['id'] !== made.id) {
      throw new TbsiError(
        'unproven', `the proof of leaf ${made.leafIndex} is not of attestation ${made.id}`,
        { transactionHash: made.transactionHash })
    }
    const { trust } = this.#options
    if (trust === undefined) return { ...made, proof }
    const report = verify({ proof, trust })
    if (report.verdict === 'valid') return { ...made, proof, report }
    throw new TbsiError(
      'unproven', `the proof of attestation ${made.id}: ${report.reason ?? report.verdict}`,
      { transactionHash: made.transactionHash, data: report })
  }

  #understood<T>(method: string, read: () => T): T {
    try {
      return read()
    } catch (cause) {
      throw new TbsiError(
        'unproven', `${method} at ${this.rpc.url}: ${messageOf(cause)}`, { cause })
    }
  }
}

function textOfStatement(statement: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(statement).map(([name, value]) => [name, String(value)]).sort())
}
