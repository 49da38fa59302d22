//! Motions: a kind and the arguments of the call that it asks for (SPEC §13.6).

use alloy_primitives::Bytes;
use alloy_sol_types::SolCall;

use crate::contracts::{
    Attestations, Chains, Motions, Nodes, Organisations, Permissions, Upgrades,
};
use crate::founding::MOTION_KINDS;

/// What a motion asks for: a call, by the name of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A new organisation, with its first account.
    AddOrganisation(Box<Motions::addOrganisationCall>),
    /// Its validators leave the set with it.
    SuspendOrganisation(Motions::suspendOrganisationCall),
    /// For ever.
    RemoveOrganisation(Motions::removeOrganisationCall),
    /// From suspended to active.
    ReinstateOrganisation(Organisations::reinstateCall),
    /// Other facts of an organisation.
    AmendOrganisation(Box<Motions::amendOrganisationCall>),
    /// A node becomes a validator, or gets another voting power.
    AddValidator(Nodes::addValidatorCall),
    /// A validator becomes an observer.
    RemoveValidator(Nodes::removeValidatorCall),
    /// A validator that was suspended is one again.
    ReinstateValidator(Nodes::reinstateValidatorCall),
    /// How motions of a kind are decided from now on.
    SetRule(Motions::setRuleCall),
    /// What an organisation may use in a period; 0 is all accounts of none together.
    SetQuota(Permissions::setQuotaCall),
    /// What accounts of an organisation may be granted.
    SetOrganisationPermissions(Permissions::setOrganisationPermissionsCall),
    /// What accounts of no organisation may do.
    SetPublicPermissions(Permissions::setPublicPermissionsCall),
    /// Seconds of a quota's period.
    SetPeriod(Permissions::setPeriodCall),
    /// An account of an organisation; without permissions it is withdrawn.
    SetAccount(Permissions::setAccountCall),
    /// A digest algorithm.
    SetAlgorithm(Attestations::setAlgorithmCall),
    /// Operator or status of another chain's record.
    SetChain(Chains::setChainCall),
    /// Other rules from a height on.
    ScheduleUpgrade(Box<Upgrades::scheduleCall>),
    /// A text, by its SHA-256.
    Resolve(Motions::resolveCall),
    /// The upgrade that waits is not carried out.
    CancelUpgrade(Upgrades::cancelCall),
}

/// The arguments of a motion are not those of its kind.
#[derive(Debug, thiserror::Error)]
#[error("the arguments of a motion of kind {kind} cannot be decoded: {problem}")]
pub struct ArgumentsError {
    /// As the contract numbers kinds.
    pub kind: u8,
    /// The decoder's words.
    pub problem: String,
}

/// A call's arguments without its selector.
fn arguments(call: &impl SolCall) -> Bytes {
    Bytes::copy_from_slice(&call.abi_encode()[4..])
}

impl Act {
    /// The number of its kind in the contract.
    pub fn kind(&self) -> u8 {
        match self {
            Self::AddOrganisation(_) => 1,
            Self::SuspendOrganisation(_) => 2,
            Self::RemoveOrganisation(_) => 3,
            Self::ReinstateOrganisation(_) => 4,
            Self::AmendOrganisation(_) => 5,
            Self::AddValidator(_) => 6,
            Self::RemoveValidator(_) => 7,
            Self::ReinstateValidator(_) => 8,
            Self::SetRule(_) => 9,
            Self::SetQuota(_) => 10,
            Self::SetOrganisationPermissions(_) => 11,
            Self::SetPublicPermissions(_) => 12,
            Self::SetPeriod(_) => 13,
            Self::SetAccount(_) => 14,
            Self::SetAlgorithm(_) => 15,
            Self::SetChain(_) => 16,
            Self::ScheduleUpgrade(_) => 17,
            Self::Resolve(_) => 18,
            Self::CancelUpgrade(_) => 19,
        }
    }

    /// The name of a kind in the contract; `None` if there is no such kind.
    pub fn kind_name(kind: u8) -> Option<&'static str> {
        let index = usize::from(kind).checked_sub(1)?;
        MOTION_KINDS.get(index).map(|(name, _)| *name)
    }

    /// The call's arguments, encoded canonically, without the selector.
    pub fn arguments(&self) -> Bytes {
        match self {
            Self::AddOrganisation(call) => arguments(call.as_ref()),
            Self::SuspendOrganisation(call) => arguments(call),
            Self::RemoveOrganisation(call) => arguments(call),
            Self::ReinstateOrganisation(call) => arguments(call),
            Self::AmendOrganisation(call) => arguments(call.as_ref()),
            Self::AddValidator(call) => arguments(call),
            Self::RemoveValidator(call) => arguments(call),
            Self::ReinstateValidator(call) => arguments(call),
            Self::SetRule(call) => arguments(call),
            Self::SetQuota(call) => arguments(call),
            Self::SetOrganisationPermissions(call) => arguments(call),
            Self::SetPublicPermissions(call) => arguments(call),
            Self::SetPeriod(call) => arguments(call),
            Self::SetAccount(call) => arguments(call),
            Self::SetAlgorithm(call) => arguments(call),
            Self::SetChain(call) => arguments(call),
            Self::ScheduleUpgrade(call) => arguments(call.as_ref()),
            Self::Resolve(call) => arguments(call),
            Self::CancelUpgrade(call) => arguments(call),
        }
    }

    /// Reads the arguments of a motion.
    pub fn decode(kind: u8, arguments: &[u8]) -> Result<Self, ArgumentsError> {
        fn read<C: SolCall>(arguments: &[u8]) -> Result<C, String> {
            C::abi_decode_raw(arguments).map_err(|error| error.to_string())
        }
        let decoded = match kind {
            1 => read(arguments).map(|call| Self::AddOrganisation(Box::new(call))),
            2 => read(arguments).map(Self::SuspendOrganisation),
            3 => read(arguments).map(Self::RemoveOrganisation),
            4 => read(arguments).map(Self::ReinstateOrganisation),
            5 => read(arguments).map(|call| Self::AmendOrganisation(Box::new(call))),
            6 => read(arguments).map(Self::AddValidator),
            7 => read(arguments).map(Self::RemoveValidator),
            8 => read(arguments).map(Self::ReinstateValidator),
            9 => read(arguments).map(Self::SetRule),
            10 => read(arguments).map(Self::SetQuota),
            11 => read(arguments).map(Self::SetOrganisationPermissions),
            12 => read(arguments).map(Self::SetPublicPermissions),
            13 => read(arguments).map(Self::SetPeriod),
            14 => read(arguments).map(Self::SetAccount),
            15 => read(arguments).map(Self::SetAlgorithm),
            16 => read(arguments).map(Self::SetChain),
            17 => read(arguments).map(|call| Self::ScheduleUpgrade(Box::new(call))),
            18 => read(arguments).map(Self::Resolve),
            19 => read(arguments).map(Self::CancelUpgrade),
            _ => Err("no such kind".into()),
        };
        decoded.map_err(|problem| ArgumentsError { kind, problem })
    }
}

#[cfg(test)]
mod tests;
