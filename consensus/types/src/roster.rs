//! Who takes part in a chain after a block: validators and peers, under legal names (SPEC §13).

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};

use crate::bundle::{BundleError, NamedValidator, NamedValidators};
use crate::genesis::{Genesis, GenesisError};
use crate::identity::ChainIdentity;
use crate::keys::{KeyError, PublicKey};
use crate::limits::ORGANISATION_NAME_BYTES_MAX;
use crate::log::{Cosigner, NoteVerifier, PostQuantumCosigner, SignatureType, cosigner_name};
use crate::number::{Height, VotingPower};
use crate::validator::{Validator, ValidatorSet, ValidatorSetError, operator_id};

/// A validator and who answers for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The consensus key.
    pub public_key: PublicKey,
    /// Weight, at least 1.
    pub power: VotingPower,
    /// Number of the organisation on the chain; from 1, in the order of the genesis file.
    pub organisation: u32,
    /// Its legal name in Traditional Chinese; empty if it has none.
    pub name_zh_tw: String,
    /// Its legal name in English.
    pub name_en: String,
    /// Name of the node.
    pub node: String,
}

/// Why members do not form a set.
#[derive(Debug, thiserror::Error)]
pub enum MembersError {
    /// A key that is none.
    #[error("validator key of node `{node}`")]
    Key {
        /// The node's name.
        node: String,
        /// What is wrong with the key.
        #[source]
        source: KeyError,
    },
    /// Not a validator set.
    #[error(transparent)]
    Set(#[from] ValidatorSetError),
    /// A name that no proof could carry.
    #[error("node `{node}`: a legal name of {size} bytes is above {ORGANISATION_NAME_BYTES_MAX}")]
    Name {
        /// The node's name.
        node: String,
        /// Bytes of the name.
        size: usize,
    },
}

/// A validator set under legal names, in address order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members {
    members: Vec<Member>,
    set: ValidatorSet,
}

impl Members {
    /// Orders and checks: what [`ValidatorSet::new`] asks, and names that fit a proof.
    pub fn new(mut members: Vec<Member>) -> Result<Self, MembersError> {
        for member in &members {
            let size = member.name_zh_tw.len().max(member.name_en.len());
            if size > ORGANISATION_NAME_BYTES_MAX {
                let node = member.node.clone();
                return Err(MembersError::Name { node, size });
            }
        }
        let validator = |member: &Member| {
            let operator = operator_id(&member.name_zh_tw, &member.name_en);
            Validator::new(member.public_key, member.power, operator)
        };
        let set = ValidatorSet::new(members.iter().map(validator).collect())?;
        members.sort_by_cached_key(|member| member.public_key.address());
        Ok(Self { members, set })
    }

    /// The founders.
    pub fn of_genesis(genesis: &Genesis) -> Result<Self, GenesisError> {
        let numbers: BTreeMap<_, _> = genesis.organisations.keys().zip(1u32..).collect();
        let mut members = Vec::new();
        for node in &genesis.nodes {
            let (Some(entry), Some(names)) = (&node.validator, genesis.organisation(node)) else {
                continue;
            };
            let public_key = PublicKey::parse(&entry.public_key);
            members.push(Member {
                public_key: public_key.map_err(|source| GenesisError::Key {
                    node: node.name.clone(),
                    source,
                })?,
                power: VotingPower(entry.power),
                organisation: numbers.get(&node.organisation).copied().unwrap_or_default(),
                name_zh_tw: names.name_zh_tw.clone(),
                name_en: names.name_en.clone(),
                node: node.name.clone(),
            });
        }
        // The genesis file bounds names by the same limit.
        Self::new(members).map_err(|error| match error {
            MembersError::Set(error) => GenesisError::Validators(error),
            error @ (MembersError::Key { .. } | MembersError::Name { .. }) => GenesisError::Field {
                field: "nodes".into(),
                problem: error.to_string(),
            },
        })
    }

    /// In address order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Member> {
        self.members.iter()
    }

    /// What consensus and certificates need of them.
    pub fn set(&self) -> &ValidatorSet {
        &self.set
    }

    /// The member with this validator address.
    pub fn get(&self, address: &Address) -> Option<&Member> {
        let key = |validator: &Validator| validator.address;
        let found = self.set.as_slice().binary_search_by_key(address, key);
        found.ok().map(|index| &self.members[index])
    }

    /// The set as proofs carry it.
    pub fn named(&self) -> Result<NamedValidators, BundleError> {
        let named = |(member, validator): (&Member, &Validator)| NamedValidator {
            address: validator.address,
            power: member.power,
            name_zh_tw: member.name_zh_tw.clone(),
            name_en: member.name_en.clone(),
        };
        let members = self.members.iter().zip(self.set.iter());
        NamedValidators::new(members.map(named).collect())
    }
}

/// A node that may connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerEntry {
    /// Number of the organisation that operates it.
    pub organisation: u32,
    /// Name of the node.
    pub name: String,
    /// Where others reach it, a multiaddr as it was registered; empty if nobody said.
    pub endpoint: String,
    /// The validator that speaks through it, if any: a member of the set in force.
    pub validator: Option<Address>,
    /// The Ed25519 key with which it cosigns the log, if it has one.
    pub log_key: Option<[u8; 32]>,
    /// SHA-256 of the ML-DSA-44 key with which it cosigns the log too, if it has one.
    pub post_quantum_key: Option<B256>,
}

/// Nodes by libp2p peer id (base58).
pub type Peers = BTreeMap<String, PeerEntry>;

/// Who decides the next block, and who may connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// The validators of the next block.
    pub members: Members,
    /// Who may connect.
    pub peers: Peers,
}

impl Roster {
    /// These validators, each through the peers of its node.
    pub fn new(members: Members, mut peers: Peers) -> Self {
        let speakers: BTreeMap<_, _> = members
            .iter()
            .map(|member| (member.node.as_str(), member.public_key.address()))
            .collect();
        for peer in peers.values_mut() {
            peer.validator = speakers.get(peer.name.as_str()).copied();
        }
        Self { members, peers }
    }

    /// The founders and their nodes.
    pub fn of_genesis(genesis: &Genesis) -> Result<Self, GenesisError> {
        let numbers: BTreeMap<_, _> = genesis.organisations.keys().zip(1u32..).collect();
        let peer = |node: &crate::genesis::NodeEntry| {
            let entry = node.validator.as_ref();
            let key = entry.and_then(|entry| PublicKey::parse(&entry.public_key).ok());
            let log_key = entry.and_then(|entry| entry.log_key.as_ref());
            let entry = PeerEntry {
                organisation: numbers.get(&node.organisation).copied().unwrap_or_default(),
                name: node.name.clone(),
                endpoint: node.endpoint.clone().unwrap_or_default(),
                validator: key.map(|key| key.address()),
                log_key: log_key.and_then(|key| key.as_ref().try_into().ok()),
                post_quantum_key: None,
            };
            (node.peer_id.clone(), entry)
        };
        Ok(Self {
            members: Members::of_genesis(genesis)?,
            peers: genesis.nodes.iter().map(peer).collect(),
        })
    }

    /// The validators that have a key for the log, in address order. The one place that says where
    /// these keys come from. A key that is no point of the curve cosigns nothing.
    pub fn cosigners(&self, chain: &ChainIdentity) -> Vec<Cosigner> {
        // A node that rotates its peer key is two peers for a while, with one log key.
        let peers = self.peers.values();
        let keys: BTreeMap<Address, [u8; 32]> = peers
            .filter_map(|peer| Some((peer.validator?, peer.log_key?)))
            .collect();
        let cosigner = |validator: &Validator| {
            let key = keys.get(&validator.address)?;
            let name = cosigner_name(chain, validator.operator);
            Some(Cosigner {
                validator: validator.address,
                power: validator.power,
                key: NoteVerifier::new(&name, SignatureType::Cosignature, key).ok()?,
            })
        };
        self.members.set().iter().filter_map(cosigner).collect()
    }

    /// The validators that have a post-quantum key for the log, in address order.
    pub fn post_quantum_cosigners(&self, chain: &ChainIdentity) -> Vec<PostQuantumCosigner> {
        let peers = self.peers.values();
        let keys: BTreeMap<Address, B256> = peers
            .filter_map(|peer| Some((peer.validator?, peer.post_quantum_key?)))
            .collect();
        let cosigner = |validator: &Validator| {
            Some(PostQuantumCosigner {
                validator: validator.address,
                power: validator.power,
                name: cosigner_name(chain, validator.operator),
                key_hash: *keys.get(&validator.address)?,
            })
        };
        self.members.set().iter().filter_map(cosigner).collect()
    }

    /// The roster after other validators have taken over, or other peers been named; `None` if
    /// neither.
    pub fn after(&self, members: Option<Members>, peers: Option<Peers>) -> Option<Self> {
        if members.is_none() && peers.is_none() {
            return None;
        }
        let members = members.unwrap_or_else(|| self.members.clone());
        Some(Self::new(
            members,
            peers.unwrap_or_else(|| self.peers.clone()),
        ))
    }

    /// The hash of the validator set (SPEC §3.2).
    pub fn set_hash(&self) -> B256 {
        self.members.set().hash()
    }

    /// The validator that speaks through this peer.
    pub fn validator_of(&self, peer_id: &str) -> Option<Address> {
        self.peers.get(peer_id)?.validator
    }

    /// The highest tip that validators with more than a third of the power say they have, so
    /// that an honest one is among them. `None` if fewer say anything. What peers of others say
    /// does not count, and a validator's peers count once.
    pub fn believed_tip<'a>(
        &self,
        claims: impl IntoIterator<Item = (&'a str, Height)>,
    ) -> Option<Height> {
        let set = self.members.set();
        let mut tips = BTreeMap::<Address, Height>::new();
        for (peer_id, height) in claims {
            if let Some(validator) = self.validator_of(peer_id) {
                let tip = tips.entry(validator).or_default();
                *tip = height.max(*tip);
            }
        }
        let powers = tips.into_iter().filter_map(|(validator, tip)| {
            let validator = set.get(&validator)?;
            Some((tip, validator.power))
        });
        let mut powers: Vec<_> = powers.collect();
        powers.sort_unstable_by(|one, other| other.cmp(one));
        let mut power = VotingPower(0);
        powers.into_iter().find_map(|(tip, more)| {
            // Members of one set: their sum is at most its total.
            power = VotingPower(power.0 + more.0);
            power
                .is_more_than_a_third_of(set.total_power())
                .then_some(tip)
        })
    }
}

/// Identity multihash of 36 bytes, which are a protobuf: key type Ed25519, 32 bytes.
const PEER_ID_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// The libp2p peer id (base58) of an Ed25519 public key: the identity multihash of its protobuf
/// form, as libp2p's specification of peer ids prescribes for keys of at most 42 bytes.
pub fn peer_id_of(public_key: &[u8; 32]) -> String {
    bs58::encode([&PEER_ID_PREFIX[..], public_key].concat()).into_string()
}

/// The Ed25519 public key in a peer id; `None` if it is of another kind.
pub fn peer_key_of(peer_id: &str) -> Option<[u8; 32]> {
    let bytes = bs58::decode(peer_id).into_vec().ok()?;
    let key = bytes.strip_prefix(&PEER_ID_PREFIX)?;
    key.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::SecretKey;

    fn member(seed: &str) -> Member {
        Member {
            public_key: SecretKey::from_seed(seed.as_bytes()).public_key(),
            power: VotingPower(2),
            organisation: 7,
            name_zh_tw: format!("{seed}公會"),
            name_en: format!("Guild {seed}"),
            node: seed.into(),
        }
    }

    #[test]
    fn is_one_set_in_all_its_forms() {
        let members = Members::new(["a", "b", "c", "d"].map(member).to_vec()).unwrap();
        assert_eq!(members.named().unwrap().hash(), members.set().hash());
        for (member, validator) in members.iter().zip(members.set().iter()) {
            assert_eq!(member.public_key, validator.public_key);
            assert_eq!(members.get(&validator.address), Some(member));
        }
    }

    #[test]
    fn refuses_names_that_no_proof_carries() {
        let mut long = member("a");
        long.name_en = "x".repeat(513);
        let error = Members::new(vec![long]).unwrap_err().to_string();
        assert!(error.contains("513 bytes"), "{error}");
    }

    /// Validators `a` to `d` of equal power, peers of the same names, and an observer.
    fn roster() -> Roster {
        let names = ["a", "b", "c", "d"];
        let entry = |name: &str, validator| PeerEntry {
            organisation: 7,
            name: name.into(),
            endpoint: String::new(),
            validator,
            log_key: None,
            post_quantum_key: None,
        };
        let peer = |name: &str| {
            let key = SecretKey::from_seed(name.as_bytes()).public_key();
            (name.to_owned(), entry(name, Some(key.address())))
        };
        let mut peers: BTreeMap<_, _> = names.map(peer).into();
        peers.insert("a's next key".into(), peers["a"].clone());
        peers.insert("observer".into(), entry("observer", None));
        Roster {
            members: Members::new(names.map(member).to_vec()).unwrap(),
            peers,
        }
    }

    #[test]
    fn a_tip_is_believed_if_an_honest_validator_must_have_it() {
        let roster = roster();
        let check = |claims: &[(&str, u64)], believed: Option<u64>| {
            let claims = claims.iter().map(|(peer, tip)| (*peer, Height(*tip)));
            assert_eq!(roster.believed_tip(claims), believed.map(Height));
        };
        const LIE: u64 = u64::MAX;
        check(&[], None);
        check(&[("a", 7)], None);
        check(&[("a", LIE), ("observer", LIE), ("stranger", LIE)], None);
        check(&[("a", LIE), ("a's next key", LIE)], None);
        check(&[("a", LIE), ("b", 7)], Some(7));
        check(&[("a", LIE), ("b", 7), ("c", 8), ("d", 0)], Some(8));
        check(&[("a", 9), ("b", 9), ("c", 1), ("d", 1)], Some(9));
        // More than f of them are dishonest: nothing holds then.
        check(&[("a", LIE), ("b", LIE), ("c", 1)], Some(LIE));
    }

    #[test]
    fn peer_ids_are_libp2ps() {
        let id = peer_id_of(&[7; 32]);
        assert!(id.starts_with("12D3KooW"), "{id}");
        assert_eq!(peer_key_of(&id), Some([7; 32]));
        assert_eq!(peer_key_of("12D3KooW"), None);
        assert_eq!(
            peer_key_of("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"),
            None
        );
    }
}
