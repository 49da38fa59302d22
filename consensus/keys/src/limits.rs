//! Named maxima of the keys' room, with their units.

use std::time::Duration;

/// How long a remote signer, or a node that asks one, may take for one step.
pub const SIGNER_TIMEOUT: Duration = Duration::from_millis(1_000);

/// Between two attempts to connect to a remote signer.
pub const SIGNER_RETRY: Duration = Duration::from_millis(200);

/// How long a starting node waits for its remote signer.
pub const SIGNER_START_TIMEOUT: Duration = Duration::from_secs(10);

/// Statements that wait for a remote signer; more are abstained from.
pub const SIGNER_QUEUE_MAX: usize = 8;

/// How far above the last decision that a signer was shown it signs. Whoever takes a node over
/// can silence its validator for so many heights, no more.
pub const SIGNER_HEIGHTS_AHEAD_MAX: u64 = 100;

/// Decisions that a node shows to its signer one after the other before it goes on.
pub const SIGNER_SHOWN_MAX: usize = 256;

/// Bytes of one message between a node and its signer: the decision of the largest validator set.
pub const SIGNER_FRAME_BYTES_MAX: usize = 32 * 1024;

/// The same before both ends have proved who they are.
pub const SIGNER_HANDSHAKE_BYTES_MAX: usize = 1_024;

/// Nodes that one signer knows.
pub const SIGNER_CLIENTS_MAX: usize = 16;

/// Clients that read a signer's metrics at one time.
pub const METRICS_CONNECTIONS_MAX: usize = 8;

/// Bytes of their request.
pub const METRICS_REQUEST_BYTES_MAX: usize = 4 * 1024;

/// Connections that one signer has open, those that have proved nothing yet included.
pub const SIGNER_CONNECTIONS_MAX: usize = 64;
