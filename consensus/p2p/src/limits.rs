//! Named maxima of the p2p room, with their units.

use std::time::Duration;

/// Messages that libp2p holds for one slow peer.
pub const PEER_QUEUE_MAX: usize = 256;

/// How long they wait there before they are dropped.
pub const QUEUED_MAX: Duration = Duration::from_secs(20);

/// Connections in the middle of their handshake, each way.
pub const HANDSHAKES_MAX: u32 = 64;

/// Substreams of one connection that negotiate at once.
pub const NEGOTIATING_STREAMS_MAX: usize = 16;

/// Messages or control entries that are read from one libp2p frame.
pub const MESSAGES_PER_FRAME_MAX: usize = 64;

/// Requests of one connection that are served or awaited at once.
pub const REQUEST_STREAMS_MAX: usize = 16;

/// A connection that has not finished its handshake by then is closed.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// First wait before a peer is dialled again.
pub const DIAL_DELAY_MIN: Duration = Duration::from_millis(250);

/// Longest wait before a peer is dialled again.
pub const DIAL_DELAY_MAX: Duration = Duration::from_secs(5);

/// How long a peer that sent a malformed message stays out.
pub const BAR: Duration = Duration::from_secs(30);

/// Time between two pings.
pub const PING_INTERVAL: Duration = Duration::from_secs(5);

/// A connection whose ping takes longer is closed.
pub const PING_TIMEOUT: Duration = Duration::from_secs(15);

/// Least time between two log lines about the same kind of fault of strangers.
pub const LOG_INTERVAL: Duration = Duration::from_secs(10);
