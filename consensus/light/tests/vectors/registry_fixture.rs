//! A registry in a state of thin air: whose account and whose validator was whose, and under which
//! names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex, PoisonError};

use alloy_primitives::{Address, B256, Bytes, U256};
use tbsi_types::bundle::{IssuerPlace, LeafProof, PlacedRecord, RegistryBundle, RegistryPart};
use tbsi_types::contracts::{NODES, ORGANISATIONS, PERMISSIONS};
use tbsi_types::{
    Checkpoint, Genesis, LegalRecord, Membership, NamedValidators, ProofBundle, node_slot,
    validator_key_slot,
};

use crate::fixture::{ISSUER, Log, Network, set};
use crate::make::key;
use crate::map_fixture::{STRANGER, World, digest};
use crate::state::State;

/// Height of the checkpoint that has the state.
const HEIGHT: u64 = 20;

/// Organisation, since, until.
const ISSUER_MEMBERSHIPS: [[u64; 3]; 3] = [[3, 0, 4], [5, 6, 9], [3, 9, 0]];

/// An organisation and the position of one of its records.
pub(crate) type Place = (u32, u32);

/// Since, until.
const RECORDS: [(Place, [u64; 2]); 15] = [
    ((3, 0), [0, 2]),
    ((3, 1), [2, 0]),
    ((4, 0), [0, 0]),
    ((5, 0), [5, 0]),
    // Those of the genesis file's validators. The first got other identifiers, the third another
    // name that waits for its handover.
    ((11, 0), [0, 5]),
    ((11, 1), [5, 0]),
    ((12, 0), [0, 0]),
    ((13, 0), [0, 18]),
    ((13, 1), [18, 0]),
    ((14, 0), [0, 0]),
    // Those who took over from them.
    ((15, 0), [7, 0]),
    ((16, 0), [7, 0]),
    ((17, 0), [7, 20]),
    ((17, 1), [20, 0]),
    ((18, 0), [7, 0]),
];

/// Nodes of the validators with the keys 0 to 7; the organisation's number is 11 and so on. The
/// last key is no node's.
const NODES_OF_KEYS: u32 = 7;

pub(crate) fn legal((organisation, position): Place) -> LegalRecord {
    let texts = match (organisation, position) {
        (3, 0) => ["甲公會", "Association A", "04595257", "", "TW"],
        (3, _) => ["甲協會", "Society A", "04595257", "", "TW"],
        (4, _) => ["乙公會", "Association B", "10458575", "", "TW"],
        (5, _) => ["", "Association C", "", "5493001KJTIIGC8Y1R12", "DE"],
        (11, 0) => ["台灣測試公會甲", "Test Association A", "04595258", "", "TW"],
        (11, _) => ["台灣測試公會甲", "Test Association A", "04595257", "", "TW"],
        (12, _) => ["台灣測試公會乙", "Test Association B", "10458575", "", "TW"],
        (13, 0) => ["台灣測試公會丙", "Test Association C", "22099131", "", "TW"],
        (13, _) => ["台灣測試協會丙", "Test Society C", "22099131", "", "TW"],
        (14, _) => ["", "Test Association D", "", "5493001KJTIIGC8Y1R12", "DE"],
        (15, _) => ["第二屆公會4", "Second Association 4", "04541302", "", "TW"],
        (16, _) => [
            "第二屆公會5",
            "Second Association 5",
            "12345675",
            "5493001KJTIIGC8Y1R12",
            "TW",
        ],
        (17, _) => ["第二屆公會6", "Second Association 6", "04595257", "", "TW"],
        (_, _) => ["第二屆公會7", "Second Association 7", "70759028", "", "TW"],
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

fn validator(index: usize) -> Address {
    key(index).public_key().address()
}

/// The registry's storage among other accounts and words.
static STATE: LazyLock<State> = LazyLock::new(|| {
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
    for ((organisation, position), [since, until]) in RECORDS {
        let [hash, heights] = LegalRecord::slots(organisation, position);
        let record = legal((organisation, position)).hash(organisation);
        organisations.push((slot(hash), record.into()));
        organisations.push((slot(heights), word([since, until, 0], [64, 128])));
    }
    // Zero is in no trie.
    organisations.retain(|(_, word)| !word.is_zero());
    let mut nodes: Vec<_> = noise(60).collect();
    for index in 0..NODES_OF_KEYS {
        let (node, organisation) = (21 + u64::from(index), 11 + u64::from(index));
        let key = validator_key_slot(validator(index as usize));
        // Numbers of handovers, flags, power.
        nodes.push((slot(key), word([node, 1, 2], [32, 64])));
        let node = node_slot(21 + index);
        nodes.push((slot(node), word([organisation, 0x0101, 9], [32, 64])));
    }
    let others = (0..30).map(|byte| (Address::repeat_byte(byte), noise(2).collect()));
    let registry = [
        (PERMISSIONS, permissions),
        (ORGANISATIONS, organisations),
        (NODES, nodes),
    ];
    State::new(others.chain(registry).collect())
});

type Proven = (B256, Vec<Bytes>);

/// The state's root, and the nodes that lead to a word.
fn proven(contract: Address, slot: U256) -> Proven {
    static KNOWN: Mutex<BTreeMap<(Address, U256), Proven>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let found = known.entry((contract, slot)).or_insert_with(|| {
        let (root, proof) = STATE.prove(contract, slot.into());
        (
            root,
            proof.account.into_iter().chain(proof.storage).collect(),
        )
    });
    found.clone()
}

/// What a proof is about: a membership of an account and a record of its organisation, and the
/// records of the validators.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) issuer: Option<(Address, u32, Place)>,
    pub(crate) operators: Vec<Option<Place>>,
}

impl Asked {
    /// Of the issuer, and of the genesis file's validators as they are.
    pub(crate) fn of(membership: u32, record: Place) -> Self {
        Self {
            issuer: Some((ISSUER, membership, record)),
            operators: founders(),
        }
    }
}

/// Records of the genesis file's validators, by their addresses.
pub(crate) fn founders() -> Vec<Option<Place>> {
    in_order(0, [Some((11, 1)), Some((12, 0)), None, Some((14, 0))])
}

/// What four keys from `first` on have, by their addresses.
pub(crate) fn in_order(first: usize, places: [Option<Place>; 4]) -> Vec<Option<Place>> {
    let mut all: Vec<_> = (first..).map(validator).zip(places).collect();
    all.sort_by_key(|(validator, _)| *validator);
    all.into_iter().map(|(_, place)| place).collect()
}

/// What leads from the state root to what is asked of these validators, and the root.
fn part(asked: &Asked, set: &NamedValidators) -> (B256, RegistryPart) {
    let issuer = asked.issuer;
    let places = asked.operators.iter().flatten().copied();
    let places: BTreeSet<Place> = places.chain(issuer.map(|it| it.2)).collect();
    let mut words = Vec::new();
    words.extend(issuer.map(|(account, at, _)| (PERMISSIONS, Membership::slot(account, at))));
    for (organisation, position) in &places {
        let slots = LegalRecord::slots(*organisation, *position);
        words.extend(slots.map(|slot| (ORGANISATIONS, slot)));
    }
    for (member, place) in set.as_slice().iter().zip(&asked.operators) {
        if place.is_none() {
            continue;
        }
        words.push((NODES, validator_key_slot(member.address)));
        let index = (0..NODES_OF_KEYS).find(|index| validator(*index as usize) == member.address);
        words.extend(index.map(|index| (NODES, node_slot(21 + index))));
    }
    let (mut root, mut nodes) = (proven(NODES, U256::ZERO).0, Vec::<Bytes>::new());
    for (contract, slot) in words {
        let (under, proof) = proven(contract, slot);
        root = under;
        for node in proof {
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
    }
    let number = |place: &Place| {
        let at = places.iter().position(|it| it == place);
        u32::try_from(at.unwrap()).unwrap()
    };
    let records = places.iter().map(|place| PlacedRecord {
        organisation: place.0,
        position: place.1,
        legal: legal(*place),
    });
    let part = RegistryPart {
        issuer: issuer.map(|(_, membership, place)| IssuerPlace {
            membership,
            record: number(&place),
        }),
        records: records.collect(),
        validators: asked
            .operators
            .iter()
            .map(|place| place.as_ref().map(number))
            .collect(),
        nodes,
    };
    (root, part)
}

/// Signs proofs of a network.
pub(crate) struct Registry<'a> {
    genesis: &'a Genesis,
    founders: NamedValidators,
}

impl<'a> Registry<'a> {
    pub(crate) fn new(genesis: &'a Genesis) -> Self {
        let founders = NamedValidators::of_genesis(genesis).unwrap();
        Self { genesis, founders }
    }

    /// The proof with the state root in its checkpoint, decided by the keys of these numbers.
    fn signed(&self, mut proof: ProofBundle, state_root: B256, keys: &[usize]) -> ProofBundle {
        let network = Network::of(self.genesis);
        let checkpoint = Checkpoint {
            state_root,
            ..proof.decision.checkpoint
        };
        proof.decision = network.decide(checkpoint, keys);
        proof
    }

    /// The same by founders.
    pub(crate) fn under(&self, proof: ProofBundle, state_root: B256) -> ProofBundle {
        self.signed(proof, state_root, &[0, 1, 2])
    }

    /// A leaf of the issuer in the block of `height`, and what is asked.
    pub(crate) fn bundle(&self, height: u64, asked: &Asked) -> RegistryBundle {
        let (root, part) = part(asked, &self.founders);
        let log = Log::with(1_300);
        let index = 100 * height - 50;
        let network = Network::of(self.genesis);
        let bundle = network.bundle(&log, index, HEIGHT, &self.founders, &[0, 1, 2]);
        RegistryBundle {
            proof: LeafProof::Bundle(self.under(bundle, root)),
            part,
        }
    }

    /// The same, decided by validators who took over after block 7.
    pub(crate) fn handed_over(&self, height: u64, asked: &Asked) -> RegistryBundle {
        let second = set(4..8, "第二屆公會", "Second Association");
        let (root, part) = part(asked, &second);
        let log = Log::with(1_300);
        let network = Network::of(self.genesis);
        let mut bundle = network.bundle(&log, 100 * height - 50, HEIGHT, &second, &[4, 5, 6]);
        let founders = &self.founders;
        bundle.handovers =
            vec![network.handover(7, (founders, &[0, 1, 2]), (&second, &[4, 5, 6, 7]))];
        RegistryBundle {
            proof: LeafProof::Bundle(self.signed(bundle, root, &[4, 5, 6])),
            part,
        }
    }

    /// An attestation with its status, of block 1.
    pub(crate) fn stapled(&self, asked: &Asked) -> RegistryBundle {
        let (root, part) = part(asked, &self.founders);
        let mut map = World::new(self.genesis).stapled(0, None);
        map.proof = self.under(map.proof, root);
        RegistryBundle {
            proof: LeafProof::Map(map),
            part,
        }
    }

    /// That a digest was not attested, which the chain states.
    pub(crate) fn absent(&self, asked: &Asked) -> RegistryBundle {
        let (root, part) = part(asked, &self.founders);
        let mut map = World::new(self.genesis).about(digest(77), 38);
        map.proof = self.under(map.proof, root);
        RegistryBundle {
            proof: LeafProof::Map(map),
            part,
        }
    }
}
