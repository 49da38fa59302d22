//! What is on the wire, in this project's words: for an observer that counts signatures, and for
//! a validator that lies.

use std::ops::RangeInclusive;

use arc_malachitebft_app_channel::app::consensus::{self as core, LivenessMsg, SignedConsensusMsg};
use arc_malachitebft_app_channel::app::streaming::{StreamContent, StreamId, StreamMessage};
use arc_malachitebft_app_channel::app::types::codec::Codec;
use arc_malachitebft_app_channel::app::types::core as mc;
use arc_malachitebft_app_channel::app::types::sync::{self, RawDecidedValue};
use bytes::Bytes;
use mc::SignedMessage;
use tbsi_types::{Address, CheckpointDigest, CommitCertificate, Round, Signature};

use super::Topic;
use crate::codec::{WireCodec, certificate_from_engine, certificate_to_engine};
use crate::context::{self, Ctx, Height, Part, PartInit, Proposal, Vote};
use crate::limits::PART_BYTES;
use tbsi_keys::ConsensusStatement;

/// Who signed what, as a message claims. The signature is not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Who is said to have signed.
    pub validator: Address,
    /// What.
    pub statement: ConsensusStatement,
    /// With what.
    pub signature: Signature,
}

/// What a stream of parts offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Height of the block.
    pub height: tbsi_types::Height,
    /// Round that it is proposed in.
    pub round: Round,
    /// Round of the polka that justifies proposing it again.
    pub polka_round: Option<Round>,
    /// Who proposes it.
    pub proposer: Address,
    /// What it is claimed to hash to.
    pub digest: CheckpointDigest,
}

/// A message, as far as an observer cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Signed statements: one, or those of a certificate.
    Signed(Vec<Signed>),
    /// The first part of a stream.
    Offer(Offer),
    /// Any other part.
    Part,
    /// Bytes that are no message of their topic.
    Malformed,
}

/// Reads a message.
pub fn read(topic: Topic, bytes: &[u8]) -> Seen {
    let bytes = Bytes::copy_from_slice(bytes);
    if topic == Topic::Parts {
        return match decode_part(bytes).map(|part| part.content) {
            Some(StreamContent::Data(Part::Init(init))) => Seen::Offer(Offer {
                height: init.height,
                round: init.round,
                polka_round: init.polka_round,
                proposer: init.proposer,
                digest: init.digest,
            }),
            Some(StreamContent::Data(Part::Data(_)) | StreamContent::Fin) => Seen::Part,
            None => Seen::Malformed,
        };
    }
    let Some(input) = decode_input(topic, bytes) else {
        return Seen::Malformed;
    };
    Seen::Signed(match input {
        core::Input::Vote(vote) => vec![signed_vote(&vote)],
        core::Input::Proposal(proposal) => vec![Signed {
            validator: mc::Proposal::<Ctx>::validator_address(&proposal.message).0,
            statement: ConsensusStatement::Proposal(proposal.message.statement()),
            signature: proposal.signature,
        }],
        core::Input::PolkaCertificate(polka) => {
            polka.votes(&Ctx).map(|vote| signed_vote(&vote)).collect()
        }
        core::Input::RoundCertificate(round) => {
            round.votes(&Ctx).map(|vote| signed_vote(&vote)).collect()
        }
        core::Input::StartHeight(..)
        | core::Input::Propose(..)
        | core::Input::TimeoutElapsed(..)
        | core::Input::ProposedValue(..)
        | core::Input::SyncValueResponse(..) => Vec::new(),
    })
}

fn signed_vote(vote: &mc::SignedVote<Ctx>) -> Signed {
    Signed {
        validator: mc::Vote::<Ctx>::validator_address(&vote.message).0,
        statement: ConsensusStatement::Vote(vote.message.statement()),
        signature: vote.signature,
    }
}

/// A vote or proposal as a message of [`Topic::Consensus`].
pub fn signed(signed: Signed) -> Bytes {
    let Signed {
        validator,
        statement,
        signature,
    } = signed;
    let message = match statement {
        ConsensusStatement::Vote(vote) => {
            let vote = Vote::new(vote, context::Address(validator));
            SignedConsensusMsg::Vote(SignedMessage::new(vote, signature))
        }
        ConsensusStatement::Proposal(proposal) => {
            let proposal = Proposal::new(proposal, context::Address(validator));
            SignedConsensusMsg::Proposal(SignedMessage::new(proposal, signature))
        }
    };
    encoded(WireCodec.encode(&message).ok())
}

/// A block as messages of [`Topic::Parts`], in their order.
pub fn parts(stream_id: &[u8], offer: &Offer, block: &[u8]) -> Vec<Bytes> {
    let init = PartInit {
        height: offer.height,
        round: offer.round,
        polka_round: offer.polka_round,
        proposer: offer.proposer,
        digest: offer.digest,
        length: u32::try_from(block.len()).unwrap_or(u32::MAX),
    };
    stream(stream_id, init, block)
}

pub(super) fn stream(stream_id: &[u8], init: PartInit, block: &[u8]) -> Vec<Bytes> {
    let data = block.chunks(PART_BYTES).map(Bytes::copy_from_slice);
    let contents = std::iter::once(StreamContent::Data(Part::Init(init)))
        .chain(data.map(|data| StreamContent::Data(Part::Data(data))))
        .chain(std::iter::once(StreamContent::Fin));
    let id = StreamId::new(Bytes::copy_from_slice(stream_id));
    (0u64..)
        .zip(contents)
        .map(|(sequence, content)| {
            let message = StreamMessage::new(id.clone(), sequence, content);
            encoded(WireCodec.encode(&message).ok())
        })
        .collect()
}

/// A request for the decided blocks of these heights.
pub fn request(heights: RangeInclusive<tbsi_types::Height>) -> Bytes {
    let range = Height(*heights.start())..=Height(*heights.end());
    let request = sync::Request::ValueRequest(arc_malachitebft_sync::ValueRequest::new(range));
    encoded(WireCodec.encode(&request).ok())
}

/// An answer to a request.
pub fn response(start: tbsi_types::Height, blocks: Vec<(CommitCertificate, Vec<u8>)>) -> Bytes {
    let values = blocks.into_iter().map(|(certificate, block)| {
        RawDecidedValue::new(block.into(), certificate_to_engine(&certificate))
    });
    let response = arc_malachitebft_sync::ValueResponse::new(Height(start), values.collect());
    let response = sync::Response::ValueResponse(response);
    encoded(WireCodec.encode(&response).ok())
}

/// Certificates and blocks of an answer; `None` if it is malformed.
pub fn read_response(bytes: &[u8]) -> Option<Vec<(CommitCertificate, Bytes)>> {
    let response: sync::Response<Ctx> = WireCodec.decode(Bytes::copy_from_slice(bytes)).ok()?;
    let sync::Response::ValueResponse(response) = response;
    let values = response.values.into_iter().map(|value| {
        let certificate = certificate_from_engine(&value.certificate.trim_vote_extensions());
        Some((certificate.ok()?, value.value_bytes))
    });
    values.collect()
}

/// What we make can be encoded.
fn encoded(bytes: Option<Bytes>) -> Bytes {
    bytes.expect("a well-formed message has an encoding")
}

pub(super) fn request_range(bytes: &[u8]) -> Option<RangeInclusive<tbsi_types::Height>> {
    let request: sync::Request<Ctx> = WireCodec.decode(Bytes::copy_from_slice(bytes)).ok()?;
    let sync::Request::ValueRequest(request) = request;
    Some(request.range.start().0..=request.range.end().0)
}

pub(super) fn decode_part(bytes: Bytes) -> Option<StreamMessage<Part>> {
    WireCodec.decode(bytes).ok()
}

/// A message of any topic but that of parts, as the core takes it.
pub(super) fn decode_input(topic: Topic, bytes: Bytes) -> Option<core::Input<Ctx>> {
    match topic {
        Topic::Consensus => Some(match WireCodec.decode(bytes).ok()? {
            SignedConsensusMsg::Vote(vote) => core::Input::Vote(vote),
            SignedConsensusMsg::Proposal(proposal) => core::Input::Proposal(proposal),
        }),
        Topic::Liveness => Some(match WireCodec.decode(bytes).ok()? {
            LivenessMsg::Vote(vote) => core::Input::Vote(vote),
            LivenessMsg::PolkaCertificate(polka) => core::Input::PolkaCertificate(polka),
            LivenessMsg::SkipRoundCertificate(skip) => core::Input::RoundCertificate(skip),
        }),
        Topic::Parts => None,
    }
}
