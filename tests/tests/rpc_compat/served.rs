//! Ethereum's test chain behind our server: the port is implemented over the store, and what is
//! TBSI's alone is not there.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use alloy_consensus::Header;
use tbsi_execution::{CallSite, ExecutionError, SimulationHost};
use tbsi_rpc::backend::{
    Backend, BackendError, CalendarAnswer, Fees, LogKeys, OwnPeer, PendingTimestamp, PoolContent,
    SubmitError, Timestamp, TimestampAdmission, TimestampClient, TimestampFailure, Witnessing,
};
use tbsi_rpc::wire::{
    LeafRange, NodeStatus, Operator, OperatorQuery, PoolCounts, ProtocolStatus, Role,
    TransactionStatus,
};
use tbsi_rpc::{ServerConfig, listen};
use tbsi_store::{StateAt, StoreError};
use tbsi_types::bundle::{Handover, MapBundle, ProofBundle, RegistryBundle};
use tbsi_types::log::{
    ConsistencyProof, CoseReceipt, DigestWords, EntryBundle, Found, Lookup, OtsCommitment,
    SignedNote, Tile, TlogProof,
};
use tbsi_types::{
    Accessed, Account, AccountProof, Address, B256, Block, Bytes, CallOutcome, CallOverrides,
    CallRequest, ChainIdentity, Checkpoint, CommitCertificate, Evidence, Height, LeafIndex,
    Members, Receipt, SimulatedBlock, Simulation, SimulationRefused, StateDiff, StateView,
    TimestampMs, Transaction, TreeSize, U256, ViewError,
};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

use crate::import::EthereumChain;
use crate::pool::Pool;

/// go-ethereum's default, under which the conversations were recorded.
const CALL_GAS_MAX: u64 = 50_000_000;

/// A call to it panics inside the method.
pub(crate) const PLANTED: Address = Address::new(*b"panics inside a call");

/// Announcements that wait for a subscriber.
const ANNOUNCEMENTS_MAX: usize = 16;

/// A server that answers until it is stopped.
pub(crate) struct Served {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn start(chain: Arc<EthereumChain>) -> Self {
        let node = EthereumNode {
            chain,
            pool: Pool::default(),
            heights: broadcast::channel(ANNOUNCEMENTS_MAX).0,
            pooled: broadcast::channel(ANNOUNCEMENTS_MAX).0,
        };
        let config = ServerConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            ..ServerConfig::default()
        };
        let server = listen(config, Arc::new(node)).await.expect("a free port");
        let address = server.local_addr();
        let (stop, stopping) = watch::channel(false);
        let task = tokio::spawn(server.run(stopping));
        Self {
            address,
            stop,
            task,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.task.await.expect("the server ends without a panic");
    }
}

pub(crate) struct EthereumNode {
    pub(crate) chain: Arc<EthereumChain>,
    pool: Pool,
    heights: broadcast::Sender<Height>,
    pooled: broadcast::Sender<B256>,
}

pub(crate) fn internal(error: impl std::fmt::Display) -> BackendError {
    BackendError::Internal(error.to_string())
}

/// Asked for what this chain does not have.
pub(crate) fn absent<T>() -> Result<T, BackendError> {
    Err(BackendError::Refused("this is no TBSI chain".into()))
}

impl EthereumNode {
    pub(crate) fn state(&self, height: Height) -> Result<StateAt<'_>, BackendError> {
        self.chain.store.state_at(height).map_err(internal)
    }

    fn at<T>(
        &self,
        height: Height,
        work: impl FnOnce(&CallSite<'_, StateAt<'_>>) -> Result<T, ExecutionError>,
    ) -> Result<T, BackendError> {
        let header = self.header(height)?;
        let site = CallSite {
            view: &self.state(height)?,
            protocol: &self.chain.protocol,
            header: &header.ok_or_else(|| internal("no such block"))?,
            gas_cap: CALL_GAS_MAX,
        };
        work(&site).map_err(internal)
    }

    fn stored<T>(&self, read: Result<T, StoreError>) -> Result<T, BackendError> {
        read.map_err(internal)
    }
}

impl Backend for EthereumNode {
    fn identity(&self) -> ChainIdentity {
        self.chain.identity
    }

    fn client_version(&self) -> String {
        "tbsi/tests".into()
    }

    fn fees(&self) -> Fees {
        Fees::Charged
    }

    fn tip(&self) -> Height {
        let tip = self.chain.store.tip();
        tip.expect("the chain was imported").height
    }

    fn oldest_state(&self) -> Height {
        self.chain.store.oldest_state()
    }

    fn header(&self, height: Height) -> Result<Option<Header>, BackendError> {
        self.stored(self.chain.store.header(height))
    }

    fn block(&self, height: Height) -> Result<Option<Block>, BackendError> {
        let stored = self.stored(self.chain.store.block(height))?;
        Ok(stored.map(|proposed| proposed.block))
    }

    fn receipts(&self, height: Height) -> Result<Option<Arc<Vec<Receipt>>>, BackendError> {
        let stored = self.stored(self.chain.store.receipts(height))?;
        Ok(stored.map(Arc::new))
    }

    fn height_of(&self, block_hash: B256) -> Result<Option<Height>, BackendError> {
        self.stored(self.chain.store.height_of(block_hash))
    }

    fn transaction_location(&self, hash: B256) -> Result<Option<(Height, u32)>, BackendError> {
        self.stored(self.chain.store.transaction_location(hash))
    }

    fn account(&self, address: Address, height: Height) -> Result<Option<Account>, BackendError> {
        self.state(height)?.account(address).map_err(internal)
    }

    fn code(&self, address: Address, height: Height) -> Result<Bytes, BackendError> {
        let state = self.state(height)?;
        match state.account(address).map_err(internal)? {
            Some(account) => state.code(account.code_hash).map_err(internal),
            None => Ok(Bytes::new()),
        }
    }

    fn storage(&self, address: Address, slot: U256, height: Height) -> Result<U256, BackendError> {
        self.state(height)?.storage(address, slot).map_err(internal)
    }

    fn prove(
        &self,
        address: Address,
        slots: &[U256],
        height: Height,
    ) -> Result<AccountProof, BackendError> {
        self.stored(self.chain.store.prove(height, address, slots))
    }

    fn call(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
        height: Height,
    ) -> Result<CallOutcome, BackendError> {
        assert_ne!(request.to, Some(PLANTED), "planted");
        self.at(height, |site| site.call(request, overrides))
    }

    fn estimate_gas(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
        height: Height,
    ) -> Result<Result<u64, CallOutcome>, BackendError> {
        self.at(height, |site| site.estimate_gas(request, overrides))
    }

    fn access_list(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
        height: Height,
    ) -> Result<Accessed, BackendError> {
        self.at(height, |site| site.access_list(request, overrides))
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
                    what: "state root".into(),
                    source: Box::new(error),
                })
            };
            let host = SimulationHost {
                state_root: &state_root,
                keep_going,
            };
            site.simulate(simulation, &host)
        })
    }

    fn submit(&self, encoded: &[u8]) -> Result<B256, SubmitError> {
        self.pool.submit(encoded, self.chain.identity.chain_id)
    }

    fn transaction_status(&self, _: B256) -> Result<TransactionStatus, BackendError> {
        absent()
    }

    fn pending_nonce(&self, sender: Address) -> Option<u64> {
        self.pool.next_nonce(sender)
    }

    fn pending_transaction(&self, hash: B256) -> Option<Arc<Transaction>> {
        self.pool.get(hash)
    }

    fn pool_counts(&self) -> PoolCounts {
        self.pool.counts()
    }

    fn pool_content(&self) -> PoolContent {
        PoolContent {
            pending: self.pool.all_of(|_| true),
            queued: Vec::new(),
        }
    }

    fn pool_of(&self, sender: Address) -> PoolContent {
        PoolContent {
            pending: self.pool.all_of(|it| it.sender() == sender),
            queued: Vec::new(),
        }
    }

    fn pool_shares(&self) -> (u64, u64) {
        (self.pool.counts().pending, 0)
    }

    fn pool_announcements(&self) -> broadcast::Receiver<B256> {
        self.pooled.subscribe()
    }

    fn checkpoint(&self, height: Height) -> Result<Option<Checkpoint>, BackendError> {
        self.stored(self.chain.store.checkpoint(height))
    }

    fn certificate(&self, height: Height) -> Result<Option<CommitCertificate>, BackendError> {
        self.stored(self.chain.store.certificate(height))
    }

    fn validators(&self, _: Height) -> Result<Option<Members>, BackendError> {
        absent()
    }

    fn handovers(&self, _: Height, _: usize) -> Result<Vec<Handover>, BackendError> {
        absent()
    }

    fn handover_count(&self) -> u64 {
        0
    }

    fn handover_page(&self, _: EntryBundle) -> Result<Option<Bytes>, BackendError> {
        absent()
    }

    fn operator(&self, _: &OperatorQuery) -> Result<Option<Operator>, BackendError> {
        absent()
    }

    fn organisation_of(&self, _: Address) -> Result<u32, BackendError> {
        absent()
    }

    fn evidence(&self, _: usize) -> Result<Vec<Evidence>, BackendError> {
        absent()
    }

    fn log_size(&self) -> TreeSize {
        TreeSize(0)
    }

    fn leaf(&self, _: LeafIndex) -> Result<Option<Bytes>, BackendError> {
        absent()
    }

    fn find(&self, _: &Lookup, _: LeafIndex, _: usize) -> Result<Found, BackendError> {
        absent()
    }

    fn leaves_of(&self, _: B256) -> Result<Option<LeafRange>, BackendError> {
        absent()
    }

    fn bundle(&self, _: LeafIndex, _: Height) -> Result<Option<ProofBundle>, BackendError> {
        absent()
    }

    fn bundle_with_status(
        &self,
        _: LeafIndex,
        _: Height,
    ) -> Result<Option<MapBundle>, BackendError> {
        absent()
    }

    fn bundle_with_registry(
        &self,
        _: LeafIndex,
        _: Height,
        _: bool,
    ) -> Result<Option<RegistryBundle>, BackendError> {
        absent()
    }

    fn absence(&self, _: DigestWords, _: Height) -> Result<MapBundle, BackendError> {
        absent()
    }

    fn absence_with_registry(
        &self,
        _: DigestWords,
        _: Height,
    ) -> Result<RegistryBundle, BackendError> {
        Err(BackendError::Refused("there is no registry".into()))
    }

    fn consistency(&self, _: TreeSize, _: TreeSize) -> Result<ConsistencyProof, BackendError> {
        absent()
    }

    fn log_tile(&self, _: Tile) -> Result<Option<Bytes>, BackendError> {
        absent()
    }

    fn log_entries(&self, _: EntryBundle) -> Result<Option<Bytes>, BackendError> {
        absent()
    }

    fn log_note(&self) -> Result<SignedNote, BackendError> {
        absent()
    }

    fn log_keys(&self) -> LogKeys {
        unreachable!("nobody asks this chain for its log")
    }

    fn add_checkpoint(&self, _: &str) -> Result<Witnessing, BackendError> {
        absent()
    }

    fn tlog_proof(&self, _: LeafIndex) -> Result<Option<TlogProof>, BackendError> {
        absent()
    }

    fn post_quantum_note(&self) -> Result<Option<SignedNote>, BackendError> {
        absent()
    }

    fn post_quantum_proof(&self, _: LeafIndex) -> Result<Option<TlogProof>, BackendError> {
        absent()
    }

    fn cose_receipt(&self, _: LeafIndex) -> Result<Option<CoseReceipt>, BackendError> {
        absent()
    }

    fn admit_timestamp(&self, _: &TimestampClient) -> TimestampAdmission {
        TimestampAdmission::NotConfigured
    }

    fn timestamp_failed(&self, _: TimestampFailure) {}

    fn timestamp(&self, _: &[u8]) -> Result<Timestamp, BackendError> {
        absent()
    }

    fn timestamp_reply(
        &self,
        _: &[u8],
        _: PendingTimestamp,
    ) -> Result<Option<Bytes>, BackendError> {
        absent()
    }

    fn is_calendar(&self) -> bool {
        false
    }

    fn calendar_digest(&self, _: B256) -> Result<Result<PendingTimestamp, String>, BackendError> {
        absent()
    }

    fn calendar_reply(&self, _: PendingTimestamp) -> Result<Option<CalendarAnswer>, BackendError> {
        absent()
    }

    fn calendar_later(&self, _: &OtsCommitment) -> Result<CalendarAnswer, BackendError> {
        absent()
    }

    fn ots_file(&self, _: LeafIndex) -> Result<CalendarAnswer, BackendError> {
        absent()
    }

    fn precompiles(&self) -> BTreeMap<String, Address> {
        BTreeMap::new()
    }

    fn coinbase(&self) -> Option<Address> {
        None
    }

    fn admitted_peers(&self) -> Vec<String> {
        Vec::new()
    }

    fn own_peer(&self) -> OwnPeer {
        OwnPeer {
            peer_id: String::new(),
            address: ([127, 0, 0, 1], 0).into(),
        }
    }

    fn status(&self) -> NodeStatus {
        NodeStatus {
            chain_id: self.chain.identity.chain_id,
            genesis_hash: self.chain.identity.genesis_hash,
            network_name: "execution-apis".into(),
            node_name: "tests".into(),
            role: Role::Observer,
            version: self.client_version(),
            height: self.tip(),
            block_hash: B256::ZERO,
            time_ms: TimestampMs(0),
            oldest_state: self.oldest_state(),
            syncing: false,
            behind: 0,
            waiting_for: None,
            missing_validators: Vec::new(),
            peers: Vec::new(),
            pool: self.pool_counts(),
            protocol: ProtocolStatus::default(),
        }
    }

    fn peer_count(&self) -> u64 {
        0
    }

    fn subscribe(&self) -> broadcast::Receiver<Height> {
        self.heights.subscribe()
    }
}
