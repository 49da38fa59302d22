//! Authorisations of thin air: acts in a log, and the state that they leave.

use alloy_primitives::{Address, B256, Bytes, U256};
use tbsi_types::authorisation::{
    AUTHORISATION_ACCEPTED, AUTHORISATION_NARROWED, AUTHORISATION_OFFERED, AUTHORISATION_RELIED_ON,
    AUTHORISATION_REVOKED,
};
use tbsi_types::bundle::{ActText, AuthorisationBundle, PlacedAct};
use tbsi_types::contracts::AUTHORISATIONS;
use tbsi_types::log::leaf::body_hash;
use tbsi_types::log::{InclusionProof, Leaf, LeafHead, Statement};
use tbsi_types::{
    Checkpoint, Genesis, Height, LeafIndex, NamedValidators, ProofBundle, TermsInForce, sha256,
};

use crate::fixture::{Log, Network, leaf, time};
use crate::state::State;

/// Attestations before the first act.
const OTHERS: u64 = 10;
/// Height of the checkpoint that has the state.
pub(crate) const HEIGHT: u64 = 20;
pub(crate) const GRANTOR: u32 = 3;
pub(crate) const GRANTEE: u32 = 5;
/// First and last second of the first terms.
const TIMES: [u64; 2] = [1_700_000_000, 1_700_000_100];

/// An act: its event, what it says, and in which block.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) event: B256,
    pub(crate) contract: Address,
    pub(crate) height: u64,
    pub(crate) authorisation: u32,
    pub(crate) by: u32,
    pub(crate) version: u32,
    pub(crate) until: u64,
    pub(crate) purposes: Vec<B256>,
    pub(crate) data_set: B256,
}

pub(crate) fn purpose(text: &str) -> B256 {
    sha256(&[text.as_bytes()])
}

/// The purposes with these names, ascending.
pub(crate) fn purposes(names: &[&str]) -> Vec<B256> {
    let mut all: Vec<_> = names.iter().map(|name| purpose(name)).collect();
    all.sort();
    all
}

/// Authorisation 7 is given, used, narrowed, extended, used and revoked; 8 is given. The acts are
/// leaves 10 to 19.
pub(crate) fn story() -> Vec<Said> {
    let said = |event, height, authorisation, by, version| Said {
        event,
        contract: AUTHORISATIONS,
        height,
        authorisation,
        by,
        version,
        until: TIMES[1],
        purposes: purposes(&["statistics", "audit"]),
        data_set: sha256(&[b"a register"]),
    };
    let mut all = vec![
        said(AUTHORISATION_OFFERED, 2, 7, GRANTOR, 0),
        said(AUTHORISATION_ACCEPTED, 4, 7, GRANTEE, 0),
        said(AUTHORISATION_RELIED_ON, 5, 7, GRANTEE, 0),
        said(AUTHORISATION_NARROWED, 6, 7, GRANTEE, 1),
        said(AUTHORISATION_OFFERED, 8, 7, GRANTOR, 2),
        said(AUTHORISATION_ACCEPTED, 9, 7, GRANTEE, 2),
        said(AUTHORISATION_RELIED_ON, 10, 7, GRANTEE, 2),
        said(AUTHORISATION_REVOKED, 12, 7, GRANTOR, 2),
        said(AUTHORISATION_OFFERED, 13, 8, GRANTOR, 0),
        said(AUTHORISATION_ACCEPTED, 14, 8, GRANTEE, 0),
    ];
    all[3].purposes = purposes(&["audit"]);
    for extended in &mut all[4..6] {
        extended.until += 1_000;
    }
    all
}

/// Heights from which and until which the versions were in force.
pub(crate) fn states() -> Vec<((u32, u32), [u64; 2])> {
    vec![
        ((7, 0), [4, 6]),
        ((7, 1), [6, 9]),
        ((7, 2), [9, 12]),
        ((8, 0), [14, 0]),
    ]
}

fn word(value: u64) -> Vec<u8> {
    B256::from(U256::from(value)).to_vec()
}

/// A tuple of parts of no fixed length after words of one.
fn tuple(words: &[Vec<u8>], tails: &[Vec<u8>]) -> Vec<u8> {
    let mut heads = words.concat();
    let mut at = heads.len() + 32 * tails.len();
    for tail in tails {
        heads.extend(word(at as u64));
        at += tail.len();
    }
    [heads, tails.concat()].concat()
}

fn party(texts: [&str; 5]) -> Vec<u8> {
    let text = |text: &str| {
        let mut bytes = [word(text.len() as u64), text.as_bytes().to_vec()].concat();
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        bytes
    };
    tuple(&[], &texts.map(text))
}

impl Said {
    fn text(&self) -> ActText {
        let numbers = [self.authorisation, GRANTOR, GRANTEE];
        let account = Address::repeat_byte(0xc0).into_word().to_vec();
        let [by, version] = [self.by, self.version].map(|it| word(it.into()));
        let data = match self.event {
            AUTHORISATION_REVOKED => [by, account, word(3)].concat(),
            AUTHORISATION_RELIED_ON => {
                let subject = sha256(&[b"a query"]).to_vec();
                [version, account, purpose("audit").to_vec(), subject].concat()
            }
            _ => {
                let agreement = sha256(&[b"the agreement"]).to_vec();
                let count = word(self.purposes.len() as u64);
                let purposes = [count, self.purposes.concat()].concat();
                let words = [agreement, word(TIMES[0]), word(self.until)];
                let tails = [
                    tuple(&words, &[purposes]),
                    party(["甲協會", "Society A", "04595257", "", "TW"]),
                    party(["", "Association C", "", "5493001KJTIIGC8Y1R12", "DE"]),
                ];
                let words = [version, by, account, self.data_set.to_vec()];
                tuple(&[], &[tuple(&words, &tails)])
            }
        };
        ActText {
            topics: numbers.map(|it| B256::from(U256::from(it))).to_vec(),
            data: data.into(),
        }
    }

    fn leaf(&self) -> Vec<u8> {
        let text = self.text();
        let leaf = Leaf {
            head: LeafHead {
                chain_id: 8_862_026,
                height: Height(self.height),
                time: time(self.height),
                transaction_index: 0,
                ordinal: 0,
                issuer: self.contract,
            },
            statement: Statement::GovernanceAct {
                event: self.event,
                body_hash: body_hash(&text.topics, &text.data),
            },
        };
        leaf.encode().unwrap()
    }
}

/// What was said, and the state after it.
pub(crate) struct Acted<'a> {
    genesis: &'a Genesis,
    said: Vec<Said>,
    log: Log,
    state: State,
}

impl<'a> Acted<'a> {
    pub(crate) fn new(
        genesis: &'a Genesis,
        said: Vec<Said>,
        states: &[((u32, u32), [u64; 2])],
    ) -> Self {
        let others = (0..OTHERS).map(|index| leaf(index).encode().unwrap());
        let log = Log::of(others.chain(said.iter().map(Said::leaf)));
        let seconds = |height: u64| {
            if height == 0 {
                0
            } else {
                time(height).0 / 1_000
            }
        };
        let mut words: Vec<_> = (1..40_u64)
            .map(|at| (B256::from(U256::from(at)), U256::from(at)))
            .collect();
        for ((authorisation, version), [since, until]) in states {
            let parts = [seconds(*since), seconds(*until), *since, *until];
            let slot = TermsInForce::slot(*authorisation, *version);
            words.push((B256::from(slot), U256::from_limbs(parts)));
        }
        let others = (0..30).map(|byte| (Address::repeat_byte(byte), Vec::new()));
        let state = State::new(others.chain([(AUTHORISATIONS, words)]).collect());
        Self {
            genesis,
            said,
            log,
            state,
        }
    }

    /// The proof of the act of leaf `own`, with other acts, and with the state's word of a
    /// version.
    pub(crate) fn proof(
        &self,
        own: u64,
        acts: &[u64],
        (authorisation, version): (u32, u32),
    ) -> AuthorisationBundle {
        let network = Network::of(self.genesis);
        let founders = NamedValidators::of_genesis(self.genesis).unwrap();
        let slot = TermsInForce::slot(authorisation, version);
        let (root, proof) = self.state.prove(AUTHORISATIONS, slot.into());
        let mut nodes: Vec<Bytes> = Vec::new();
        for node in proof.account.into_iter().chain(proof.storage) {
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
        let hash = founders.hash();
        let checkpoint = Checkpoint {
            state_root: root,
            ..network.checkpoint(HEIGHT, &self.log, [hash, hash])
        };
        let placed = self.placed(own);
        AuthorisationBundle {
            proof: ProofBundle {
                genesis_hash: network.chain.genesis_hash,
                leaf: placed.leaf,
                leaf_index: placed.leaf_index,
                inclusion: placed.inclusion,
                decision: network.decide(checkpoint, &[0, 1, 2]),
                validators: founders,
                handovers: vec![],
            },
            text: placed.text,
            acts: acts.iter().map(|index| self.placed(*index)).collect(),
            nodes,
        }
    }

    /// A leaf of the log; one that is no act has a text of nobody's.
    fn placed(&self, index: u64) -> PlacedAct {
        let at = LeafIndex(index);
        let said = index.checked_sub(OTHERS).and_then(|place| {
            let place = usize::try_from(place).ok()?;
            self.said.get(place)
        });
        let nobody = || ActText {
            topics: vec![],
            data: Bytes::new(),
        };
        PlacedAct {
            leaf: said.map_or_else(|| leaf(index).encode().unwrap(), Said::leaf),
            leaf_index: at,
            inclusion: InclusionProof::make(&self.log, at, self.log.size()).unwrap(),
            text: said.map_or_else(nobody, Said::text),
        }
    }
}
