//! Malachite's nouns in terms of ours.

use std::fmt;
use std::sync::Arc;

use arc_malachitebft_app_channel::app::types::core as mc;
use mc::{NilOrVal, SignedExtension, VoteType};
use tbsi_types::{
    CheckpointDigest, KeyError, ProposalStatement, PublicKey, Signature, VoteKind, VoteStatement,
};

use crate::tally::Patience;

/// Height, as the engine counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Height(pub(crate) tbsi_types::Height);

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl mc::Height for Height {
    const ZERO: Self = Self(tbsi_types::Height(0));
    const INITIAL: Self = Self(tbsi_types::Height(1));

    fn increment_by(&self, n: u64) -> Self {
        Self(tbsi_types::Height(self.0.0.saturating_add(n)))
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0
            .0
            .checked_sub(n)
            .map(|height| Self(tbsi_types::Height(height)))
    }

    fn as_u64(&self) -> u64 {
        self.0.0
    }
}

/// Validator address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address(pub(crate) tbsi_types::Address);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl mc::Address for Address {}

/// The value that consensus decides; block bytes travel beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Value(pub(crate) CheckpointDigest);

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl mc::Value for Value {
    type Id = Self;

    fn id(&self) -> Self {
        *self
    }
}

/// secp256k1 with recoverable low-s signatures (SPEC §3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Secp256k1;

impl mc::SigningScheme for Secp256k1 {
    type DecodingError = KeyError;
    type Signature = Signature;
    type PublicKey = PublicKey;
    /// Secret keys stay with the signer; the engine never holds one.
    type PrivateKey = ();

    fn decode_signature(bytes: &[u8]) -> Result<Signature, KeyError> {
        Signature::parse(bytes)
    }

    fn encode_signature(signature: &Signature) -> Vec<u8> {
        signature.0.to_vec()
    }

    fn decode_public_key(bytes: &[u8]) -> Result<PublicKey, KeyError> {
        PublicKey::parse(bytes)
    }

    fn encode_public_key(public_key: &PublicKey) -> Vec<u8> {
        public_key.encode().to_vec()
    }
}

/// A validator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Validator {
    address: Address,
    public_key: PublicKey,
    power: u64,
}

impl mc::Validator<Ctx> for Validator {
    fn address(&self) -> &Address {
        &self.address
    }

    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn voting_power(&self) -> u64 {
        self.power
    }
}

/// The validator set of one height.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValidatorSet {
    set: Arc<tbsi_types::ValidatorSet>,
    validators: Arc<Vec<Validator>>,
}

impl ValidatorSet {
    pub(crate) fn new(set: tbsi_types::ValidatorSet) -> Self {
        let validator = |validator: &tbsi_types::Validator| Validator {
            address: Address(validator.address),
            public_key: validator.public_key,
            power: validator.power.0,
        };
        let validators = Arc::new(set.iter().map(validator).collect());
        Self {
            set: Arc::new(set),
            validators,
        }
    }
}

impl mc::ValidatorSet<Ctx> for ValidatorSet {
    fn count(&self) -> usize {
        self.validators.len()
    }

    fn total_voting_power(&self) -> u64 {
        self.set.total_power().0
    }

    fn get_by_address(&self, address: &Address) -> Option<&Validator> {
        self.validators
            .binary_search_by_key(address, |validator| validator.address)
            .ok()
            .and_then(|index| self.validators.get(index))
    }

    fn get_by_index(&self, index: usize) -> Option<&Validator> {
        self.validators.get(index)
    }
}

/// A piece of a proposed block (SPEC §6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// What is being proposed; first in its stream.
    Init(PartInit),
    /// Block bytes, in order.
    Data(bytes::Bytes),
}

/// What a stream of parts proposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartInit {
    /// Of the proposal.
    pub height: tbsi_types::Height,
    /// Of the proposal.
    pub round: tbsi_types::Round,
    /// The round of the polka that justifies proposing this block again.
    pub polka_round: Option<tbsi_types::Round>,
    /// Who proposed it in `round`.
    pub proposer: tbsi_types::Address,
    /// What is proposed, as the stream claims.
    pub digest: CheckpointDigest,
    /// Block bytes that follow.
    pub length: u32,
}

impl mc::ProposalPart<Ctx> for Part {
    fn is_first(&self) -> bool {
        matches!(self, Self::Init(_))
    }

    fn is_last(&self) -> bool {
        false
    }
}

/// A proposal with its proposer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proposal {
    height: Height,
    round: mc::Round,
    value: Value,
    polka_round: mc::Round,
    proposer: Address,
}

impl Proposal {
    pub(crate) fn new(statement: ProposalStatement, proposer: Address) -> Self {
        Self {
            height: Height(statement.height),
            round: round_to_engine(Some(statement.round)),
            value: Value(statement.value),
            polka_round: round_to_engine(statement.polka_round),
            proposer,
        }
    }

    /// What the proposer signs.
    pub(crate) fn statement(&self) -> ProposalStatement {
        ProposalStatement {
            height: self.height.0,
            round: round_from_engine(self.round).unwrap_or_default(),
            polka_round: round_from_engine(self.polka_round),
            value: self.value.0,
        }
    }
}

impl mc::Proposal<Ctx> for Proposal {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> mc::Round {
        self.round
    }

    fn value(&self) -> &Value {
        &self.value
    }

    fn take_value(self) -> Value {
        self.value
    }

    fn pol_round(&self) -> mc::Round {
        self.polka_round
    }

    fn validator_address(&self) -> &Address {
        &self.proposer
    }
}

/// A vote with its validator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vote {
    kind: VoteType,
    height: Height,
    round: mc::Round,
    value: NilOrVal<Value>,
    validator: Address,
    extension: Option<SignedExtension<Ctx>>,
}

impl Vote {
    pub(crate) fn new(statement: VoteStatement, validator: Address) -> Self {
        Self {
            kind: match statement.kind {
                VoteKind::Prevote => VoteType::Prevote,
                VoteKind::Precommit => VoteType::Precommit,
            },
            height: Height(statement.height),
            round: round_to_engine(Some(statement.round)),
            value: statement
                .value
                .map_or(NilOrVal::Nil, |value| NilOrVal::Val(Value(value))),
            validator,
            extension: None,
        }
    }

    /// What the validator signs: never the validator, never an extension.
    pub(crate) fn statement(&self) -> VoteStatement {
        VoteStatement {
            kind: match self.kind {
                VoteType::Prevote => VoteKind::Prevote,
                VoteType::Precommit => VoteKind::Precommit,
            },
            height: self.height.0,
            round: round_from_engine(self.round).unwrap_or_default(),
            value: match self.value {
                NilOrVal::Nil => None,
                NilOrVal::Val(value) => Some(value.0),
            },
        }
    }
}

impl mc::Vote<Ctx> for Vote {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> mc::Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<Value> {
        &self.value
    }

    fn take_value(self) -> NilOrVal<Value> {
        self.value
    }

    fn vote_type(&self) -> VoteType {
        self.kind
    }

    fn validator_address(&self) -> &Address {
        &self.validator
    }

    fn extension(&self) -> Option<&SignedExtension<Ctx>> {
        self.extension.as_ref()
    }

    fn take_extension(&mut self) -> Option<SignedExtension<Ctx>> {
        self.extension.take()
    }

    fn extend(self, extension: SignedExtension<Ctx>) -> Self {
        Self {
            extension: Some(extension),
            ..self
        }
    }
}

/// A round that consensus is in or voted in; `None` is "no round".
pub(crate) fn round_from_engine(round: mc::Round) -> Option<tbsi_types::Round> {
    match round {
        mc::Round::Nil => None,
        mc::Round::Some(round) => Some(tbsi_types::Round(round)),
    }
}

pub(crate) fn round_to_engine(round: Option<tbsi_types::Round>) -> mc::Round {
    round.map_or(mc::Round::Nil, |round| mc::Round::Some(round.0))
}

/// Names all the types above for the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ctx;

impl mc::Context for Ctx {
    type Address = Address;
    type Height = Height;
    type ProposalPart = Part;
    type Proposal = Proposal;
    type Validator = Validator;
    type ValidatorSet = ValidatorSet;
    type Timeouts = Patience;
    type Value = Value;
    type Vote = Vote;
    type Extension = bytes::Bytes;
    type SigningScheme = Secp256k1;

    fn select_proposer<'a>(
        &self,
        validators: &'a ValidatorSet,
        height: Height,
        round: mc::Round,
    ) -> &'a Validator {
        let round = round_from_engine(round).unwrap_or_default();
        let address = Address(validators.set.proposer(height.0, round).address);
        mc::ValidatorSet::<Ctx>::get_by_address(validators, &address)
            .expect("the proposer is taken from this set")
    }

    fn new_proposal(
        &self,
        height: Height,
        round: mc::Round,
        value: Value,
        polka_round: mc::Round,
        proposer: Address,
    ) -> Proposal {
        Proposal {
            height,
            round,
            value,
            polka_round,
            proposer,
        }
    }

    fn new_prevote(
        &self,
        height: Height,
        round: mc::Round,
        value: NilOrVal<Value>,
        validator: Address,
    ) -> Vote {
        Vote {
            kind: VoteType::Prevote,
            height,
            round,
            value,
            validator,
            extension: None,
        }
    }

    fn new_precommit(
        &self,
        height: Height,
        round: mc::Round,
        value: NilOrVal<Value>,
        validator: Address,
    ) -> Vote {
        Vote {
            kind: VoteType::Precommit,
            height,
            round,
            value,
            validator,
            extension: None,
        }
    }
}
