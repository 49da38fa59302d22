//! Answers of this node to its JSON-RPC server.

mod hindsight;
mod notes;
mod operators;
mod recent;

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_consensus::Header;
use tbsi_execution::{CallSite, Protocol, SimulationHost};
use tbsi_governance::standing::Denied;
use tbsi_rpc::wire::{
    LeafRange, NodeStatus, Operator, OperatorQuery, Organisation, Peer, PoolCounts, Role,
    TransactionStatus, ValidatorName,
};
use tbsi_rpc::{
    Backend, BackendError, CalendarAnswer, LogKeys, OwnPeer, PendingTimestamp, PlacedReceipt,
    PoolContent, Timestamp, TimestampAdmission, TimestampClient, TimestampFailure, Witnessing,
    vital,
};
use tbsi_store::StateAt;
use tbsi_types::bundle::{Handover, MapBundle, ProofBundle, RegistryBundle};
use tbsi_types::log::{
    ConsistencyProof, CoseReceipt, DigestWords, EntryBundle, Found, Lookup, NoteSigner,
    OtsCommitment, SignatureType, SignedNote, Tile, TlogProof,
};
use tbsi_types::map::MapQuestion;
use tbsi_types::{
    Accessed, Account, AccountProof, Address, B256, Block, Bytes, CallOutcome, CallOverrides,
    CallRequest, ChainIdentity, Checkpoint, CommitCertificate, Evidence, Height, LeafIndex,
    Members, Receipt, SimulatedBlock, Simulation, SimulationRefused, StateDiff, StateView,
    Transaction, TreeSize, U256, ViewError,
};
use tokio::sync::broadcast;

use crate::answers::{internal, store_error};
use crate::calendar::Calendar;
use crate::clock::wall_clock;
use crate::limits::CALL_GAS_MAX;
use crate::map_proofs;
use crate::mempool::{MempoolError, SenderContent};
use crate::node::{AdmissionError, Node, causes};
use crate::proofs;
use crate::registry_proofs;
use crate::tsa::Authority;
use crate::witness::WitnessedLogs;

pub use notes::tile;
use recent::{CountedReceipts, Recent, block_bytes};

/// The software's name and version, as `web3_clientVersion` says it.
pub const CLIENT_VERSION: &str = concat!("tbsi/", env!("CARGO_PKG_VERSION"));

/// [`Backend`] over the shared node.
pub struct NodeApi(pub Arc<Node>, pub Witness, Read);

/// What was read last.
#[derive(Default)]
struct Read {
    headers: Recent<Header>,
    blocks: Recent<Block>,
    receipts: Recent<CountedReceipts>,
}

/// Who a node is to its peers, and with what it signs for software that knows nothing of
/// certificates.
pub struct Witness {
    /// Its libp2p id.
    pub peer_id: String,
    /// Signs checkpoint notes (SPEC §9.6).
    pub log: Arc<NoteSigner>,
    /// Cosigns, this log or others.
    pub cosigner: Arc<NoteSigner>,
    /// The other logs.
    pub witnessed: WitnessedLogs,
    /// Makes time stamps (SPEC §11); `None` if the node is not configured to.
    pub authority: Option<Authority>,
    /// Promises timestamps of OpenTimestamps (SPEC §10.9), with an authority only.
    pub calendar: Option<Arc<Calendar>>,
}

impl Witness {
    /// Both halves of a calendar.
    fn calendar(&self) -> Result<(&Authority, &Calendar), BackendError> {
        let both = self.authority.as_ref().zip(self.calendar.as_deref());
        both.ok_or_else(|| BackendError::Internal("this node is no calendar".into()))
    }
}

impl NodeApi {
    /// Answers for a node.
    pub fn new(node: Arc<Node>, witness: Witness) -> Self {
        Self(node, witness, Read::default())
    }

    fn header_at(&self, height: Height) -> Result<Option<Arc<Header>>, BackendError> {
        let read = || self.0.store.header(height).map_err(store_error);
        self.2.headers.get(height, |_| size_of::<Header>(), read)
    }

    fn block_at(&self, height: Height) -> Result<Option<Arc<Block>>, BackendError> {
        self.2.blocks.get(height, block_bytes, || {
            let stored = self.0.store.block(height).map_err(store_error)?;
            Ok(stored.map(|proposed| proposed.block))
        })
    }

    fn receipts_at(&self, height: Height) -> Result<Option<Arc<CountedReceipts>>, BackendError> {
        self.2.receipts.get(height, CountedReceipts::bytes, || {
            let stored = self.0.store.receipts(height).map_err(store_error)?;
            Ok(stored.map(CountedReceipts::new))
        })
    }

    fn organisation(&self, validator: Address) -> ValidatorName {
        let roster = self.0.roster();
        let member = roster.members.get(&validator);
        member
            .map(ValidatorName::of)
            .unwrap_or_else(|| ValidatorName {
                address: validator,
                node_name: String::new(),
                organisation: Organisation::default(),
            })
    }

    /// A call runs in a block that would follow nothing: with the header of `height` itself.
    fn at<T, E: From<BackendError>>(
        &self,
        height: Height,
        work: impl FnOnce(&CallSite<'_, StateAt<'_>>) -> Result<T, E>,
    ) -> Result<T, E> {
        let store = &self.0.store;
        let missing = || BackendError::Internal(format!("block {height} is not stored"));
        let header = self.header_at(height)?.ok_or_else(missing)?;
        work(&CallSite {
            view: &store.asked_state_at(height).map_err(store_error)?,
            protocol: &Protocol::of(&self.0.identity),
            header: &header,
            gas_cap: CALL_GAS_MAX,
        })
    }

    fn peers(&self) -> Vec<Peer> {
        let roster = self.0.roster();
        let name = |peer_id: &str| {
            let entry = roster.peers.get(peer_id);
            entry.map(|entry| entry.name.clone()).unwrap_or_default()
        };
        self.0
            .gossip
            .peers()
            .into_iter()
            .map(|peer| {
                let peer_id = peer.peer_id.to_string();
                Peer {
                    node_name: name(&peer_id),
                    peer_id,
                    address: peer
                        .address
                        .map(|address| address.to_string())
                        .unwrap_or_default(),
                    connected: peer.connected,
                    height: self.0.gossip.tip_of(&peer.peer_id),
                }
            })
            .collect()
    }

    fn waiting_for(&self, missing: &[ValidatorName]) -> Option<String> {
        let progress = self.0.progress.get()?.borrow().clone();
        if !progress.running || missing.is_empty() {
            return None;
        }
        let names: Vec<_> = missing.iter().map(|name| name.node_name.as_str()).collect();
        Some(format!(
            "height {} round {}: votes of {}",
            progress.height,
            progress.round,
            names.join(", ")
        ))
    }
}

/// What a sender lacks, in Besu's words where it may not send at all.
fn refusal(denied: &Denied) -> tbsi_rpc::SubmitError {
    let reason = denied.to_string();
    let account = match denied {
        Denied::Permission {
            account,
            permission: "send",
            ..
        }
        | Denied::Suspended { account, .. } => account,
        Denied::Permission { .. } => {
            let message = reason.clone();
            return tbsi_rpc::SubmitError::Denied { message, reason };
        }
        Denied::Quota { .. } => return tbsi_rpc::SubmitError::Refused(reason),
    };
    tbsi_rpc::SubmitError::Denied {
        message: format!("sender account not authorized to send transactions: {account}; {reason}"),
        reason,
    }
}

fn of_pool(content: SenderContent) -> PoolContent {
    PoolContent {
        pending: content.pending,
        queued: content.queued,
    }
}

impl Backend for NodeApi {
    fn identity(&self) -> ChainIdentity {
        self.0.identity
    }

    fn client_version(&self) -> String {
        CLIENT_VERSION.to_string()
    }

    fn tip(&self) -> Height {
        self.0.tip().height
    }

    fn oldest_state(&self) -> Height {
        self.0.store.oldest_state()
    }

    fn header(&self, height: Height) -> Result<Option<Header>, BackendError> {
        let header = self.header_at(height)?;
        Ok(header.map(Arc::unwrap_or_clone))
    }

    fn block(&self, height: Height) -> Result<Option<Block>, BackendError> {
        let block = self.block_at(height)?;
        Ok(block.map(Arc::unwrap_or_clone))
    }

    fn receipts(&self, height: Height) -> Result<Option<Arc<Vec<Receipt>>>, BackendError> {
        let receipts = self.receipts_at(height)?;
        // Those that do not stay here are nobody else's.
        Ok(receipts.map(|it| match Arc::try_unwrap(it) {
            Ok(own) => own.all,
            Err(shared) => Arc::clone(&shared.all),
        }))
    }

    fn transaction_at(
        &self,
        height: Height,
        index: u32,
    ) -> Result<Option<(Header, Arc<Transaction>)>, BackendError> {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        // Who asks for one of a block often asks for others of it.
        let whole = match self.2.blocks.find(height) {
            None if self.2.blocks.asked_again(height) => self.block_at(height)?,
            found => found,
        };
        if let Some(block) = whole {
            let transaction = block.transactions.get(index);
            return Ok(transaction.map(|it| (block.header.clone(), Arc::clone(it))));
        }
        let found = self.0.store.transaction_at(height, index);
        let found = found.map_err(store_error)?;
        Ok(found.map(|(header, transaction)| (header, Arc::new(transaction))))
    }

    fn receipt_at(
        &self,
        height: Height,
        index: u32,
    ) -> Result<Option<PlacedReceipt>, BackendError> {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let whole = match self.2.receipts.find(height) {
            None if self.2.receipts.asked_again(height) => self.receipts_at(height)?,
            found => found,
        };
        if let Some(receipts) = whole {
            let placed = receipts
                .at(index)
                .map(|(receipt, gas_before, logs_before)| PlacedReceipt {
                    receipt: receipt.clone(),
                    gas_before,
                    logs_before,
                });
            return Ok(placed);
        }
        let found = self.0.store.receipt_at(height, index);
        let found = found.map_err(store_error)?;
        Ok(found.map(|counted| PlacedReceipt {
            receipt: counted.receipt,
            gas_before: counted.gas_before,
            logs_before: counted.logs_before,
        }))
    }

    fn height_of(&self, block_hash: B256) -> Result<Option<Height>, BackendError> {
        self.0.store.height_of(block_hash).map_err(store_error)
    }

    fn transaction_location(&self, hash: B256) -> Result<Option<(Height, u32)>, BackendError> {
        self.0.store.transaction_location(hash).map_err(store_error)
    }

    fn account(&self, address: Address, height: Height) -> Result<Option<Account>, BackendError> {
        let state = self.0.store.state_at(height).map_err(store_error)?;
        state.account(address).map_err(internal)
    }

    fn code(&self, address: Address, height: Height) -> Result<Bytes, BackendError> {
        let state = self.0.store.state_at(height).map_err(store_error)?;
        match state.account(address).map_err(internal)? {
            Some(account) => state.code(account.code_hash).map_err(internal),
            None => Ok(Bytes::new()),
        }
    }

    fn storage(&self, address: Address, slot: U256, height: Height) -> Result<U256, BackendError> {
        let state = self.0.store.state_at(height).map_err(store_error)?;
        state.storage(address, slot).map_err(internal)
    }

    fn prove(
        &self,
        address: Address,
        slots: &[U256],
        height: Height,
    ) -> Result<AccountProof, BackendError> {
        let proof = self.0.store.prove(height, address, slots);
        proof.map_err(store_error)
    }

    fn call(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
        height: Height,
    ) -> Result<CallOutcome, BackendError> {
        self.at(height, |site| {
            site.call(request, overrides).map_err(internal)
        })
    }

    fn estimate_gas(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
        height: Height,
    ) -> Result<Result<u64, CallOutcome>, BackendError> {
        self.at(height, |site| {
            site.estimate_gas(request, overrides).map_err(internal)
        })
    }

    fn access_list(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
        height: Height,
    ) -> Result<Accessed, BackendError> {
        self.at(height, |site| {
            site.access_list(request, overrides).map_err(internal)
        })
    }

    fn simulate(
        &self,
        simulation: &Simulation,
        height: Height,
        keep_going: &dyn Fn() -> bool,
    ) -> Result<Result<Vec<SimulatedBlock>, SimulationRefused>, BackendError> {
        self.at(height, |site| {
            let state_root = |diff: &StateDiff| {
                site.view.root_after(diff).map_err(|error| ViewError {
                    what: "state root of a simulated block".into(),
                    source: Box::new(error),
                })
            };
            let host = SimulationHost {
                state_root: &state_root,
                keep_going,
            };
            site.simulate(simulation, &host).map_err(internal)
        })
    }

    fn submit(&self, encoded: &[u8]) -> Result<B256, tbsi_rpc::SubmitError> {
        match vital(|| self.0.submit(encoded)) {
            Ok(hash) => Ok(hash),
            Err(error @ AdmissionError::Pool(MempoolError::NonceTooHigh { .. })) => {
                Err(tbsi_rpc::SubmitError::Early(error.to_string()))
            }
            Err(error @ AdmissionError::State(_)) => {
                Err(tbsi_rpc::SubmitError::Internal(causes(&error)))
            }
            Err(AdmissionError::Denied(denied)) => Err(refusal(&denied)),
            Err(error) => Err(tbsi_rpc::SubmitError::Refused(error.to_string())),
        }
    }

    fn transaction_status(&self, hash: B256) -> Result<TransactionStatus, BackendError> {
        self.0.transaction_status(hash).map_err(store_error)
    }

    fn pending_nonce(&self, sender: Address) -> Option<u64> {
        self.0.mempool().pending_nonce(sender)
    }

    fn pending_transaction(&self, hash: B256) -> Option<Arc<Transaction>> {
        self.0.pooled(&hash)
    }

    fn pool_counts(&self) -> PoolCounts {
        let counts = self.0.mempool().counts();
        PoolCounts {
            pending: counts.pending as u64,
            queued: counts.queued as u64,
            bytes: counts.bytes as u64,
        }
    }

    fn pool_content(&self) -> PoolContent {
        of_pool(self.0.mempool().contents())
    }

    fn pool_of(&self, sender: Address) -> PoolContent {
        of_pool(self.0.mempool().content(sender))
    }

    fn pool_shares(&self) -> (u64, u64) {
        let mempool = self.0.mempool();
        (mempool.own().len() as u64, mempool.capacity() as u64)
    }

    fn pool_announcements(&self) -> broadcast::Receiver<B256> {
        self.0.pool_announcements()
    }

    fn checkpoint(&self, height: Height) -> Result<Option<Checkpoint>, BackendError> {
        self.0.store.checkpoint(height).map_err(store_error)
    }

    fn certificate(&self, height: Height) -> Result<Option<CommitCertificate>, BackendError> {
        self.0.store.certificate(height).map_err(store_error)
    }

    fn validators(&self, height: Height) -> Result<Option<Members>, BackendError> {
        self.0.store.members_at(height).map_err(store_error)
    }

    fn handovers(&self, from: Height, limit: usize) -> Result<Vec<Handover>, BackendError> {
        proofs::handovers(&self.0, from, self.tip(), limit)
    }

    fn handover_count(&self) -> u64 {
        self.0.store.handover_count()
    }

    fn handover_page(&self, page: EntryBundle) -> Result<Option<Bytes>, BackendError> {
        proofs::handover_page(&self.0, page)
    }

    fn organisation_of(&self, account: Address) -> Result<u32, BackendError> {
        operators::organisation_of(&self.0, account)
    }

    fn operator(&self, query: &OperatorQuery) -> Result<Option<Operator>, BackendError> {
        operators::find(&self.0, query)
    }

    fn evidence(&self, limit: usize) -> Result<Vec<Evidence>, BackendError> {
        self.0.store.evidence(limit).map_err(store_error)
    }

    fn precompiles(&self) -> BTreeMap<String, Address> {
        tbsi_execution::precompile_names(self.0.rules().block.head.protocol)
    }

    fn coinbase(&self) -> Option<Address> {
        self.0.validator
    }

    fn admitted_peers(&self) -> Vec<String> {
        self.0.roster().peers.keys().cloned().collect()
    }

    fn own_peer(&self) -> OwnPeer {
        OwnPeer {
            peer_id: self.1.peer_id.clone(),
            address: self.0.gossip.local_addr(),
        }
    }

    fn status(&self) -> NodeStatus {
        let tip = self.0.tip();
        let behind = self.0.peers_tip().above(tip.height);
        let missing: Vec<_> = self
            .0
            .missing_validators()
            .into_iter()
            .map(|validator| self.organisation(validator))
            .collect();
        NodeStatus {
            chain_id: self.0.identity.chain_id,
            genesis_hash: self.0.identity.genesis_hash,
            network_name: self.0.genesis.name.clone(),
            node_name: self.0.name.clone(),
            role: match self.0.validator {
                Some(own) if self.0.roster().members.get(&own).is_some() => Role::Validator,
                Some(_) | None => Role::Observer,
            },
            version: env!("CARGO_PKG_VERSION").to_string(),
            height: tip.height,
            block_hash: tip.block_hash,
            time_ms: tip.time,
            oldest_state: self.0.store.oldest_state(),
            syncing: behind > 1,
            behind,
            waiting_for: self.waiting_for(&missing),
            missing_validators: missing,
            peers: self.peers(),
            pool: self.pool_counts(),
            protocol: self.0.protocol_status(),
        }
    }

    fn log_size(&self) -> TreeSize {
        self.0.tip().log_size
    }

    fn leaf(&self, index: LeafIndex) -> Result<Option<Bytes>, BackendError> {
        let leaf = self.0.store.leaf(index).map_err(store_error)?;
        Ok(leaf.map(Into::into))
    }

    fn find(&self, lookup: &Lookup, from: LeafIndex, limit: usize) -> Result<Found, BackendError> {
        self.0.store.find(lookup, from, limit).map_err(store_error)
    }

    fn leaves_of(&self, transaction: B256) -> Result<Option<LeafRange>, BackendError> {
        proofs::leaves_of(&self.0, transaction)
    }

    fn bundle(&self, index: LeafIndex, from: Height) -> Result<Option<ProofBundle>, BackendError> {
        proofs::bundle(&self.0, index, from)
    }

    fn bundle_with_status(
        &self,
        index: LeafIndex,
        from: Height,
    ) -> Result<Option<MapBundle>, BackendError> {
        map_proofs::with_status(&self.0, index, from)
    }

    fn bundle_with_registry(
        &self,
        index: LeafIndex,
        from: Height,
        status: bool,
    ) -> Result<Option<RegistryBundle>, BackendError> {
        registry_proofs::of_leaf(&self.0, index, from, status)
    }

    fn absence(&self, digest: DigestWords, from: Height) -> Result<MapBundle, BackendError> {
        map_proofs::absence(&self.0, MapQuestion::Digest(digest), from)
    }

    fn absence_with_registry(
        &self,
        digest: DigestWords,
        from: Height,
    ) -> Result<RegistryBundle, BackendError> {
        registry_proofs::of_absence(&self.0, MapQuestion::Digest(digest), from)
    }

    fn consistency(
        &self,
        first: TreeSize,
        second: TreeSize,
    ) -> Result<ConsistencyProof, BackendError> {
        let proof = self.0.store.prove_consistency(first, second);
        proof.map_err(store_error)
    }

    fn log_tile(&self, tile: Tile) -> Result<Option<Bytes>, BackendError> {
        notes::tile(&self.0, tile)
    }

    fn log_entries(&self, bundle: EntryBundle) -> Result<Option<Bytes>, BackendError> {
        let stored = self.0.store.log_entries(bundle).map_err(store_error)?;
        Ok(stored.map(Into::into))
    }

    fn log_note(&self) -> Result<SignedNote, BackendError> {
        notes::latest(&self.0, &self.1.log)
    }

    fn log_keys(&self) -> LogKeys {
        LogKeys {
            log: self.1.log.verifier(SignatureType::Note),
            witness: self.1.cosigner.verifier(SignatureType::Cosignature),
            cosigners: self.0.cosignatures().cosigners().to_vec(),
            post_quantum: self
                .0
                .post_quantum()
                .cosigners()
                .map(|(cosigner, key)| (cosigner.clone(), key.cloned()))
                .collect(),
        }
    }

    fn add_checkpoint(&self, request: &str) -> Result<Witnessing, BackendError> {
        let seconds = wall_clock().0 / 1_000;
        vital(|| self.1.witnessed.add(request, seconds)).map_err(internal)
    }

    fn tlog_proof(&self, index: LeafIndex) -> Result<Option<TlogProof>, BackendError> {
        notes::tlog_proof(&self.0, &self.1.log, index)
    }

    fn post_quantum_note(&self) -> Result<Option<SignedNote>, BackendError> {
        notes::post_quantum_note(&self.0, &self.1.log)
    }

    fn post_quantum_proof(&self, index: LeafIndex) -> Result<Option<TlogProof>, BackendError> {
        notes::post_quantum_proof(&self.0, &self.1.log, index)
    }

    fn cose_receipt(&self, index: LeafIndex) -> Result<Option<CoseReceipt>, BackendError> {
        notes::cose_receipt(&self.0, &self.1.cosigner, index)
    }

    fn admit_timestamp(&self, client: &TimestampClient) -> TimestampAdmission {
        match &self.1.authority {
            Some(authority) => authority.admit(client, &self.0.metrics),
            None => {
                self.0.metrics.timestamp_refused("not_configured");
                TimestampAdmission::NotConfigured
            }
        }
    }

    fn timestamp_failed(&self, failure: TimestampFailure) {
        self.0.metrics.timestamp_refused(failure.kind());
    }

    fn timestamp(&self, query: &[u8]) -> Result<Timestamp, BackendError> {
        match &self.1.authority {
            Some(authority) => vital(|| authority.begin(&self.0, query)),
            None => Err(BackendError::Internal(
                "this node makes no time stamps".into(),
            )),
        }
    }

    fn timestamp_reply(
        &self,
        query: &[u8],
        pending: PendingTimestamp,
    ) -> Result<Option<Bytes>, BackendError> {
        match &self.1.authority {
            Some(authority) => authority.finish(&self.0, query, pending),
            None => Ok(None),
        }
    }

    fn is_calendar(&self) -> bool {
        self.1.calendar.is_some()
    }

    fn calendar_digest(
        &self,
        digest: B256,
    ) -> Result<Result<PendingTimestamp, String>, BackendError> {
        let (authority, _) = self.1.calendar()?;
        vital(|| authority.attest_digest(&self.0, digest))
    }

    fn calendar_reply(
        &self,
        pending: PendingTimestamp,
    ) -> Result<Option<CalendarAnswer>, BackendError> {
        let (authority, calendar) = self.1.calendar()?;
        match authority.attested_digest(&self.0, pending)? {
            Some(Ok(index)) => calendar.of_leaf(&self.0, index).map(Some),
            Some(Err(sentence)) => Ok(Some(Err(sentence))),
            None => Ok(None),
        }
    }

    fn calendar_later(&self, commitment: &OtsCommitment) -> Result<CalendarAnswer, BackendError> {
        let (_, calendar) = self.1.calendar()?;
        calendar.later(&self.0, commitment)
    }

    fn ots_file(&self, index: LeafIndex) -> Result<CalendarAnswer, BackendError> {
        match &self.1.calendar {
            Some(calendar) => calendar.file(&self.0, index),
            None => Ok(Err("this node is no calendar; ask one that is".into())),
        }
    }

    fn peer_count(&self) -> u64 {
        self.0.gossip.connected()
    }

    fn subscribe(&self) -> broadcast::Receiver<Height> {
        self.0.heads()
    }
}
