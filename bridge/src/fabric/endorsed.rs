//! A transaction as peers have endorsed it, taken apart: what a gateway gives back is compared
//! with what was asked before it is signed, and an auditor reads the same from a journal.

use std::collections::BTreeSet;

use alloy_primitives::{B256, hex};
use prost::Message;
use tbsi_types::sha256;

use super::identity::Signatory;
use super::messages::{
    ChaincodeAction, ChaincodeActionPayload, ChaincodeInvocationSpec, ChaincodeProposalPayload,
    ChannelHeader, ENDORSER_TRANSACTION, EnvelopePayload, KvRwSet, ProposalResponsePayload,
    SignatureHeader, TransactionMessage, TxReadWriteSet,
};
use super::proposal::{ChaincodeCall, Proposal, id_of, id_text};

/// Of a response, what peers endorse.
const STATUS_OK: i32 = 200;

/// What a transaction says, and what it writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndorsedCall {
    /// Its id, as its nonce and its creator make it.
    pub id: B256,
    /// Who sends it, serialized.
    pub creator: Vec<u8>,
    /// The channel.
    pub channel: String,
    /// What is called.
    pub call: ChaincodeCall,
    /// Version of the chaincode that the endorsers ran.
    pub version: String,
    /// What it answered.
    pub answer: Vec<u8>,
    /// What it read of its own keys: the key, and the block and the place that wrote it.
    pub reads: Vec<(String, Option<(u64, u64)>)>,
    /// What it writes under its own keys.
    pub writes: Vec<(String, Vec<u8>)>,
    /// Who endorsed it; their signatures were verified, who certified them was not.
    pub endorsers: Vec<Signatory>,
    headers: (Vec<u8>, Vec<u8>),
    payload: Vec<u8>,
}

fn decoded<M: Message + Default>(what: &str, bytes: &[u8]) -> Result<M, String> {
    M::decode(bytes).map_err(|error| format!("{what}: {error}"))
}

fn present<T>(what: &str, field: Option<T>) -> Result<T, String> {
    field.ok_or_else(|| format!("it has no {what}"))
}

fn must(right: bool, what: &str) -> Result<(), String> {
    if right { Ok(()) } else { Err(what.into()) }
}

/// The call in a proposal's payload.
fn called(payload: &[u8]) -> Result<ChaincodeCall, String> {
    let payload: ChaincodeProposalPayload = decoded("proposal payload", payload)?;
    let input: ChaincodeInvocationSpec = decoded("invocation", &payload.input)?;
    let spec = present("chaincode spec", input.chaincode_spec)?;
    Ok(ChaincodeCall {
        chaincode: present("chaincode id", spec.chaincode_id)?.name,
        args: present("chaincode input", spec.input)?.args,
    })
}

impl EndorsedCall {
    /// Takes the payload of an envelope apart, and verifies all that it says of itself: its id, that
    /// what was endorsed is this call with this header, and the endorsements.
    pub fn parse(payload: &[u8]) -> Result<Self, String> {
        let payload: EnvelopePayload = decoded("envelope payload", payload)?;
        let header = present("header", payload.header)?;
        let channel: ChannelHeader = decoded("channel header", &header.channel_header)?;
        let creator: SignatureHeader = decoded("signature header", &header.signature_header)?;
        must(
            channel.kind == ENDORSER_TRANSACTION,
            "it is no transaction with endorsements",
        )?;
        let id = id_of(&creator);
        must(
            id_text(id) == channel.tx_id,
            "its id is not that of its nonce and creator",
        )?;
        let transaction: TransactionMessage = decoded("transaction", &payload.data)?;
        let [action] = &transaction.actions[..] else {
            return Err(format!(
                "it has {} actions, not one",
                transaction.actions.len()
            ));
        };
        must(
            action.header == header.signature_header,
            "its action has another header",
        )?;
        let action: ChaincodeActionPayload = decoded("action", &action.payload)?;
        let call = called(&action.chaincode_proposal_payload)?;
        let endorsed = present("endorsed action", action.action)?;
        let response = &endorsed.proposal_response_payload;
        let signed = endorsed.endorsements.iter();
        let signed = signed.map(|one| {
            let message = [&response[..], &one.endorser].concat();
            Signatory::of(&one.endorser, &message, &one.signature)
        });
        let endorsers = signed.collect::<Result<Vec<_>, _>>()?;
        must(!endorsers.is_empty(), "nobody endorsed it")?;
        let response: ProposalResponsePayload = decoded("response payload", response)?;
        let proposed = sha256(&[
            &header.channel_header,
            &header.signature_header,
            &action.chaincode_proposal_payload,
        ]);
        must(
            response.proposal_hash == proposed.0,
            "another proposal was endorsed",
        )?;
        let done: ChaincodeAction = decoded("chaincode action", &response.extension)?;
        let ran = present("chaincode id of the endorsers", done.chaincode_id)?;
        must(ran.name == call.chaincode, "another chaincode was endorsed")?;
        let answer = present("response", done.response)?;
        must(
            answer.status == STATUS_OK,
            &format!("its response has status {}", answer.status),
        )?;
        let (reads, writes) = read_and_written(&done.results, &call.chaincode)?;
        Ok(Self {
            id,
            creator: creator.creator,
            channel: channel.channel_id,
            call,
            version: ran.version,
            answer: answer.payload,
            reads,
            writes,
            endorsers,
            headers: (header.channel_header, header.signature_header),
            payload: action.chaincode_proposal_payload,
        })
    }

    /// That it is what was proposed, byte for byte, and that it writes nothing but under keys that
    /// begin so.
    pub fn require(&self, proposal: &Proposal, keys: &[String]) -> Result<(), String> {
        let header = &proposal.header;
        let (channel, signature) = &self.headers;
        must(
            *signature == header.signature_header,
            "it has another creator or nonce",
        )?;
        must(
            *channel == header.channel_header,
            "it has another channel header",
        )?;
        must(
            self.payload == proposal.payload,
            "it calls something else than was asked",
        )?;
        let other = self.writes.iter().find(|(key, _)| {
            let mut allowed = keys.iter();
            !allowed.any(|begin| key.starts_with(begin.as_str()))
        });
        match other {
            Some((key, _)) => Err(format!("it writes {key:?}, which it should not")),
            None => Ok(()),
        }
    }

    /// The organisations that endorsed it, each once.
    pub fn organisations(&self) -> BTreeSet<&str> {
        let all = self.endorsers.iter();
        all.map(|one| one.msp_id.as_str()).collect()
    }

    /// The function.
    pub fn function(&self) -> Option<&str> {
        std::str::from_utf8(self.call.args.first()?).ok()
    }

    /// In a few words.
    pub fn name(&self) -> String {
        let function = self.function().unwrap_or_default();
        format!("{function} in {}", hex::encode(self.id))
    }
}

type Reads = Vec<(String, Option<(u64, u64)>)>;
type Writes = Vec<(String, Vec<u8>)>;

/// What a transaction reads and writes under keys of a chaincode. Others may be read; nothing else
/// may be written, deleted, or put under a policy of its own, and there is no private data.
fn read_and_written(results: &[u8], chaincode: &str) -> Result<(Reads, Writes), String> {
    let results: TxReadWriteSet = decoded("read-write set", results)?;
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    for one in results.ns_rwset {
        let namespace = &one.namespace;
        must(
            one.collection_hashed_rwset.is_empty(),
            &format!("it touches private data of {namespace}"),
        )?;
        let set: KvRwSet = decoded("keys and values", &one.rwset)?;
        must(
            set.metadata_writes.is_empty(),
            &format!("it changes who may write keys of {namespace}"),
        )?;
        if namespace != chaincode {
            must(
                set.writes.is_empty(),
                &format!("it writes keys of {namespace}"),
            )?;
            continue;
        }
        for write in set.writes {
            must(!write.is_delete, &format!("it deletes {:?}", write.key))?;
            writes.push((write.key, write.value));
        }
        reads.extend(set.reads.into_iter().map(|read| {
            let version = read.version.map(|it| (it.block_num, it.tx_num));
            (read.key, version)
        }));
    }
    Ok((reads, writes))
}
