//! A registry in a state of thin air: whose account was whose, and under which names.

use alloy_primitives::{Address, B256, Bytes, U256};
use tbsi_types::bundle::{LeafProof, RegistryBundle, RegistryPart};
use tbsi_types::contracts::{ORGANISATIONS, PERMISSIONS};
use tbsi_types::{Checkpoint, Genesis, LegalRecord, Membership, NamedValidators, ProofBundle};

use crate::fixture::{ISSUER, Log, Network};
use crate::map_fixture::{STRANGER, World};
use crate::state::State;

/// Height of the checkpoint that has the state.
const HEIGHT: u64 = 20;

/// Organisation, since, until.
const ISSUER_MEMBERSHIPS: [[u64; 3]; 3] = [[3, 0, 4], [5, 6, 9], [3, 9, 0]];

/// Organisation 3, 4 or 5, and the position of a record; since, until.
const RECORDS: [(u32, u32, [u64; 2]); 4] = [
    (3, 0, [0, 2]),
    (3, 1, [2, 0]),
    (4, 0, [0, 0]),
    (5, 0, [5, 0]),
];

pub(crate) fn legal(organisation: u32, position: u32) -> LegalRecord {
    let texts = match (organisation, position) {
        (3, 0) => ["甲公會", "Association A", "04595257", "", "TW"],
        (3, _) => ["甲協會", "Society A", "04595257", "", "TW"],
        (4, _) => ["乙公會", "Association B", "10458575", "", "TW"],
        (_, _) => ["", "Association C", "", "5493001KJTIIGC8Y1R12", "DE"],
    };
    let [name_zh_tw, name_en, tax_id, lei, jurisdiction] = texts.map(str::to_owned);
    LegalRecord {
        name_zh_tw,
        name_en,
        tax_id,
        lei,
        jurisdiction,
    }
}

/// The registry's storage among other accounts and words.
fn state() -> State {
    let word = |[low, middle, high]: [u64; 3], shifts: [usize; 2]| {
        U256::from(low) | U256::from(middle) << shifts[0] | U256::from(high) << shifts[1]
    };
    let slot = |slot: U256| B256::from(slot);
    let noise = |count: u64| (0..count).map(|at| (B256::from(U256::from(at)), U256::from(at + 1)));
    let mut permissions: Vec<_> = noise(60).collect();
    let of = |account: Address, entries: &[[u64; 3]]| {
        let words = (0..).zip(entries).map(move |(position, entry)| {
            let at = slot(Membership::slot(account, position));
            (at, word(*entry, [32, 96]))
        });
        words.collect::<Vec<_>>()
    };
    permissions.extend(of(ISSUER, &ISSUER_MEMBERSHIPS));
    permissions.extend(of(STRANGER, &[[4, 0, 0]]));
    let mut organisations: Vec<_> = noise(60).collect();
    for (organisation, position, [since, until]) in RECORDS {
        let [hash, heights] = LegalRecord::slots(organisation, position);
        let record = legal(organisation, position).hash(organisation);
        organisations.push((slot(hash), record.into()));
        organisations.push((slot(heights), word([since, until, 0], [64, 128])));
    }
    let others = (0..30).map(|byte| (Address::repeat_byte(byte), noise(2).collect()));
    let registry = [(PERMISSIONS, permissions), (ORGANISATIONS, organisations)];
    State::new(others.chain(registry).collect())
}

/// Which membership and record a proof is about.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) account: Address,
    pub(crate) membership: u32,
    pub(crate) organisation: u32,
    pub(crate) record: u32,
}

/// What leads from the state root to what is asked, and the root.
fn part(asked: Asked) -> (B256, RegistryPart) {
    let state = state();
    let Asked {
        account,
        membership,
        organisation,
        record,
    } = asked;
    let [hash, heights] = LegalRecord::slots(organisation, record);
    let slots = [
        (PERMISSIONS, Membership::slot(account, membership)),
        (ORGANISATIONS, hash),
        (ORGANISATIONS, heights),
    ];
    let (mut root, mut nodes) = (B256::ZERO, Vec::<Bytes>::new());
    for (contract, slot) in slots {
        let (under, proof) = state.prove(contract, slot.into());
        root = under;
        for node in proof.account.into_iter().chain(proof.storage) {
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
    }
    let part = RegistryPart {
        membership,
        record,
        legal: legal(organisation, record),
        nodes,
    };
    (root, part)
}

/// Signs proofs of a network.
pub(crate) struct Registry<'a> {
    genesis: &'a Genesis,
}

impl<'a> Registry<'a> {
    pub(crate) fn new(genesis: &'a Genesis) -> Self {
        Self { genesis }
    }

    /// The proof with the state root in its checkpoint, decided.
    pub(crate) fn under(&self, mut proof: ProofBundle, state_root: B256) -> ProofBundle {
        let network = Network::of(self.genesis);
        let checkpoint = Checkpoint {
            state_root,
            ..proof.decision.checkpoint
        };
        proof.decision = network.decide(checkpoint, &[0, 1, 2]);
        proof
    }

    /// A leaf of the issuer in the block of `height`, and what is asked.
    pub(crate) fn bundle(&self, height: u64, asked: Asked) -> RegistryBundle {
        let (root, part) = part(asked);
        let log = Log::with(1_300);
        let set = NamedValidators::of_genesis(self.genesis).unwrap();
        let index = 100 * height - 50;
        let bundle = Network::of(self.genesis).bundle(&log, index, HEIGHT, &set, &[0, 1, 2]);
        RegistryBundle {
            proof: LeafProof::Bundle(self.under(bundle, root)),
            part,
        }
    }

    /// An attestation with its status, of block 1.
    pub(crate) fn stapled(&self, asked: Asked) -> RegistryBundle {
        let (root, part) = part(asked);
        let mut map = World::new(self.genesis).stapled(0, None);
        map.proof = self.under(map.proof, root);
        RegistryBundle {
            proof: LeafProof::Map(map),
            part,
        }
    }
}
