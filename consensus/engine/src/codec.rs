//! Bytes of consensus messages, on the wire and in the write-ahead log (SPEC §6.1).
//!
//! Fixed layouts, big-endian. Every length is checked against a named maximum before
//! anything is allocated, and bytes left over are an error, so each message has one encoding.

use arc_malachitebft_app_channel::app::consensus::LivenessMsg;
use arc_malachitebft_app_channel::app::streaming::{StreamContent, StreamId, StreamMessage};
use arc_malachitebft_app_channel::app::types::codec::{Codec, HasEncodedLen};
use arc_malachitebft_app_channel::app::types::core as mc;
use arc_malachitebft_app_channel::app::types::sync;
use arc_malachitebft_app_channel::app::types::{PeerId, ProposedValue, SignedConsensusMsg};
use bytes::Bytes;
use mc::Validity;
use tbsi_types::certificate::CertificateError;
use tbsi_types::cursor::{Cursor, CursorError};
use tbsi_types::limits::{BLOCK_BYTES_MAX, VALIDATORS_MAX};
use tbsi_types::vote::StatementError;
use tbsi_types::{CommitCertificate, CommitSignature};

use crate::context::{Address, Ctx, Height, Part, Value, round_from_engine, round_to_engine};
use crate::limits::{PEER_ID_BYTES_MAX, STREAM_ID_BYTES_MAX, SYNC_BATCH_BLOCKS_MAX};

mod fields;
use fields::*;

/// Why bytes are not a consensus message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CodecError {
    #[error("message bytes")]
    Bytes(#[from] CursorError),
    #[error("signed statement")]
    Statement(#[from] StatementError),
    #[error("commit certificate")]
    Certificate(#[from] CertificateError),
    #[error("{field} {value} is unknown")]
    Tag { field: &'static str, value: u8 },
    #[error("{field} has {length} entries or bytes, at most {max} are allowed")]
    TooLong {
        field: &'static str,
        length: usize,
        max: usize,
    },
    #[error("round certificate holds a vote of another height or round")]
    RoundCertificate,
    #[error("peer id is not a multihash")]
    PeerId,
    #[error("vote extensions are not used")]
    Extension,
}

/// The one codec.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WireCodec;

/// Our certificate from the engine's; vote extensions are not used.
pub(crate) fn certificate_from_engine(
    certificate: &mc::CommitCertificate<Ctx>,
) -> Result<CommitCertificate, CertificateError> {
    let signatures = certificate
        .commit_signatures
        .iter()
        .map(|entry| CommitSignature {
            validator: entry.address.0,
            signature: entry.signature,
        })
        .collect();
    let round = round_from_engine(certificate.round).unwrap_or_default();
    CommitCertificate::new(
        certificate.height.0,
        round,
        certificate.value_id.0,
        signatures,
    )
}

/// The engine's certificate from ours.
pub(crate) fn certificate_to_engine(
    certificate: &CommitCertificate,
) -> mc::ExtendedCommitCertificate<Ctx> {
    let commit_signatures = certificate
        .signatures()
        .iter()
        .map(|entry| {
            mc::ExtendedCommitSignature::new(Address(entry.validator), entry.signature, None)
        })
        .collect();
    mc::ExtendedCommitCertificate {
        height: Height(certificate.height),
        round: round_to_engine(Some(certificate.round)),
        value_id: Value(certificate.checkpoint_digest),
        commit_signatures,
    }
}

impl Codec<SignedConsensusMsg<Ctx>> for WireCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<SignedConsensusMsg<Ctx>, CodecError> {
        let mut cursor = Cursor::new(&bytes);
        let message = match cursor.u8("message kind")? {
            1 => SignedConsensusMsg::Vote(take_vote(&mut cursor)?),
            2 => SignedConsensusMsg::Proposal(take_proposal(&mut cursor)?),
            value => {
                return Err(CodecError::Tag {
                    field: "message kind",
                    value,
                });
            }
        };
        cursor.end()?;
        Ok(message)
    }

    fn encode(&self, message: &SignedConsensusMsg<Ctx>) -> Result<Bytes, CodecError> {
        let mut out = Vec::with_capacity(160);
        match message {
            SignedConsensusMsg::Vote(vote) => {
                out.push(1);
                put_vote(&mut out, vote);
            }
            SignedConsensusMsg::Proposal(proposal) => {
                out.push(2);
                put_proposal(&mut out, proposal);
            }
        }
        Ok(out.into())
    }
}

impl Codec<LivenessMsg<Ctx>> for WireCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<LivenessMsg<Ctx>, CodecError> {
        let mut cursor = Cursor::new(&bytes);
        let message = match cursor.u8("liveness kind")? {
            1 => LivenessMsg::Vote(take_vote(&mut cursor)?),
            2 => LivenessMsg::PolkaCertificate(take_polka(&mut cursor)?),
            3 => LivenessMsg::SkipRoundCertificate(take_round_certificate(&mut cursor)?),
            value => {
                return Err(CodecError::Tag {
                    field: "liveness kind",
                    value,
                });
            }
        };
        cursor.end()?;
        Ok(message)
    }

    fn encode(&self, message: &LivenessMsg<Ctx>) -> Result<Bytes, CodecError> {
        let mut out = Vec::with_capacity(512);
        match message {
            LivenessMsg::Vote(vote) => {
                out.push(1);
                put_vote(&mut out, vote);
            }
            LivenessMsg::PolkaCertificate(polka) => {
                out.push(2);
                put_polka(&mut out, polka);
            }
            LivenessMsg::SkipRoundCertificate(certificate) => {
                out.push(3);
                put_round_certificate(&mut out, certificate);
            }
        }
        Ok(out.into())
    }
}

impl Codec<mc::PolkaCertificate<Ctx>> for WireCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<mc::PolkaCertificate<Ctx>, CodecError> {
        let mut cursor = Cursor::new(&bytes);
        let polka = take_polka(&mut cursor)?;
        cursor.end()?;
        Ok(polka)
    }

    fn encode(&self, polka: &mc::PolkaCertificate<Ctx>) -> Result<Bytes, CodecError> {
        let mut out = Vec::with_capacity(512);
        put_polka(&mut out, polka);
        Ok(out.into())
    }
}

impl Codec<ProposedValue<Ctx>> for WireCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<ProposedValue<Ctx>, CodecError> {
        let mut cursor = Cursor::new(&bytes);
        let value = ProposedValue {
            height: take_height(&mut cursor)?,
            round: take_round(&mut cursor)?,
            valid_round: take_round(&mut cursor)?,
            proposer: take_address(&mut cursor)?,
            value: take_value(&mut cursor)?,
            validity: match cursor.u8("validity")? {
                0 => Validity::Invalid,
                1 => Validity::Valid,
                value => {
                    return Err(CodecError::Tag {
                        field: "validity",
                        value,
                    });
                }
            },
        };
        cursor.end()?;
        Ok(value)
    }

    fn encode(&self, value: &ProposedValue<Ctx>) -> Result<Bytes, CodecError> {
        let mut out = Vec::with_capacity(80);
        put_height(&mut out, value.height);
        put_round(&mut out, value.round);
        put_round(&mut out, value.valid_round);
        out.extend_from_slice(value.proposer.0.as_slice());
        out.extend_from_slice(value.value.0.0.as_slice());
        out.push(u8::from(value.validity.is_valid()));
        Ok(out.into())
    }
}

impl Codec<Part> for WireCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<Part, CodecError> {
        let mut cursor = Cursor::new(&bytes);
        let part = take_part(&mut cursor)?;
        cursor.end()?;
        Ok(part)
    }

    fn encode(&self, part: &Part) -> Result<Bytes, CodecError> {
        let mut out = Vec::new();
        put_part(&mut out, part);
        Ok(out.into())
    }
}

impl Codec<StreamMessage<Part>> for WireCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<StreamMessage<Part>, CodecError> {
        let mut cursor = Cursor::new(&bytes);
        let id = take_bytes(&mut cursor, "stream id", STREAM_ID_BYTES_MAX)?;
        let id = StreamId::new(Bytes::copy_from_slice(id));
        let sequence = cursor.u64("sequence")?;
        let content = match cursor.u8("stream content")? {
            0 => StreamContent::Fin,
            1 => StreamContent::Data(take_part(&mut cursor)?),
            value => {
                return Err(CodecError::Tag {
                    field: "stream content",
                    value,
                });
            }
        };
        cursor.end()?;
        Ok(StreamMessage::new(id, sequence, content))
    }

    fn encode(&self, message: &StreamMessage<Part>) -> Result<Bytes, CodecError> {
        let mut out = Vec::with_capacity(128);
        put_bytes(&mut out, &message.stream_id.to_bytes());
        out.extend_from_slice(&message.sequence.to_be_bytes());
        match &message.content {
            StreamContent::Fin => out.push(0),
            StreamContent::Data(part) => {
                out.push(1);
                put_part(&mut out, part);
            }
        }
        Ok(out.into())
    }
}

impl Codec<sync::Status<Ctx>> for WireCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<sync::Status<Ctx>, CodecError> {
        let mut cursor = Cursor::new(&bytes);
        let peer_id = take_bytes(&mut cursor, "peer id", PEER_ID_BYTES_MAX)?;
        let peer_id = PeerId::from_bytes(peer_id).map_err(|_| CodecError::PeerId)?;
        let tip_height = take_height(&mut cursor)?;
        let history_min_height = take_height(&mut cursor)?;
        cursor.end()?;
        Ok(sync::Status {
            peer_id,
            tip_height,
            history_min_height,
        })
    }

    fn encode(&self, status: &sync::Status<Ctx>) -> Result<Bytes, CodecError> {
        let mut out = Vec::with_capacity(64);
        put_bytes(&mut out, &status.peer_id.to_bytes());
        put_height(&mut out, status.tip_height);
        put_height(&mut out, status.history_min_height);
        Ok(out.into())
    }
}

impl Codec<sync::Request<Ctx>> for WireCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<sync::Request<Ctx>, CodecError> {
        let mut cursor = Cursor::new(&bytes);
        let (start, end) = (take_height(&mut cursor)?, take_height(&mut cursor)?);
        cursor.end()?;
        Ok(sync::Request::ValueRequest(
            arc_malachitebft_sync::ValueRequest::new(start..=end),
        ))
    }

    fn encode(&self, request: &sync::Request<Ctx>) -> Result<Bytes, CodecError> {
        let sync::Request::ValueRequest(request) = request;
        let mut out = Vec::with_capacity(16);
        put_height(&mut out, *request.range.start());
        put_height(&mut out, *request.range.end());
        Ok(out.into())
    }
}

impl Codec<sync::Response<Ctx>> for WireCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<sync::Response<Ctx>, CodecError> {
        let mut cursor = Cursor::new(&bytes);
        let start = take_height(&mut cursor)?;
        let count = take_count(&mut cursor, "blocks", SYNC_BATCH_BLOCKS_MAX)?;
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            let certificate = take_bytes(&mut cursor, "certificate", 64 + 85 * VALIDATORS_MAX)?;
            let certificate = CommitCertificate::decode(certificate)?;
            let block = take_bytes(&mut cursor, "block", BLOCK_BYTES_MAX)?;
            values.push(sync::RawDecidedValue::new(
                Bytes::copy_from_slice(block),
                certificate_to_engine(&certificate),
            ));
        }
        cursor.end()?;
        Ok(sync::Response::ValueResponse(
            arc_malachitebft_sync::ValueResponse::new(start, values),
        ))
    }

    fn encode(&self, response: &sync::Response<Ctx>) -> Result<Bytes, CodecError> {
        let sync::Response::ValueResponse(response) = response;
        let mut out = Vec::with_capacity(1024);
        put_height(&mut out, response.start_height);
        put_count(&mut out, response.values.len());
        for value in &response.values {
            if value
                .certificate
                .commit_signatures
                .iter()
                .any(|entry| entry.extension.is_some())
            {
                return Err(CodecError::Extension);
            }
            let certificate = certificate_from_engine(&value.certificate.trim_vote_extensions())?;
            put_bytes(&mut out, &certificate.encode());
            put_bytes(&mut out, &value.value_bytes);
        }
        Ok(out.into())
    }
}

impl HasEncodedLen<sync::Response<Ctx>> for WireCodec {
    fn encoded_len(&self, response: &sync::Response<Ctx>) -> Result<usize, CodecError> {
        self.encode(response).map(|bytes| bytes.len())
    }
}

#[cfg(test)]
mod tests;
