//! The parts that messages are made of.

use arc_malachitebft_app_channel::app::types::core as mc;
use bytes::Bytes;
use mc::{NilOrVal, SignedMessage, SignedProposal, SignedVote};
use tbsi_types::cursor::Cursor;
use tbsi_types::limits::{BLOCK_BYTES_MAX, VALIDATORS_MAX};
use tbsi_types::{CheckpointDigest, ProposalStatement, Round, Signature, VoteStatement};

use super::CodecError;
use crate::context::{
    Address, Ctx, Height, Part, PartInit, Proposal, Value, Vote, round_from_engine, round_to_engine,
};
use crate::limits::PART_BYTES;
use crate::signing::vote_kind;

const NO_ROUND: u32 = u32::MAX;

pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("messages are far below 4 GiB");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

pub(super) fn take_bytes<'a>(
    cursor: &mut Cursor<'a>,
    field: &'static str,
    max: usize,
) -> Result<&'a [u8], CodecError> {
    let length = take_count(cursor, field, max)?;
    Ok(cursor.take(field, length)?)
}

pub(super) fn take_count(
    cursor: &mut Cursor<'_>,
    field: &'static str,
    max: usize,
) -> Result<usize, CodecError> {
    let length = usize::try_from(cursor.u32(field)?).unwrap_or(usize::MAX);
    if length > max {
        Err(CodecError::TooLong { field, length, max })
    } else {
        Ok(length)
    }
}

pub(super) fn put_round(out: &mut Vec<u8>, round: mc::Round) {
    out.extend_from_slice(&round.as_u32().unwrap_or(NO_ROUND).to_be_bytes());
}

pub(super) fn take_round(cursor: &mut Cursor<'_>) -> Result<mc::Round, CodecError> {
    Ok(match cursor.u32("round")? {
        NO_ROUND => mc::Round::Nil,
        round => mc::Round::Some(round),
    })
}

pub(super) fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(
        &u32::try_from(count)
            .expect("counts are bounded")
            .to_be_bytes(),
    );
}

pub(super) fn take_height(cursor: &mut Cursor<'_>) -> Result<Height, CodecError> {
    Ok(Height(tbsi_types::Height(cursor.u64("height")?)))
}

pub(super) fn put_height(out: &mut Vec<u8>, height: Height) {
    out.extend_from_slice(&height.0.0.to_be_bytes());
}

pub(super) fn take_address(cursor: &mut Cursor<'_>) -> Result<Address, CodecError> {
    Ok(Address(tbsi_types::Address::from(
        cursor.array::<20>("validator")?,
    )))
}

pub(super) fn take_signature(cursor: &mut Cursor<'_>) -> Result<Signature, CodecError> {
    Ok(Signature(cursor.array("signature")?))
}

pub(super) fn take_value(cursor: &mut Cursor<'_>) -> Result<Value, CodecError> {
    Ok(Value(CheckpointDigest(cursor.b256("value")?)))
}

pub(super) fn put_vote(out: &mut Vec<u8>, vote: &SignedVote<Ctx>) {
    vote.message.statement().encode(out);
    out.extend_from_slice(
        mc::Vote::<Ctx>::validator_address(&vote.message)
            .0
            .as_slice(),
    );
    out.extend_from_slice(&vote.signature.0);
}

pub(super) fn take_vote(cursor: &mut Cursor<'_>) -> Result<SignedVote<Ctx>, CodecError> {
    let statement = VoteStatement::decode(cursor)?;
    let validator = take_address(cursor)?;
    Ok(SignedMessage::new(
        Vote::new(statement, validator),
        take_signature(cursor)?,
    ))
}

pub(super) fn put_proposal(out: &mut Vec<u8>, proposal: &SignedProposal<Ctx>) {
    proposal.message.statement().encode(out);
    let proposer = mc::Proposal::<Ctx>::validator_address(&proposal.message);
    out.extend_from_slice(proposer.0.as_slice());
    out.extend_from_slice(&proposal.signature.0);
}

pub(super) fn take_proposal(cursor: &mut Cursor<'_>) -> Result<SignedProposal<Ctx>, CodecError> {
    let statement = ProposalStatement::decode(cursor)?;
    let proposer = take_address(cursor)?;
    Ok(SignedMessage::new(
        Proposal::new(statement, proposer),
        take_signature(cursor)?,
    ))
}

pub(super) fn put_polka(out: &mut Vec<u8>, polka: &mc::PolkaCertificate<Ctx>) {
    put_height(out, polka.height);
    put_round(out, polka.round);
    out.extend_from_slice(polka.value_id.0.0.as_slice());
    put_count(out, polka.polka_signatures.len());
    for entry in &polka.polka_signatures {
        out.extend_from_slice(entry.address.0.as_slice());
        out.extend_from_slice(&entry.signature.0);
    }
}

pub(super) fn take_polka(cursor: &mut Cursor<'_>) -> Result<mc::PolkaCertificate<Ctx>, CodecError> {
    let height = take_height(cursor)?;
    let round = take_round(cursor)?;
    let value_id = take_value(cursor)?;
    let count = take_count(cursor, "polka signatures", VALIDATORS_MAX)?;
    let mut polka_signatures = Vec::with_capacity(count);
    for _ in 0..count {
        let address = take_address(cursor)?;
        polka_signatures.push(mc::PolkaSignature::new(address, take_signature(cursor)?));
    }
    Ok(mc::PolkaCertificate {
        height,
        round,
        value_id,
        polka_signatures,
    })
}

pub(super) fn put_round_certificate(out: &mut Vec<u8>, certificate: &mc::RoundCertificate<Ctx>) {
    put_height(out, certificate.height);
    put_round(out, certificate.round);
    out.push(match certificate.cert_type {
        mc::RoundCertificateType::Skip => 1,
        mc::RoundCertificateType::Precommit => 2,
    });
    put_count(out, certificate.round_signatures.len());
    for entry in &certificate.round_signatures {
        let value = match entry.value_id {
            NilOrVal::Nil => None,
            NilOrVal::Val(value) => Some(value.0),
        };
        let statement = VoteStatement {
            kind: vote_kind(entry.vote_type),
            height: certificate.height.0,
            round: round_from_engine(certificate.round).unwrap_or_default(),
            value,
        };
        statement.encode(out);
        out.extend_from_slice(entry.address.0.as_slice());
        out.extend_from_slice(&entry.signature.0);
    }
}

pub(super) fn take_round_certificate(
    cursor: &mut Cursor<'_>,
) -> Result<mc::RoundCertificate<Ctx>, CodecError> {
    let height = take_height(cursor)?;
    let round = take_round(cursor)?;
    let cert_type = match cursor.u8("round certificate type")? {
        1 => mc::RoundCertificateType::Skip,
        2 => mc::RoundCertificateType::Precommit,
        value => {
            return Err(CodecError::Tag {
                field: "round certificate type",
                value,
            });
        }
    };
    // A skip certificate may hold a prevote and a precommit of each validator.
    let count = take_count(cursor, "round signatures", 2 * VALIDATORS_MAX)?;
    let mut round_signatures = Vec::with_capacity(count);
    for _ in 0..count {
        let vote = take_vote(cursor)?;
        // Each entry repeats the certificate's height and round; they have one value.
        let statement = vote.message.statement();
        if statement.height != height.0 || round != round_to_engine(Some(statement.round)) {
            return Err(CodecError::RoundCertificate);
        }
        round_signatures.push(mc::RoundSignature::new(
            mc::Vote::<Ctx>::vote_type(&vote.message),
            *mc::Vote::<Ctx>::value(&vote.message),
            *mc::Vote::<Ctx>::validator_address(&vote.message),
            vote.signature,
        ));
    }
    Ok(mc::RoundCertificate {
        height,
        round,
        cert_type,
        round_signatures,
    })
}

pub(super) fn put_part(out: &mut Vec<u8>, part: &Part) {
    match part {
        Part::Init(init) => {
            out.push(1);
            out.extend_from_slice(&init.height.0.to_be_bytes());
            out.extend_from_slice(&init.round.0.to_be_bytes());
            put_round(out, round_to_engine(init.polka_round));
            out.extend_from_slice(init.proposer.as_slice());
            out.extend_from_slice(init.digest.0.as_slice());
            out.extend_from_slice(&init.length.to_be_bytes());
        }
        Part::Data(data) => {
            out.push(2);
            put_bytes(out, data);
        }
    }
}

pub(super) fn take_part(cursor: &mut Cursor<'_>) -> Result<Part, CodecError> {
    match cursor.u8("part kind")? {
        1 => {
            let init = PartInit {
                height: tbsi_types::Height(cursor.u64("height")?),
                round: Round(cursor.u32("round")?),
                polka_round: round_from_engine(take_round(cursor)?),
                proposer: take_address(cursor)?.0,
                digest: take_value(cursor)?.0,
                length: cursor.u32("length")?,
            };
            let length = usize::try_from(init.length).unwrap_or(usize::MAX);
            if length > BLOCK_BYTES_MAX {
                let field = "proposed block";
                return Err(CodecError::TooLong {
                    field,
                    length,
                    max: BLOCK_BYTES_MAX,
                });
            }
            Ok(Part::Init(init))
        }
        2 => {
            let data = take_bytes(cursor, "part", PART_BYTES)?;
            Ok(Part::Data(Bytes::copy_from_slice(data)))
        }
        value => Err(CodecError::Tag {
            field: "part kind",
            value,
        }),
    }
}
