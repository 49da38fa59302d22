//! The gateway's service.

use prost::{Message, Oneof};

use super::{ChaincodeEventMessage, ChaincodeResponse, Envelope, SignedProposal};

/// `EndorseRequest` and `EvaluateRequest`, which look alike; the organisations are those that are
/// to endorse, or to be asked.
#[derive(Clone, PartialEq, Message)]
pub struct ProposalRequest {
    #[prost(string, tag = "1")]
    pub transaction_id: String,
    #[prost(string, tag = "2")]
    pub channel_id: String,
    #[prost(message, optional, tag = "3")]
    pub proposed_transaction: Option<SignedProposal>,
    #[prost(string, repeated, tag = "4")]
    pub organisations: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct EndorseResponse {
    #[prost(message, optional, tag = "1")]
    pub prepared_transaction: Option<Envelope>,
}

#[derive(Clone, PartialEq, Message)]
pub struct EvaluateResponse {
    #[prost(message, optional, tag = "1")]
    pub result: Option<ChaincodeResponse>,
}

#[derive(Clone, PartialEq, Message)]
pub struct SubmitRequest {
    #[prost(string, tag = "1")]
    pub transaction_id: String,
    #[prost(string, tag = "2")]
    pub channel_id: String,
    #[prost(message, optional, tag = "3")]
    pub prepared_transaction: Option<Envelope>,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct SubmitResponse {}

/// `SignedCommitStatusRequest` and `SignedChaincodeEventsRequest`.
#[derive(Clone, PartialEq, Message)]
pub struct SignedRequest {
    #[prost(bytes = "vec", tag = "1")]
    pub request: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub signature: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct CommitStatusRequest {
    #[prost(string, tag = "1")]
    pub transaction_id: String,
    #[prost(string, tag = "2")]
    pub channel_id: String,
    #[prost(bytes = "vec", tag = "3")]
    pub identity: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct CommitStatusResponse {
    #[prost(int32, tag = "1")]
    pub result: i32,
    #[prost(uint64, tag = "2")]
    pub block_number: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChaincodeEventsRequest {
    #[prost(string, tag = "1")]
    pub channel_id: String,
    #[prost(string, tag = "2")]
    pub chaincode_id: String,
    #[prost(bytes = "vec", tag = "3")]
    pub identity: Vec<u8>,
    #[prost(message, optional, tag = "4")]
    pub start_position: Option<SeekPosition>,
    #[prost(string, tag = "5")]
    pub after_transaction_id: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct SeekPosition {
    #[prost(oneof = "Seek", tags = "3")]
    pub at: Option<Seek>,
}

#[derive(Clone, Copy, PartialEq, Eq, Oneof)]
pub enum Seek {
    #[prost(message, tag = "3")]
    Specified(SeekSpecified),
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct SeekSpecified {
    #[prost(uint64, tag = "1")]
    pub number: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChaincodeEventsResponse {
    #[prost(message, repeated, tag = "1")]
    pub events: Vec<ChaincodeEventMessage>,
    #[prost(uint64, tag = "2")]
    pub block_number: u64,
}

/// `google.rpc.Status`, which a gRPC error brings in its details.
#[derive(Clone, PartialEq, Message)]
pub struct RpcStatus {
    #[prost(message, repeated, tag = "3")]
    pub details: Vec<AnyMessage>,
}

#[derive(Clone, PartialEq, Message)]
pub struct AnyMessage {
    #[prost(string, tag = "1")]
    pub type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

/// What one peer or orderer said.
#[derive(Clone, PartialEq, Message)]
pub struct ErrorDetail {
    #[prost(string, tag = "1")]
    pub address: String,
    #[prost(string, tag = "2")]
    pub msp_id: String,
    #[prost(string, tag = "3")]
    pub message: String,
}
