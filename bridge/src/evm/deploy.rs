//! The creation code of a light client, and of an inbox (SPEC §14).

use std::collections::BTreeSet;

use alloy_primitives::{Address, Bytes, U256, hex};
use alloy_sol_types::SolValue;
use serde_json::Value;
use tbsi_bindings::bridge::{Policy, Trust};
use tbsi_types::{ChainIdentity, Checkpoint, NamedValidators};

use super::encode::validator_set;

const ARTIFACT: &str = include_str!("../../../contracts/evm/artifacts/LightClient.json");
const INBOX: &str = include_str!("../../../contracts/evm/artifacts/Inbox.json");

/// Keys in the council, or cold keys, at most (`MEMBERS_MAX` of the contract).
pub const BODY_MAX: usize = 64;

/// Seconds of a pause, and of the time that must be left after it (`PAUSE` and `PAUSE_MARGIN` of
/// the contract).
const PAUSE_S: u64 = (72 + 24) * 3_600;

/// Who speaks for the organisations that use a light client: fixed when it is deployed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bodies {
    council: Vec<Address>,
    council_threshold: usize,
    cold: Vec<Address>,
    cold_threshold: usize,
}

/// Why keys are no council, or no cold keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodiesError {
    /// Too many.
    #[error("{name}: {count} keys are given; {BODY_MAX} are allowed")]
    Count {
        /// Of which body.
        name: &'static str,
        /// How many there are.
        count: usize,
    },
    /// Nobody has the zero address.
    #[error("{0}: the zero address is nobody's key")]
    Zero(&'static str),
    /// In one body twice, or in both.
    #[error("{name}: {key} is given twice; a key is in one body, once")]
    Twice {
        /// Of which body.
        name: &'static str,
        /// Which.
        key: Address,
    },
    /// Too few signatures, or more than there are keys.
    #[error("{name}: the threshold is {given}; with {count} keys it is {least} to {count}")]
    Threshold {
        /// Of which body.
        name: &'static str,
        /// What was asked for.
        given: usize,
        /// The least that the contract takes.
        least: usize,
        /// Keys.
        count: usize,
    },
}

impl Bodies {
    /// A council, which more than half must speak for, and cold keys, more than two thirds of
    /// which; thresholds that are not given are the least.
    pub fn new(
        council: Vec<Address>,
        council_threshold: Option<usize>,
        cold: Vec<Address>,
        cold_threshold: Option<usize>,
    ) -> Result<Self, BodiesError> {
        let mut known = BTreeSet::new();
        for (name, keys) in [("--council", &council), ("--cold-key", &cold)] {
            let count = keys.len();
            if count > BODY_MAX {
                return Err(BodiesError::Count { name, count });
            }
            for key in keys {
                if key.is_zero() {
                    return Err(BodiesError::Zero(name));
                }
                if !known.insert(*key) {
                    return Err(BodiesError::Twice { name, key: *key });
                }
            }
        }
        let half = council.len() / 2 + 1;
        let thirds = cold.len() * 2 / 3 + 1;
        Ok(Self {
            council_threshold: threshold("--council", council.len(), half, council_threshold)?,
            cold_threshold: threshold("--cold-key", cold.len(), thirds, cold_threshold)?,
            council,
            cold,
        })
    }

    /// Whether a council exists, which registers relayers.
    pub fn has_council(&self) -> bool {
        !self.council.is_empty()
    }

    /// Whether a light client that froze or expired can begin again: both bodies are needed.
    pub fn can_recover(&self) -> bool {
        self.has_council() && !self.cold.is_empty()
    }
}

fn threshold(
    name: &'static str,
    count: usize,
    least: usize,
    given: Option<usize>,
) -> Result<usize, BodiesError> {
    let least = if count == 0 { 0 } else { least };
    let given = given.unwrap_or(least);
    if (least..=count).contains(&given) {
        return Ok(given);
    }
    Err(BodiesError::Threshold {
        name,
        given,
        least,
        count,
    })
}

/// What a light client begins with.
#[derive(Clone, Copy, Debug)]
pub struct Beginning<'a> {
    /// The network.
    pub chain: ChainIdentity,
    /// A checkpoint that the deployer has verified.
    pub checkpoint: &'a Checkpoint,
    /// The set that it names as the next one.
    pub validators: &'a NamedValidators,
    /// Seconds for which a checkpoint is a base for the next; at least
    /// [`Beginning::trust_period_least`].
    pub trust_period_s: u64,
    /// Who may pause; the zero address if nobody.
    pub guardian: Address,
    /// Who may recover it, and register relayers.
    pub bodies: &'a Bodies,
    /// Seconds between the proposal of a recovery and the recovery.
    pub recovery_delay_s: u64,
}

impl Beginning<'_> {
    /// The shortest trust period, in seconds, that the contract takes with this guardian: no pause
    /// of one guardian outlasts it.
    pub fn trust_period_least(guardian: Address) -> u64 {
        if guardian.is_zero() { 3_600 } else { PAUSE_S }
    }
}

/// Creation code and arguments. Anybody may relay; whoever wants registered relayers first deploys
/// it with Solidity's tools.
pub fn creation_code(beginning: &Beginning<'_>) -> Bytes {
    let trust = Trust {
        chainId: beginning.chain.chain_id,
        genesisHash: beginning.chain.genesis_hash,
        checkpoint: beginning.checkpoint.encode().to_vec().into(),
        validatorSet: validator_set(beginning.validators),
        trustPeriod: U256::from(beginning.trust_period_s),
    };
    let bodies = beginning.bodies;
    let policy = Policy {
        guardian: beginning.guardian,
        council: bodies.council.clone(),
        councilThreshold: U256::from(bodies.council_threshold),
        coldKeys: bodies.cold.clone(),
        coldThreshold: U256::from(bodies.cold_threshold),
        recoveryDelay: U256::from(beginning.recovery_delay_s),
        relayers: vec![],
        grace: U256::ZERO,
        strict: false,
    };
    let mut code = bytecode(ARTIFACT);
    code.extend_from_slice(&(trust, policy).abi_encode_params());
    code.into()
}

/// What an inbox begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InboxBeginning {
    /// The light client that it believes, on the chain that it is deployed on.
    pub light_client: Address,
    /// Messages sent below this height are refused.
    pub first_height: u64,
    /// The inbox that it replaces; the zero address if none.
    pub previous: Address,
}

/// Creation code of an inbox.
pub fn inbox_creation_code(beginning: &InboxBeginning) -> Bytes {
    let InboxBeginning {
        light_client,
        first_height,
        previous,
    } = *beginning;
    let mut code = bytecode(INBOX);
    code.extend_from_slice(&(light_client, first_height, previous).abi_encode_params());
    code.into()
}

fn bytecode(artifact: &str) -> Vec<u8> {
    let artifact: Value = serde_json::from_str(artifact).expect("the artifact is JSON");
    let code = artifact["bytecode"]
        .as_str()
        .expect("the artifact has creation code");
    hex::decode(code).expect("creation code is hex")
}

/// The creation code of both contracts, without arguments.
pub(super) fn artifacts() -> [Vec<u8>; 2] {
    [ARTIFACT, INBOX].map(bytecode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(from: u8, count: u8) -> Vec<Address> {
        (from..from + count).map(Address::repeat_byte).collect()
    }

    fn refused(bodies: Result<Bodies, BodiesError>, words: &str) {
        let said = bodies.unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
    }

    #[test]
    fn thresholds_are_more_than_half_and_more_than_two_thirds() {
        for (council, cold, expected) in [
            (0, 0, (0, 0)),
            (1, 1, (1, 1)),
            (3, 3, (2, 3)),
            (4, 4, (3, 3)),
            (5, 6, (3, 5)),
        ] {
            let bodies = Bodies::new(keys(1, council), None, keys(100, cold), None).unwrap();
            assert_eq!((bodies.council_threshold, bodies.cold_threshold), expected);
            assert_eq!(bodies.can_recover(), council > 0);
        }
        let alone = Bodies::new(keys(1, 3), Some(3), vec![], None).unwrap();
        assert!(alone.has_council() && !alone.can_recover());
    }

    #[test]
    fn keys_that_the_contract_would_refuse_are_named() {
        let none = Vec::new;
        refused(
            Bodies::new(keys(1, 65), None, none(), None),
            "65 keys are given; 64",
        );
        refused(
            Bodies::new(keys(0, 1), None, none(), None),
            "the zero address",
        );
        refused(
            Bodies::new(none(), None, [keys(1, 2), keys(1, 1)].concat(), None),
            "twice",
        );
        refused(
            Bodies::new(keys(1, 2), None, keys(2, 2), None),
            "--cold-key: 0x0202",
        );
        refused(
            Bodies::new(keys(1, 4), Some(2), none(), None),
            "it is 3 to 4",
        );
        refused(
            Bodies::new(keys(1, 4), Some(5), none(), None),
            "it is 3 to 4",
        );
        refused(
            Bodies::new(none(), Some(1), none(), None),
            "with 0 keys it is 0 to 0",
        );
        refused(
            Bodies::new(none(), None, keys(1, 3), Some(2)),
            "it is 3 to 3",
        );
    }
}
