//! Named maxima of the node, with their units.

use std::time::Duration;

use tbsi_types::log::post_quantum::{POST_QUANTUM_COSIGNATURE_BYTES, POST_QUANTUM_KEY_BYTES};

/// Niceness of threads that serve RPC: the processor time of nine of them weighs as much as that of
/// one thread that decides blocks.
pub const SERVING_NICE: i32 = 10;

/// Threads that serve, beside one for each processor: brief calls run on them, as long as enough are
/// left for connections (`tbsi_rpc::limits::THREADS_FREE_MIN`).
pub(crate) const SERVING_BRIEF: usize = 2;

/// Blocks, and as many lists of receipts and headers, that stay decoded for whoever asks again.
pub(crate) const RECENT_BLOCKS_MAX: usize = 256;

/// Bytes of those blocks, and as many of those receipts.
pub(crate) const RECENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of one of them that stays.
pub(crate) const RECENT_ONE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Transactions in the mempool, unless the operator says otherwise.
pub const MEMPOOL_TRANSACTIONS_MAX: usize = 20_000;

/// Encoded bytes of all transactions in the mempool, unless the operator says otherwise.
pub const MEMPOOL_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One part in so many of the mempool is for what is sent to this node. The rest is for what other
/// nodes pass on, so that while all are flooded each of them knows what any of them proposes.
pub const MEMPOOL_OWN_PART: usize = 4;

/// Transactions that a mempool without room verifies in a round: one may replace another.
pub const MEMPOOL_FULL_CHECKS_MAX: u32 = 64;

/// Hashes of transactions that the pool took last, for those who follow it.
pub const POOL_ANNOUNCEMENTS_MAX: usize = 4_096;

/// Transactions of one sender in the mempool.
pub const MEMPOOL_PER_SENDER_MAX: usize = 1_024;

/// How many nonces may be missing before a transaction: as many as one sender may have waiting,
/// so that these may come in any order. go-ethereum has no bound for it: it takes any nonce, and
/// bounds how many wait, those of its own clients not at all.
pub const MEMPOOL_NONCE_GAP_MAX: u64 = MEMPOOL_PER_SENDER_MAX as u64;

/// Transactions of one sender that wait for an earlier nonce, once those of all senders take half
/// of the room for them (go-ethereum's `accountqueue`).
pub const MEMPOOL_QUEUED_SHARE: usize = 64;

/// Transactions that wait for an earlier nonce; beyond it only executable ones are taken.
pub const MEMPOOL_QUEUED_MAX: usize = 2_048;

/// Blocks for which a transaction that waits for an earlier nonce does not give way to another
/// that is otherwise its like.
pub const MEMPOOL_QUEUED_FRESH_BLOCKS: u64 = 16;

/// Bytes for which a transaction that waits for an earlier nonce counts as one more when places
/// are shared.
pub const MEMPOOL_QUEUED_PLACE_BYTES: usize = 16 * 1024;

/// Blocks after which a transaction that took longer than one may is tried again.
pub const MEMPOOL_SLOW_BLOCKS: u64 = 32;

/// What part of the proposal timeout of round 0 one transaction may take while its proposer builds
/// a block, as a divisor. With the time for building (`tbsi_engine::limits`, an eighth), twice,
/// because the others execute it after the proposer, a quarter is left for all else.
pub const TRANSACTION_TIME_SHARE: u32 = 4;

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

/// Of the others, slots that one peer's messages may fill.
pub const GOSSIP_WAITING_MESSAGES_PER_PEER_MAX: usize = 64;

/// Transactions of one peer that wait for the node's task.
pub const GOSSIP_WAITING_TRANSACTIONS_PER_PEER_MAX: usize = 8_000;

/// Verdicts on messages that wait for the network.
pub const GOSSIP_JUDGEMENTS_MAX: usize =
    GOSSIP_EVENTS_MAX + COSIGNATURE_MESSAGES_MAX + POST_QUANTUM_MESSAGES_MAX;

/// Messages of gossip a second that one neighbour may pass on, for each node and for four more.
pub const GOSSIP_MESSAGES_PER_PEER_PER_SECOND_MAX: u32 = 256;

/// KiB of gossip a second that one neighbour may pass on.
pub const GOSSIP_KIB_PER_SECOND_MAX: u32 = 16 * 1024;

/// Tips that one neighbour may announce at once: it repeats its own whenever somebody connects.
pub const GOSSIP_TIPS_MAX: u32 = 64;

/// Tips that one neighbour may announce in a second.
pub const GOSSIP_TIPS_PER_SECOND_MAX: u32 = 8;

/// Longest wait of a transaction for others to share its message.
pub const GOSSIP_BATCH_INTERVAL: Duration = Duration::from_millis(12);

/// Least time between two announcements of the tip.
pub const GOSSIP_TIP_INTERVAL: Duration = Duration::from_millis(250);

/// Bytes of one message of cosignatures: those of the largest validator set.
pub const COSIGNATURE_MESSAGE_BYTES_MAX: usize =
    8 + 8 + 32 + 4 + tbsi_types::limits::VALIDATORS_MAX * (20 + 72);

/// Messages of cosignatures that wait to be verified, or to be sent.
pub const COSIGNATURE_MESSAGES_MAX: usize = 64;

/// Signatures of cosigners that are verified in a second; the others are dropped.
pub const COSIGNATURES_VERIFIED_MAX: u32 = 2_000;

/// How often a validator cosigns a log that grows all the time, and how long a log must not
/// have grown to be cosigned at once, milliseconds.
pub const COSIGN_INTERVAL_MS: u64 = 200;

/// How often a validator with a post-quantum key cosigns with it a log that grows all the time,
/// milliseconds: its signatures are 34 times as long as the others.
pub const POST_QUANTUM_INTERVAL_MS: u64 = 2_000;

/// Bytes of a message with one post-quantum cosignature: salt, size, root, validator, key, and time
/// with signature.
pub const POST_QUANTUM_MESSAGE_BYTES: usize =
    8 + 8 + 32 + 20 + POST_QUANTUM_KEY_BYTES + POST_QUANTUM_COSIGNATURE_BYTES;

/// Such messages that wait to be verified, or to be sent.
pub const POST_QUANTUM_MESSAGES_MAX: usize = 256;

/// Post-quantum signatures that are verified in a second; the others are dropped.
pub const POST_QUANTUM_VERIFIED_MAX: u32 = 256;

/// Sizes of the log of which the root is remembered, so that post-quantum cosignatures that come
/// late still count.
pub const POST_QUANTUM_ROOTS_MAX: usize = 256;

/// Sizes of the log for which post-quantum cosignatures are kept, beside the one with most power.
pub const POST_QUANTUM_SIZES_MAX: usize = 4;

/// Least time between two cosignatures of one validator, as when it catches up.
pub const COSIGN_SPACING_MIN: Duration = Duration::from_millis(100);

/// How long a log that a quorum cosigned is served although there is a newer one.
pub const COSIGNED_AGE_MAX: Duration = Duration::from_secs(1);

/// Sizes of the log for which cosignatures are kept, beside the newest that a quorum or that
/// outside witnesses cosigned.
pub const COSIGNED_SIZES_MAX: usize = 16;

/// Days before the end of the time-stamping authority's certificate from which the node warns.
pub const TSA_CERTIFICATE_WARN_DAYS: u64 = 90;

/// How often it does so in its log.
pub const TSA_WARN_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// How long an outside witness or calendar may take to answer.
pub const WITNESS_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of its answer: some signature lines.
pub const WITNESS_ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Anchors of the log that a calendar keeps: more than a year of one an hour.
pub const ANCHORS_MAX: usize = 10_000;

/// Of those that are not in Bitcoin, about how many is asked at a time.
pub const ANCHORS_ASKED_MAX: usize = 16;

/// Bytes of an anchor's timestamp: with the path from a leaf before it, it has to be one that
/// clients take.
pub const ANCHOR_BYTES_MAX: usize = 6_000;

/// New heights that a slow subscriber may be behind before it must read the store.
pub const HEADS_MAX: usize = 256;

/// Pool transactions that one block is built from.
pub const CANDIDATES_MAX: usize = 20_000;

/// Accused validators whose evidence is looked at after one block; the others have their turn
/// after the next ones.
pub const ACCUSED_PER_LOOK_MAX: usize = 8;

/// Pieces of evidence against one validator that a node brings before the contracts at one time.
pub const ACCUSATIONS_PER_VALIDATOR_MAX: usize = 2;

/// Gas of a transaction with evidence: two recoveries, a few slots, and a validator that leaves.
pub const ACCUSATION_GAS: u64 = 3_000_000;

/// Blocks that each validator leaves to those before it to send the same evidence.
pub const ACCUSATION_TURN_BLOCKS: u64 = 2;

/// Turns that any node leaves to others: whoever alone has the evidence has to be in time.
pub const ACCUSATION_TURNS_MAX: u64 = 3;

/// Executed blocks kept for one undecided height.
pub const EXECUTED_MAX: usize = 4;

/// Gas of one `eth_call` or `eth_estimateGas` (EIP-7825).
pub const CALL_GAS_MAX: u64 = tbsi_types::limits::TRANSACTION_GAS_MAX;

/// Encoded bytes of pooled transactions that are told in one round after a peer connected, or
/// when blocks stop.
pub const REGOSSIP_BYTES_MAX: usize = 1024 * 1024;

/// How often the node looks whether blocks stopped.
pub const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// How often the node asks the contracts who may connect, beside every block that changed it.
pub const PEERS_REFRESH_INTERVAL: Duration = Duration::from_secs(5);

/// How often the log says that an upgrade waits which this program does not support.
pub const UPGRADE_REMIND_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// Blocks from whose times it is estimated when a height comes.
pub const UPGRADE_PACE_BLOCKS: u64 = 1_000;

/// A height that runs for longer is reported, each time this passes.
pub const STALL_REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// In which [`NOTES_PER_INTERVAL_MAX`] lines about others' proposals are logged.
pub const NOTE_INTERVAL: Duration = Duration::from_secs(10);

/// Log lines of one kind about others' proposals in one [`NOTE_INTERVAL`].
pub const NOTES_PER_INTERVAL_MAX: u32 = 16;

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

/// How often pooled transactions that are in no block are told to peers again: one *round*.
pub const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(1);

/// Encoded bytes that are told again in one round; a single larger transaction has a round for
/// itself.
pub const ANNOUNCE_BYTES_MAX: usize = 64 * 1024;

/// Rounds from taking a transaction that was sent to this node to telling it again; twice as
/// many each time.
pub const ANNOUNCE_OWN_ROUNDS_MIN: u64 = 4;

/// Longest wait between two such announcements, rounds.
pub const ANNOUNCE_OWN_ROUNDS_MAX: u64 = 32;

/// The same as [`ANNOUNCE_OWN_ROUNDS_MIN`] for what came from a peer: the node that it was sent
/// to is sooner.
pub const ANNOUNCE_GOSSIPED_ROUNDS_MIN: u64 = 16;

/// See [`ANNOUNCE_GOSSIPED_ROUNDS_MIN`].
pub const ANNOUNCE_GOSSIPED_ROUNDS_MAX: u64 = 128;

/// Rounds after which a transaction that no block took is dropped: three hours, as go-ethereum
/// has it.
pub const MEMPOOL_ROUNDS_MAX: u64 = 3 * 60 * 60;

/// Rounds after which a transaction is *stuck*: another one of its sender with the same nonce
/// replaces it without a higher bid.
pub const MEMPOOL_STUCK_ROUNDS: u64 = 15;

/// Percent by which a bid must be higher to replace a transaction that is not stuck
/// (go-ethereum's `pricebump`).
pub const MEMPOOL_BUMP_PERCENT: u64 = 10;

/// Transactions that the pool dropped and of which it still knows why; the oldest is forgotten.
pub const DROPPED_MAX: usize = 16_384;

/// Characters that are kept of another module's words for why a transaction was dropped.
pub const DROPPED_WORDS_CHARS_MAX: usize = 400;

/// Bytes of the file with the transactions that were sent to this node and are in no block.
pub const JOURNAL_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Rounds after which that file is written anew without what is in a block.
pub const JOURNAL_ROUNDS: u64 = 600;

/// The same while that file cannot be written, or is full.
pub const JOURNAL_RETRY_ROUNDS: u64 = 60;

/// Bytes of a file of certificates.
pub const CERTIFICATE_BYTES_MAX: usize = 64 * 1024;

/// Certificates in it.
pub const CERTIFICATES_MAX: usize = 8;

/// How often the names of peers' machines are looked up.
pub const ADDRESS_INTERVAL: Duration = Duration::from_secs(60);

/// How long looking one up may take.
pub const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// Names that are looked up at once.
pub const LOOKUPS_MAX: usize = 8;

/// How long whoever asks for a copy of the database may take to say so.
pub const CONTROL_REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a running node may take to make one: it writes what is in memory first.
pub const CONTROL_TIMEOUT: Duration = Duration::from_secs(120);

/// Bytes of its answer.
pub const CONTROL_ANSWER_BYTES_MAX: u64 = 4_096;

/// Bytes that are copied at a time.
pub const COPY_BUFFER_BYTES: usize = 1024 * 1024;

/// Files of a backup: those of a database of some terabytes.
pub const BACKUP_FILES_MAX: usize = 262_144;

/// Bytes of a backup's manifest.
pub const BACKUP_MANIFEST_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How long a node runs before it begins to read its database again.
pub const SCRUB_DELAY: Duration = Duration::from_secs(10 * 60);

/// Bytes of the database that are read again at a time.
pub const SCRUB_STEP_BYTES: u64 = 1024 * 1024;

/// Pause after each such step: at most so much of the disk's time goes into it.
pub const SCRUB_STEP_INTERVAL: Duration = Duration::from_millis(250);

/// Pause after the whole database was read again.
pub const SCRUB_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use tbsi_home::config::Config;
    use tbsi_store::StoreOptions;

    use crate::mempool::MempoolLimits;

    #[test]
    fn defaults_are_those_of_the_parts() {
        let config = Config::new("node-1", true);
        let history_blocks = StoreOptions::default().history_blocks;
        assert_eq!(config.store.history_blocks, history_blocks);
        assert_eq!(
            config.store.keep_blocks,
            StoreOptions::default().keep_blocks
        );
        let (pool, defaults) = (&config.mempool, MempoolLimits::default());
        assert_eq!(pool.transactions_max as usize, defaults.transactions_max);
        assert_eq!(pool.bytes_max, defaults.bytes_max as u64);
        assert_eq!(pool.per_sender_max as usize, defaults.per_sender_max);
        assert_eq!(u64::from(pool.nonce_gap_max), defaults.nonce_gap_max);
    }
}
