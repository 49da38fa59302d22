//! Named maxima of the protocol. A bound that only one node cares about lives with that node.

/// Largest encoded block that may be proposed or synced, in bytes (EIP-7934 is 10 MiB; a
/// block must also fit Malachite's sync response, so TBSI stays below).
pub const BLOCK_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Largest transaction, in bytes of its EIP-2718 encoding: room for the largest batch of digests
/// that the gas cap below pays for (13,000 digests, 416 kB).
pub const TRANSACTION_BYTES_MAX: usize = 512 * 1024;

/// Gas that one transaction may ask for (EIP-7825).
pub const TRANSACTION_GAS_MAX: u64 = 1 << 24;

/// Validators in one set. Bounds certificates, codecs and proposer rotation.
pub const VALIDATORS_MAX: usize = 128;

/// Fewest validators that tolerate one fault.
pub const VALIDATORS_MIN: usize = 4;

/// Nodes (validators and observers) named in a genesis file.
pub const NODES_MAX: usize = 1024;

/// Bytes of an organisation's legal name, in each language. Bounds proof bundles.
pub const ORGANISATION_NAME_BYTES_MAX: usize = 512;

/// Length of an epoch, in seconds: a change of the validator set waits no longer.
pub const EPOCH_SECONDS_MAX: u64 = 7 * 86_400;

/// Accounts in a genesis file.
pub const GENESIS_ACCOUNTS_MAX: usize = 100_000;

/// Bytes of a genesis file.
pub const GENESIS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Largest round that is encodable; consensus never comes near it.
pub const ROUND_MAX: u32 = u32::MAX - 1;

/// Blocks whose state stays provable behind the tip, at least.
pub const STATE_WINDOW_MIN: u64 = 128;
