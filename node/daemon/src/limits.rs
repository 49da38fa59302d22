//! Named maxima of the node, with their units.

use std::time::Duration;

/// Transactions in the mempool, unless the operator says otherwise.
pub const MEMPOOL_TRANSACTIONS_MAX: usize = 20_000;

/// Encoded bytes of all transactions in the mempool, unless the operator says otherwise.
pub const MEMPOOL_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Transactions of one sender in the mempool.
pub const MEMPOOL_PER_SENDER_MAX: usize = 1_024;

/// How many nonces may be missing before a transaction.
pub const MEMPOOL_NONCE_GAP_MAX: u64 = 64;

/// Transactions that wait for an earlier nonce; beyond it only executable ones are taken.
pub const MEMPOOL_QUEUED_MAX: usize = 2_048;

/// Blocks after which a transaction that still waits for an earlier nonce is dropped.
pub const MEMPOOL_QUEUED_BLOCKS_MAX: u64 = 1_000;

/// Bytes of one gossip message before libp2p's framing.
pub const GOSSIP_MESSAGE_BYTES_MAX: usize = 640 * 1024;

/// Transactions in one gossip message.
pub const GOSSIP_MESSAGE_TRANSACTIONS_MAX: usize = 1_000;

/// Transactions that wait to be sent; the oldest gives way.
pub const GOSSIP_OUTGOING_TRANSACTIONS_MAX: usize = 20_000;

/// Bytes of transactions that wait to be sent; the oldest gives way.
pub const GOSSIP_OUTGOING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Events that wait for the node's task.
pub const GOSSIP_EVENTS_MAX: usize = 256;

/// Of these, slots that only connects and disconnects may fill: a flood of messages must not
/// hide them.
pub const GOSSIP_PEER_EVENTS_RESERVED: usize = 64;

/// Longest wait of a transaction for others to share its message.
pub const GOSSIP_BATCH_INTERVAL: Duration = Duration::from_millis(5);

/// Least time between two announcements of the tip.
pub const GOSSIP_TIP_INTERVAL: Duration = Duration::from_millis(250);

/// New heights that a slow subscriber may be behind before it must read the store.
pub const HEADS_MAX: usize = 256;

/// Pool transactions that one block is built from.
pub const CANDIDATES_MAX: usize = 20_000;

/// Executed blocks kept for one undecided height.
pub const EXECUTED_MAX: usize = 4;

/// Gas of one `eth_call` or `eth_estimateGas` (EIP-7825).
pub const CALL_GAS_MAX: u64 = tbsi_types::limits::TRANSACTION_GAS_MAX;

/// Encoded bytes of pooled transactions that are sent to a peer that connects, and again when
/// blocks stop.
pub const REGOSSIP_BYTES_MAX: usize = 1024 * 1024;

/// How often the node looks whether blocks stopped.
pub const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// A height that runs for longer is reported, each time this passes.
pub const STALL_REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// A height that runs for longer makes the node not ready.
pub const STALL_NOT_READY: Duration = Duration::from_secs(10);

/// Blocks that a ready node may be behind, unless the caller says otherwise.
pub const READY_BEHIND_MAX: u64 = 5;

/// How long each part of the node may take to stop.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a starting node waits for another process to leave the database.
pub const DATABASE_LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// How often it looks.
pub const DATABASE_LOCK_RETRY: Duration = Duration::from_millis(50);

/// Chain id of networks for development, whose keys need no password.
pub const DEVELOPMENT_CHAIN_ID: u64 = 8_862_026;

/// How long a remote signer, or a node that asks one, may take for one step.
pub const SIGNER_TIMEOUT: Duration = Duration::from_millis(1_000);

/// Between two attempts to connect to a remote signer.
pub const SIGNER_RETRY: Duration = Duration::from_millis(200);

/// How long a starting node waits for its remote signer.
pub const SIGNER_START_TIMEOUT: Duration = Duration::from_secs(10);

/// Statements that wait for a remote signer; more are abstained from.
pub const SIGNER_QUEUE_MAX: usize = 8;

/// Nodes that one signer knows.
pub const SIGNER_CLIENTS_MAX: usize = 16;

/// Connections that one signer has open, those that have proved nothing yet included.
pub const SIGNER_CONNECTIONS_MAX: usize = 64;
