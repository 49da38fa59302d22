//! Blocks of a channel, as a peer keeps them.

use alloy_primitives::{B256, hex};
use prost::Message;
use tbsi_types::sha256;

use super::messages::{ChannelHeader, Envelope, EnvelopePayload, LedgerBlock, TRANSACTIONS_FILTER};
use super::proposal::id_text;

/// What peers found of a transaction: that it counts.
pub const VALID: i32 = 0;
/// Its id was in a block before.
pub const DUPLICATE_TXID: i32 = 9;
/// Too few organisations endorsed it, or others than the policy asks for.
pub const ENDORSEMENT_POLICY_FAILURE: i32 = 10;
/// What it read had changed by then.
pub const MVCC_READ_CONFLICT: i32 = 11;
/// What a query of it found had changed by then.
pub const PHANTOM_READ_CONFLICT: i32 = 12;

/// Fabric's name of what peers found of a transaction.
pub fn validation(code: i32) -> String {
    const NAMES: [&str; 26] = [
        "VALID",
        "NIL_ENVELOPE",
        "BAD_PAYLOAD",
        "BAD_COMMON_HEADER",
        "BAD_CREATOR_SIGNATURE",
        "INVALID_ENDORSER_TRANSACTION",
        "INVALID_CONFIG_TRANSACTION",
        "UNSUPPORTED_TX_PAYLOAD",
        "BAD_PROPOSAL_TXID",
        "DUPLICATE_TXID",
        "ENDORSEMENT_POLICY_FAILURE",
        "MVCC_READ_CONFLICT",
        "PHANTOM_READ_CONFLICT",
        "UNKNOWN_TX_TYPE",
        "TARGET_CHAIN_NOT_FOUND",
        "MARSHAL_TX_ERROR",
        "NIL_TXACTION",
        "EXPIRED_CHAINCODE",
        "CHAINCODE_VERSION_CONFLICT",
        "BAD_HEADER_EXTENSION",
        "BAD_CHANNEL_HEADER",
        "BAD_RESPONSE_PAYLOAD",
        "BAD_RWSET",
        "ILLEGAL_WRITESET",
        "INVALID_WRITESET",
        "INVALID_CHAINCODE",
    ];
    let name = usize::try_from(code).ok().and_then(|at| NAMES.get(at));
    name.map_or_else(|| format!("code {code}"), |name| (*name).into())
}

/// A block whose data is that of its header.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelBlock {
    /// Its number.
    pub number: u64,
    /// SHA-256 of its header in DER, which the next block names.
    pub hash: B256,
    envelopes: Vec<Vec<u8>>,
    validations: Vec<u8>,
}

impl ChannelBlock {
    /// Reads a block; its data must be that of its header.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let block = LedgerBlock::decode(bytes).map_err(|error| format!("block: {error}"))?;
        let header = block.header.ok_or("the block has no header")?;
        let envelopes = block.data.unwrap_or_default().all;
        let parts: Vec<&[u8]> = envelopes.iter().map(Vec::as_slice).collect();
        if sha256(&parts).0 != *header.data_hash {
            let number = header.number;
            return Err(format!(
                "block {number} has other data than its header says"
            ));
        }
        let mut metadata = block.metadata.unwrap_or_default().all;
        let validations = if metadata.len() > TRANSACTIONS_FILTER {
            metadata.swap_remove(TRANSACTIONS_FILTER)
        } else {
            Vec::new()
        };
        Ok(Self {
            number: header.number,
            hash: header_hash(header.number, &header.previous_hash, &header.data_hash),
            envelopes,
            validations,
        })
    }

    /// The first transaction with an id: its payload, its signature, and what peers found of it.
    pub fn find(&self, id: B256) -> Option<(Envelope, i32)> {
        let text = id_text(id);
        let found = self.envelopes.iter().enumerate().find_map(|(at, bytes)| {
            let envelope = Envelope::decode(&bytes[..]).ok()?;
            let payload = EnvelopePayload::decode(&envelope.payload[..]).ok()?;
            let header = ChannelHeader::decode(&payload.header?.channel_header[..]).ok()?;
            (header.tx_id == text).then_some((at, envelope))
        })?;
        let code = self.validations.get(found.0).copied();
        // Not judged, by Fabric's own number for that.
        Some((found.1, code.map_or(254, i32::from)))
    }
}

impl std::fmt::Display for ChannelBlock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.number, hex::encode(self.hash))
    }
}

/// SHA-256 of the DER of `SEQUENCE { INTEGER, OCTET STRING, OCTET STRING }`.
pub fn header_hash(number: u64, previous: &[u8], data: &[u8]) -> B256 {
    let mut integer = number.to_be_bytes().to_vec();
    while integer.len() > 1 && integer[0] == 0 && integer[1] < 0x80 {
        integer.remove(0);
    }
    if integer[0] >= 0x80 {
        integer.insert(0, 0);
    }
    let mut content = Vec::new();
    for (tag, value) in [(0x02, &integer[..]), (0x04, previous), (0x04, data)] {
        content.push(tag);
        length(&mut content, value.len());
        content.extend_from_slice(value);
    }
    let mut header = vec![0x30];
    length(&mut header, content.len());
    header.extend_from_slice(&content);
    sha256(&[&header])
}

fn length(out: &mut Vec<u8>, length: usize) {
    if length < 0x80 {
        out.push(u8::try_from(length).expect("below 128"));
        return;
    }
    let bytes = length.to_be_bytes();
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(0);
    let bytes = &bytes[first..];
    out.push(0x80 | u8::try_from(bytes.len()).expect("at most 8"));
    out.extend_from_slice(bytes);
}
