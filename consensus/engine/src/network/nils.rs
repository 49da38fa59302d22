//! Votes for no block, kept from the engine for a moment. No socket, no clock.
//!
//! A quorum of votes without a winner starts a wait in the engine, whose length is settled by the
//! votes that are known then (see [`crate::tally`]). Votes for no block make no quorum of anything
//! that is decided; so those come last, and the wait is begun when it is known to be in vain.

use arc_malachitebft_app_channel::app::engine::network::NetworkEvent;
use tbsi_types::{Height, Round, VoteKind};
use tokio::time::Instant;

use crate::context::Ctx;
use crate::limits::{NIL_HELD, NIL_HELD_MAX};

/// What a vote is about.
pub(super) type Place = (Height, Round, VoteKind);

struct Held {
    place: Place,
    until: Instant,
    event: Box<NetworkEvent<Ctx>>,
}

/// What is kept, oldest first.
#[derive(Default)]
pub(super) struct Nils(Vec<Held>);

impl Nils {
    /// Keeps a vote; hands it back if there is no room.
    pub(super) fn hold(
        &mut self,
        place: Place,
        event: Box<NetworkEvent<Ctx>>,
        now: Instant,
    ) -> Option<Box<NetworkEvent<Ctx>>> {
        if self.0.len() == NIL_HELD_MAX {
            return Some(event);
        }
        let until = now + NIL_HELD;
        self.0.push(Held {
            place,
            until,
            event,
        });
        None
    }

    /// When the first one is to go at the latest.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.first().map(|held| held.until)
    }

    /// Those that go now.
    pub(super) fn ready(
        &mut self,
        now: Instant,
        in_vain: impl Fn(Place) -> bool,
    ) -> Vec<NetworkEvent<Ctx>> {
        let goes = |held: &mut Held| held.until <= now || in_vain(held.place);
        let ready = self.0.extract_if(.., goes);
        ready.map(|held| *held.event).collect()
    }
}

#[cfg(test)]
mod tests {
    use arc_malachitebft_app_channel::app::types::PeerId;

    use super::*;

    fn event() -> Box<NetworkEvent<Ctx>> {
        let peer = tbsi_p2p::peer_id(&[1; 32]);
        let peer = PeerId::from_bytes(&peer.to_bytes()).unwrap();
        Box::new(NetworkEvent::PeerConnected(peer))
    }

    #[test]
    fn a_vote_goes_when_others_are_in_vain_or_after_a_moment() {
        let mut nils = Nils::default();
        let now = Instant::now();
        let place = |round| (Height(1), Round(round), VoteKind::Prevote);
        assert!(nils.hold(place(0), event(), now).is_none());
        assert!(nils.hold(place(1), event(), now).is_none());
        assert!(nils.ready(now, |_| false).is_empty());
        assert_eq!(nils.ready(now, |at| at == place(1)).len(), 1);
        assert_eq!(nils.due(), Some(now + NIL_HELD));
        assert_eq!(nils.ready(now + NIL_HELD, |_| false).len(), 1);
        assert_eq!(nils.due(), None);
        for _ in 0..NIL_HELD_MAX {
            assert!(nils.hold(place(0), event(), now).is_none());
        }
        assert!(nils.hold(place(0), event(), now).is_some(), "full");
    }
}
