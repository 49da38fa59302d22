//! Validators and their sets (SPEC §3.2, §3.3).

use alloy_primitives::{Address, B256};

use crate::keys::PublicKey;
use crate::limits::VALIDATORS_MAX;
use crate::number::{Height, Round, VotingPower};
use crate::sha256;

const SET_TAG: &[u8] = b"TBSI-VALIDATOR-SET-1";
const OPERATOR_TAG: &[u8] = b"TBSI-OPERATOR-1";

/// A consensus key with voting power, bound to its operator's legal name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator {
    /// The consensus key.
    pub public_key: PublicKey,
    /// The Ethereum address of the key; identifies the validator.
    pub address: Address,
    /// Weight, at least 1.
    pub power: VotingPower,
    /// [`operator_id`] of the organisation that answers for this key.
    pub operator: B256,
}

impl Validator {
    /// A validator; its address is derived from the key.
    pub fn new(public_key: PublicKey, power: VotingPower, operator: B256) -> Self {
        Self {
            public_key,
            address: public_key.address(),
            power,
            operator,
        }
    }
}

/// Commitment to an organisation's legal names: SHA-256 of a tag and both names, each with
/// its length (u32, big-endian), Traditional Chinese first. Part of the validator-set hash, so
/// that a certificate leads to names without trusting whoever serves them (SPEC §3.2).
pub fn operator_id(name_zh_tw: &str, name_en: &str) -> B256 {
    let length = |name: &str| u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes();
    sha256(&[
        OPERATOR_TAG,
        &length(name_zh_tw),
        name_zh_tw.as_bytes(),
        &length(name_en),
        name_en.as_bytes(),
    ])
}

/// Why validators do not form a set.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ValidatorSetError {
    /// No validator at all.
    #[error("validator set is empty")]
    Empty,
    /// More than [`VALIDATORS_MAX`].
    #[error("validator set has {0} validators, at most {VALIDATORS_MAX} are allowed")]
    TooMany(usize),
    /// One key twice.
    #[error("validator {0} appears twice")]
    Duplicate(Address),
    /// A validator that cannot count.
    #[error("validator {0} has no voting power")]
    NoPower(Address),
    /// The sum leaves u64.
    #[error("total voting power exceeds 2^64 - 1")]
    PowerOverflow,
}

/// The validators of one height, ordered by address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorSet {
    validators: Vec<Validator>,
    total: VotingPower,
}

impl ValidatorSet {
    /// Orders and checks: 1 to [`VALIDATORS_MAX`] validators, distinct keys, power at least 1.
    pub fn new(mut validators: Vec<Validator>) -> Result<Self, ValidatorSetError> {
        if validators.is_empty() {
            return Err(ValidatorSetError::Empty);
        }
        if validators.len() > VALIDATORS_MAX {
            return Err(ValidatorSetError::TooMany(validators.len()));
        }
        validators.sort_by_key(|validator| validator.address);
        for pair in validators.windows(2) {
            if pair[0].address == pair[1].address {
                return Err(ValidatorSetError::Duplicate(pair[0].address));
            }
        }
        let mut total = 0u64;
        for validator in &validators {
            if validator.power.0 == 0 {
                return Err(ValidatorSetError::NoPower(validator.address));
            }
            total = total
                .checked_add(validator.power.0)
                .ok_or(ValidatorSetError::PowerOverflow)?;
        }
        Ok(Self {
            validators,
            total: VotingPower(total),
        })
    }

    /// In address order.
    pub fn iter(&self) -> impl Iterator<Item = &Validator> {
        self.validators.iter()
    }

    /// In address order.
    pub fn as_slice(&self) -> &[Validator] {
        &self.validators
    }

    /// Number of validators, at least 1.
    pub fn count(&self) -> usize {
        self.validators.len()
    }

    /// Sum of all voting power.
    pub fn total_power(&self) -> VotingPower {
        self.total
    }

    /// The validator with this address.
    pub fn get(&self, address: &Address) -> Option<&Validator> {
        self.validators
            .binary_search_by_key(address, |validator| validator.address)
            .ok()
            .map(|index| &self.validators[index])
    }

    /// Whose turn it is: validators take turns by address, one a height, the next one a
    /// round later (SPEC §3.4).
    pub fn proposer(&self, height: Height, round: Round) -> &Validator {
        let turn = (u128::from(height.0) + u128::from(round.0)) % self.validators.len() as u128;
        &self.validators[usize::try_from(turn).expect("a remainder of a usize fits")]
    }

    /// Commits to addresses, powers and operators, in order (SPEC §3.2).
    pub fn hash(&self) -> B256 {
        set_hash(
            self.validators
                .iter()
                .map(|validator| (validator.address, validator.power, validator.operator)),
        )
    }
}

/// [`ValidatorSet::hash`] of at most [`VALIDATORS_MAX`] validators in address order: address,
/// power and operator of each.
pub(crate) fn set_hash(
    validators: impl ExactSizeIterator<Item = (Address, VotingPower, B256)>,
) -> B256 {
    let mut bytes = Vec::with_capacity(2 + 60 * validators.len());
    let count = u16::try_from(validators.len()).expect("at most VALIDATORS_MAX");
    bytes.extend_from_slice(&count.to_be_bytes());
    for (address, power, operator) in validators {
        bytes.extend_from_slice(address.as_slice());
        bytes.extend_from_slice(&power.0.to_be_bytes());
        bytes.extend_from_slice(operator.as_slice());
    }
    sha256(&[SET_TAG, &bytes])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::SecretKey;

    fn validator(seed: &str, power: u64) -> Validator {
        let key = SecretKey::from_seed(seed.as_bytes()).public_key();
        Validator::new(key, VotingPower(power), operator_id(seed, seed))
    }

    #[test]
    fn order_of_input_does_not_matter() {
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|seed| validator(seed, 1));
        let one = ValidatorSet::new(vec![a.clone(), b.clone(), c.clone(), d.clone()]).unwrap();
        let two = ValidatorSet::new(vec![d, b, a, c]).unwrap();
        assert_eq!(one, two);
        assert_eq!(one.hash(), two.hash());
    }

    #[test]
    fn hash_binds_power_and_operator() {
        let base = ValidatorSet::new(vec![validator("a", 1)]).unwrap().hash();
        assert_ne!(
            base,
            ValidatorSet::new(vec![validator("a", 2)]).unwrap().hash()
        );
        let mut renamed = validator("a", 1);
        renamed.operator = operator_id("a", "b");
        assert_ne!(base, ValidatorSet::new(vec![renamed]).unwrap().hash());
        assert_ne!(operator_id("ab", "c"), operator_id("a", "bc"));
    }

    #[test]
    fn refuses_sets_that_cannot_vote() {
        assert_eq!(ValidatorSet::new(vec![]), Err(ValidatorSetError::Empty));
        let a = validator("a", 1);
        assert_eq!(
            ValidatorSet::new(vec![a.clone(), a.clone()]),
            Err(ValidatorSetError::Duplicate(a.address))
        );
        let idle = validator("b", 0);
        assert_eq!(
            ValidatorSet::new(vec![idle.clone()]),
            Err(ValidatorSetError::NoPower(idle.address))
        );
        assert_eq!(
            ValidatorSet::new(vec![validator("a", u64::MAX), validator("b", 1)]),
            Err(ValidatorSetError::PowerOverflow)
        );
        let many = (0..129).map(|i| validator(&format!("v{i}"), 1)).collect();
        assert_eq!(
            ValidatorSet::new(many),
            Err(ValidatorSetError::TooMany(129))
        );
    }

    #[test]
    fn everybody_proposes_in_turn() {
        let set =
            ValidatorSet::new(["a", "b", "c", "d"].map(|s| validator(s, 1)).to_vec()).unwrap();
        let turns: Vec<_> = (1..=4)
            .map(|h| set.proposer(Height(h), Round(0)).address)
            .collect();
        let mut sorted = turns.clone();
        sorted.sort();
        assert_eq!(sorted, set.iter().map(|v| v.address).collect::<Vec<_>>());
        assert_eq!(set.proposer(Height(1), Round(1)).address, turns[1]);
        set.proposer(Height(u64::MAX), Round(u32::MAX));
    }
}
