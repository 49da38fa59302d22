//! Named maxima of the server, with their units.

/// Bytes of one request or one batch.
pub const REQUEST_BYTES_MAX: u32 = 5 * 1024 * 1024;

/// Bytes of one response or one batch of responses.
pub const RESPONSE_BYTES_MAX: u32 = 25 * 1024 * 1024;

/// Bytes of an answer that is one thing, such as the receipts of a block: about twice what a
/// block of the usual gas limit can make of them (a log costs 375 gas and is 366 bytes of JSON).
pub const WHOLE_BYTES_MAX: u32 = 640 * 1024 * 1024;

/// TCP connections at a time.
pub const CONNECTIONS_MAX: u32 = 512;

/// TCP connections of one address (IPv6: of one /64) at a time.
pub const CONNECTIONS_PER_ADDRESS_MAX: u32 = 128;

/// Calls a minute of one address (IPv6: of one /64) without an API key, unless the operator says
/// otherwise.
pub const ADDRESS_PER_MINUTE: u32 = 60_000;

/// Addresses whose calls are counted; beyond it those that call nothing now are forgotten.
pub(crate) const CALLERS_MAX: usize = 1_024;

/// Proxies that one request went through, as far as is looked at.
pub(crate) const PROXIES_MAX: usize = 8;

/// Requests in one batch.
pub const BATCH_ITEMS_MAX: u32 = 1_000;

/// Subscriptions of one WebSocket connection.
pub const SUBSCRIPTIONS_MAX: u32 = 64;

/// Calls that run at a time; the others wait.
pub const CALLS_MAX: usize = 32;

/// Threads of the server's runtime on which no call runs, however many there are: they read and
/// write for all connections meanwhile. A runtime with no more than these hands every call over.
pub const THREADS_FREE_MIN: usize = 2;

/// Calls that may keep a processor busy and run at a time, for each processor; the others wait.
pub(crate) const HEAVY_PER_PROCESSOR: usize = 2;

/// The same on a machine with few processors: some wait for the disk meanwhile.
pub(crate) const HEAVY_MIN: usize = 4;

/// Milliseconds of a call on the thread of its connection after which that thread serves others
/// before it goes on.
pub(crate) const BRIEF_MS_MAX: u64 = 1;

/// Blocks that one `eth_getLogs` may cover.
pub const LOG_BLOCKS_MAX: u64 = 10_000;

/// Logs that one `eth_getLogs` may return.
pub const LOG_RESULTS_MAX: usize = 10_000;

/// Time that one `eth_getLogs` may take, milliseconds.
pub(crate) const LOG_SCAN_MS_MAX: u64 = 10_000;

/// Logs of one block beyond which only one call at a time makes objects of them.
pub(crate) const LOGS_AT_A_TIME_MAX: usize = 50_000;

/// Bytes of a log in JSON without topics and data, about.
pub(crate) const LOG_JSON_BYTES: usize = 366;

/// Bytes of a receipt in JSON without logs, about.
pub(crate) const RECEIPT_JSON_BYTES: usize = 1_200;

/// Characters of a libp2p peer id; those of Ed25519 keys have 52.
pub(crate) const PEER_ID_CHARS_MAX: usize = 64;

/// Changes of the validator set in one `tbsi_getHandovers`.
pub const HANDOVERS_PAGE_MAX: usize = 64;

/// Bytes that a pooled transaction takes in an answer beside its data, about.
pub(crate) const POOLED_OBJECT_BYTES: u64 = 1_000;

/// Filters that clients poll, over all addresses.
pub const FILTERS_MAX: usize = 4_096;

/// Those of one address (IPv6: of one /64); this machine may have all.
pub const FILTERS_PER_ADDRESS_MAX: usize = 256;

/// Seconds without a poll after which a filter is gone.
pub const FILTER_IDLE_S_MAX: u64 = 300;

/// Addresses, or alternatives for one topic, in a log filter (go-ethereum's bound).
pub(crate) const FILTER_VALUES_MAX: usize = 1_000;

/// Slots in one `eth_getProof` (go-ethereum's bound).
pub(crate) const PROOF_SLOTS_MAX: usize = 1_024;

/// Accounts and slots that the overrides of one request may name.
pub const OVERRIDES_MAX: usize = 10_000;

/// Calls in one `eth_simulateV1`. Its blocks, gas and output are bounded by `tbsi-execution`.
pub const SIMULATED_CALLS_MAX: usize = 1_000;

/// Time that one `eth_simulateV1` may take, milliseconds; the block that runs is finished.
pub const SIMULATION_MS_MAX: u64 = 5_000;

/// Blocks in one `eth_feeHistory`; a larger request is cut to this (go-ethereum's bound).
pub(crate) const FEE_BLOCKS_MAX: u64 = 1_024;

/// Percentiles in one `eth_feeHistory` (go-ethereum's bound).
pub(crate) const FEE_PERCENTILES_MAX: usize = 100;

/// Requests that execute something again (`debug_trace…`, `trace_…`, some of `ots_…`) that run at
/// a time; the others wait.
pub const TRACES_MAX: usize = 2;

/// Milliseconds that a trace may take if `timeout` does not say otherwise (go-ethereum's default).
pub const TRACE_MS: u64 = 5_000;

/// Milliseconds that `timeout` may ask for; more is cut to this.
pub const TRACE_MS_MAX: u64 = 20_000;

/// Blocks that one `trace_filter` may cover.
pub const TRACE_FILTER_BLOCKS_MAX: u64 = 100;

/// Calls in one `trace_callMany`.
pub const TRACE_CALLS_MAX: usize = 100;

/// Accounts in one `debug_accountRange`; a larger request is cut to this (go-ethereum's bound).
pub const ACCOUNT_RANGE_MAX: usize = 256;

/// Slots of all accounts in one `debug_accountRange`.
pub const ACCOUNT_RANGE_SLOTS_MAX: usize = 16_384;

/// Slots in one `debug_storageRangeAt`; a larger request is cut to this.
pub const STORAGE_RANGE_MAX: usize = 1_024;

/// Transactions that one page of `ots_…` asks for; a larger request is cut to this.
pub const OTS_PAGE_MAX: usize = 100;

/// Pieces of evidence in one `tbsi_getEvidence`, newest first.
pub const EVIDENCE_MAX: usize = 100;

/// Leaves in one `tbsi_findByDigest` or `tbsi_findById`.
pub const LEAVES_PAGE_MAX: usize = 256;

/// Proofs in one `tbsi_sendAttestation`; the rest is had by `tbsi_getProof`.
pub const PROOFS_MAX: u64 = 16;

/// Seconds that `tbsi_sendAttestation` waits for finality.
pub const FINALITY_S_MAX: u64 = 20;

/// Bytes of one time-stamp query.
pub const TIMESTAMP_QUERY_BYTES_MAX: usize = 4 * 1024;

/// Time-stamp queries without an API key that wait for finality at a time.
pub const TIMESTAMPS_MAX: usize = 256;

/// The same with a key: strangers do not take these places.
pub const TIMESTAMPS_WITH_KEY_MAX: usize = 256;

/// Bytes of an API key.
pub(crate) const API_KEY_BYTES_MAX: usize = 256;

/// Seconds in which the body of a request to a page must be there.
pub(crate) const BODY_S_MAX: u64 = 10;

/// Seconds in which the body of a JSON-RPC request must be there, however large it is.
pub(crate) const RPC_BODY_S_MAX: u64 = 30;

/// Seconds after which a client may ask again that found no place.
pub(crate) const BUSY_RETRY_S: u64 = 1;

/// Calls of `tbsi_sendAttestation` that wait for finality at a time; each looks again at every
/// block.
pub const ACKNOWLEDGEMENTS_MAX: usize = 4_096;

/// Subscriptions of all connections; each reads every block.
pub const SUBSCRIPTIONS_ALL_MAX: usize = 1_024;

/// Checkpoints of other logs that are looked at, at a time.
pub const WITNESS_REQUESTS_MAX: usize = 16;

/// Leaves that a subscriber who had all of them may fall behind before its subscription ends.
pub const LEAVES_BEHIND_MAX: u64 = 1_000_000;

/// Seconds for which a client need not ask again for a tile that can still grow.
pub(crate) const PARTIAL_TILE_AGE_S: u64 = 60;

/// Blocks that a subscriber may fall behind before its subscription ends.
pub(crate) const SUBSCRIPTION_BACKLOG_MAX: u64 = 1_024;

/// Milliseconds between two looks at whether the node catches up, for who subscribed to that.
pub(crate) const SYNCING_LOOK_MS: u64 = 1_000;

/// KiB of requests that may wait or run at a time, over all connections.
pub(crate) const WAITING_KIB_MAX: u32 = 64 * 1024;

/// KiB of answers that their clients have not read yet, over all connections; those below one KiB
/// are not counted.
pub(crate) const ANSWERS_KIB_MAX: u32 = 512 * 1024;

/// Of them, those of one address (IPv6: of one /64).
pub(crate) const ANSWERS_KIB_PER_ADDRESS_MAX: u32 = 128 * 1024;

/// Messages of one WebSocket connection that are read and not answered; then nothing more is read
/// from it.
pub(crate) const SOCKET_MESSAGES_MAX: usize = 256;

/// Bytes for which there is room when a WebSocket is read.
pub(crate) const SOCKET_READ_BYTES: usize = 8 * 1024;

/// Bytes of one WebSocket message that are read at all: what is too large is passed over, so that
/// the client can be told, up to here.
pub(crate) const SOCKET_SKIPPED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Seconds between two pings of a WebSocket connection.
pub(crate) const PING_S: u64 = 30;

/// Seconds without any frame after which it is closed, although it was pinged.
pub(crate) const SILENT_S_MAX: u64 = 75;

/// Seconds that the client of a WebSocket which ends has for reading its last answers.
pub(crate) const SOCKET_CLOSE_S_MAX: u64 = 10;

/// Bytes of a body that are read after its request was refused, so that the refusal arrives.
pub(crate) const LINGER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Milliseconds in which they are read.
pub(crate) const LINGER_MS_MAX: u64 = 3_000;

/// Milliseconds without any, after which no more are waited for.
pub(crate) const LINGER_PAUSE_MS_MAX: u64 = 500;

/// Seconds in which the head of a request must be there, counted from the answer before it.
pub(crate) const HEADERS_S_MAX: u64 = 60;

/// Seconds that a TLS handshake may take.
pub(crate) const HANDSHAKE_S_MAX: u64 = 10;

/// Networks whose calls, or time stamps, are counted, each in some 100 bytes.
pub(crate) const RATE_NETWORKS_MAX: usize = 65_536;

/// Milliseconds for which a transaction is held that came before those with the nonces that it
/// waits for: they may be on their way on another connection.
pub(crate) const HOLD_MS_MAX: u64 = 2_000;

/// Milliseconds after which a held transaction is looked at again at the earliest.
pub(crate) const HOLD_LOOK_MS: u64 = 100;

/// Transactions that are held at a time.
pub(crate) const HELD_MAX: usize = 256;

/// Messages that wait for one WebSocket client to read.
pub(crate) const UNREAD_MESSAGES_MAX: u32 = 16;

/// Seconds without a byte in either direction after which a connection is closed. Also bounds
/// how long one request may take.
pub(crate) const IDLE_S_MAX: u64 = 120;

/// Seconds that open connections have to finish when the server stops.
pub(crate) const STOP_S_MAX: u64 = 5;

/// Milliseconds before accepting again after the system refused to (no file descriptors left).
pub(crate) const ACCEPT_RETRY_MS: u64 = 100;

/// Responses below this many bytes are not compressed.
pub(crate) const COMPRESSED_BYTES_MIN: u16 = 4_096;

/// Characters of a request that an error message repeats.
pub(crate) const ECHO_CHARS_MAX: usize = 200;

/// Positional arguments that are looked at; more than any method has.
pub(crate) const ARGUMENTS_MAX: usize = 8;

/// Leaves that a client holds for a caller that does not read them.
pub const CLIENT_LEAVES_MAX: usize = 16 * 1024;

/// Seconds that the client waits for a connection, and for an answer.
pub(crate) const CLIENT_CONNECT_S_MAX: u64 = 5;
/// See [`CLIENT_CONNECT_S_MAX`].
pub(crate) const CLIENT_ANSWER_S_MAX: u64 = 30;

/// Seconds that an operator may allow for either.
pub(crate) const HTTP_SECONDS_MAX: u64 = 600;

/// Bytes of the file that says how others are reached, and of each PEM file that it names.
pub(crate) const HTTP_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Hosts that are shown something.
pub(crate) const LOGINS_MAX: usize = 64;

/// Bytes of a token or a password.
pub(crate) const SECRET_BYTES_MAX: usize = 4 * 1024;

/// Bytes of the answer of somebody who refuses that are read.
pub(crate) const REFUSAL_BYTES_MAX: usize = 64 * 1024;

/// Limits that an operator may change; each is at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RpcLimits {
    /// TCP connections at a time.
    pub connections_max: u32,
    /// Those of one address (IPv6: of one /64); this machine and trusted proxies are not bound.
    pub connections_per_address_max: u32,
    /// Bytes of one request or one batch.
    pub request_bytes_max: u32,
    /// Bytes of one response or one batch of responses.
    pub response_bytes_max: u32,
    /// Requests in one batch.
    pub batch_items_max: u32,
    /// Subscriptions of one WebSocket connection.
    pub subscriptions_max: u32,
    /// Calls that run at a time.
    pub calls_max: usize,
    /// Blocks that one `eth_getLogs` may cover.
    pub log_blocks_max: u64,
    /// Logs that one `eth_getLogs` may return.
    pub log_results_max: usize,
}

impl Default for RpcLimits {
    fn default() -> Self {
        Self {
            connections_max: CONNECTIONS_MAX,
            connections_per_address_max: CONNECTIONS_PER_ADDRESS_MAX,
            request_bytes_max: REQUEST_BYTES_MAX,
            response_bytes_max: RESPONSE_BYTES_MAX,
            batch_items_max: BATCH_ITEMS_MAX,
            subscriptions_max: SUBSCRIPTIONS_MAX,
            calls_max: CALLS_MAX,
            log_blocks_max: LOG_BLOCKS_MAX,
            log_results_max: LOG_RESULTS_MAX,
        }
    }
}

impl RpcLimits {
    /// The name of one that is 0.
    pub(crate) fn zero(&self) -> Option<&'static str> {
        let limits = [
            ("connections_max", u64::from(self.connections_max)),
            (
                "connections_per_address_max",
                self.connections_per_address_max.into(),
            ),
            ("request_bytes_max", self.request_bytes_max.into()),
            ("response_bytes_max", self.response_bytes_max.into()),
            ("batch_items_max", self.batch_items_max.into()),
            ("subscriptions_max", self.subscriptions_max.into()),
            ("calls_max", self.calls_max as u64),
            ("log_blocks_max", self.log_blocks_max),
            ("log_results_max", self.log_results_max as u64),
        ];
        let zero = limits.into_iter().find(|(_, value)| *value == 0);
        zero.map(|(name, _)| name)
    }
}
