//! Clients: they attest digests, hold what they were told, and verify it.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, keccak256};
use bytes::Bytes;
use tbsi_bindings::SolCall;
use tbsi_bindings::genesis::Attestations::attestBatchCall;
use tbsi_engine::stepped::Input;
use tbsi_node::parts::{bundle, leaves_of};
use tbsi_types::log::{ATTESTATIONS, OUTBOX};
use tbsi_types::{Genesis, Height, LeafIndex, ProofBundle, SecretKey, UnsignedTransaction, sha256};

use super::{Event, World};
use crate::clock::Moment;
use crate::founding::{CLIENTS, client_key, stranger_key};
use crate::mutants::Mutant;
use crate::reader::Reader;
use crate::record::{Accepted, Acknowledged};

/// Transactions of one client that wait at once.
const WAITING_MAX: usize = 4;
const POLL_MS: u64 = 700;
/// After so long without an answer a client tries another node.
const RETRY_MS: u64 = 8_000;
const SHA2_256: u32 = 0x12;
const GAS: u64 = 6_000_000;

/// A transaction that a client waits for.
#[derive(Clone, Debug)]
struct Waiting {
    client: usize,
    hash: B256,
    bytes: Bytes,
    tried: Moment,
    /// The node that was tried last.
    at: Option<usize>,
    accepted: bool,
}

/// All clients.
#[derive(Debug)]
pub(super) struct Clients {
    nonces: [u64; CLIENTS],
    /// The next nonce of somebody who may not attest.
    stranger: u64,
    waiting: BTreeMap<(usize, u64), Waiting>,
    reader: Reader,
}

impl Clients {
    pub(super) fn new(genesis: &Genesis) -> Self {
        Self {
            reader: Reader::new(genesis),
            nonces: [0; CLIENTS],
            stranger: 0,
            waiting: BTreeMap::new(),
        }
    }
}

impl World {
    /// A client attests something.
    pub(super) fn on_submit(&mut self) {
        let every = self.plan.submit_every_ms;
        let wait = self.chance.clients.between(every / 2, every * 3 / 2);
        self.after_ms(wait, Event::Submit);
        if self.chance.clients.chance(150) {
            return self.try_as_stranger();
        }
        let client = self.chance.clients.index(CLIENTS);
        let waits = self.clients.waiting.values();
        if waits.filter(|one| one.client == client).count() >= WAITING_MAX {
            return;
        }
        let nonce = self.clients.nonces[client];
        self.clients.nonces[client] += 1;
        let count = self.chance.clients.between(1, 3);
        let message = match self.chance.clients.chance(300) {
            true => self.message_call(),
            false => None,
        };
        let bytes = match message {
            Some(call) => self.sign_transaction(&client_key(client), nonce, OUTBOX, call),
            None => self.attestation(client, nonce, count),
        };
        let waiting = Waiting {
            client,
            hash: keccak256(&bytes),
            bytes,
            tried: self.now,
            at: None,
            accepted: false,
        };
        self.clients.waiting.insert((client, nonce), waiting);
        self.submit((client, nonce));
    }

    fn attestation(&self, client: usize, nonce: u64, count: u64) -> Bytes {
        let words = (0..count).map(|number| {
            let numbers = [client as u64, nonce, number].map(u64::to_be_bytes);
            sha256(&[b"simulated document", &numbers.concat()])
        });
        let call = attestBatchCall {
            schema: keccak256("tbsi:file:v1"),
            algorithm: SHA2_256,
            words: words.collect(),
        };
        let input = call.abi_encode();
        self.sign_transaction(&client_key(client), nonce, ATTESTATIONS, input)
    }

    /// A transaction that calls a contract.
    pub(super) fn sign_transaction(
        &self,
        key: &SecretKey,
        nonce: u64,
        to: Address,
        input: Vec<u8>,
    ) -> Bytes {
        let transaction = UnsignedTransaction {
            chain_id: self.founding.genesis.chain_id,
            nonce,
            gas_limit: GAS,
            to: Some(to),
            input: input.into(),
            ..UnsignedTransaction::default()
        };
        transaction.sign(key).encoded.0
    }

    /// What somebody would attest who may not.
    pub(super) fn forbidden(&self, nonce: u64) -> Bytes {
        let call = attestBatchCall {
            schema: keccak256("tbsi:file:v1"),
            algorithm: SHA2_256,
            words: vec![sha256(&[b"nobody may say so", &nonce.to_be_bytes()])],
        };
        self.sign_transaction(&stranger_key(), nonce, ATTESTATIONS, call.abi_encode())
    }

    /// Gives it to a node, which should not take it.
    fn try_as_stranger(&mut self) {
        let nodes = self.alive();
        let Some(node) = self.chance.clients.pick(&nodes).copied() else {
            return;
        };
        let bytes = self.forbidden(self.clients.stranger);
        if self.insert(node, &bytes) {
            self.clients.stranger += 1;
            self.trace
                .add(self.now, format_args!("{node} takes what is forbidden"));
            for to in 0..self.nodes.len() {
                self.pass_on(node, to, &bytes);
            }
            self.step(node, Input::Wake);
        }
    }

    /// Gives a transaction to some honest node that runs, to another one than before if there is
    /// one: the node may be of an association that was suspended, and hear of nothing.
    fn submit(&mut self, key: (usize, u64)) {
        let mut nodes = self.alive();
        nodes.retain(|node| self.is_honest(*node));
        let Some(waiting) = self.clients.waiting.get_mut(&key) else {
            return;
        };
        if nodes.len() > 1 {
            nodes.retain(|node| waiting.at != Some(*node));
        }
        let node = self.chance.clients.pick(&nodes).copied();
        waiting.tried = self.now;
        waiting.at = node.or(waiting.at);
        let (bytes, hash) = (waiting.bytes.clone(), waiting.hash);
        let Some(node) = node else {
            return;
        };
        if self.insert(node, &bytes) {
            if let Some(waiting) = self.clients.waiting.get_mut(&key) {
                waiting.accepted = true;
            }
            let accepted = Accepted {
                at: self.now,
                node,
                acknowledged: None,
            };
            self.record.accepted.entry(hash).or_insert(accepted);
            self.trace
                .add(self.now, format_args!("{node} takes {hash}"));
            for to in 0..self.nodes.len() {
                self.pass_on(node, to, &bytes);
            }
            self.step(node, Input::Wake);
        }
    }

    pub(super) fn pass_on(&mut self, from: usize, to: usize, bytes: &Bytes) {
        if from != to {
            let bytes = bytes.clone();
            self.carry(from, to, Event::Transaction { from, to, bytes });
        }
    }

    /// Whether a node takes a transaction that it did not have.
    pub(super) fn insert(&mut self, node: usize, bytes: &[u8]) -> bool {
        let running = self.nodes[node].running.as_ref();
        running.is_some_and(|running| running.node.insert(bytes).is_ok())
    }

    pub(super) fn on_transaction(&mut self, from: usize, to: usize, bytes: &[u8]) {
        if self.connected(from, to) && self.insert(to, bytes) {
            self.step(to, Input::Wake);
        }
    }

    /// What waits in a node's pool is told to others again, as its gossip task does.
    pub(super) fn announce(&mut self, index: usize) {
        if self.nodes[index].side.has(Mutant::AnnouncedOnce) || !self.chance.clients.chance(300) {
            return;
        }
        let Some(running) = self.nodes[index].running.as_ref() else {
            return;
        };
        let ready: Vec<Bytes> = {
            let pool = running.node.mempool();
            let encoded = |transaction: &std::sync::Arc<tbsi_types::Transaction>| {
                Bytes::copy_from_slice(transaction.encoded())
            };
            pool.ready().take(16).map(encoded).collect()
        };
        for bytes in ready {
            for to in 0..self.nodes.len() {
                self.pass_on(index, to, &bytes);
            }
        }
    }

    /// Clients ask for what they wait for.
    pub(super) fn on_poll(&mut self) {
        self.after_ms(POLL_MS, Event::Poll);
        let waiting: Vec<_> = self.clients.waiting.keys().copied().collect();
        for key in waiting {
            let nodes = self.alive();
            let Some(node) = self.chance.clients.pick(&nodes).copied() else {
                return;
            };
            let one = self.clients.waiting[&key].clone();
            if self.is_honest(node) && self.ask(node, one.hash) {
                self.clients.waiting.remove(&key);
            } else if self.tries_again(&one) {
                self.submit(key);
            }
        }
    }

    /// One that was taken is tried elsewhere after a while; in fair weather nobody has to.
    fn tries_again(&self, one: &Waiting) -> bool {
        let patience = if one.accepted { RETRY_MS } else { 1_000 };
        let due = self.now.ms_since(one.tried) > patience;
        due && !(one.accepted && self.plan.mutant == Some(Mutant::AnnouncedOnce))
    }

    /// Whether a node proves that a transaction is final.
    fn ask(&mut self, node: usize, hash: B256) -> bool {
        if self.made_nothing(node, hash) {
            // A message that came too late to be sent: it is in a block, and there is no leaf.
            if let Some(accepted) = self.record.accepted.get_mut(&hash) {
                accepted.acknowledged.get_or_insert(self.now);
            }
            return true;
        }
        let Some(answer) = self.answer(node, hash) else {
            return false;
        };
        let problem = match &answer {
            Ok(bundle) => self.clients.reader.verify(bundle).err(),
            Err(problem) => Some(problem.clone()),
        };
        if let Some(problem) = problem {
            let line = format_args!("{node} proves {hash} wrongly: {problem}");
            self.trace.add(self.now, line);
            self.record.wrong_answers.push((node, problem));
            return false;
        }
        let Ok(bundle) = answer else {
            return false;
        };
        let height = bundle.decision.checkpoint.height;
        let line = format_args!("{node} proves {hash} at height {height}");
        self.trace.add(self.now, line);
        let known = self.record.accepted.get_mut(&hash);
        if let Some(accepted) = known {
            accepted.acknowledged.get_or_insert(self.now);
        }
        self.record.acknowledged.push(Acknowledged {
            transaction: hash,
            bundle,
            at: self.now,
        });
        true
    }

    /// Whether a transaction is in a block and failed there.
    fn made_nothing(&self, index: usize, hash: B256) -> bool {
        let Some(running) = self.nodes[index].running.as_ref() else {
            return false;
        };
        let leaves = leaves_of(&running.node, hash);
        leaves.is_ok_and(|leaves| leaves.is_some_and(|leaves| leaves.count == 0))
    }

    /// What a node says of a transaction; `None` if it does not have it yet.
    fn answer(&self, index: usize, hash: B256) -> Option<Result<ProofBundle, String>> {
        let node = &self.nodes[index];
        let running = node.running.as_ref()?;
        let leaves = match leaves_of(&running.node, hash) {
            Ok(Some(leaves)) => leaves,
            Ok(None) => return None,
            Err(error) => return Some(Err(error.to_string())),
        };
        Some(prove(&running.node, leaves.first, node.side.get().mutant))
    }
}

/// A node's proof of a leaf, with what a planted bug makes of it.
pub fn prove(
    node: &tbsi_node::node::Node,
    index: LeafIndex,
    mutant: Option<Mutant>,
) -> Result<ProofBundle, String> {
    let proof = bundle(node, index, Height::GENESIS).map_err(|error| error.to_string())?;
    let mut proof = proof.ok_or_else(|| format!("leaf {} is not there", index.0))?;
    match mutant {
        Some(Mutant::WrongLeafServed) if index.0 > 0 => {
            let other = bundle(node, LeafIndex(index.0 - 1), Height::GENESIS);
            if let Ok(Some(other)) = other {
                proof.leaf = other.leaf;
            }
        }
        Some(Mutant::EarlyAcknowledgement) => {
            let certificate = &proof.decision.certificate;
            let signatures = certificate.signatures()[..1].to_vec();
            let (height, round) = (certificate.height, certificate.round);
            let digest = certificate.checkpoint_digest;
            let alone = tbsi_types::CommitCertificate::new(height, round, digest, signatures);
            proof.decision.certificate = alone.map_err(|error| error.to_string())?;
        }
        _ => {}
    }
    Ok(proof)
}
