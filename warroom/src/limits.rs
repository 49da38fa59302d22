//! Every limit of the war room.

/// Sources that are followed at a time.
pub(crate) const SOURCES_MAX: usize = 16;

/// Bytes of a certificate or checkpoint that a source may give are those of `tbsi-types`; this is
/// the longest note or small text.
pub(crate) const TEXT_BYTES_MAX: usize = 256 * 1024;

/// Bytes of the texts of one bundle's acts of governance.
pub(crate) const ACTS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bundles of leaves that are asked for at a time.
pub(crate) const REQUESTS_AT_A_TIME: usize = 16;

/// Bundles that are written in one transaction.
pub(crate) const BUNDLES_PER_COMMIT: u64 = 128;

/// Tiles that are kept in memory while a tree is read.
pub(crate) const TILES_KEPT_MAX: usize = 4_096;

/// Changes of the validator set that are followed.
pub(crate) const HANDOVERS_KEPT_MAX: u64 = 10_000;

/// Blocks that one `eth_getLogs` asks for: what nodes answer by default.
pub(crate) const LOG_BLOCKS_MAX: u64 = 10_000;

/// Checkpoints whose digests are remembered, to notice a second one of the same height.
pub(crate) const DECIDED_KEPT_MAX: u64 = 100_000;

/// Alarms that are told.
pub(crate) const ALARMS_MAX: usize = 64;

/// Least silence that is told of, in seconds.
pub(crate) const SILENT_S_MIN: u64 = 60;

/// Empty blocks that may be missing before a chain counts as silent.
pub(crate) const SILENT_INTERVALS: u64 = 6;

/// Connections to the index for answers, and answers that are made at a time.
pub(crate) const READERS: usize = 4;

/// Answers that may wait for a connection to the index.
pub(crate) const WAITING_MAX: usize = 256;

/// Memory of the index's page cache for writing, in KiB.
pub(crate) const WRITE_CACHE_KIB: i64 = 256 * 1024;

/// The same for each reader.
pub(crate) const READ_CACHE_KIB: i64 = 16 * 1024;

/// Bytes of a request's path and query.
pub(crate) const TARGET_BYTES_MAX: usize = 2_048;

/// Items of a page.
pub(crate) const PAGE_MAX: u64 = 200;

/// Items of a page by default.
pub(crate) const PAGE: u64 = 50;

/// Bundles that are read for one page of leaves.
pub(crate) const BUNDLES_PER_PAGE: usize = 64;

/// Bytes of what is searched for.
pub(crate) const QUERY_BYTES_MAX: usize = 256;

/// Hits of a search.
pub(crate) const HITS_MAX: u64 = 50;

/// Events of one attestation that are shown.
pub(crate) const HISTORY_MAX: usize = 256;

/// Positions that are read for one lookup: more with the same first eight bytes of a hash are
/// an attack, and are told to be more.
pub(crate) const FOUND_MAX: usize = 300;

/// Things of a provenance graph.
pub(crate) const GRAPH_NODES_MAX: usize = 200;

/// Arrows of a provenance graph.
pub(crate) const GRAPH_EDGES_MAX: usize = 800;

/// Steps of a provenance graph from where it begins.
pub(crate) const GRAPH_DEPTH_MAX: u64 = 8;

/// Acts of one authorisation that are kept, the newest.
pub(crate) const AUTHORISATION_ACTS_MAX: usize = 600;

/// Uses of one authorisation that are kept, the newest.
pub(crate) const AUTHORISATION_USES_MAX: usize = 200;

/// Subscriptions to alerts.
pub(crate) const SUBSCRIPTIONS_MAX: i64 = 10_000;

/// Bytes of the address of a subscription.
pub(crate) const ADDRESS_BYTES_MAX: usize = 512;

/// Bytes of a relay's password.
pub(crate) const PASSWORD_BYTES_MAX: usize = 1_024;

/// Leaves of one alert.
pub(crate) const NOTICE_ITEMS_MAX: usize = 100;

/// Leaves behind the newest of which somebody is still told.
pub(crate) const NOTICE_LEAVES_MAX: u64 = 100_000;

/// Subscriptions that are looked at in one round.
pub(crate) const DUE_AT_A_TIME: i64 = 200;

/// Alerts that are sent at a time.
pub(crate) const SENDS_AT_A_TIME: usize = 16;

/// How long sending one may take, in milliseconds.
pub(crate) const SEND_MS_MAX: u64 = 10_000;

/// Bytes of a webhook's answer that are read.
pub(crate) const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// Attempts that fail before a subscription is left alone.
pub(crate) const FAILURES_MAX: u32 = 30;

/// Longest time between two attempts, in milliseconds.
pub(crate) const RETRY_MS_MAX: u64 = 3_600_000;

/// Times that a receiver is asked to confirm a subscription by mail.
pub(crate) const ASKED_MAX: u32 = 3;

/// Between two of them, in milliseconds.
pub(crate) const ASK_AGAIN_MS: u64 = 86_400_000;

/// Between two mails to one receiver, in milliseconds.
pub(crate) const MAIL_PAUSE_MS: u64 = 60_000;

/// Points of a series.
pub(crate) const POINTS_MAX: u64 = 1_500;

/// Rows of each table of `/now`.
pub(crate) const NOW_ROWS_MAX: u64 = 50;

/// Leaves of a range of `/recount`.
pub(crate) const RECOUNT_LEAVES: u64 = 65_536;

/// Ranges of one answer of `/recount`.
pub(crate) const RECOUNT_RANGES_MAX: u64 = 16;

/// Entries of a feed.
pub(crate) const FEED_ENTRIES: u64 = 50;

/// Requests that a client address may make at once.
pub(crate) const BURST: u64 = 100;

/// Requests that it may make in a second after that.
pub(crate) const REQUESTS_PER_S: u64 = 20;

/// Client addresses that are remembered.
pub(crate) const CLIENTS_MAX: usize = 10_000;

/// Bytes of a file of the page.
pub(crate) const PAGE_FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Checkpoints that are seen with a validator in their set before its silence says anything.
pub(crate) const MISSING_SEEN_MIN: u64 = 20;

/// How long a validator signs nothing that is seen before it is called missing, in milliseconds.
pub(crate) const MISSING_MS: u64 = 10 * 60 * 1_000;
