/**
 * The methods of a node, with their arguments and results as they are in JSON. Written by
 * `UPDATE_RPC=1 cargo test -p tbsi-rpc --test rpc reference` from the node's own table.
 */

type Hex = `0x${string}`

/** An account and slots of it (EIP-2930). */
export type AccessListItem = {
  readonly address: Address
  readonly storageKeys: readonly (Hash)[]
}

/** An access list (EIP-2930), gas, and how the call fails if it does. */
export type Accessed = {
  readonly accessList: readonly (AnyObject)[]
  readonly error?: string
  readonly gasUsed: Quantity
}

/** An account as the state trie has it. */
export type Account = {
  readonly balance: Quantity
  readonly codeHash: Hash
  readonly nonce: Quantity
  readonly storageRoot: Hash
}

/** Balance, nonce and code. */
export type AccountInfo = {
  readonly balance: Quantity
  readonly code: Bytes
  readonly nonce: Quantity
}

/** An account and the nodes to it, from the state root down (EIP-1186). */
export type AccountProof = {
  readonly accountProof: readonly (Bytes)[]
  readonly address: Address
  readonly balance: Quantity
  readonly codeHash: Hash
  readonly nonce: Quantity
  readonly storageHash: Hash
  readonly storageProof: readonly (SlotProof)[]
}

/** Accounts as go-ethereum dumps them, by `pre(HASH)`: nodes keep hashes of addresses, not addresses. `root` is without 0x. */
export type AccountRange = {
  readonly accounts: AnyObject
  readonly next?: Hash
  readonly root: string
}

/** Where a transaction is, and the proofs of its leaves. */
export type Acknowledgement = {
  readonly height: number | bigint
  readonly leaves: LeafRange
  readonly proofs: readonly (ProofBundle)[]
  readonly transactionHash: Hash
}

/** 20 bytes. */
export type Address = Hex

/** One address or any of several. */
export type Addresses = Address | readonly (Address)[]

/** An object whose fields are said elsewhere. */
export type AnyObject = Readonly<Record<string, unknown>>

/** What an attestation comes to (SPEC §12.4), and the leaves that bear on it. */
export type Attestation = {
  readonly algorithmStatus: number | bigint
  readonly asOf: number | bigint
  readonly entries: readonly (LogEntry)[]
  readonly id: Hash
  readonly issuer: Address
  readonly repeated: boolean
  readonly revocable: boolean
  readonly revokedAt: number | bigint | null
  readonly schema: Hash
  readonly supersededAt: number | bigint | null
}

/** A delegation to code (EIP-7702). */
export type Authorization = {
  readonly address: Address
  readonly chainId: Quantity
  readonly nonce: Quantity
  readonly r: Quantity
  readonly s: Quantity
  readonly yParity: Quantity
}

/** A block; what belongs to mining, deposits or blobs is zero or empty. */
export type Block = {
  readonly baseFeePerGas: Quantity
  readonly blobGasUsed: Quantity
  readonly difficulty: Quantity
  readonly excessBlobGas: Quantity
  readonly extraData: Bytes
  readonly gasLimit: Quantity
  readonly gasUsed: Quantity
  readonly hash: Hash
  readonly logsBloom: Bloom
  readonly miner: Address
  readonly mixHash: Hash
  readonly nonce: Nonce
  readonly number: Quantity
  readonly parentBeaconBlockRoot: Hash
  readonly parentHash: Hash
  readonly receiptsRoot: Hash
  readonly requestsHash: Hash
  readonly sha3Uncles: Hash
  readonly size: Quantity
  readonly stateRoot: Hash
  readonly timestamp: Quantity
  readonly transactions: Transactions
  readonly transactionsRoot: Hash
  readonly uncles: readonly (Hash)[]
  readonly withdrawals: readonly (Withdrawal)[]
  readonly withdrawalsRoot: Hash
}

/** A block by its hash (EIP-1898). */
export type BlockByHash = {
  readonly blockHash: Hash
  readonly requireCanonical?: boolean
}

/** A block by its number (EIP-1898). */
export type BlockByNumber = {
  readonly blockNumber: BlockNumber
}

/** How many blocks. */
export type BlockCount = Quantity | number | bigint

/** A block with `transactionCount` instead of transactions; nothing is issued or paid. */
export type BlockDetails = {
  readonly block: AnyObject
  readonly issuance: AnyObject
  readonly totalFees: Quantity
}

/** A block by number, tag or hash, or by an object of EIP-1898. */
export type BlockId = BlockNumber | Hash | BlockByHash | BlockByNumber

/** The number of a block, or a tag. */
export type BlockNumber = BlockTag | Quantity

/** What the block is taken to be: `number` (or `blockNumber`), `time` (or `timestamp`), `gasLimit`, `feeRecipient` (or `coinbase`), `prevRandao` (or `random`), `baseFeePerGas` (or `baseFee`), `blobBaseFee`, `blockHash` (hashes by number); `difficulty` is passed over; `beaconRoot` and `withdrawals` of simulated blocks alone. Other fields are refused. */
export type BlockOverrides = Readonly<Record<string, unknown>>

/** A block with some of its transactions, whose input is cut, and their receipts without logs. */
export type BlockPage = {
  readonly fullblock: AnyObject
  readonly receipts: readonly (AnyObject)[]
}

/** A block to simulate: what its header and accounts are, and its calls. */
export type BlockStateCalls = {
  readonly blockOverrides?: BlockOverrides
  readonly calls?: readonly (Call)[]
  readonly stateOverrides?: StateOverrides
}

/** `latest`, `safe` and `finalized` are the last block, `pending` is its state with the pool's nonces, `earliest` is genesis. */
export type BlockTag = 'latest' | 'safe' | 'finalized' | 'pending' | 'earliest'

/** One transaction of a block. */
export type BlockTrace = {
  readonly result: Trace
  readonly txHash: Hash
}

/** 256 bytes. */
export type Bloom = Hex

/** The height of the checkpoint that a proof's reader trusts, genesis if absent, and whether an attestation's status is proven too. */
export type BundleStart = {
  readonly from?: number | bigint
  readonly status?: boolean
}

/** The first attestation of a digest. */
export type ByDigest = {
  readonly digest: Bytes
}

/** The first attestation with an id. */
export type ById = {
  readonly id: Hash
}

/** The leaf at a position. */
export type ByIndex = {
  readonly index: number | bigint
}

/** Any number of bytes. */
export type Bytes = Hex

/** What would be sent; `input` and `data` are the same, and bids are paid by nobody. */
export type Call = {
  readonly accessList?: readonly (AccessListItem)[]
  readonly authorizationList?: readonly (Authorization)[]
  readonly chainId?: Quantity
  readonly data?: Bytes
  readonly from?: Address
  readonly gas?: Quantity
  readonly gasPrice?: Quantity
  readonly input?: Bytes
  readonly maxFeePerGas?: Quantity
  readonly maxPriorityFeePerGas?: Quantity
  readonly nonce?: Quantity
  readonly to?: Address | null
  readonly type?: Quantity
  readonly value?: Quantity
}

/** A call, then a list of what is asked of it. */
export type CallAndTraceTypes = readonly (Call | readonly (TraceType)[])[]

/** A call, before those that it makes. */
export type CallEntry = {
  readonly depth: number | bigint
  readonly from: Address
  readonly input: Bytes
  readonly output: Bytes
  readonly to: Address
  readonly type: string
  readonly value: Quantity | null
}

/** What of the past can be asked. */
export type Capabilities = {
  readonly blocks: Since
  readonly head: Head
  readonly logs: Since
  readonly receipts: Since
  readonly state: Since
  readonly stateproofs: Since
  readonly tx: Since
}

/** The commit certificate of a height (SPEC §3.7). */
export type Certificate = {
  readonly checkpointDigest: Hash
  readonly encoded: Bytes
  readonly height: number | bigint
  readonly round: number | bigint
  readonly signatures: readonly (CertificateSignature)[]
}

/** A precommit and its operator. */
export type CertificateSignature = {
  readonly organisation: Organisation
  readonly signature: Bytes
  readonly validator: Address
}

/** What a filter has collected. */
export type Changes = readonly (Hash)[] | readonly (Log)[] | readonly (Transaction)[]

/** What the validators signed at a height; `encoded` is what it was read from (SPEC §3.6). */
export type Checkpoint = {
  readonly blockHash: Hash
  readonly chainId: number | bigint
  readonly digest: Hash
  readonly encoded: Bytes
  readonly height: number | bigint
  readonly logRoot: Hash
  readonly logSize: number | bigint
  readonly nextValidatorSetHash: Hash
  readonly stateRoot: Hash
  readonly timeMs: number | bigint
  readonly validatorSetHash: Hash
}

/** The fork in force; upgrades of this chain have no time, so none comes next. */
export type Config = {
  readonly current: Fork
  readonly last: Fork | null
  readonly next: Fork | null
}

/** Two sizes of the log and the hashes that prove them consistent (RFC 9162 §2.1.4.1). */
export type Consistency = {
  readonly first: number | bigint
  readonly hashes: readonly (Hash)[]
  readonly second: number | bigint
}

/** Who made a contract, in which transaction. */
export type ContractCreator = {
  readonly creator: Address
  readonly hash: Hash
}

/** How many. */
export type Count = number | bigint | Quantity

/** 28 to 64 bytes. */
export type Digest = Hex

/** Two statements of one validator that contradict each other; `encoded` has both. */
export type Evidence = {
  readonly encoded: Bytes
  readonly height: number | bigint
  readonly kind: EvidenceKind
  readonly round: number | bigint
  readonly validator: Address
}

/** What was signed twice. */
export type EvidenceKind = 'votes' | 'proposals'

/** Newest first, and whether there is older evidence. */
export type EvidenceList = {
  readonly evidence: readonly (Evidence)[]
  readonly more: boolean
}

/** As reth has it: nodes of the tries, code, addresses of accounts and numbers of slots, and headers as RLP, up to the parent's. */
export type ExecutionWitness = {
  readonly codes: readonly (Bytes)[]
  readonly headers: readonly (Bytes)[]
  readonly keys: readonly (Bytes)[]
  readonly state: readonly (Bytes)[]
}

/** Fees of blocks: all zero. */
export type FeeHistory = {
  readonly baseFeePerBlobGas: readonly (Quantity)[]
  readonly baseFeePerGas: readonly (Quantity)[]
  readonly blobGasUsedRatio: readonly (number)[]
  readonly gasUsedRatio: readonly (number)[]
  readonly oldestBlock: Quantity
  readonly reward?: readonly (Rewards)[]
}

/** A transaction to sign, with nonce, gas and fees of zero. */
export type FilledTransaction = {
  readonly raw: Bytes
  readonly tx: UnsignedTransaction
}

/** Which logs: of one block, or of a range; those that match in all positions. */
export type Filter = {
  readonly address?: Addresses
  readonly blockHash?: Hash
  readonly fromBlock?: BlockNumber
  readonly toBlock?: BlockNumber
  readonly topics?: readonly (Topic)[]
}

/** 16 bytes that nobody can guess. */
export type FilterId = Hex

/** A fork of EIP-7910. */
export type Fork = Readonly<Record<string, unknown>>

/** A call, a creation or the end of a contract; `traceAddress` is its place among the others. */
export type FrameTrace = {
  readonly action: AnyObject
  readonly blockHash?: Hash
  readonly blockNumber?: number | bigint
  readonly error?: string
  readonly result: AnyObject | null
  readonly subtraces: number | bigint
  readonly traceAddress: readonly (number | bigint)[]
  readonly transactionHash?: Hash
  readonly transactionPosition?: number | bigint
  readonly type: string
}

/** A change of the validator set with both decisions, as in a proof (SPEC §10.3). */
export type Handover = Readonly<Record<string, unknown>>

/** 32 bytes. */
export type Hash = Hex

/** The last block. */
export type Head = {
  readonly hash: Hash
  readonly number: Quantity
}

/** A height as a JSON number, or as Ethereum writes it. */
export type Height = number | bigint | BlockNumber

/** 0: value moved, 1: a contract ended, 2: one was created, 3: by CREATE2. */
export type InternalOperation = {
  readonly from: Address
  readonly to: Address
  readonly type: number | bigint
  readonly value: Quantity
}

/** Leaves that have all of these, from a position on. */
export type LeafFilter = {
  readonly fromIndex?: number | bigint
  readonly issuer?: Address
  readonly kind?: string
  readonly organisation?: number | bigint
  readonly schema?: Hash
}

/** Leaves in the order of the log, and the position to ask again from if there are more. */
export type LeafPage = {
  readonly entries: readonly (LogEntry)[]
  readonly next: number | bigint | null
}

/** The first leaf of a transaction, and how many it has. */
export type LeafRange = {
  readonly count: number | bigint
  readonly first: number | bigint
}

/** One leaf. */
export type LeafSelector = ByIndex | ById | ByDigest

/** What can be subscribed to. */
export type LeavesTopic = 'leaves'

/** What a contract has logged. */
export type Log = {
  readonly address: Address
  readonly blockHash: Hash
  readonly blockNumber: Quantity
  readonly blockTimestamp: Quantity
  readonly data: Bytes
  readonly logIndex: Quantity
  readonly removed: boolean
  readonly topics: readonly (Hash)[]
  readonly transactionHash: Hash
  readonly transactionIndex: Quantity
}

/** A validator that cosigns the log. */
export type LogCosigner = {
  readonly key: string
  readonly nodeName: string
  readonly organisation: Organisation
  readonly power: number | bigint
  readonly validator: Address
}

/** A leaf, as bytes (SPEC §9.3) and in words (SPEC §10.3). */
export type LogEntry = {
  readonly index: number | bigint
  readonly leaf: Bytes
  readonly statement: AnyObject
}

/** Name of the log, and who signs its checkpoints: verifier keys of C2SP signed-note. */
export type LogKeys = {
  readonly cosigners: readonly (LogCosigner)[]
  readonly log: string
  readonly origin: string
  readonly postQuantum: readonly (PostQuantumLogCosigner)[]
  readonly witness: string
}

/** Namespaces and their versions. */
export type Modules = Readonly<Record<string, unknown>>

/** A connected peer, in the shape of go-ethereum; `id` and `enode` are libp2p's. */
export type Neighbour = Readonly<Record<string, unknown>>

/** This node, in the shape of go-ethereum; `id` and `enode` are libp2p's. */
export type NodeInfo = Readonly<Record<string, unknown>>

/** How this node is doing. */
export type NodeStatus = {
  readonly behind: number | bigint
  readonly blockHash: Hash
  readonly chainId: number | bigint
  readonly genesisHash: Hash
  readonly height: number | bigint
  readonly missingValidators: readonly (ValidatorName)[]
  readonly networkName: string
  readonly nodeName: string
  readonly oldestState: number | bigint
  readonly peers: readonly (Peer)[]
  readonly pool: PoolCounts
  readonly protocol: Protocol
  readonly role: Role
  readonly syncing: boolean
  readonly timeMs: number | bigint
  readonly version: string
  readonly waitingFor: string | null
}

/** 8 bytes; zero here. */
export type Nonce = Hex

/** A document of the OpenRPC specification. */
export type OpenRpcDocument = Readonly<Record<string, unknown>>

/** Who stands behind a key or built a block. */
export type Operator = {
  readonly nodeName: string
  readonly number: number | bigint
  readonly organisation: Organisation
  readonly peerId: string | null
  readonly validating: boolean
  readonly validator: Address | null
}

/** A validator's address or public key, a peer's key or id, or a height as a JSON number. */
export type OperatorQuery = string | number | bigint

/** Legal names of an organisation. */
export type Organisation = {
  readonly nameEn: string
  readonly nameZhTw: string
}

/** Another node as seen from this one. */
export type Peer = {
  readonly address: string
  readonly connected: boolean
  readonly height: number | bigint | null
  readonly nodeName: string
  readonly peerId: string
}

/** `pending` and `queued`, each by sender and by nonce in decimal digits. */
export type PoolContent = Readonly<Record<string, unknown>>

/** Transactions that wait to be included. */
export type PoolCounts = {
  readonly bytes: number | bigint
  readonly pending: number | bigint
  readonly queued: number | bigint
}

/** Room for transactions, how many came from clients of this node, and how many from others. */
export type PoolStatistics = {
  readonly localCount: number | bigint
  readonly maxSize: number | bigint
  readonly remoteCount: number | bigint
}

/** Transactions that the next block could have, and those that wait for an earlier nonce. */
export type PoolStatus = {
  readonly pending: Quantity
  readonly queued: Quantity
}

/** A validator whose post-quantum key for the log the chain names (SPEC §9.12). */
export type PostQuantumLogCosigner = {
  readonly key: string | null
  readonly keyHash: Hash
  readonly nodeName: string
  readonly organisation: Organisation
  readonly power: number | bigint
  readonly validator: Address
}

/** A proof that `tbsi verify` and the libraries take (SPEC §10.3). */
export type ProofBundle = Readonly<Record<string, unknown>>

/** By which rules blocks are made, and which come (SPEC §13.12). */
export type Protocol = {
  readonly inForce: number | bigint
  readonly supported: number | bigint
  readonly upgrade: Upgrade | null
}

/** A whole number in hexadecimal digits without leading zeros. */
export type Quantity = Hex

/** What a transaction did. */
export type Receipt = {
  readonly blockHash: Hash
  readonly blockNumber: Quantity
  readonly contractAddress: Address | null
  readonly cumulativeGasUsed: Quantity
  readonly effectiveGasPrice: Quantity
  readonly from: Address
  readonly gasUsed: Quantity
  readonly logs: readonly (Log)[]
  readonly logsBloom: Bloom
  readonly status: Quantity
  readonly to: Address | null
  readonly transactionHash: Hash
  readonly transactionIndex: Quantity
  readonly type: Quantity
}

/** The parts that were asked for; the others are empty or null. */
export type Replay = {
  readonly output: Bytes
  readonly stateDiff: AnyObject | null
  readonly trace: readonly (FrameTrace)[]
  readonly transactionHash?: Hash
  readonly vmTrace: AnyObject | null
}

/** Of one block, zero for each percentile. */
export type Rewards = readonly (Quantity)[]

/** What a node does in consensus. */
export type Role = 'validator' | 'observer'

/** Up to 256 blocks with 1,000 calls, and how they are executed. */
export type Simulation = {
  readonly blockStateCalls: readonly (BlockStateCalls)[]
  readonly returnFullTransactions?: boolean
  readonly traceTransfers?: boolean
  readonly validation?: boolean
}

/** From which block on something is kept. */
export type Since = {
  readonly disabled: boolean
  readonly oldestBlock: Quantity
}

/** At most 32 bytes in hexadecimal digits. */
export type Slot = string

/** A slot and the nodes to it, from the root of the account's storage down. */
export type SlotProof = {
  readonly key: string
  readonly proof: readonly (Bytes)[]
  readonly value: Quantity
}

/** Of each account, slots or the words in them, in the same order. */
export type SlotsByAddress = Readonly<Record<string, unknown>>

/** What accounts are taken to be, by address: `nonce`, `balance`, `code`, `state` (all slots) or `stateDiff` (some), `movePrecompileToAddress`. Other fields are refused. */
export type StateOverrides = Readonly<Record<string, unknown>>

/** Where a transaction is. */
export type Status = 'pending' | 'included' | 'dropped' | 'unknown'

/** Slots by the hash of their number: `key` (null if it is not known) and `value`. */
export type StorageRange = {
  readonly nextKey: Hash | null
  readonly storage: AnyObject
}

/** Which logs, or whether pending transactions are to be in full. */
export type SubscriptionOptions = Filter | boolean

/** What can be subscribed to. */
export type SubscriptionTopic = 'newHeads' | 'logs' | 'newPendingTransactions' | 'syncing'

/** How far a node has come. */
export type SyncProgress = {
  readonly currentBlock: Quantity
  readonly highestBlock: Quantity
  readonly startingBlock: Quantity
}

/** False for a node that has all blocks. */
export type Syncing = boolean | SyncProgress

/** Milliseconds; at most 20000, which it is if absent. */
export type Timeout = number | bigint | Quantity

/** A word, any of several, or null for all. */
export type Topic = Hash | null | readonly (Hash | null)[]

/** What the tracer tells, as go-ethereum has it. */
export type Trace = AnyObject | readonly (AnyObject)[]

/** Which traces of at most 100 blocks, by default of the last one. */
export type TraceFilter = {
  readonly after?: Count
  readonly count?: Count
  readonly fromAddress?: readonly (Address)[]
  readonly fromBlock?: BlockNumber
  readonly mode?: TraceFilterMode
  readonly toAddress?: readonly (Address)[]
  readonly toBlock?: BlockNumber
}

/** Whether either address has to match, or both. */
export type TraceFilterMode = 'union' | 'intersection'

/** `tracerConfig` is the tracer's: onlyTopCall, withLog; diffMode, disableCode, disableStorage; includePrecompiles; for muxTracer tracers by name. `limit` counts instructions. */
export type TraceOptions = {
  readonly disableStack?: boolean
  readonly disableStorage?: boolean
  readonly enableMemory?: boolean
  readonly enableReturnData?: boolean
  readonly limit?: number | bigint
  readonly timeout?: string
  readonly tracer?: Tracer
  readonly tracerConfig?: AnyObject
}

/** Calls, instructions, or what differs afterwards. */
export type TraceType = 'trace' | 'vmTrace' | 'stateDiff'

/** Who looks; absent for instructions. None in JavaScript. */
export type Tracer = 'callTracer' | 'flatCallTracer' | 'prestateTracer' | '4byteTracer' | 'muxTracer' | 'noopTracer'

/** A signed transaction; one that is pending has no block. `gasPrice` is the bid of types 0 and 1, else what is paid, which is nothing. */
export type Transaction = {
  readonly accessList?: readonly (AccessListItem)[]
  readonly authorizationList?: readonly (Authorization)[]
  readonly blockHash: Hash | null
  readonly blockNumber: Quantity | null
  readonly blockTimestamp?: Quantity | null
  readonly chainId?: Quantity
  readonly from: Address
  readonly gas: Quantity
  readonly gasPrice: Quantity
  readonly hash: Hash
  readonly input: Bytes
  readonly maxFeePerGas?: Quantity
  readonly maxPriorityFeePerGas?: Quantity
  readonly nonce: Quantity
  readonly r: Quantity
  readonly s: Quantity
  readonly to: Address | null
  readonly transactionIndex: Quantity | null
  readonly type: Quantity
  readonly v: Quantity
  readonly value: Quantity
  readonly yParity?: Quantity
}

/** Transactions and their receipts, newest first: all of each block. */
export type TransactionPage = {
  readonly firstPage: boolean
  readonly lastPage: boolean
  readonly receipts: readonly (AnyObject)[]
  readonly txs: readonly (AnyObject)[]
}

/** What became of a transaction, as this node knows (SPEC §6.9). */
export type TransactionStatus = {
  readonly height?: number | bigint
  readonly index?: number | bigint
  readonly message?: string
  readonly missingNonce?: number | bigint | null
  readonly reason?: string
  readonly replacedBy?: Hash | null
  readonly status: Status
  readonly timeMs?: number | bigint
}

/** In full, or their hashes. */
export type Transactions = readonly (Hash)[] | readonly (Transaction)[]

/** A transaction whose signature is zeros. */
export type UnsignedTransaction = Readonly<Record<string, unknown>>

/** An upgrade that waits for its height. */
export type Upgrade = {
  readonly height: number | bigint
  readonly number: number | bigint
  readonly protocol: number | bigint
  readonly seconds: number | bigint | null
  readonly supported: boolean
  readonly version: string
}

/** A validator of a set. */
export type Validator = {
  readonly address: Address
  readonly nodeName: string
  readonly organisation: Organisation
  readonly power: number | bigint
  readonly publicKey: Bytes
}

/** Who stands behind a validator's key. */
export type ValidatorName = {
  readonly address: Address
  readonly nodeName: string
  readonly organisation: Organisation
}

/** Who decides a height, in address order. */
export type ValidatorSet = {
  readonly height: number | bigint
  readonly setHash: Hash
  readonly totalPower: number | bigint
  readonly validators: readonly (Validator)[]
}

/** As JSON or as a quantity. */
export type WholeNumber = number | bigint | Quantity

/** There are none. */
export type Withdrawal = Readonly<Record<string, unknown>>

export interface Methods {
  /** This node. */
  'admin_nodeInfo': {
    params: []
    result: NodeInfo
  }
  /** The connected peers. */
  'admin_peers': {
    params: []
    result: readonly (Neighbour)[]
  }
  /** Accounts after a block from a hash of an address on, up to 256. */
  'debug_accountRange': {
    params: [block: BlockId, start: Bytes, limit: number | bigint, nocode?: boolean, nostorage?: boolean, incompletes?: boolean]
    result: AccountRange
  }
  /** What executing a block reads, to execute it without the state. */
  'debug_executionWitness': {
    params: [block: BlockId]
    result: ExecutionWitness
  }
  /** None: what is refused before it is decided is no block. */
  'debug_getBadBlocks': {
    params: []
    result: readonly (AnyObject)[]
  }
  /** A block as RLP. */
  'debug_getRawBlock': {
    params: [block: BlockId]
    result: Bytes
  }
  /** The header of a block as RLP. */
  'debug_getRawHeader': {
    params: [block: BlockId]
    result: Bytes
  }
  /** The receipts of a block, each as EIP-2718 has it. */
  'debug_getRawReceipts': {
    params: [block: BlockId]
    result: readonly (Bytes)[]
  }
  /** A transaction, in a block or pending, as EIP-2718 has it; no bytes if it is not known. */
  'debug_getRawTransaction': {
    params: [hash: Hash]
    result: Bytes
  }
  /** Storage of an account before the transaction at a position of a block. */
  'debug_storageRangeAt': {
    params: [block: Hash, index: number | bigint, address: Address, start: Bytes, limit: number | bigint]
    result: StorageRange
  }
  /** What the transactions of a block of this chain did, by its RLP. */
  'debug_traceBlock': {
    params: [block: Bytes, options?: TraceOptions]
    result: readonly (BlockTrace)[]
  }
  /** What the transactions of a block did. */
  'debug_traceBlockByHash': {
    params: [hash: Hash, options?: TraceOptions]
    result: readonly (BlockTrace)[]
  }
  /** What the transactions of a block did. */
  'debug_traceBlockByNumber': {
    params: [number: BlockNumber, options?: TraceOptions]
    result: readonly (BlockTrace)[]
  }
  /** What a call does on the state of a block. */
  'debug_traceCall': {
    params: [transaction: Call, block?: BlockId, options?: TraceOptions]
    result: Trace
  }
  /** What a transaction did. */
  'debug_traceTransaction': {
    params: [hash: Hash, options?: TraceOptions]
    result: Trace
  }
  /** The header of a block. */
  'erigon_getHeaderByNumber': {
    params: [number: BlockNumber]
    result: AnyObject | null
  }
  /** Accounts whose keys the node holds: none. */
  'eth_accounts': {
    params: []
    result: readonly (Address)[]
  }
  /** Base fee of the next block: zero. */
  'eth_baseFee': {
    params: []
    result: Quantity
  }
  /** Price of blob gas, the least there is; blobs are refused. */
  'eth_blobBaseFee': {
    params: []
    result: Quantity
  }
  /** Number of the last block. */
  'eth_blockNumber': {
    params: []
    result: Quantity
  }
  /** Executes a call on the state of a block and forgets what it changed. */
  'eth_call': {
    params: [transaction: Call, block?: BlockId, stateOverrides?: StateOverrides, blockOverrides?: BlockOverrides]
    result: Bytes
  }
  /** From which block on the node has what. */
  'eth_capabilities': {
    params: []
    result: Capabilities
  }
  /** The EIP-155 chain id. */
  'eth_chainId': {
    params: []
    result: Quantity
  }
  /** The address that this validator's blocks name; an error of an observer. */
  'eth_coinbase': {
    params: []
    result: Address
  }
  /** The fork and its contracts (EIP-7910). */
  'eth_config': {
    params: []
    result: Config
  }
  /** What a call reads and writes, and its gas when it says so beforehand. */
  'eth_createAccessList': {
    params: [transaction: Call, block?: BlockId, stateOverrides?: StateOverrides, blockOverrides?: BlockOverrides]
    result: Accessed
  }
  /** The gas limit with which a transaction would succeed. */
  'eth_estimateGas': {
    params: [transaction: Call, block?: BlockId, stateOverrides?: StateOverrides, blockOverrides?: BlockOverrides]
    result: Quantity
  }
  /** Fees of up to 1024 blocks: zero, whatever percentile is asked for. */
  'eth_feeHistory': {
    params: [blockCount: BlockCount, newestBlock: BlockNumber, rewardPercentiles?: readonly (number)[]]
    result: FeeHistory
  }
  /** A transaction with what was missing in it: nonce, gas, fees of zero. */
  'eth_fillTransaction': {
    params: [transaction: Call]
    result: FilledTransaction
  }
  /** Zero: nobody pays. */
  'eth_gasPrice': {
    params: []
    result: Quantity
  }
  /** An account as the state trie has it, or null. */
  'eth_getAccount': {
    params: [address: Address, block?: BlockId]
    result: Account | null
  }
  /** Balance, nonce and code of an account. */
  'eth_getAccountInfo': {
    params: [address: Address, block?: BlockId]
    result: AccountInfo
  }
  /** Balance of an account, wei. */
  'eth_getBalance': {
    params: [address: Address, block?: BlockId]
    result: Quantity
  }
  /** The block with this hash, or null. */
  'eth_getBlockByHash': {
    params: [hash: Hash, full: boolean]
    result: Block | null
  }
  /** The block with this number, or null. */
  'eth_getBlockByNumber': {
    params: [number: BlockNumber, full: boolean]
    result: Block | null
  }
  /** The receipts of a block, or null. */
  'eth_getBlockReceipts': {
    params: [block: BlockId]
    result: readonly (Receipt)[] | null
  }
  /** How many transactions the block with this hash has, or null. */
  'eth_getBlockTransactionCountByHash': {
    params: [hash: Hash]
    result: Quantity | null
  }
  /** How many transactions the block with this number has, or null. */
  'eth_getBlockTransactionCountByNumber': {
    params: [number: BlockNumber]
    result: Quantity | null
  }
  /** Code of an account. */
  'eth_getCode': {
    params: [address: Address, block?: BlockId]
    result: Bytes
  }
  /** What came since a filter was last asked: block hashes, logs, transactions or their hashes. */
  'eth_getFilterChanges': {
    params: [id: FilterId]
    result: Changes
  }
  /** All logs that a filter for logs matches. */
  'eth_getFilterLogs': {
    params: [id: FilterId]
    result: readonly (Log)[]
  }
  /** The logs that match a filter. */
  'eth_getLogs': {
    params: [filter: Filter]
    result: readonly (Log)[]
  }
  /** An account and up to 1024 of its slots with their proofs (EIP-1186). */
  'eth_getProof': {
    params: [address: Address, slots: readonly (Slot)[], block?: BlockId]
    result: AccountProof
  }
  /** The word in a slot of an account. */
  'eth_getStorageAt': {
    params: [address: Address, slot: Slot, block?: BlockId]
    result: Hash
  }
  /** The words in up to 1024 slots of several accounts. */
  'eth_getStorageValues': {
    params: [slots: SlotsByAddress, block?: BlockId]
    result: SlotsByAddress
  }
  /** A transaction by its place, or null. */
  'eth_getTransactionByBlockHashAndIndex': {
    params: [hash: Hash, index: Quantity]
    result: Transaction | null
  }
  /** A transaction by its place, or null. */
  'eth_getTransactionByBlockNumberAndIndex': {
    params: [number: BlockNumber, index: Quantity]
    result: Transaction | null
  }
  /** A transaction, in a block or pending, or null. */
  'eth_getTransactionByHash': {
    params: [hash: Hash]
    result: Transaction | null
  }
  /** How many transactions an account has sent; with `pending` those in the pool count. */
  'eth_getTransactionCount': {
    params: [address: Address, block?: BlockId]
    result: Quantity
  }
  /** The receipt of a transaction in a block, or null. */
  'eth_getTransactionReceipt': {
    params: [hash: Hash]
    result: Receipt | null
  }
  /** Null: blocks have no uncles. */
  'eth_getUncleByBlockHashAndIndex': {
    params: [hash: Hash, index: Quantity]
    result: Block | null
  }
  /** Null: blocks have no uncles. */
  'eth_getUncleByBlockNumberAndIndex': {
    params: [number: BlockNumber, index: Quantity]
    result: Block | null
  }
  /** Zero, or null if there is no such block. */
  'eth_getUncleCountByBlockHash': {
    params: [hash: Hash]
    result: Quantity | null
  }
  /** Zero, or null if there is no such block. */
  'eth_getUncleCountByBlockNumber': {
    params: [number: BlockNumber]
    result: Quantity | null
  }
  /** Zero: nobody mines. */
  'eth_hashrate': {
    params: []
    result: Quantity
  }
  /** Zero: nobody pays. */
  'eth_maxPriorityFeePerGas': {
    params: []
    result: Quantity
  }
  /** False: nobody mines. */
  'eth_mining': {
    params: []
    result: boolean
  }
  /** Begins to collect hashes of blocks; answers an id. */
  'eth_newBlockFilter': {
    params: []
    result: FilterId
  }
  /** Begins to collect logs of new blocks; answers an id. */
  'eth_newFilter': {
    params: [filter: Filter]
    result: FilterId
  }
  /** Begins to collect what the pool takes; answers an id. */
  'eth_newPendingTransactionFilter': {
    params: [full?: boolean]
    result: FilterId
  }
  /** Takes a signed transaction into the pool and answers its hash. */
  'eth_sendRawTransaction': {
    params: [transaction: Bytes]
    result: Hash
  }
  /** Takes a signed transaction and answers its receipt when it is final (EIP-7966). */
  'eth_sendRawTransactionSync': {
    params: [transaction: Bytes, timeoutMs?: Timeout]
    result: Receipt
  }
  /** Executes blocks on top of one and forgets them; says how their calls end. */
  'eth_simulateV1': {
    params: [options: Simulation, block?: BlockId]
    result: readonly (AnyObject)[]
  }
  /** Sends what comes, as `eth_subscription`; answers an id. */
  'eth_subscribe': {
    params: [topic: SubscriptionTopic, options?: SubscriptionOptions]
    result: string
  }
  /** False, or how far the node has come. */
  'eth_syncing': {
    params: []
    result: Syncing
  }
  /** Ends a filter; false if there is none with this id. */
  'eth_uninstallFilter': {
    params: [id: FilterId]
    result: boolean
  }
  /** Ends a subscription; false if there is none with this id. */
  'eth_unsubscribe': {
    params: [id: string]
    result: boolean
  }
  /** True. */
  'net_listening': {
    params: []
    result: boolean
  }
  /** How many peers are connected. */
  'net_peerCount': {
    params: []
    result: Quantity
  }
  /** The chain id in decimal digits. */
  'net_version': {
    params: []
    result: string
  }
  /** The level of these methods. */
  'ots_getApiLevel': {
    params: []
    result: number | bigint
  }
  /** A block without its transactions. */
  'ots_getBlockDetails': {
    params: [number: BlockNumber]
    result: BlockDetails | null
  }
  /** A block without its transactions. */
  'ots_getBlockDetailsByHash': {
    params: [hash: Hash]
    result: BlockDetails | null
  }
  /** Transactions of a block, in pages from its end. */
  'ots_getBlockTransactions': {
    params: [number: BlockNumber, page: number | bigint, size: number | bigint]
    result: BlockPage | null
  }
  /** Who made a contract, if that is in the states that are kept. */
  'ots_getContractCreator': {
    params: [address: Address]
    result: ContractCreator | null
  }
  /** Value that moved and contracts that came or went inside a transaction. */
  'ots_getInternalOperations': {
    params: [hash: Hash]
    result: readonly (InternalOperation)[] | null
  }
  /** A transaction by its nonce, if that is in the states that are kept. */
  'ots_getTransactionBySenderAndNonce': {
    params: [address: Address, nonce: WholeNumber]
    result: Hash | null
  }
  /** What a transaction that failed returned. */
  'ots_getTransactionError': {
    params: [hash: Hash]
    result: Bytes
  }
  /** Whether an account is a contract. */
  'ots_hasCode': {
    params: [address: Address, block: BlockId]
    result: boolean
  }
  /** Transactions that an account takes part in after a block. */
  'ots_searchTransactionsAfter': {
    params: [address: Address, number: WholeNumber, size: number | bigint]
    result: TransactionPage
  }
  /** Transactions that an account takes part in before a block; 0 is after the last. */
  'ots_searchTransactionsBefore': {
    params: [address: Address, number: WholeNumber, size: number | bigint]
    result: TransactionPage
  }
  /** The calls of a transaction. */
  'ots_traceTransaction': {
    params: [hash: Hash]
    result: readonly (CallEntry)[] | null
  }
  /** The peers that the chain admits, as libp2p addresses. */
  'perm_getNodesAllowlist': {
    params: []
    result: readonly (string)[]
  }
  /** Who decided the block with this hash, or null. */
  'qbft_getValidatorsByBlockHash': {
    params: [hash: Hash]
    result: readonly (Address)[] | null
  }
  /** Who decides the block with this number, or null. */
  'qbft_getValidatorsByBlockNumber': {
    params: [number: BlockNumber]
    result: readonly (Address)[] | null
  }
  /** All methods with arguments and results, as an OpenRPC document. */
  'rpc.discover': {
    params: []
    result: OpenRpcDocument
  }
  /** The namespaces. */
  'rpc_modules': {
    params: []
    result: Modules
  }
  /** Attestations of a digest, a page of them. */
  'tbsi_findByDigest': {
    params: [digest: Digest, from?: number | bigint]
    result: LeafPage
  }
  /** Attestations with an id, a page of them. */
  'tbsi_findById': {
    params: [id: Hash, from?: number | bigint]
    result: LeafPage
  }
  /** Proof that nobody attested a digest, or of who first did. */
  'tbsi_getAbsence': {
    params: [digest: Digest, start?: BundleStart]
    result: ProofBundle
  }
  /** What an attestation comes to, or null. */
  'tbsi_getAttestation': {
    params: [id: Hash]
    result: Attestation | null
  }
  /** The commit certificate of a height; null for genesis and heights to come. */
  'tbsi_getCertificate': {
    params: [height?: Height]
    result: Certificate | null
  }
  /** The checkpoint of a height, or null. */
  'tbsi_getCheckpoint': {
    params: [height?: Height]
    result: Checkpoint | null
  }
  /** Proof that the log of one size is the beginning of that of another. */
  'tbsi_getConsistency': {
    params: [first: number | bigint, second: number | bigint]
    result: Consistency
  }
  /** What is known of equivocation. */
  'tbsi_getEvidence': {
    params: []
    result: EvidenceList
  }
  /** Changes of the validator set from a height on, a page of them. */
  'tbsi_getHandovers': {
    params: [from?: number | bigint]
    result: readonly (Handover)[]
  }
  /** A leaf by its position, or null. */
  'tbsi_getLeaf': {
    params: [index: number | bigint]
    result: LogEntry | null
  }
  /** Where the leaves of a transaction are; null until it is final. */
  'tbsi_getLeaves': {
    params: [transactionHash: Hash]
    result: LeafRange | null
  }
  /** Who stands behind a key or built a block, or null. */
  'tbsi_getOperator': {
    params: [of: OperatorQuery]
    result: Operator | null
  }
  /** The proof of a leaf, or null. */
  'tbsi_getProof': {
    params: [leaf: LeafSelector, start?: BundleStart]
    result: ProofBundle | null
  }
  /** Who decides a height, or null. */
  'tbsi_getValidators': {
    params: [height?: Height]
    result: ValidatorSet | null
  }
  /** Who signs checkpoints of the log. */
  'tbsi_logKeys': {
    params: []
    result: LogKeys
  }
  /** Takes a signed transaction and answers when it is final, with the proofs of its leaves. */
  'tbsi_sendAttestation': {
    params: [transaction: Bytes, start?: BundleStart]
    result: Acknowledgement
  }
  /** How this node is doing. */
  'tbsi_status': {
    params: []
    result: NodeStatus
  }
  /** Sends leaves, each once and in order, as `tbsi_subscription`; answers an id. */
  'tbsi_subscribe': {
    params: [topic: LeavesTopic, filter?: LeafFilter]
    result: string
  }
  /** What became of a transaction. */
  'tbsi_transactionStatus': {
    params: [hash: Hash]
    result: TransactionStatus
  }
  /** Ends a subscription; false if there is none with this id. */
  'tbsi_unsubscribe': {
    params: [id: string]
    result: boolean
  }
  /** What the transactions of a block did; there are no rewards. */
  'trace_block': {
    params: [block: BlockId]
    result: readonly (FrameTrace)[] | null
  }
  /** What a call does on the state of a block. */
  'trace_call': {
    params: [transaction: Call, types: readonly (TraceType)[], block?: BlockId]
    result: Replay
  }
  /** What up to 100 calls do, each on what those before it left. */
  'trace_callMany': {
    params: [calls: readonly (CallAndTraceTypes)[], block?: BlockId]
    result: readonly (Replay)[]
  }
  /** Traces by who calls whom. */
  'trace_filter': {
    params: [filter: TraceFilter]
    result: readonly (FrameTrace)[]
  }
  /** The trace of a transaction that has this `traceAddress`. */
  'trace_get': {
    params: [hash: Hash, path: readonly (Quantity)[]]
    result: FrameTrace | null
  }
  /** What the transactions of a block did, in the parts that are asked for. */
  'trace_replayBlockTransactions': {
    params: [block: BlockId, types: readonly (TraceType)[]]
    result: readonly (Replay)[] | null
  }
  /** What a transaction did, in the parts that are asked for. */
  'trace_replayTransaction': {
    params: [hash: Hash, types: readonly (TraceType)[]]
    result: Replay
  }
  /** What a transaction did. */
  'trace_transaction': {
    params: [hash: Hash]
    result: readonly (FrameTrace)[] | null
  }
  /** The pool's transactions in a list, as Besu has them. */
  'txpool_besuPendingTransactions': {
    params: [limit?: number | bigint]
    result: readonly (Transaction)[]
  }
  /** How full the pool is, as Besu says it. */
  'txpool_besuStatistics': {
    params: []
    result: PoolStatistics
  }
  /** The pool's transactions by sender and nonce. */
  'txpool_content': {
    params: []
    result: PoolContent
  }
  /** The pool's transactions of one sender, by nonce. */
  'txpool_contentFrom': {
    params: [address: Address]
    result: PoolContent
  }
  /** The pool's transactions, a line for each. */
  'txpool_inspect': {
    params: []
    result: PoolContent
  }
  /** How many transactions the pool has. */
  'txpool_status': {
    params: []
    result: PoolStatus
  }
  /** Name and version of the software. */
  'web3_clientVersion': {
    params: []
    result: string
  }
  /** Keccak-256 of some bytes. */
  'web3_sha3': {
    params: [bytes: Bytes]
    result: Hash
  }
}

export type MethodName = keyof Methods
