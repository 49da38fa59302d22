//! The other direction (SPEC §21): what peers state of an entry of the outbox, for the contract
//! that verifies it on a TBSI network.

use alloy_primitives::{B256, Bytes, hex};
use prost::Message;
use serde_json::Value;
use x509_cert::der::Document;

use super::arguments::outbox_entry;
use super::endorsed::EndorsedCall;
use super::messages::{ChaincodeActionPayload, EnvelopePayload, TransactionMessage};
use super::peers::FabricPeers;
use super::proposal::ChaincodeCall;
use super::reader::ChannelReader;
use super::refusal::CallError;

const ARTIFACT: &str = include_str!("../../../contracts/evm/artifacts/FabricFacts.json");

/// Creation code of the contract.
pub fn facts_creation_code() -> Bytes {
    let artifact: Value = serde_json::from_str(ARTIFACT).expect("the artifact is JSON");
    let code = artifact["bytecode"]
        .as_str()
        .expect("the artifact has creation code");
    hex::decode(code).expect("creation code is hex").into()
}

/// The certificates of a PEM file, in DER, in their order.
pub fn certificates(text: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    const END: &str = "-----END CERTIFICATE-----";
    let text = std::str::from_utf8(text).map_err(|_| "it is no text")?;
    let mut all = Vec::new();
    for part in text.split_inclusive(END) {
        if part.trim().is_empty() {
            continue;
        }
        let (label, document) =
            Document::from_pem(part.trim_start()).map_err(|error| error.to_string())?;
        if label != "CERTIFICATE" {
            return Err(format!("it has a {label}; certificates in PEM are needed"));
        }
        all.push(document.as_bytes().to_vec());
    }
    if all.is_empty() {
        return Err("it has no certificate in PEM".into());
    }
    Ok(all)
}

/// What peers signed alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// `ProposalResponsePayload`.
    pub response: Vec<u8>,
    /// Serialized identities, and their signatures.
    pub endorsements: Vec<(Vec<u8>, Vec<u8>)>,
    /// The organisations, as they say.
    pub organisations: Vec<String>,
}

/// The endorsed response in the payload of an envelope, and the endorsements.
fn taken_apart(payload: &[u8]) -> Result<Stated, String> {
    let call = EndorsedCall::parse(payload)?;
    if !call.writes.is_empty() {
        return Err("it is no read: it writes".into());
    }
    let organisations = call.organisations().into_iter().map(Into::into).collect();
    let decoded = |error: prost::DecodeError| error.to_string();
    let payload = EnvelopePayload::decode(payload).map_err(decoded)?;
    let mut transaction = TransactionMessage::decode(&payload.data[..]).map_err(decoded)?;
    let action = transaction.actions.pop().ok_or("it has no action")?;
    let action = ChaincodeActionPayload::decode(&action.payload[..]).map_err(decoded)?;
    let action = action.action.ok_or("it has no endorsements")?;
    let endorsements = action.endorsements.into_iter();
    Ok(Stated {
        response: action.proposal_response_payload,
        endorsements: endorsements.map(|it| (it.endorser, it.signature)).collect(),
        organisations,
    })
}

impl<P: FabricPeers> ChannelReader<P> {
    /// Has peers of these organisations state an entry under a nonce. Nothing is sent to be ordered.
    pub async fn state(
        &self,
        msp_id: &str,
        sequence: u64,
        nonce: B256,
        organisations: &[String],
    ) -> Result<Stated, CallError> {
        let argument = outbox_entry(msp_id, sequence, nonce);
        let call = ChaincodeCall::new(
            &self.config.chaincode,
            &["GetOutboxEntry", argument.as_str()],
        );
        let proposal = self.propose(call);
        let envelope = self.peers.endorse(&proposal, organisations).await?;
        let stated = taken_apart(&envelope.payload).map_err(CallError::Declined)?;
        let missing = organisations
            .iter()
            .find(|one| !stated.organisations.contains(one));
        match missing {
            Some(missing) => {
                let said = format!("{missing} was asked to state the entry, and did not");
                Err(CallError::Declined(said))
            }
            None => Ok(stated),
        }
    }

    /// Fails unless it is this channel and this chaincode that is read.
    pub fn require_channel(&self, channel: &str, chaincode: &str) -> Result<(), String> {
        let config = &self.config;
        if (config.channel.as_str(), config.chaincode.as_str()) == (channel, chaincode) {
            return Ok(());
        }
        Err(format!(
            "the home is of chaincode {} on {}, the contract's channel is {chaincode} on {channel}",
            config.chaincode, config.channel
        ))
    }
}
