//! Votes that the signer did not sign, as the network asks for them again (SPEC §6.8).

use arc_malachitebft_app_channel::app::consensus::{self as core, LivenessMsg};
use arc_malachitebft_app_channel::app::types::SignedConsensusMsg;
use arc_malachitebft_app_channel::app::types::codec::Codec;
use arc_malachitebft_app_channel::app::types::core as mc;
use mc::SignedMessage;
use tbsi_types::{Round, Signature};

use super::effects::{Pending, Shell, encoded, publish_liveness};
use super::{Crashed, Timer, TimerKind, Topic, World};
use crate::codec::WireCodec;
use crate::context::{Ctx, Vote};
use crate::limits::{ASK_AGAIN_AFTER, ASKED_AGAIN_MAX};
use crate::port::Chain;
use crate::signing::answered;
use tbsi_keys::ConsensusStatement;

impl<C: Chain> Shell<C> {
    /// Repeats a vote, or asks for it again if it was not signed, as the network does.
    pub(super) fn republish(
        &mut self,
        world: &mut dyn World,
        vote: mc::SignedVote<Ctx>,
    ) -> Result<(), Crashed> {
        if vote.signature != Signature::ABSTAINED {
            return publish_liveness(world, &LivenessMsg::Vote(vote));
        }
        let signed = self.sign(world, ConsensusStatement::Vote(vote.message.statement()))?;
        if signed.is_some() {
            let vote = answered(vote.message, signed);
            let message = SignedConsensusMsg::Vote(vote.clone());
            world.publish(Topic::Consensus, encoded(WireCodec.encode(&message)))?;
            self.pending
                .push_back(Pending::Core(core::Input::Vote(vote)));
        } else {
            self.abstained(world, vote.message);
        }
        Ok(())
    }

    /// Notes that the signer did not sign a vote. The oldest gives way.
    pub(super) fn abstained(&mut self, world: &mut dyn World, vote: Vote) {
        if self.unsigned.contains(&vote) {
            return;
        }
        if self.unsigned.len() == ASKED_AGAIN_MAX {
            self.unsigned.pop_front();
        }
        self.unsigned.push_back(vote);
        self.ask_soon(world);
    }

    /// Has the signer asked again, if there is something to ask.
    pub(super) fn ask_soon(&self, world: &mut dyn World) {
        if !self.unsigned.is_empty() {
            let (kind, round) = (TimerKind::AskAgain, Round::default());
            world.start_timer(Timer { kind, round }, ASK_AGAIN_AFTER);
        }
    }

    /// Asks for all votes again that were not signed.
    pub(super) fn ask_again(&mut self, world: &mut dyn World) -> Result<(), Crashed> {
        for vote in std::mem::take(&mut self.unsigned) {
            let vote = SignedMessage::new(vote, Signature::ABSTAINED);
            self.republish(world, vote)?;
        }
        Ok(())
    }
}
