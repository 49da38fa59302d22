//! Doors for `tests/fuzz`: what a decoder accepts, encoded again. Not an interface.

#![allow(missing_docs, reason = "the names say which message it is")]

use arc_malachitebft_app_channel::app::consensus::LivenessMsg;
use arc_malachitebft_app_channel::app::streaming::StreamMessage;
use arc_malachitebft_app_channel::app::types::codec::Codec;
use arc_malachitebft_app_channel::app::types::{ProposedValue, SignedConsensusMsg, sync};
use bytes::Bytes;

use crate::codec::{CodecError, WireCodec};
use crate::context::{Ctx, Part};

fn again<T>(bytes: &[u8]) -> Option<Vec<u8>>
where
    WireCodec: Codec<T, Error = CodecError>,
{
    let message: T = WireCodec.decode(Bytes::copy_from_slice(bytes)).ok()?;
    let again = WireCodec.encode(&message);
    Some(again.expect("what was decoded is encoded").to_vec())
}

pub fn consensus_message(bytes: &[u8]) -> Option<Vec<u8>> {
    again::<SignedConsensusMsg<Ctx>>(bytes)
}

pub fn liveness_message(bytes: &[u8]) -> Option<Vec<u8>> {
    again::<LivenessMsg<Ctx>>(bytes)
}

pub fn proposal_stream(bytes: &[u8]) -> Option<Vec<u8>> {
    again::<StreamMessage<Part>>(bytes)
}

pub fn proposed_value(bytes: &[u8]) -> Option<Vec<u8>> {
    again::<ProposedValue<Ctx>>(bytes)
}

pub fn sync_status(bytes: &[u8]) -> Option<Vec<u8>> {
    again::<sync::Status<Ctx>>(bytes)
}

pub fn sync_request(bytes: &[u8]) -> Option<Vec<u8>> {
    again::<sync::Request<Ctx>>(bytes)
}

pub fn sync_response(bytes: &[u8]) -> Option<Vec<u8>> {
    again::<sync::Response<Ctx>>(bytes)
}
