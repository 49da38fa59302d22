//! A channel of Fabric in memory, as gateways show it: a ledger with versions, blocks as peers keep
//! and judge them, and a client of a TBSI chain as far as its keys go. It signs and endorses as real
//! ones do, so that everything that the sender checks is there to be checked.

mod calls;
mod gateway;

use std::collections::{BTreeMap, VecDeque};

use alloy_primitives::B256;
use prost::Message;
use tbsi_bridge::fabric::messages::{
    ByteStrings, ChaincodeAction, ChaincodeActionPayload, Envelope, EnvelopePayload, KvRwSet,
    LedgerBlock, LedgerBlockHeader, ProposalResponsePayload,
};
use tbsi_bridge::fabric::{
    DUPLICATE_TXID, EndorsedCall, Identity, MVCC_READ_CONFLICT, VALID, header_hash,
};
use tbsi_types::{Decision, Genesis, sha256};

use crate::sim::Answer;
use calls::accepted;
pub(crate) use gateway::SimPeers;

/// Where a key was last written.
type Version = (u64, u64);

/// The channel.
pub(crate) struct Ledger {
    pub(crate) endorsers: Vec<Identity>,
    state: BTreeMap<String, (Vec<u8>, Version)>,
    pub(crate) blocks: Vec<LedgerBlock>,
    hashes: Vec<B256>,
    pool: Vec<Envelope>,
    genesis: (u64, B256),
    /// What it answers to what is handed in, in their order; then it takes everything.
    pub(crate) answers: VecDeque<Answer>,
    /// Everything that writes is refused for this reason.
    pub(crate) refuses: Option<&'static str>,
    /// What becomes of a prepared transaction before it is given back.
    pub(crate) tamper: Option<fn(&mut EnvelopeParts)>,
    /// The name under which the channel knows the relayer.
    pub(crate) named: Option<&'static str>,
}

/// What a gateway makes a transaction of.
pub(crate) struct EnvelopeParts {
    pub(crate) payload: EnvelopePayload,
    pub(crate) action: ChaincodeActionPayload,
    pub(crate) response: ProposalResponsePayload,
    pub(crate) done: ChaincodeAction,
    pub(crate) writes: KvRwSet,
    /// How many endorse.
    pub(crate) endorsers: usize,
}

impl Ledger {
    /// A channel whose client is open, at the first checkpoint of a chain.
    pub(crate) fn new(genesis: &Genesis, first: &Decision, endorsers: Vec<Identity>) -> Self {
        let mut ledger = Self {
            endorsers,
            state: BTreeMap::new(),
            blocks: Vec::new(),
            hashes: Vec::new(),
            pool: Vec::new(),
            genesis: (genesis.chain_id, genesis.hash()),
            answers: VecDeque::new(),
            refuses: None,
            tamper: None,
            named: None,
        };
        let encoded = first.checkpoint.encode();
        let digest = first.certificate.checkpoint_digest.0;
        for write in accepted(&encoded, digest, false) {
            ledger.state.insert(write.key, (write.value, (0, 0)));
        }
        ledger.produce();
        ledger
    }

    /// Hash of its block 0.
    pub(crate) fn first(&self) -> B256 {
        self.hashes[0]
    }

    /// The next block, with all that waits, as peers judge it.
    pub(crate) fn produce(&mut self) {
        let number = self.blocks.len() as u64;
        let pool = std::mem::take(&mut self.pool);
        let mut filter = Vec::new();
        for (at, envelope) in pool.iter().enumerate() {
            let code = self.judge(envelope, (number, at as u64));
            filter.push(u8::try_from(code).expect("a code"));
        }
        let data: Vec<Vec<u8>> = pool.iter().map(Message::encode_to_vec).collect();
        let parts: Vec<&[u8]> = data.iter().map(Vec::as_slice).collect();
        let previous = self.hashes.last().map_or(Vec::new(), |it| it.to_vec());
        let header = LedgerBlockHeader {
            number,
            previous_hash: previous,
            data_hash: sha256(&parts).to_vec(),
        };
        let hash = header_hash(number, &header.previous_hash, &header.data_hash);
        self.hashes.push(hash);
        self.blocks.push(LedgerBlock {
            header: Some(header),
            data: Some(ByteStrings { all: data }),
            metadata: Some(ByteStrings {
                all: vec![Vec::new(), Vec::new(), filter, Vec::new()],
            }),
        });
    }

    fn judge(&mut self, envelope: &Envelope, at: Version) -> i32 {
        let call = EndorsedCall::parse(&envelope.payload).expect("what was handed in is endorsed");
        if self.find(call.id).is_some_and(|(block, _, _)| block < at.0) {
            return DUPLICATE_TXID;
        }
        let current = |key: &String| self.state.get(key).map(|(_, version)| *version);
        if call
            .reads
            .iter()
            .any(|(key, version)| current(key) != *version)
        {
            return MVCC_READ_CONFLICT;
        }
        for (key, value) in call.writes {
            self.state.insert(key, (value, at));
        }
        VALID
    }

    /// Where a transaction is: block, envelope, and what peers found.
    fn find(&self, id: B256) -> Option<(u64, Envelope, i32)> {
        (0..).zip(&self.blocks).find_map(|(number, block)| {
            let data = &block.data.as_ref()?.all;
            let filter = &block.metadata.as_ref()?.all[2];
            data.iter().zip(filter).find_map(|(bytes, code)| {
                let envelope = Envelope::decode(&bytes[..]).ok()?;
                let call = EndorsedCall::parse(&envelope.payload).ok()?;
                (call.id == id).then(|| (number, envelope, i32::from(*code)))
            })
        })
    }

    /// Calls in blocks that count, with what they write.
    pub(crate) fn valid(&self) -> Vec<EndorsedCall> {
        self.judged()
            .into_iter()
            .filter(|(_, code)| *code == VALID)
            .map(|(call, _)| call)
            .collect()
    }

    /// All transactions in blocks, and what peers found of them.
    pub(crate) fn judged(&self) -> Vec<(EndorsedCall, i32)> {
        let mut all = Vec::new();
        for block in &self.blocks {
            let filter = &block.metadata.as_ref().expect("metadata").all[2];
            let data = &block.data.as_ref().expect("data").all;
            for (bytes, code) in data.iter().zip(filter) {
                let envelope = Envelope::decode(&bytes[..]).expect("an envelope");
                let call = EndorsedCall::parse(&envelope.payload).expect("a call");
                all.push((call, i32::from(*code)));
            }
        }
        all
    }

    /// Somebody else's transaction changes what a checkpoint reads.
    pub(crate) fn interfere(&mut self) {
        let at = (self.blocks.len() as u64, 0);
        let head = self.state.get_mut("tbsi/head").expect("the client is open");
        head.1 = at;
        self.produce();
    }
}
