//! The gateways of the channel in memory.

use std::cell::RefCell;
use std::rc::Rc;

use alloy_primitives::B256;
use prost::Message;
use tbsi_bridge::fabric::messages::{
    BlockchainInfo, ChaincodeAction, ChaincodeActionPayload, ChaincodeEndorsedAction, ChaincodeId,
    ChaincodeResponse, CommitStatusRequest, CommitStatusResponse, Endorsement, Envelope,
    EnvelopePayload, KvRead, KvRwSet, NsReadWriteSet, ProcessedTransaction,
    ProposalResponsePayload, SignedRequest, TransactionAction, TransactionMessage, TxReadWriteSet,
};
use tbsi_bridge::fabric::{CallError, EndorsedCall, Evaluated, FabricPeers, Proposal, id_text};
use tbsi_bridge::fault::Died;
use tbsi_types::sha256;

use super::{EnvelopeParts, Ledger};
use crate::sim::Answer;

impl Ledger {
    fn ledger(&self, args: &[Vec<u8>]) -> Evaluated {
        let text = |at: usize| std::str::from_utf8(&args[at]).expect("text");
        let id = || text(2).parse::<B256>().expect("an id");
        let unknown = || CallError::Declined("no such transaction ID [x] in index".into());
        Ok(match text(0) {
            "GetChainInfo" => BlockchainInfo {
                height: self.blocks.len() as u64,
                current_block_hash: self.hashes.last().expect("block 0").to_vec(),
            }
            .encode_to_vec(),
            "GetBlockByNumber" => {
                let number: usize = text(2).parse().expect("a number");
                let block = self.blocks.get(number);
                block
                    .ok_or_else(|| CallError::Declined("no block".into()))?
                    .encode_to_vec()
            }
            "GetTransactionByID" => {
                let (_, envelope, code) = self.find(id()).ok_or_else(unknown)?;
                ProcessedTransaction {
                    transaction_envelope: Some(envelope),
                    validation_code: code,
                }
                .encode_to_vec()
            }
            "GetBlockByTxID" => {
                let (number, _, _) = self.find(id()).ok_or_else(unknown)?;
                self.blocks[usize::try_from(number).expect("small")].encode_to_vec()
            }
            other => panic!("nobody calls {other}"),
        })
    }

    fn endorse(&self, proposal: &Proposal) -> Result<Envelope, CallError> {
        let simulated = self.call(proposal)?;
        let mut parts = EnvelopeParts {
            payload: EnvelopePayload {
                header: Some(proposal.header.clone()),
                data: Vec::new(),
            },
            action: ChaincodeActionPayload {
                chaincode_proposal_payload: proposal.payload.clone(),
                action: None,
            },
            response: ProposalResponsePayload {
                proposal_hash: sha256(&[
                    &proposal.header.channel_header,
                    &proposal.header.signature_header,
                    &proposal.payload,
                ])
                .to_vec(),
                extension: Vec::new(),
            },
            done: ChaincodeAction {
                results: Vec::new(),
                events: Vec::new(),
                response: Some(ChaincodeResponse {
                    status: 200,
                    message: String::new(),
                    payload: simulated.answer.to_string().into_bytes(),
                }),
                chaincode_id: Some(ChaincodeId {
                    name: proposal.call.chaincode.clone(),
                    version: "1".into(),
                    ..ChaincodeId::default()
                }),
            },
            writes: simulated.set,
            endorsers: self.endorsers.len(),
        };
        if let Some(tamper) = self.tamper {
            tamper(&mut parts);
        }
        Ok(self.assemble(parts, &proposal.call.chaincode))
    }

    fn assemble(&self, mut parts: EnvelopeParts, chaincode: &str) -> Envelope {
        let namespace = |namespace: &str, set: &KvRwSet| NsReadWriteSet {
            namespace: namespace.into(),
            rwset: set.encode_to_vec(),
            collection_hashed_rwset: Vec::new(),
        };
        // A real peer notes that it read the chaincode's definition.
        let definition = KvRwSet {
            reads: vec![KvRead {
                key: format!("namespaces/fields/{chaincode}/Sequence"),
                version: None,
            }],
            ..KvRwSet::default()
        };
        let results = TxReadWriteSet {
            data_model: 0,
            ns_rwset: vec![
                namespace("_lifecycle", &definition),
                namespace(chaincode, &parts.writes),
            ],
        };
        parts.done.results = results.encode_to_vec();
        parts.response.extension = parts.done.encode_to_vec();
        let response = parts.response.encode_to_vec();
        let endorsers = self.endorsers.iter().take(parts.endorsers);
        parts.action.action = Some(ChaincodeEndorsedAction {
            endorsements: endorsers
                .map(|it| Endorsement {
                    endorser: it.creator().to_vec(),
                    signature: it.sign(&[&response[..], it.creator()].concat()),
                })
                .collect(),
            proposal_response_payload: response,
        });
        let header = parts.payload.header.clone().expect("a header");
        let transaction = TransactionMessage {
            actions: vec![TransactionAction {
                header: header.signature_header,
                payload: parts.action.encode_to_vec(),
            }],
        };
        parts.payload.data = transaction.encode_to_vec();
        Envelope {
            payload: parts.payload.encode_to_vec(),
            signature: Vec::new(),
        }
    }
}

/// The channel's gateways as one process reaches them.
pub(crate) struct SimPeers(pub(crate) Rc<RefCell<Ledger>>);

impl FabricPeers for SimPeers {
    async fn evaluate(&self, proposal: &Proposal) -> Vec<Evaluated> {
        let ledger = self.0.borrow();
        let answer = if proposal.call.chaincode == "qscc" {
            ledger.ledger(&proposal.call.args)
        } else {
            let called = ledger.call(proposal);
            called.map(|it| it.answer.to_string().into_bytes())
        };
        vec![answer.clone(), answer]
    }

    async fn endorse(&self, proposal: &Proposal, _: &[String]) -> Result<Envelope, CallError> {
        self.0.borrow().endorse(proposal)
    }

    async fn submit(&self, id: B256, envelope: &Envelope) -> Result<(), CallError> {
        let mut ledger = self.0.borrow_mut();
        let call = EndorsedCall::parse(&envelope.payload).expect("an endorsed call");
        assert_eq!(call.id, id, "another transaction is handed in");
        match ledger.answers.pop_front().unwrap_or(Answer::Take) {
            Answer::Take => ledger.pool.push(envelope.clone()),
            Answer::Forget => {}
            Answer::Die => {
                ledger.pool.push(envelope.clone());
                drop(ledger);
                std::panic::resume_unwind(Box::new(Died));
            }
            Answer::Silence => {
                ledger.pool.push(envelope.clone());
                return Err(CallError::Silent("it took it, and does not say so".into()));
            }
            Answer::Refuse => return Err(CallError::Declined("BAD_REQUEST".into())),
        }
        Ok(())
    }

    async fn commit_status(
        &self,
        request: &SignedRequest,
    ) -> Result<Option<CommitStatusResponse>, CallError> {
        let asked = CommitStatusRequest::decode(&request.request[..]).expect("a request");
        let id: B256 = asked.transaction_id.parse().expect("an id");
        assert_eq!(id_text(id), asked.transaction_id);
        let found = self.0.borrow().find(id);
        Ok(found.map(|(block_number, _, result)| CommitStatusResponse {
            result,
            block_number,
        }))
    }
}
