//! Every kind has its number, its name and its arguments, there and back.

use alloy_primitives::{Address, B256, keccak256};

use super::*;
use crate::contracts::{Admission, Details, Plan, Replacement, Rule, Setting};

fn details() -> Details {
    Details {
        nameZhTw: "台灣測試公會戊".into(),
        nameEn: "Test Association E".into(),
        kind: 1,
        votes: true,
        taxId: "04595257".into(),
        lei: String::new(),
        jurisdiction: "TW".into(),
        agreementHash: B256::repeat_byte(1),
        credentialHash: B256::ZERO,
        contactUrl: String::new(),
    }
}

fn admission() -> Admission {
    Admission {
        details: details(),
        permissions: 63,
        gas: 5,
        leaves: u64::MAX,
        account: Address::repeat_byte(7),
    }
}

fn rule() -> Rule {
    Rule {
        quorumNumerator: 1,
        quorumDenominator: 2,
        thresholdNumerator: 2,
        thresholdDenominator: 3,
        votingPeriod: 600,
        delay: 60,
        window: 3_600,
    }
}

fn plan() -> Plan {
    Plan {
        nameHash: keccak256("name"),
        height: 1_000,
        protocol: 2,
        version: "2.0.0".into(),
        settings: vec![Setting {
            parameter: 1,
            value: 30_000_000,
        }],
        replacements: vec![Replacement {
            target: Address::repeat_byte(1),
            source: Address::repeat_byte(2),
            codeHash: B256::repeat_byte(3),
        }],
    }
}

fn acts() -> Vec<Act> {
    let (admission, rule) = (admission(), rule());
    let (organisation, reason, node, permissions) = (3, 6, 9, 5);
    vec![
        Act::AddOrganisation(Box::new(Motions::addOrganisationCall { admission })),
        Act::SuspendOrganisation(Motions::suspendOrganisationCall {
            organisation,
            reason,
        }),
        Act::RemoveOrganisation(Motions::removeOrganisationCall {
            organisation,
            reason,
        }),
        Act::ReinstateOrganisation(Organisations::reinstateCall {
            organisation,
            reason,
        }),
        Act::AmendOrganisation(Box::new(Motions::amendOrganisationCall {
            organisation,
            details: details(),
        })),
        Act::AddValidator(Nodes::addValidatorCall { node, power: 10 }),
        Act::RemoveValidator(Nodes::removeValidatorCall { node, reason }),
        Act::ReinstateValidator(Nodes::reinstateValidatorCall { node }),
        Act::SetRule(Motions::setRuleCall { kind: 4, rule }),
        Act::SetQuota(Permissions::setQuotaCall {
            organisation,
            gas: 1,
            leaves: 2,
        }),
        Act::SetOrganisationPermissions(Permissions::setOrganisationPermissionsCall {
            organisation,
            permissions,
        }),
        Act::SetPublicPermissions(Permissions::setPublicPermissionsCall { permissions }),
        Act::SetPeriod(Permissions::setPeriodCall { length: 60 }),
        Act::SetAccount(Permissions::setAccountCall {
            organisation,
            account: Address::repeat_byte(8),
            permissions,
        }),
        Act::SetAlgorithm(Attestations::setAlgorithmCall {
            algorithm: 0x12,
            bits: 256,
            status: 2,
            until: 2_000_000_000,
        }),
        Act::SetChain(Chains::setChainCall {
            chain: 1,
            operator: 2,
            status: 1,
        }),
        Act::ScheduleUpgrade(Box::new(Upgrades::scheduleCall { plan: plan() })),
        Act::Resolve(Motions::resolveCall {
            textHash: B256::repeat_byte(4),
        }),
        Act::CancelUpgrade(Upgrades::cancelCall { upgrade: 3 }),
    ]
}

#[test]
fn every_kind_is_read_as_it_was_written() {
    let acts = acts();
    assert_eq!(acts.len(), MOTION_KINDS.len());
    for (number, act) in (1u8..).zip(&acts) {
        assert_eq!(act.kind(), number);
        let name = Act::kind_name(number).unwrap();
        assert!(format!("{act:?}").starts_with(name), "{name}: {act:?}");
        let arguments = act.arguments();
        assert_eq!(Act::decode(number, &arguments).unwrap(), *act);
        let cut = &arguments[..arguments.len() - 32];
        assert!(Act::decode(number, cut).is_err(), "{name}");
    }
    assert!(Act::decode(0, &[]).is_err());
    assert!(Act::decode(20, &acts[17].arguments()).is_err());
    assert_eq!((Act::kind_name(0), Act::kind_name(20)), (None, None));
}
