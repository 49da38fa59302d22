//! What peers are asked to execute.

use alloy_primitives::{B256, hex};
use p256::elliptic_curve::rand_core::{OsRng, RngCore};
use prost::Message;
use tbsi_types::sha256;

use super::identity::Identity;
use super::messages::{
    ChaincodeHeaderExtension, ChaincodeId, ChaincodeInput, ChaincodeInvocationSpec,
    ChaincodeProposalPayload, ChaincodeSpec, ChannelHeader, ENDORSER_TRANSACTION, EnvelopeHeader,
    ProposalMessage, SignatureHeader, SignedProposal, Stamp,
};

/// Bytes of the random number that makes a transaction's id its own.
const NONCE_BYTES: usize = 24;

/// What Fabric calls a chaincode in Go; peers heed it no more.
const GOLANG: i32 = 1;

/// A call of a chaincode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChaincodeCall {
    /// Its name on the channel.
    pub chaincode: String,
    /// Function and arguments.
    pub args: Vec<Vec<u8>>,
}

impl ChaincodeCall {
    /// A function with text arguments.
    pub fn new(chaincode: &str, args: &[&str]) -> Self {
        Self {
            chaincode: chaincode.into(),
            args: args.iter().map(|one| one.as_bytes().to_vec()).collect(),
        }
    }

    /// Bytes of all arguments.
    pub fn size(&self) -> usize {
        self.args.iter().map(Vec::len).sum()
    }
}

/// A call that is signed, and is a transaction once peers have endorsed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// SHA-256 of nonce and creator: nobody else can make one with this id.
    pub id: B256,
    /// The channel.
    pub channel: String,
    /// What is called.
    pub call: ChaincodeCall,
    /// As it goes to peers.
    pub signed: SignedProposal,
    /// Its header, of which a transaction has the same bytes.
    pub header: EnvelopeHeader,
    /// The call, of which a transaction has the same bytes.
    pub payload: Vec<u8>,
}

/// A transaction's id as Fabric writes it.
pub fn id_text(id: B256) -> String {
    hex::encode(id)
}

/// The id of whoever has this nonce.
pub(super) fn id_of(header: &SignatureHeader) -> B256 {
    sha256(&[&header.nonce, &header.creator])
}

impl Proposal {
    /// A call at a time, milliseconds since 1970, with a random number of its own.
    pub fn new(identity: &Identity, channel: &str, call: ChaincodeCall, now_ms: u64) -> Self {
        let mut nonce = vec![0; NONCE_BYTES];
        OsRng.fill_bytes(&mut nonce);
        let creator = identity.creator().to_vec();
        let signature_header = SignatureHeader { creator, nonce };
        let id = id_of(&signature_header);
        let named = ChaincodeId {
            name: call.chaincode.clone(),
            ..ChaincodeId::default()
        };
        let extension = ChaincodeHeaderExtension {
            chaincode_id: Some(named.clone()),
        };
        let channel_header = ChannelHeader {
            kind: ENDORSER_TRANSACTION,
            timestamp: Some(Stamp {
                seconds: i64::try_from(now_ms / 1_000).unwrap_or(i64::MAX),
                nanos: i32::try_from(now_ms % 1_000).expect("below 1,000") * 1_000_000,
            }),
            channel_id: channel.into(),
            tx_id: id_text(id),
            extension: extension.encode_to_vec(),
            ..ChannelHeader::default()
        };
        let header = EnvelopeHeader {
            channel_header: channel_header.encode_to_vec(),
            signature_header: signature_header.encode_to_vec(),
        };
        let input = ChaincodeInvocationSpec {
            chaincode_spec: Some(ChaincodeSpec {
                kind: GOLANG,
                chaincode_id: Some(named),
                input: Some(ChaincodeInput {
                    args: call.args.clone(),
                }),
            }),
        };
        let input = input.encode_to_vec();
        let payload = ChaincodeProposalPayload { input }.encode_to_vec();
        let proposal_bytes = ProposalMessage {
            header: header.encode_to_vec(),
            payload: payload.clone(),
            extension: Vec::new(),
        };
        let proposal_bytes = proposal_bytes.encode_to_vec();
        Self {
            id,
            channel: channel.into(),
            call,
            signed: SignedProposal {
                signature: identity.sign(&proposal_bytes),
                proposal_bytes,
            },
            header,
            payload,
        }
    }
}
