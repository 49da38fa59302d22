//! Fabric's messages, as far as a client needs them. Names and numbers are those of its protocol
//! files (`fabric-protos`: common, msp, peer, gateway, orderer, ledger); fields that nobody here
//! reads are left out, and passed over when they are decoded.

#![expect(
    missing_docs,
    reason = "they are described where they come from, in Fabric's protocol files"
)]

mod gateway;

use prost::Message;

pub use gateway::*;

/// What a header of a transaction with endorsements has as its type.
pub const ENDORSER_TRANSACTION: i32 = 3;

/// Metadata of a block: what the peers found of each transaction, a byte each.
pub const TRANSACTIONS_FILTER: usize = 2;

// common

#[derive(Clone, PartialEq, Message)]
pub struct Envelope {
    #[prost(bytes = "vec", tag = "1")]
    pub payload: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub signature: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct EnvelopePayload {
    #[prost(message, optional, tag = "1")]
    pub header: Option<EnvelopeHeader>,
    #[prost(bytes = "vec", tag = "2")]
    pub data: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct EnvelopeHeader {
    #[prost(bytes = "vec", tag = "1")]
    pub channel_header: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub signature_header: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChannelHeader {
    #[prost(int32, tag = "1")]
    pub kind: i32,
    #[prost(int32, tag = "2")]
    pub version: i32,
    #[prost(message, optional, tag = "3")]
    pub timestamp: Option<Stamp>,
    #[prost(string, tag = "4")]
    pub channel_id: String,
    #[prost(string, tag = "5")]
    pub tx_id: String,
    #[prost(uint64, tag = "6")]
    pub epoch: u64,
    #[prost(bytes = "vec", tag = "7")]
    pub extension: Vec<u8>,
    #[prost(bytes = "vec", tag = "8")]
    pub tls_cert_hash: Vec<u8>,
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Stamp {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct SignatureHeader {
    #[prost(bytes = "vec", tag = "1")]
    pub creator: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub nonce: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct LedgerBlock {
    #[prost(message, optional, tag = "1")]
    pub header: Option<LedgerBlockHeader>,
    #[prost(message, optional, tag = "2")]
    pub data: Option<ByteStrings>,
    #[prost(message, optional, tag = "3")]
    pub metadata: Option<ByteStrings>,
}

#[derive(Clone, PartialEq, Message)]
pub struct LedgerBlockHeader {
    #[prost(uint64, tag = "1")]
    pub number: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub previous_hash: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub data_hash: Vec<u8>,
}

/// `BlockData` and `BlockMetadata`, which look alike.
#[derive(Clone, PartialEq, Message)]
pub struct ByteStrings {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub all: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct BlockchainInfo {
    #[prost(uint64, tag = "1")]
    pub height: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub current_block_hash: Vec<u8>,
}

// msp

#[derive(Clone, PartialEq, Message)]
pub struct SerializedIdentity {
    #[prost(string, tag = "1")]
    pub mspid: String,
    #[prost(bytes = "vec", tag = "2")]
    pub id_bytes: Vec<u8>,
}

// peer

#[derive(Clone, PartialEq, Message)]
pub struct SignedProposal {
    #[prost(bytes = "vec", tag = "1")]
    pub proposal_bytes: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub signature: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ProposalMessage {
    #[prost(bytes = "vec", tag = "1")]
    pub header: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub payload: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub extension: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChaincodeHeaderExtension {
    #[prost(message, optional, tag = "2")]
    pub chaincode_id: Option<ChaincodeId>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChaincodeId {
    #[prost(string, tag = "1")]
    pub path: String,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub version: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChaincodeProposalPayload {
    #[prost(bytes = "vec", tag = "1")]
    pub input: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChaincodeInvocationSpec {
    #[prost(message, optional, tag = "1")]
    pub chaincode_spec: Option<ChaincodeSpec>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChaincodeSpec {
    #[prost(int32, tag = "1")]
    pub kind: i32,
    #[prost(message, optional, tag = "2")]
    pub chaincode_id: Option<ChaincodeId>,
    #[prost(message, optional, tag = "3")]
    pub input: Option<ChaincodeInput>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChaincodeInput {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub args: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChaincodeResponse {
    #[prost(int32, tag = "1")]
    pub status: i32,
    #[prost(string, tag = "2")]
    pub message: String,
    #[prost(bytes = "vec", tag = "3")]
    pub payload: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ProposalResponsePayload {
    #[prost(bytes = "vec", tag = "1")]
    pub proposal_hash: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub extension: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChaincodeAction {
    #[prost(bytes = "vec", tag = "1")]
    pub results: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub events: Vec<u8>,
    #[prost(message, optional, tag = "3")]
    pub response: Option<ChaincodeResponse>,
    #[prost(message, optional, tag = "4")]
    pub chaincode_id: Option<ChaincodeId>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Endorsement {
    #[prost(bytes = "vec", tag = "1")]
    pub endorser: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub signature: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct TransactionMessage {
    #[prost(message, repeated, tag = "1")]
    pub actions: Vec<TransactionAction>,
}

#[derive(Clone, PartialEq, Message)]
pub struct TransactionAction {
    #[prost(bytes = "vec", tag = "1")]
    pub header: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub payload: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChaincodeActionPayload {
    #[prost(bytes = "vec", tag = "1")]
    pub chaincode_proposal_payload: Vec<u8>,
    #[prost(message, optional, tag = "2")]
    pub action: Option<ChaincodeEndorsedAction>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChaincodeEndorsedAction {
    #[prost(bytes = "vec", tag = "1")]
    pub proposal_response_payload: Vec<u8>,
    #[prost(message, repeated, tag = "2")]
    pub endorsements: Vec<Endorsement>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ProcessedTransaction {
    #[prost(message, optional, tag = "1")]
    pub transaction_envelope: Option<Envelope>,
    #[prost(int32, tag = "2")]
    pub validation_code: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChaincodeEventMessage {
    #[prost(string, tag = "1")]
    pub chaincode_id: String,
    #[prost(string, tag = "2")]
    pub tx_id: String,
    #[prost(string, tag = "3")]
    pub event_name: String,
    #[prost(bytes = "vec", tag = "4")]
    pub payload: Vec<u8>,
}

// ledger

#[derive(Clone, PartialEq, Message)]
pub struct TxReadWriteSet {
    #[prost(int32, tag = "1")]
    pub data_model: i32,
    #[prost(message, repeated, tag = "2")]
    pub ns_rwset: Vec<NsReadWriteSet>,
}

#[derive(Clone, PartialEq, Message)]
pub struct NsReadWriteSet {
    #[prost(string, tag = "1")]
    pub namespace: String,
    #[prost(bytes = "vec", tag = "2")]
    pub rwset: Vec<u8>,
    /// Of private data: what is in them is of no interest, that there are some is.
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub collection_hashed_rwset: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct KvRwSet {
    #[prost(message, repeated, tag = "1")]
    pub reads: Vec<KvRead>,
    #[prost(message, repeated, tag = "3")]
    pub writes: Vec<KvWrite>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub metadata_writes: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct KvRead {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(message, optional, tag = "2")]
    pub version: Option<KvVersion>,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct KvVersion {
    #[prost(uint64, tag = "1")]
    pub block_num: u64,
    #[prost(uint64, tag = "2")]
    pub tx_num: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct KvWrite {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(bool, tag = "2")]
    pub is_delete: bool,
    #[prost(bytes = "vec", tag = "3")]
    pub value: Vec<u8>,
}
