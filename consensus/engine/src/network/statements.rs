//! Messages from the wire, as the gate sees them.

use std::sync::atomic::Ordering;

use arc_malachitebft_app_channel::app::consensus::LivenessMsg;
use arc_malachitebft_app_channel::app::engine::network::{NetworkEvent, Status};
use arc_malachitebft_app_channel::app::streaming::{StreamContent, StreamMessage};
use arc_malachitebft_app_channel::app::types::SignedConsensusMsg;
use arc_malachitebft_app_channel::app::types::codec::Codec;
use arc_malachitebft_app_channel::app::types::core as mc;
use arc_malachitebft_sync as sync;
use bytes::Bytes;
use tbsi_keys::ConsensusStatement;
use tbsi_p2p::{Judgement, Message};
use tbsi_types::{Address, Height, Round, Signature, VoteKind, VoteStatement, sha256};
use tokio::time::Instant;

use super::gate::{Bundle, Gate, Threshold};
use super::refusal::Refusal;
use super::{CONSENSUS, Network, to_engine};
use crate::codec::{CodecError, WireCodec};
use crate::context::{Ctx, Part, round_from_engine};
use crate::signing::vote_kind;
use crate::twin::TwinWatch;

/// What becomes of a message.
pub(super) enum Taken {
    /// Verified as far as it can be.
    Event(Box<NetworkEvent<Ctx>>),
    /// Not a message.
    Malformed(CodecError),
    /// Of no use, or worse.
    Refused(Refusal, Judgement),
}

/// What a message on the topics of votes may be.
enum GossipMessage {
    Vote(mc::SignedVote<Ctx>),
    Proposal(mc::SignedProposal<Ctx>),
    Polka(mc::PolkaCertificate<Ctx>),
    Round(mc::RoundCertificate<Ctx>),
}

impl GossipMessage {
    fn decode(topic: usize, data: Bytes) -> Result<Self, CodecError> {
        Ok(if topic == CONSENSUS {
            match WireCodec.decode(data)? {
                SignedConsensusMsg::Vote(vote) => Self::Vote(vote),
                SignedConsensusMsg::Proposal(proposal) => Self::Proposal(proposal),
            }
        } else {
            match WireCodec.decode(data)? {
                LivenessMsg::Vote(vote) => Self::Vote(vote),
                LivenessMsg::PolkaCertificate(polka) => Self::Polka(polka),
                LivenessMsg::SkipRoundCertificate(round) => Self::Round(round),
            }
        })
    }

    /// Tells who looks out for another process with this validator's key. Of any height: who is
    /// behind hears it too.
    fn heard_by(&self, twin: &TwinWatch, gate: &Gate) {
        let (statement, validator, signature) = match self {
            Self::Vote(vote) => {
                let (statement, validator, signature) = signed_vote(vote);
                (ConsensusStatement::Vote(statement), validator, signature)
            }
            Self::Proposal(proposal) => (
                ConsensusStatement::Proposal(proposal.message.statement()),
                mc::Proposal::<Ctx>::validator_address(&proposal.message).0,
                proposal.signature,
            ),
            Self::Polka(_) | Self::Round(_) => return,
        };
        if validator == twin.own() && gate.is_signed(&statement, &validator, &signature) {
            twin.heard(&statement, validator);
        }
    }

    fn height(&self) -> Height {
        match self {
            Self::Vote(vote) => vote.message.statement().height,
            Self::Proposal(proposal) => proposal.message.statement().height,
            Self::Polka(polka) => polka.height.0,
            Self::Round(round) => round.height.0,
        }
    }
}

impl Network {
    /// A vote, a proposal or a certificate of votes.
    pub(super) fn take_statement(&mut self, message: &Message, data: Bytes, now: Instant) -> Taken {
        let digest = sha256(&[&data]);
        let said = match GossipMessage::decode(message.topic, data) {
            Ok(said) => said,
            Err(error) => return Taken::Malformed(error),
        };
        let height = said.height();
        let (gate, from) = (&mut self.gate, message.from);
        let admitted = gate.admit(from, message.publisher, now);
        if let (Ok(()), Some(twin)) = (&admitted, &self.twin) {
            said.heard_by(twin, gate);
        }
        let passed = admitted.and_then(|()| match &said {
            GossipMessage::Vote(vote) => gate.vote(&signed_vote(vote), now),
            GossipMessage::Proposal(proposal) => {
                let proposer = mc::Proposal::<Ctx>::validator_address(&proposal.message).0;
                let statement = proposal.message.statement();
                gate.proposal(&statement, proposer, &proposal.signature, now)
            }
            GossipMessage::Polka(polka) => {
                gate.certificate(from, &polka_bundle(polka, digest), now)
            }
            GossipMessage::Round(round) => {
                gate.certificate(from, &round_bundle(round, digest), now)
            }
        });
        if let Err(refusal) = passed {
            return self.refuse(refusal, message, Some(height));
        }
        let from = to_engine(from);
        Taken::Event(Box::new(match said {
            GossipMessage::Vote(vote) => NetworkEvent::Vote(from, vote),
            GossipMessage::Proposal(proposal) => NetworkEvent::Proposal(from, proposal),
            GossipMessage::Polka(polka) => NetworkEvent::PolkaCertificate(from, polka),
            GossipMessage::Round(round) => NetworkEvent::RoundCertificate(from, round),
        }))
    }

    /// A part of a proposed block.
    pub(super) fn take_part(&mut self, message: &Message, data: Bytes, now: Instant) -> Taken {
        let size = data.len();
        let mut part: StreamMessage<Part> = match WireCodec.decode(data) {
            Ok(part) => part,
            Err(error) => return Taken::Malformed(error),
        };
        let height = match &part.content {
            StreamContent::Data(Part::Init(init)) => Some(init.height),
            StreamContent::Data(Part::Data(_)) | StreamContent::Fin => None,
        };
        let (gate, from) = (&mut self.gate, message.from);
        let passed = gate
            .admit(from, message.publisher, now)
            .and_then(|()| gate.part(from, height, size, now));
        if let Err(refusal) = passed {
            return self.refuse(refusal, message, height);
        }
        if let (StreamContent::Data(Part::Data(bytes)), Some(publisher)) =
            (&mut part.content, message.publisher)
        {
            let counted = self.part_bytes.count(publisher, bytes.clone());
            let held = self.part_bytes.held();
            self.counters.part_bytes.store(held, Ordering::Relaxed);
            let Some(counted) = counted else {
                self.counters.parts_dropped.fetch_add(1, Ordering::Relaxed);
                return self.refuse(Refusal::Busy, message, None);
            };
            *bytes = counted;
        }
        let publisher = message.publisher.map(to_engine);
        Taken::Event(Box::new(NetworkEvent::ProposalPart(
            to_engine(from),
            publisher,
            part,
        )))
    }

    /// What a neighbour says of its blocks. It is asked for what it claims, but for no more than
    /// validators with a third of the power have, if so many speak: a liar would otherwise be
    /// the only one that has everything, and be asked first.
    pub(super) fn take_status(&mut self, message: &Message, data: Bytes, now: Instant) -> Taken {
        let status: sync::Status<Ctx> = match WireCodec.decode(data) {
            Ok(status) => status,
            Err(error) => return Taken::Malformed(error),
        };
        let from = message.from;
        if let Err(refusal) = self.gate.status(from, now) {
            return self.refuse(refusal, message, None);
        }
        let claimed = status.tip_height;
        self.tips.insert(from.to_string(), claimed.0);
        let claims = self.tips.iter().map(|(peer, tip)| (peer.as_str(), *tip));
        let believed = self.gate.roster().believed_tip(claims);
        let own = self.gate.height().previous().unwrap_or_default();
        let tip = believed.map_or(claimed.0, |believed| claimed.0.min(believed.max(own)));
        let status = Status::new(crate::context::Height(tip), status.history_min_height);
        Taken::Event(Box::new(NetworkEvent::Status(to_engine(from), status)))
    }

    /// Nobody honest forwards a wrong signature: everyone verifies first. Other faults are those
    /// of the publisher, if it is the neighbour itself; and what role a peer has is certain only
    /// at this node's own height.
    fn refuse(&self, refusal: Refusal, message: &Message, height: Option<Height>) -> Taken {
        let own = message.publisher == Some(message.from);
        let here = height == Some(self.gate.height());
        let judgement = match refusal {
            Refusal::Signature => Judgement::Bar,
            Refusal::Rate | Refusal::Surplus | Refusal::Power if own => Judgement::Fault,
            Refusal::Role if own && here => Judgement::Fault,
            Refusal::Role
            | Refusal::Rate
            | Refusal::Old
            | Refusal::Ahead
            | Refusal::Unknown
            | Refusal::Turn
            | Refusal::Repeated
            | Refusal::Surplus
            | Refusal::Abstained
            | Refusal::Power
            | Refusal::Busy => Judgement::Keep,
        };
        Taken::Refused(refusal, judgement)
    }
}

fn signed_vote(vote: &mc::SignedVote<Ctx>) -> (VoteStatement, Address, Signature) {
    let validator = mc::Vote::<Ctx>::validator_address(&vote.message).0;
    (vote.message.statement(), validator, vote.signature)
}

fn polka_bundle(polka: &mc::PolkaCertificate<Ctx>, digest: tbsi_types::B256) -> Bundle {
    let statement = VoteStatement {
        kind: VoteKind::Prevote,
        height: polka.height.0,
        round: round_from_engine(polka.round).unwrap_or_default(),
        value: Some(polka.value_id.0),
    };
    let entries = polka.polka_signatures.iter();
    Bundle {
        height: polka.height.0,
        threshold: Threshold::Quorum,
        votes: entries
            .map(|entry| (statement, entry.address.0, entry.signature))
            .collect(),
        digest,
    }
}

fn round_bundle(certificate: &mc::RoundCertificate<Ctx>, digest: tbsi_types::B256) -> Bundle {
    let (height, round) = (certificate.height.0, round_of(certificate.round));
    let entries = certificate.round_signatures.iter();
    Bundle {
        height,
        threshold: match certificate.cert_type {
            mc::RoundCertificateType::Skip => Threshold::Third,
            mc::RoundCertificateType::Precommit => Threshold::Quorum,
        },
        votes: entries
            .map(|entry| {
                let statement = VoteStatement {
                    kind: vote_kind(entry.vote_type),
                    height,
                    round,
                    value: match entry.value_id {
                        mc::NilOrVal::Nil => None,
                        mc::NilOrVal::Val(value) => Some(value.0),
                    },
                };
                (statement, entry.address.0, entry.signature)
            })
            .collect(),
        digest,
    }
}

fn round_of(round: mc::Round) -> Round {
    round_from_engine(round).unwrap_or_default()
}
