//! What an organisation can do although its quota is used up (SPEC §13.4): decide on the quota,
//! and stop an account or a key that used it up.

use alloy_primitives::Address;
use tbsi_bindings::SolCall;
use tbsi_bindings::genesis::{Motions, Nodes, Permissions as Accounts, Upgrades};
use tbsi_types::contracts::UPGRADES;

use crate::abi::{MOTIONS, NODES, PERMISSIONS};
use crate::standing::Permissions;

/// Contract, function, the permission with which it is reserved, and since which protocol version. The contracts themselves
/// bound how many such calls succeed: one vote of an organisation on a motion, 16 motions that
/// are not over, as many withdrawals as accounts, a rotation in an epoch, each offence once, each
/// version of a node once.
const RESERVED: [(Address, [u8; 4], Permissions, u32); 7] = [
    (
        MOTIONS,
        Motions::proposeCall::SELECTOR,
        Permissions::VOTE,
        1,
    ),
    (MOTIONS, Motions::voteCall::SELECTOR, Permissions::VOTE, 1),
    (
        MOTIONS,
        Motions::executeCall::SELECTOR,
        Permissions::VOTE,
        1,
    ),
    (
        PERMISSIONS,
        Accounts::withdrawCall::SELECTOR,
        Permissions::ADMINISTER,
        1,
    ),
    (
        NODES,
        Nodes::rotateValidatorKeyCall::SELECTOR,
        Permissions::ADMINISTER,
        1,
    ),
    (
        NODES,
        Nodes::submitEvidenceCall::SELECTOR,
        Permissions::ADMINISTER,
        1,
    ),
    (
        UPGRADES,
        Upgrades::declareCall::SELECTOR,
        Permissions::ADMINISTER,
        2,
    ),
];

/// The permission that puts a call of `to` with this input into the reserve, under a protocol
/// version; `None` if nothing does. Of an organisation's transactions in a block, the first such
/// one is outside its quota.
pub fn reserved_for(protocol: u32, to: Address, input: &[u8]) -> Option<Permissions> {
    let selector = input.first_chunk::<4>()?;
    let mut listed = RESERVED.iter();
    let found = listed.find(|(contract, function, _, since)| {
        *contract == to && function == selector && *since <= protocol
    });
    found.map(|(_, _, permission, _)| *permission)
}

/// Whether a call carries a motion out. Anybody may, once for each motion that passed: what it
/// states in the log is the decision of others, and neither the sender's permission nor its quota
/// of leaves is asked for.
pub fn carries_out(to: Address, input: &[u8]) -> bool {
    to == MOTIONS && input.starts_with(&Motions::executeCall::SELECTOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_execution_of_a_motion_carries_it_out() {
        let execute = Motions::executeCall { motion: 1 }.abi_encode();
        assert!(carries_out(MOTIONS, &execute));
        assert!(!carries_out(NODES, &execute));
        assert!(!carries_out(MOTIONS, &execute[..3]));
        let back = Motions::withdrawCall {
            motion: 1,
            reason: 2,
        };
        assert!(!carries_out(MOTIONS, &back.abi_encode()));
    }

    #[test]
    fn what_decides_and_stops_is_reserved_and_nothing_else() {
        let vote = Motions::voteCall {
            motion: 1,
            choice: 1,
        };
        let vote = vote.abi_encode();
        assert_eq!(reserved_for(1, MOTIONS, &vote), Some(Permissions::VOTE));
        assert_eq!(reserved_for(1, PERMISSIONS, &vote), None);
        assert_eq!(reserved_for(1, MOTIONS, &vote[..3]), None);
        let account = Address::repeat_byte(1);
        let withdraw = Accounts::withdrawCall { account }.abi_encode();
        assert_eq!(
            reserved_for(1, PERMISSIONS, &withdraw),
            Some(Permissions::ADMINISTER)
        );
        // What is given and taken in turns would have no end.
        let grant = Accounts::grantCall {
            account,
            permissions: 1,
        };
        assert_eq!(reserved_for(2, PERMISSIONS, &grant.abi_encode()), None);
        let back = Motions::withdrawCall {
            motion: 1,
            reason: 2,
        };
        assert_eq!(reserved_for(2, MOTIONS, &back.abi_encode()), None);
    }

    #[test]
    fn a_declaration_is_reserved_from_version_2_on() {
        let declare = Upgrades::declareCall {
            node: 1,
            version: 3,
        };
        let declare = declare.abi_encode();
        assert_eq!(reserved_for(1, UPGRADES, &declare), None);
        for protocol in [2, 3] {
            assert_eq!(
                reserved_for(protocol, UPGRADES, &declare),
                Some(Permissions::ADMINISTER)
            );
        }
    }
}
