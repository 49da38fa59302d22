//! Named maxima of the p2p room, with their units.

use std::time::Duration;

/// Messages that libp2p holds for one slow peer.
pub const PEER_QUEUE_MAX: usize = 256;

/// How long they wait there before they are dropped.
pub const QUEUED_MAX: Duration = Duration::from_secs(20);

/// Connections in the middle of their handshake: those that this node makes, and those of all
/// addresses that are no registered peer's.
pub const HANDSHAKES_MAX: u32 = 64;

/// Handshakes with strangers that begin in a second.
pub const HANDSHAKES_PER_SECOND_MAX: u32 = 32;

/// Inbound connections in the middle of their handshake that one address may have, beside those
/// of [`HANDSHAKES_PER_PEER_MAX`]. Of IPv6 strangers, one network of 64 bits.
pub const HANDSHAKES_PER_ADDRESS_MAX: u32 = 8;

/// Handshakes that one address begins in a second, beside as many as its peers may have.
pub const HANDSHAKES_PER_ADDRESS_PER_SECOND_MAX: u32 = 2;

/// Places in the handshake that an address has for each registered peer behind it, and as many
/// handshakes a second.
pub const HANDSHAKES_PER_PEER_MAX: u32 = 4;

/// Addresses whose rate is remembered; one that was quiet for a few seconds is forgotten.
pub const STRANGE_ADDRESSES_MAX: u32 = 1_024;

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

/// Addresses of a peer by what others say that are dialled, in turn.
pub const ADDRESSES_MAX: usize = 4;

/// Longest wait before a peer is dialled again.
pub const DIAL_DELAY_MAX: Duration = Duration::from_secs(5);

/// How long a peer that sent what no honest node sends stays out. Each bar within
/// [`BAR_REMEMBERED`] of the one before is twice as long, up to [`BAR_MAX`].
pub const BAR: Duration = Duration::from_secs(30);

/// Longest bar.
pub const BAR_MAX: Duration = Duration::from_secs(30 * 60);

/// After this long without a bar a peer is as good as new.
pub const BAR_REMEMBERED: Duration = Duration::from_secs(2 * 60 * 60);

/// Faults that a peer may commit at once before it is barred: each is small, and an honest peer
/// whose chain is a few blocks away from this node's commits some.
pub const FAULTS_MAX: u32 = 64;

/// Faults that a peer may commit in a second for long.
pub const FAULTS_PER_SECOND_MAX: u32 = 4;

/// How long a message may wait for its judgement. Later it is forwarded to nobody.
pub const JUDGED_WITHIN: Duration = Duration::from_secs(2);

/// Time between two pings.
pub const PING_INTERVAL: Duration = Duration::from_secs(5);

/// A connection whose ping takes longer is closed.
pub const PING_TIMEOUT: Duration = Duration::from_secs(15);

/// Least time between two log lines about the same kind of fault of strangers.
pub const LOG_INTERVAL: Duration = Duration::from_secs(10);
