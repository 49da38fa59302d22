//! A small chain in memory that implements the server's port.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, RwLock};

use alloy_consensus::Header;
use alloy_primitives::{Bloom, keccak256};
use alloy_sol_types::{Revert, SolError};
use tbsi_rpc::backend::{
    Backend, BackendError, CalendarAnswer, LogKeys, OwnPeer, PendingTimestamp, PoolContent,
    SubmitError, Timestamp, TimestampAdmission, TimestampClient, TimestampFailure, Witnessing,
};
use tbsi_rpc::wire::{
    LeafRange, NodeStatus, Operator, OperatorQuery, Organisation, Peer, PoolCounts, ProtocolStatus,
    Role, TransactionStatus, ValidatorName,
};
use tbsi_types::block::{HeaderFields, transactions_root};
use tbsi_types::bundle::{Handover, MapBundle, ProofBundle, RegistryBundle};
use tbsi_types::log::EMPTY_LOG_ROOT;
use tbsi_types::log::{
    Attestation, ConsistencyProof, CoseReceipt, Cosigner, DigestWords, EntryBundle, Found,
    InclusionProof, Leaf, LeafHead, LogCheckpoint, Lookup, NoteSigner, OtsCommitment,
    SignatureType, SignedNote, Statement, Tile, TlogProof,
};
use tbsi_types::{
    Accessed, Account, AccountProof, Address, B256, Block, Bytes, CallOutcome, CallOverrides,
    CallRequest, ChainIdentity, Checkpoint, CommitCertificate, Evidence, Height, LeafIndex,
    Members, Receipt, SimulatedBlock, SimulatedOutcome, Simulation, SimulationFault,
    SimulationRefused, SlotProof, TimestampMs, Transaction, TreeSize, U256,
};
use tokio::sync::broadcast;

use crate::transactions::{
    CHAIN_ID, CONTRACT, identity, one_of_each_type, receipt, sender, transfer,
};
use crate::validators::{certificate, equivocation, members};

pub(crate) const RETURNS: Address = Address::repeat_byte(1);
pub(crate) const REVERTS: Address = Address::repeat_byte(2);
pub(crate) const HALTS: Address = Address::repeat_byte(3);
pub(crate) const REFUSED: Address = Address::repeat_byte(4);
/// A call to it panics inside the node.
pub(crate) const PANICS: Address = Address::new(*b"panics inside a call");
/// A call to it waits until [`Gate::open`].
pub(crate) const WAITS: Address = Address::new(*b"waits until let pass");
/// Bytes whose submission fails inside the node.
pub(crate) const SUBMIT_FAILS: &[u8] = &[0xff];

/// A transaction with it is not taken before another one was.
pub(crate) const EARLY_NONCE: u64 = 1_000_000;

/// A transaction that the pool had and has no more.
pub(crate) const DROPPED: B256 = B256::repeat_byte(0xdd);

/// What the chain's sender has sent and been given in the state of every height.
pub(crate) const NONCE: u64 = 4;
pub(crate) const BALANCE: u64 = 1_000;
pub(crate) const SLOT: u64 = 1;
pub(crate) const SLOT_VALUE: u64 = 42;

/// Hashes in each level's only tile.
pub(crate) const TILE_HASHES: u16 = 256;

pub(crate) fn log_signer() -> NoteSigner {
    NoteSigner::new(&identity().log_origin(), &[7; 32]).unwrap()
}

/// Signs as a validator.
pub(crate) fn cosigner() -> NoteSigner {
    let name = format!("{}/{}", identity().log_origin(), "00".repeat(32));
    NoteSigner::new(&name, &[8; 32]).unwrap()
}

/// A size of the log at which its leaves are lost.
const LOST: u64 = 77;

/// Issuer of every third leaf; the others have another.
pub(crate) const ISSUER: Address = Address::repeat_byte(0x15);
/// Schema of the attestations among the leaves, which are the even ones.
pub(crate) const SCHEMA: B256 = B256::repeat_byte(0x5c);

/// Every log of this chain has the same beginning.
pub(crate) fn log_leaf(index: u64) -> Vec<u8> {
    let issuer = if index.is_multiple_of(3) {
        ISSUER
    } else {
        Address::repeat_byte(0x16)
    };
    let digest = keccak256(index.to_be_bytes());
    let statement = if index.is_multiple_of(2) {
        Statement::Attestation(Attestation {
            schema: SCHEMA,
            algorithm: 0x12,
            digest: DigestWords::One([digest]),
        })
    } else {
        let id = digest;
        Statement::Revocation { id, reason: 1 }
    };
    let head = LeafHead {
        chain_id: CHAIN_ID,
        height: Height(7),
        time: TimestampMs(7),
        transaction_index: 0,
        ordinal: 0,
        issuer,
    };
    Leaf { head, statement }.encode().unwrap()
}

/// Addresses that are told to wait, and that this chain has no authority.
pub(crate) const FLOODS: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
pub(crate) const NO_AUTHORITY: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 8));

fn note() -> SignedNote {
    let checkpoint = LogCheckpoint {
        origin: identity().log_origin(),
        size: TreeSize(0),
        root: EMPTY_LOG_ROOT,
    };
    let text = checkpoint.encode().unwrap();
    let signature = log_signer().sign(&text);
    SignedNote::new(text, vec![signature]).unwrap()
}

/// Lets waiting calls pass.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Gate {
    pub(crate) fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        while !state.1 {
            state = self.changed.wait(state).unwrap();
        }
    }

    /// Calls that arrived so far.
    pub(crate) fn arrived(&self) -> usize {
        self.state.lock().unwrap().0
    }

    pub(crate) fn open(&self) {
        self.state.lock().unwrap().1 = true;
        self.changed.notify_all();
    }
}

pub(crate) struct Chain {
    blocks: RwLock<Vec<(Block, Vec<Receipt>)>>,
    heads: broadcast::Sender<Height>,
    /// What the pool takes is announced here.
    pub(crate) pooled: broadcast::Sender<B256>,
    log_size: AtomicU64,
    /// Leaves that are looked up.
    pub(crate) stated: Mutex<Vec<Leaf>>,
    /// Who asked for time stamps.
    pub(crate) asked: Mutex<Vec<TimestampClient>>,
    /// Time stamps that those were promised and did not get.
    pub(crate) failed: Mutex<Vec<TimestampFailure>>,
    /// Transactions that were submitted, in this order.
    pub(crate) submitted: Mutex<Vec<B256>>,
    pub(crate) gate: Gate,
    pub(crate) oldest_state: Height,
    /// Blocks below it, but for genesis, were pruned.
    pub(crate) oldest_block: AtomicU64,
}

impl Chain {
    /// Genesis; a block with one transaction of each type, of 0, 1, 2 and 3 logs; an empty
    /// block.
    pub(crate) fn new() -> Self {
        let chain = Self {
            blocks: RwLock::default(),
            heads: broadcast::channel(2).0,
            pooled: broadcast::channel(4).0,
            log_size: AtomicU64::new(0),
            stated: Mutex::default(),
            asked: Mutex::default(),
            failed: Mutex::default(),
            submitted: Mutex::default(),
            gate: Gate::default(),
            oldest_state: Height(1),
            oldest_block: AtomicU64::new(0),
        };
        chain.append(vec![], 0);
        chain.append(one_of_each_type(), 1);
        chain.append(vec![], 0);
        chain
    }

    /// Adds a block; the transaction at `index` emits `index * logs` logs.
    pub(crate) fn append(&self, transactions: Vec<Arc<Transaction>>, logs: usize) {
        let mut blocks = self.blocks.write().unwrap();
        let height = Height(blocks.len() as u64);
        let mut receipts = Vec::new();
        for (index, transaction) in transactions.iter().enumerate() {
            let cumulative = 21_000 * (index as u64 + 1);
            receipts.push(receipt(transaction, cumulative, index * logs));
        }
        let logs_bloom = receipts
            .iter()
            .fold(Bloom::ZERO, |bloom, receipt| bloom | *receipt.logs_bloom());
        let parent_hash = blocks.last().map(|(block, _)| block.hash());
        let header = HeaderFields {
            parent_hash: parent_hash.unwrap_or_default(),
            height,
            time: TimestampMs(1_700_000_000_000 + 1_000 * height.0),
            beneficiary: Address::repeat_byte(0xbe),
            gas_limit: 300_000_000,
            gas_used: 21_000 * transactions.len() as u64,
            state_root: B256::repeat_byte(5),
            transactions_root: transactions_root(&transactions),
            receipts_root: B256::repeat_byte(6),
            logs_bloom,
        };
        let block = Block {
            header: header.header(),
            transactions,
        };
        blocks.push((block, receipts));
        drop(blocks);
        // Nobody may be listening.
        self.heads.send(height).ok();
    }

    /// Adds a block with a leaf that cannot be read.
    pub(crate) fn lose_leaves(&self) {
        self.grow_log(LOST);
    }

    /// Adds a block after which the log has this size.
    pub(crate) fn grow_log(&self, size: u64) {
        self.log_size.store(size, Ordering::SeqCst);
        self.append(vec![], 0);
    }

    /// Who wants to hear of new blocks.
    pub(crate) fn listeners(&self) -> usize {
        self.heads.receiver_count()
    }

    pub(crate) fn block_at(&self, height: u64) -> Block {
        self.at(Height(height), |block, _| block.clone()).unwrap()
    }

    /// One that the pool takes and drops at once.
    pub(crate) fn to_be_dropped(&self) -> Arc<Transaction> {
        transfer(NONCE + 2)
    }

    /// The pool's only transaction.
    pub(crate) fn pending(&self) -> Arc<Transaction> {
        transfer(NONCE + 1)
    }

    fn check_state(&self, height: Height) -> Result<(), BackendError> {
        let oldest = self.oldest_state;
        assert!(height <= self.tip(), "state above the tip was asked for");
        if height < oldest {
            return Err(BackendError::StateUnavailable { height, oldest });
        }
        Ok(())
    }

    fn check_block(&self, height: Height) -> Result<(), BackendError> {
        let oldest = Height(self.oldest_block.load(Ordering::SeqCst));
        if height > Height::GENESIS && height < oldest {
            return Err(BackendError::BlockUnavailable { height, oldest });
        }
        Ok(())
    }

    fn find<T>(&self, pick: impl Fn(&Block, &[Receipt]) -> Option<T>) -> Option<T> {
        let blocks = self.blocks.read().unwrap();
        blocks.iter().find_map(|(block, logs)| pick(block, logs))
    }

    fn at<T>(&self, height: Height, pick: impl Fn(&Block, &[Receipt]) -> T) -> Option<T> {
        let blocks = self.blocks.read().unwrap();
        let (block, receipts) = blocks.get(usize::try_from(height.0).ok()?)?;
        Some(pick(block, receipts))
    }
}

impl Backend for Chain {
    fn identity(&self) -> ChainIdentity {
        identity()
    }

    fn client_version(&self) -> String {
        "tbsi/0.1.0".into()
    }

    fn tip(&self) -> Height {
        Height(self.blocks.read().unwrap().len() as u64 - 1)
    }

    fn oldest_state(&self) -> Height {
        self.oldest_state
    }

    fn header(&self, height: Height) -> Result<Option<Header>, BackendError> {
        Ok(self.at(height, |block, _| block.header.clone()))
    }

    fn block(&self, height: Height) -> Result<Option<Block>, BackendError> {
        self.check_block(height)?;
        Ok(self.at(height, |block, _| block.clone()))
    }

    fn receipts(&self, height: Height) -> Result<Option<Arc<Vec<Receipt>>>, BackendError> {
        self.check_block(height)?;
        Ok(self.at(height, |_, receipts| Arc::new(receipts.to_vec())))
    }

    fn height_of(&self, hash: B256) -> Result<Option<Height>, BackendError> {
        Ok(self.find(|block, _| (block.hash() == hash).then(|| block.height())))
    }

    fn transaction_location(&self, hash: B256) -> Result<Option<(Height, u32)>, BackendError> {
        Ok(self.find(|block, _| {
            let mut transactions = block.transactions.iter();
            let index = transactions.position(|tx| tx.hash() == hash)?;
            Some((block.height(), u32::try_from(index).unwrap()))
        }))
    }

    fn account(&self, address: Address, height: Height) -> Result<Option<Account>, BackendError> {
        self.check_state(height)?;
        Ok((address == sender()).then(|| Account {
            nonce: NONCE,
            balance: U256::from(BALANCE),
            ..Account::default()
        }))
    }

    fn code(&self, address: Address, height: Height) -> Result<Bytes, BackendError> {
        self.check_state(height)?;
        let code: &[u8] = if address == CONTRACT {
            &[0x60, 0x00]
        } else {
            &[]
        };
        Ok(Bytes::from_static(code))
    }

    fn storage(&self, address: Address, slot: U256, height: Height) -> Result<U256, BackendError> {
        self.check_state(height)?;
        let is_set = address == CONTRACT && slot == U256::from(SLOT);
        Ok(U256::from(if is_set { SLOT_VALUE } else { 0 }))
    }

    fn prove(
        &self,
        address: Address,
        slots: &[U256],
        height: Height,
    ) -> Result<AccountProof, BackendError> {
        let prove = |slot: &U256| {
            Ok(SlotProof {
                slot: *slot,
                value: self.storage(address, *slot, height)?,
                nodes: vec![vec![0xc0].into()],
            })
        };
        Ok(AccountProof {
            address,
            account: self.account(address, height)?,
            storage_root: keccak256("storage root"),
            nodes: vec![vec![0xc1].into()],
            slots: slots
                .iter()
                .map(prove)
                .collect::<Result<_, BackendError>>()?,
        })
    }

    fn call(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
        height: Height,
    ) -> Result<CallOutcome, BackendError> {
        self.check_state(height)?;
        let gas_used = overrides.block.gas_limit.unwrap_or(21_000);
        Ok(match request.to.unwrap_or_default() {
            REVERTS => CallOutcome::Reverted {
                output: Revert::from("user error").abi_encode().into(),
                gas_used,
            },
            HALTS => CallOutcome::Halted {
                reason: "out of gas".into(),
                gas_used,
            },
            REFUSED => CallOutcome::Refused {
                reason: "intrinsic gas too low: have 100, want 21000".into(),
            },
            PANICS => panic!("a call that panics"),
            WAITS => {
                self.gate.pass();
                CallOutcome::Returned {
                    output: Bytes::new(),
                    gas_used,
                }
            }
            _ => CallOutcome::Returned {
                output: request.input.clone(),
                gas_used,
            },
        })
    }

    fn estimate_gas(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
        height: Height,
    ) -> Result<Result<u64, CallOutcome>, BackendError> {
        let outcome = self.call(request, overrides, height)?;
        Ok(match outcome {
            CallOutcome::Returned { gas_used, .. } => Ok(gas_used),
            failed @ (CallOutcome::Reverted { .. }
            | CallOutcome::Halted { .. }
            | CallOutcome::Refused { .. }) => Err(failed),
        })
    }

    fn access_list(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
        height: Height,
    ) -> Result<Accessed, BackendError> {
        Ok(Accessed {
            list: request.access_list.clone(),
            outcome: self.call(request, overrides, height)?,
        })
    }

    fn simulate(
        &self,
        simulation: &Simulation,
        height: Height,
        keep_going: &dyn Fn() -> bool,
    ) -> Result<Result<Vec<SimulatedBlock>, SimulationRefused>, BackendError> {
        assert!(keep_going());
        let mut blocks = Vec::new();
        for block in &simulation.blocks {
            let mut simulated = SimulatedBlock {
                header: self.at(height, |block, _| block.header.clone()).unwrap(),
                transactions: Vec::new(),
                calls: Vec::new(),
                withdrawals: Vec::new(),
            };
            for call in &block.calls {
                let outcome = self.call(&call.request, &CallOverrides::default(), height)?;
                if let CallOutcome::Refused { reason } = outcome {
                    let fault = SimulationFault::IntrinsicGas;
                    return Ok(Err(SimulationRefused { fault, reason }));
                }
                let number = simulated.calls.len() as u64;
                let envelope = transfer(call.nonce.unwrap_or_default()).envelope().clone();
                simulated.transactions.push((envelope, call.request.from));
                simulated.calls.push(SimulatedOutcome {
                    outcome,
                    gas_needed: 30_000,
                    logs: vec![alloy_primitives::Log::default()],
                    log_numbers: vec![number],
                });
            }
            blocks.push(simulated);
        }
        Ok(Ok(blocks))
    }

    fn submit(&self, encoded: &[u8]) -> Result<B256, SubmitError> {
        if encoded == SUBMIT_FAILS {
            return Err(SubmitError::Internal("disk is on fire".into()));
        }
        let transaction = Transaction::parse_and_verify(encoded, CHAIN_ID)
            .map_err(|error| SubmitError::Refused(error.to_string()))?;
        let mut submitted = self.submitted.lock().unwrap();
        if transaction.nonce() == EARLY_NONCE && submitted.is_empty() {
            return Err(SubmitError::Early("nonce too high: one is missing".into()));
        }
        submitted.push(transaction.hash());
        Ok(transaction.hash())
    }

    fn transaction_status(&self, hash: B256) -> Result<TransactionStatus, BackendError> {
        if hash == self.pending().hash() {
            let missing_nonce = None;
            return Ok(TransactionStatus::Pending { missing_nonce });
        }
        if let Some((height, index)) = self.transaction_location(hash)? {
            return Ok(TransactionStatus::Included { height, index });
        }
        if hash == DROPPED || hash == self.to_be_dropped().hash() {
            return Ok(TransactionStatus::Dropped {
                reason: "replaced".into(),
                message: "replaced by another".into(),
                replaced_by: Some(B256::ZERO),
                height: Height(1),
                time_ms: TimestampMs(5),
            });
        }
        Ok(TransactionStatus::Unknown {})
    }

    fn pending_nonce(&self, address: Address) -> Option<u64> {
        (address == sender()).then(|| self.pending().nonce() + 1)
    }

    fn pending_transaction(&self, hash: B256) -> Option<Arc<Transaction>> {
        Some(self.pending()).filter(|transaction| transaction.hash() == hash)
    }

    fn pool_counts(&self) -> PoolCounts {
        PoolCounts {
            pending: 1,
            queued: 0,
            bytes: 100,
        }
    }

    fn pool_content(&self) -> PoolContent {
        self.pool_of(sender())
    }

    fn pool_of(&self, address: Address) -> PoolContent {
        let pending = (address == sender()).then(|| self.pending());
        PoolContent {
            pending: pending.into_iter().collect(),
            queued: Vec::new(),
        }
    }

    fn pool_shares(&self) -> (u64, u64) {
        (1, 10)
    }

    fn pool_announcements(&self) -> broadcast::Receiver<B256> {
        self.pooled.subscribe()
    }

    fn precompiles(&self) -> BTreeMap<String, Address> {
        [("ECREC".into(), Address::with_last_byte(1))].into()
    }

    fn coinbase(&self) -> Option<Address> {
        Some(Address::repeat_byte(0xbe))
    }

    fn admitted_peers(&self) -> Vec<String> {
        vec!["12D3KooW".into()]
    }

    fn own_peer(&self) -> OwnPeer {
        OwnPeer {
            peer_id: "12D3KooWown".into(),
            address: ([127, 0, 0, 1], 30_303).into(),
        }
    }

    fn checkpoint(&self, height: Height) -> Result<Option<Checkpoint>, BackendError> {
        let set_hash = members().set().hash();
        Ok(self.at(height, |block, _| Checkpoint {
            chain_id: CHAIN_ID,
            height,
            time: TimestampMs(block.header.timestamp * 1_000 + 7),
            block_hash: block.hash(),
            state_root: block.header.state_root,
            log_size: TreeSize(0),
            log_root: EMPTY_LOG_ROOT,
            validator_set_hash: set_hash,
            next_validator_set_hash: set_hash,
        }))
    }

    fn certificate(&self, height: Height) -> Result<Option<CommitCertificate>, BackendError> {
        let checkpoint = self.checkpoint(height)?.filter(|_| height.0 > 0);
        Ok(checkpoint.map(|checkpoint| certificate(&checkpoint)))
    }

    fn validators(&self, _: Height) -> Result<Option<Members>, BackendError> {
        Ok(Some(members()))
    }

    fn handovers(&self, _from: Height, _limit: usize) -> Result<Vec<Handover>, BackendError> {
        Ok(Vec::new())
    }

    fn handover_count(&self) -> u64 {
        3
    }

    fn handover_page(&self, page: EntryBundle) -> Result<Option<Bytes>, BackendError> {
        let held = page.index == 0 && page.width <= 3;
        Ok(held.then(|| vec![9; usize::from(page.width)].into()))
    }

    fn organisation_of(&self, account: Address) -> Result<u32, BackendError> {
        Ok(u32::from(account.0[0] % 2))
    }

    fn operator(&self, query: &OperatorQuery) -> Result<Option<Operator>, BackendError> {
        let OperatorQuery::Validator(address) = query else {
            return Ok(None);
        };
        Ok(Some(Operator {
            node_name: "node".into(),
            number: 1,
            organisation: Organisation::default(),
            validator: Some(*address),
            peer_id: None,
            validating: true,
        }))
    }

    fn evidence(&self, limit: usize) -> Result<Vec<Evidence>, BackendError> {
        Ok(vec![equivocation()].into_iter().take(limit).collect())
    }

    fn log_size(&self) -> TreeSize {
        TreeSize(self.log_size.load(Ordering::SeqCst))
    }

    fn leaf(&self, index: LeafIndex) -> Result<Option<Bytes>, BackendError> {
        let stated = self.stated.lock().unwrap();
        let leaf = stated.get(usize::try_from(index.0).unwrap());
        Ok(leaf.map(|leaf| leaf.encode().unwrap().into()))
    }

    fn find(&self, lookup: &Lookup, from: LeafIndex, limit: usize) -> Result<Found, BackendError> {
        let stated = self.stated.lock().unwrap();
        let all = (0..).map(LeafIndex).zip(stated.iter());
        let mut found = all
            .filter(|(index, leaf)| *index >= from && lookup.finds(leaf))
            .map(|(index, _)| index);
        let positions = found.by_ref().take(limit).collect();
        let next = found.next();
        Ok(Found { positions, next })
    }

    fn leaves_of(&self, _: B256) -> Result<Option<LeafRange>, BackendError> {
        Ok(None)
    }

    fn bundle(&self, _: LeafIndex, _: Height) -> Result<Option<ProofBundle>, BackendError> {
        Ok(None)
    }

    fn bundle_with_status(
        &self,
        _: LeafIndex,
        _: Height,
    ) -> Result<Option<MapBundle>, BackendError> {
        Err(BackendError::Refused(
            "the log has no root of the map yet".into(),
        ))
    }

    fn bundle_with_registry(
        &self,
        _: LeafIndex,
        _: Height,
        _: bool,
    ) -> Result<Option<RegistryBundle>, BackendError> {
        Err(BackendError::Refused("there is no registry".into()))
    }

    fn absence(&self, _: DigestWords, _: Height) -> Result<MapBundle, BackendError> {
        Err(BackendError::Refused(
            "the log has no root of the map yet".into(),
        ))
    }

    fn absence_with_registry(
        &self,
        _: DigestWords,
        _: Height,
    ) -> Result<RegistryBundle, BackendError> {
        Err(BackendError::Refused("there is no registry".into()))
    }

    fn consistency(&self, _: TreeSize, _: TreeSize) -> Result<ConsistencyProof, BackendError> {
        Err(BackendError::Internal("the log is empty".into()))
    }

    fn log_tile(&self, tile: Tile) -> Result<Option<Bytes>, BackendError> {
        let held = tile.index == 0 && tile.width <= TILE_HASHES;
        Ok(held.then(|| vec![7; 32 * usize::from(tile.width)].into()))
    }

    fn log_entries(&self, bundle: EntryBundle) -> Result<Option<Bytes>, BackendError> {
        if self.log_size().0 == LOST {
            return Ok(None);
        }
        if self.log_size().0 > 0 {
            let start = 256 * bundle.index;
            let leaves = (start..start + u64::from(bundle.width)).map(log_leaf);
            let entries = leaves.flat_map(|leaf| {
                let length = u16::try_from(leaf.len()).unwrap();
                [&length.to_be_bytes(), leaf.as_slice()].concat()
            });
            return Ok(Some(entries.collect::<Vec<u8>>().into()));
        }
        match bundle.index {
            0 => Ok(Some(vec![b'a'; 10_000].into())),
            1 => Err(BackendError::Internal("disk is on fire".into())),
            _ => Ok(None),
        }
    }

    fn log_note(&self) -> Result<SignedNote, BackendError> {
        Ok(note())
    }

    fn log_keys(&self) -> LogKeys {
        let members = members();
        let validator = members.set().iter().next().unwrap();
        let key = cosigner().verifier(SignatureType::Cosignature);
        LogKeys {
            log: log_signer().verifier(SignatureType::Note),
            witness: key.clone(),
            cosigners: vec![Cosigner {
                validator: validator.address,
                power: validator.power,
                key,
            }],
            post_quantum: Vec::new(),
        }
    }

    fn post_quantum_note(&self) -> Result<Option<SignedNote>, BackendError> {
        Ok(None)
    }

    fn post_quantum_proof(&self, _: LeafIndex) -> Result<Option<TlogProof>, BackendError> {
        Ok(None)
    }

    fn add_checkpoint(&self, request: &str) -> Result<Witnessing, BackendError> {
        Ok(match request {
            "good" => Witnessing::Cosigned("— witness AAAA\n".into()),
            "unknown" => Witnessing::UnknownOrigin,
            "unsigned" => Witnessing::NotSigned,
            "conflict" => Witnessing::Conflict(TreeSize(17)),
            "inconsistent" => Witnessing::Inconsistent("it is a fork".into()),
            "broken" => return Err(BackendError::Internal("disk is on fire".into())),
            other => Witnessing::Malformed(format!("{} bytes", other.len())),
        })
    }

    fn tlog_proof(&self, index: LeafIndex) -> Result<Option<TlogProof>, BackendError> {
        Ok((index == LeafIndex(0)).then(|| TlogProof {
            extra: None,
            index,
            inclusion: InclusionProof(Vec::new()),
            note: note(),
        }))
    }

    fn cose_receipt(&self, index: LeafIndex) -> Result<Option<CoseReceipt>, BackendError> {
        let log = LogCheckpoint::parse(note().text()).unwrap();
        let sign = || CoseReceipt::sign(&cosigner(), log, index, InclusionProof(Vec::new()));
        Ok((index == LeafIndex(0)).then(sign))
    }

    fn is_calendar(&self) -> bool {
        true
    }

    fn calendar_digest(
        &self,
        digest: B256,
    ) -> Result<Result<PendingTimestamp, String>, BackendError> {
        Ok(if digest == B256::ZERO {
            Err("the pool is full".into())
        } else {
            let since = TimestampMs(0);
            let transaction = digest;
            Ok(PendingTimestamp { transaction, since })
        })
    }

    fn calendar_reply(
        &self,
        pending: PendingTimestamp,
    ) -> Result<Option<CalendarAnswer>, BackendError> {
        Ok(Some(Ok(pending.transaction.to_vec().into())))
    }

    fn calendar_later(&self, commitment: &OtsCommitment) -> Result<CalendarAnswer, BackendError> {
        Ok(match commitment {
            OtsCommitment::Root(B256::ZERO) => Err("not anchored yet".into()),
            OtsCommitment::Root(_) | OtsCommitment::Leaf(_) => Ok(vec![8].into()),
        })
    }

    fn ots_file(&self, index: LeafIndex) -> Result<CalendarAnswer, BackendError> {
        Ok(Err(format!("leaf {index} attests nothing")))
    }

    fn timestamp_failed(&self, failure: TimestampFailure) {
        self.failed.lock().unwrap().push(failure);
    }

    fn admit_timestamp(&self, client: &TimestampClient) -> TimestampAdmission {
        self.asked.lock().unwrap().push(*client);
        if client.key == Some(tbsi_types::sha256(&[b"unknown"])) {
            return TimestampAdmission::UnknownKey;
        }
        if client.address == NO_AUTHORITY {
            return TimestampAdmission::NotConfigured;
        }
        if client.address == FLOODS && client.key.is_none() {
            return TimestampAdmission::TooMany {
                retry_after_s: 17,
                sentence: "too many".into(),
            };
        }
        TimestampAdmission::Admitted
    }

    fn timestamp(&self, query: &[u8]) -> Result<Timestamp, BackendError> {
        match query {
            b"attest" => Ok(Timestamp::Pending(PendingTimestamp {
                transaction: B256::repeat_byte(1),
                since: TimestampMs(7),
            })),
            b"broken" => Err(BackendError::Internal("disk is on fire".into())),
            _ => Ok(Timestamp::Refused(Bytes::from_static(b"refused"))),
        }
    }

    fn timestamp_reply(
        &self,
        _: &[u8],
        _: PendingTimestamp,
    ) -> Result<Option<Bytes>, BackendError> {
        // Final with the next block.
        Ok((self.tip() > Height(2)).then(|| Bytes::from_static(b"token")))
    }

    fn status(&self) -> NodeStatus {
        let missing = members().iter().map(ValidatorName::of).last();
        NodeStatus {
            chain_id: CHAIN_ID,
            genesis_hash: identity().genesis_hash,
            network_name: "test".into(),
            node_name: "node-0".into(),
            role: Role::Validator,
            version: "0.1.0".into(),
            height: self.tip(),
            block_hash: self.block_at(self.tip().0).hash(),
            time_ms: TimestampMs(7),
            oldest_state: self.oldest_state,
            syncing: true,
            behind: 5,
            waiting_for: None,
            missing_validators: missing.into_iter().collect(),
            peers: vec![Peer {
                node_name: "node-1".into(),
                peer_id: "12D3KooW".into(),
                address: "127.0.0.1:1".into(),
                connected: true,
                height: Some(Height(8)),
            }],
            pool: self.pool_counts(),
            protocol: ProtocolStatus::default(),
        }
    }

    fn peer_count(&self) -> u64 {
        3
    }

    fn subscribe(&self) -> broadcast::Receiver<Height> {
        self.heads.subscribe()
    }
}
