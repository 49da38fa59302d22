//! Named maxima of homes and configurations, with their units.

/// Outside witnesses of the log: their lines and that of the log leave room in a note for those
/// of validators.
pub const WITNESSES_MAX: usize = 7;

/// Keys of logs that a node witnesses.
pub const WITNESSED_MAX: usize = 1_024;

/// API keys of JSON-RPC, or of a time-stamping authority.
pub const API_KEYS_MAX: usize = 1_024;

/// Calls, or time stamps, a minute that an operator may allow.
pub const API_PER_MINUTE_MAX: u32 = 1_000_000;

/// Entries of each list of `[rpc]`.
pub const RPC_ENTRIES_MAX: usize = 1_024;

/// States behind the tip that a node keeps, unless it is an archive or told otherwise.
pub const FULL_HISTORY_BLOCKS: u64 = 256;

/// Blocks behind the tip whose transactions and receipts a light node keeps.
pub const LIGHT_KEEP_BLOCKS: u64 = 100_000;

/// The least that can be chosen: peers that were away for a while fetch blocks.
pub const KEEP_BLOCKS_MIN: u64 = 1_000;

/// Chain id of networks for development, whose keys need no password.
pub const DEVELOPMENT_CHAIN_ID: u64 = 8_862_026;

/// How far above the highest height that a home knows of its operator may set a sign-state.
pub const SIGN_STATE_HEIGHTS_AHEAD_MAX: u64 = 1_000;

/// How long a starting validator listens for another process with its key, unless configured.
pub const TWIN_WATCH_MS: u64 = 500;
