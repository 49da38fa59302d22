//! Named maxima of the relayer.

/// Bytes of a configuration file.
pub(crate) const CONFIG_BYTES_MAX: u64 = 64 * 1024;

/// Bytes of a file of the journal, unless the configuration says otherwise; then another one begins.
pub(crate) const JOURNAL_BYTES: u64 = 64 * 1024 * 1024;

/// The least and the most that may be configured.
pub(crate) const JOURNAL_BYTES_LEAST: u64 = 64 * 1024;
pub(crate) const JOURNAL_BYTES_MOST: u64 = 1024 * 1024 * 1024;

/// Bytes of a file of the journal that is read; those of version 1 had up to 2 GiB.
pub(crate) const JOURNAL_BYTES_MAX: u64 = 3 * 1024 * 1024 * 1024;

/// Files of a journal. With this many full ones the relayer stops and asks for a new home.
pub const JOURNAL_FILES_MAX: u32 = 100_000;

/// Bytes of one record, its line feed and hash included: a transaction of the most bytes that are
/// allowed, in hex, and more.
pub(crate) const RECORD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of items in one record of a snapshot, about.
pub(crate) const SNAPSHOT_PART_BYTES: usize = 256 * 1024;

/// Steps of one plan that are journalled in one look at it; the next look goes on.
pub(crate) const STEPS_PER_LOOK_MAX: usize = 16;

/// Items that one record names.
pub(crate) const ITEMS_PER_RECORD_MAX: usize = 1_000;

/// Routes of one process.
pub(crate) const ROUTES_MAX: usize = 64;

/// Bytes of a route's name.
pub(crate) const ROUTE_NAME_BYTES_MAX: usize = 32;

/// Endpoints of one chain.
pub(crate) const ENDPOINTS_MAX: usize = 16;

/// Schemas, or issuers, that a configuration selects.
pub(crate) const SELECTED_MAX: usize = 1_000;

/// Leaves of one transaction.
pub const LEAVES_PER_PLAN_MAX: usize = 400;

/// Transactions in flight.
pub(crate) const IN_FLIGHT_MAX: usize = 64;

/// Items that wait at a time; more stay in the log until there is room.
pub(crate) const WAITING_MAX: usize = 200_000;

/// Bundles of entries that are kept in memory, 132 KB each at most.
pub(crate) const BUNDLES_KEPT_MAX: usize = 64;

/// Tiles that are kept in memory, 8 KiB each.
pub(crate) const TILES_KEPT_MAX: usize = 2_048;

/// Tiles that one set of proofs may ask for.
pub(crate) const TILES_PER_PROOF_MAX: usize = 4_096;

/// Requests by name in the home directory that one step takes up; the next step goes on.
pub(crate) const REQUESTS_MAX: usize = 10_000;

/// Times that the items of one plan are tried again after a transaction that failed in a block.
pub(crate) const FAILURES_MAX: u32 = 3;

/// Milliseconds between two sendings of a transaction that no endpoint has taken yet.
pub(crate) const RESEND_MS_MIN: u64 = 1_000;

/// Alarms that one process records; later ones are only counted.
pub(crate) const ALARMS_MAX: usize = 1_000;

/// Milliseconds within which an endpoint must answer.
pub(crate) const ANSWER_MS_MAX: u64 = 10_000;

/// Longest pause after failures, milliseconds.
pub(crate) const BACKOFF_MS_MAX: u64 = 60_000;

/// Headers of another chain that one import brings.
pub(crate) const FOREIGN_STEPS_MAX: usize = 64;

/// Bytes of a transaction that nodes take, unless the configuration says otherwise: go-ethereum's
/// `txMaxSize`.
pub(crate) const TRANSACTION_BYTES: usize = 131_072;

/// The least that may be configured: the largest handover, of 128 validators, has about 20,000.
pub(crate) const TRANSACTION_BYTES_LEAST: usize = 32 * 1024;

/// The most that may be configured.
pub(crate) const TRANSACTION_BYTES_MOST: usize = 1024 * 1024;

/// Bytes of a transaction around its data, at most: numbers, fees, addresses, signature, lengths.
pub(crate) const ENVELOPE_BYTES: usize = 256;

/// Blocks on top of one that is taken for final, at most.
pub(crate) const DEPTH_MAX: u64 = 100_000;

/// Plans that were given up after refusals and are looked for all the same.
pub(crate) const GIVEN_UP_MAX: usize = 64;

/// Times that a transaction is refused before its plan is released, if nothing shows it.
pub(crate) const REFUSALS_MAX: u32 = 3;

/// Handovers carried by one transaction: each is about 150,000 gas for four validators.
pub(crate) const HANDOVERS_PER_PLAN_MAX: usize = 8;

/// Bytes of the payload of a message: calldata of 40 gas each (EIP-7623) leaves room for the rest
/// of a transaction.
pub const PAYLOAD_BYTES_MAX: usize = 100_000;

/// Payloads that wait in the home directory.
pub const PAYLOADS_MAX: usize = 100_000;

/// Messages looked at in one step; the next step goes on behind them.
pub(crate) const MESSAGES_PER_STEP_MAX: usize = 256;

/// Messages whose leaves are kept in memory, 160 bytes each and a proof's worth of work.
pub(crate) const MESSAGES_KEPT_MAX: usize = 10_000;

/// Bytes of a receiver's refusal that are recorded.
pub(crate) const REFUSAL_BYTES_MAX: usize = 256;

/// Calls of the inbox that one step makes at the same time.
pub(crate) const CALLS_AT_ONCE_MAX: usize = 16;

/// Validator sets that a light client may have had: one is found by its hash by asking for all. A
/// client that names more is none.
pub(crate) const SETS_SEARCHED_MAX: u32 = 100_000;

/// Bytes of an answer of a Fabric gateway: a block, at most.
pub(crate) const FABRIC_ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Milliseconds within which peers must have endorsed a transaction.
pub(crate) const ENDORSE_MS_MAX: u64 = 60_000;

/// Milliseconds within which an orderer must have taken a transaction.
pub(crate) const SUBMIT_MS_MAX: u64 = 30_000;

/// Milliseconds that one look waits for a transaction to be in a block of a channel.
pub(crate) const COMMIT_WAIT_MS: u64 = 300;

/// Times that one plan is endorsed anew because what it read had changed.
pub(crate) const CONFLICTS_MAX: usize = 8;

/// Times that a transaction for a channel is handed to the orderers without being in a block.
pub(crate) const SUBMISSIONS_MAX: u32 = 32;

/// Blocks of a channel that are kept in memory.
pub(crate) const CHANNEL_BLOCKS_KEPT_MAX: usize = 4;

/// Bytes of an argument of the chaincode, unless the configuration says otherwise.
pub(crate) const ARGUMENT_BYTES: usize = 1024 * 1024;

/// The least and the most that may be configured: the chaincode takes 2 MiB.
pub(crate) const ARGUMENT_BYTES_LEAST: usize = 64 * 1024;
pub(crate) const ARGUMENT_BYTES_MOST: usize = 2 * 1024 * 1024 - 1024;

/// Bytes of an endorsed transaction for a channel: in hex it fits into a record.
pub(crate) const FABRIC_TRANSACTION_BYTES_MAX: usize = 1_900_000;

/// Bytes of a certificate or a key in PEM.
pub(crate) const PEM_BYTES_MAX: u64 = 64 * 1024;

/// Bytes of a channel's or a chaincode's name, or of an MSP id.
pub(crate) const FABRIC_NAME_BYTES_MAX: usize = 64;

/// Organisations whose endorsements are asked for by name.
pub(crate) const ORGANISATIONS_MAX: usize = 32;

/// Bytes of the file that says behind which event of a chaincode somebody is.
pub(crate) const EVENT_POSITION_BYTES_MAX: u64 = 4 * 1024;

/// Milliseconds between two looks whether a gateway is still there: peers close connections of those
/// who look more than once a minute.
pub(crate) const KEEP_ALIVE_MS: u64 = 120_000;
