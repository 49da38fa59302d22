//! Names of peers and requests. libp2p's own do not leave this crate.

use std::fmt;
use std::str::FromStr;

use libp2p::request_response::{InboundRequestId, OutboundRequestId};

use crate::config;

/// Why text or bytes are not a peer id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a libp2p peer id (base58, 12D3Koo…)")]
pub struct NotAPeerId;

/// A peer: the multihash of its public key, base58 as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub(crate) libp2p::PeerId);

impl PeerId {
    /// Of the multihash's bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotAPeerId> {
        let id = libp2p::PeerId::from_bytes(bytes);
        id.map(Self).map_err(|_| NotAPeerId)
    }

    /// The multihash's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// Nobody's.
    #[cfg(any(test, feature = "testing"))]
    pub fn random() -> Self {
        Self(libp2p::PeerId::random())
    }
}

impl FromStr for PeerId {
    type Err = NotAPeerId;

    fn from_str(text: &str) -> Result<Self, NotAPeerId> {
        text.parse().map(Self).map_err(|_| NotAPeerId)
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({})", self.0)
    }
}

/// The peer id of an ed25519 seed.
pub fn peer_id(seed: &[u8; 32]) -> PeerId {
    PeerId(config::peer_id(seed))
}

/// Names a request among those of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(Direction);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Direction {
    In(InboundRequestId),
    Out(OutboundRequestId),
}

impl RequestId {
    pub(crate) fn inbound(id: InboundRequestId) -> Self {
        Self(Direction::In(id))
    }

    pub(crate) fn outbound(id: OutboundRequestId) -> Self {
        Self(Direction::Out(id))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Direction::In(id) => fmt::Display::fmt(&id, f),
            Direction::Out(id) => fmt::Display::fmt(&id, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_id_is_text_and_bytes() {
        let id = peer_id(&[7; 32]);
        let text = id.to_string();
        assert!(text.starts_with("12D3Koo"), "{text}");
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(PeerId::from_bytes(&id.to_bytes()), Ok(id));
        assert_eq!(text[1..].parse::<PeerId>(), Err(NotAPeerId));
        assert_eq!(PeerId::from_bytes(&[7; 32]), Err(NotAPeerId));
    }
}
