use super::*;
use mc::{NilOrVal, SignedMessage, SignedProposal, SignedVote};
use proptest::prelude::*;
use tbsi_types::{
    B256, CheckpointDigest, ProposalStatement, Round, Signature, VoteKind, VoteStatement,
};

use crate::context::{PartInit, Proposal, Vote};

fn signature(byte: u8) -> Signature {
    Signature([byte; 65])
}

fn vote(kind: VoteKind, value: Option<u8>) -> SignedVote<Ctx> {
    let statement = VoteStatement {
        kind,
        height: tbsi_types::Height(7),
        round: Round(3),
        value: value.map(|byte| CheckpointDigest(B256::repeat_byte(byte))),
    };
    let validator = Address(tbsi_types::Address::repeat_byte(1));
    SignedMessage::new(Vote::new(statement, validator), signature(9))
}

fn check<T: PartialEq + std::fmt::Debug>(message: T)
where
    WireCodec: Codec<T, Error = CodecError>,
{
    let bytes = WireCodec.encode(&message).unwrap();
    let decoded: T = WireCodec.decode(bytes.clone()).unwrap();
    assert_eq!(decoded, message);
    for end in 0..bytes.len() {
        let truncated: Result<T, _> = WireCodec.decode(bytes.slice(..end));
        assert!(
            truncated.is_err(),
            "accepted {end} of {} bytes",
            bytes.len()
        );
    }
    let longer: Result<T, _> = WireCodec.decode([&bytes[..], &[0]].concat().into());
    assert!(longer.is_err(), "accepted a byte too many");
}

fn proposal(polka_round: Option<Round>) -> SignedProposal<Ctx> {
    let statement = ProposalStatement {
        height: tbsi_types::Height(7),
        round: Round(3),
        polka_round,
        value: CheckpointDigest(B256::repeat_byte(4)),
    };
    let proposer = Address(tbsi_types::Address::repeat_byte(1));
    SignedMessage::new(Proposal::new(statement, proposer), signature(8))
}

fn polka() -> mc::PolkaCertificate<Ctx> {
    mc::PolkaCertificate {
        height: Height(tbsi_types::Height(7)),
        round: mc::Round::Some(2),
        value_id: Value(CheckpointDigest(B256::repeat_byte(3))),
        polka_signatures: (1..4)
            .map(|byte| {
                let address = Address(tbsi_types::Address::repeat_byte(byte));
                mc::PolkaSignature::new(address, signature(byte))
            })
            .collect(),
    }
}

#[test]
fn every_message_has_one_encoding() {
    for value in [None, Some(2)] {
        check(SignedConsensusMsg::Vote(vote(VoteKind::Prevote, value)));
        check(LivenessMsg::Vote(vote(VoteKind::Precommit, value)));
    }
    check(SignedConsensusMsg::Proposal(proposal(None)));
    check(SignedConsensusMsg::Proposal(proposal(Some(Round(0)))));
    check(polka());
    check(LivenessMsg::PolkaCertificate(polka()));
    let round_certificate = mc::RoundCertificate::<Ctx> {
        height: Height(tbsi_types::Height(7)),
        round: mc::Round::Some(3),
        cert_type: mc::RoundCertificateType::Skip,
        round_signatures: vec![mc::RoundSignature::new(
            mc::VoteType::Precommit,
            NilOrVal::Nil,
            Address(tbsi_types::Address::repeat_byte(1)),
            signature(2),
        )],
    };
    check(LivenessMsg::SkipRoundCertificate(round_certificate));
    check(ProposedValue::<Ctx> {
        height: Height(tbsi_types::Height(7)),
        round: mc::Round::Some(1),
        valid_round: mc::Round::Nil,
        proposer: Address(tbsi_types::Address::repeat_byte(1)),
        value: Value(CheckpointDigest(B256::repeat_byte(3))),
        validity: Validity::Valid,
    });
    check(sync::Request::<Ctx>::ValueRequest(
        arc_malachitebft_sync::ValueRequest::new(
            Height(tbsi_types::Height(1))..=Height(tbsi_types::Height(9)),
        ),
    ));
}

#[test]
fn streams_and_sync_have_one_encoding() {
    let init = PartInit {
        height: tbsi_types::Height(7),
        round: Round(1),
        polka_round: Some(Round(0)),
        proposer: tbsi_types::Address::repeat_byte(2),
        digest: CheckpointDigest(B256::repeat_byte(3)),
        length: 5,
    };
    let id = || StreamId::new(Bytes::from_static(b"stream"));
    check(Part::Init(init));
    check(StreamMessage::new(
        id(),
        0,
        StreamContent::Data(Part::Init(init)),
    ));
    let data = Part::Data(Bytes::from_static(b"bytes"));
    check(StreamMessage::new(id(), 1, StreamContent::Data(data)));
    check(StreamMessage::<Part>::new(id(), 2, StreamContent::Fin));

    let certificate = CommitCertificate::new(
        tbsi_types::Height(7),
        Round(0),
        CheckpointDigest(B256::repeat_byte(3)),
        vec![CommitSignature {
            validator: tbsi_types::Address::repeat_byte(1),
            signature: signature(1),
        }],
    )
    .unwrap();
    let value = sync::RawDecidedValue::new(
        Bytes::from_static(b"block"),
        certificate_to_engine(&certificate),
    );
    let response =
        arc_malachitebft_sync::ValueResponse::new(Height(tbsi_types::Height(7)), vec![value]);
    check(sync::Response::ValueResponse(response));
}

#[test]
fn lengths_are_checked_before_allocation() {
    let mut bytes = u32::MAX.to_be_bytes().to_vec();
    bytes.extend_from_slice(&[0; 64]);
    let stream: Result<StreamMessage<Part>, _> = WireCodec.decode(bytes.clone().into());
    assert!(matches!(
        stream,
        Err(CodecError::TooLong {
            field: "stream id",
            ..
        })
    ));

    let mut response = 7u64.to_be_bytes().to_vec();
    response.extend_from_slice(&u32::MAX.to_be_bytes());
    let response: Result<sync::Response<Ctx>, _> = WireCodec.decode(response.into());
    assert!(matches!(
        response,
        Err(CodecError::TooLong {
            field: "blocks",
            ..
        })
    ));
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_canonical(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let bytes = Bytes::from(bytes);
        if let Ok(message) = Codec::<SignedConsensusMsg<Ctx>>::decode(&WireCodec, bytes.clone()) {
            prop_assert_eq!(WireCodec.encode(&message).unwrap(), bytes.clone());
        }
        if let Ok(message) = Codec::<LivenessMsg<Ctx>>::decode(&WireCodec, bytes.clone()) {
            prop_assert_eq!(WireCodec.encode(&message).unwrap(), bytes.clone());
        }
        if let Ok(message) = Codec::<StreamMessage<Part>>::decode(&WireCodec, bytes.clone()) {
            prop_assert_eq!(WireCodec.encode(&message).unwrap(), bytes.clone());
        }
        let _status: Result<sync::Status<Ctx>, _> = WireCodec.decode(bytes.clone());
        let _response: Result<sync::Response<Ctx>, _> = WireCodec.decode(bytes);
    }
}
