//! The declarations are those of the contracts.

use std::collections::BTreeMap;

use alloy_sol_types::{SolCall, SolEvent, SolInterface, SolStruct, SolType};
use serde_json::Value;

use super::*;

/// Signature to results, of all functions and events of a contract. In results, the fields of
/// structs have their names.
type Declared = BTreeMap<String, String>;

fn declared(artifact: &str) -> Declared {
    let artifact: Value = serde_json::from_str(artifact).unwrap();
    let entries = artifact["abi"].as_array().unwrap().iter();
    let callable =
        entries.filter(|entry| ["function", "event"].iter().any(|it| entry["type"] == *it));
    let line = |entry: &Value| {
        let name = entry["name"].as_str().unwrap();
        let signature = format!("{name}{}", tuple(&entry["inputs"], false));
        let results = entry["outputs"].as_array().map(Vec::as_slice);
        let results = results.unwrap_or_default().iter();
        let results: Vec<String> = results.map(|it| type_of(it, true)).collect();
        (signature, format!("({})", results.join(",")))
    };
    callable.map(line).collect()
}

fn tuple(list: &Value, named: bool) -> String {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let field = |entry: &Value| {
        let kind = type_of(entry, named);
        if named {
            return format!("{kind} {}", entry["name"].as_str().unwrap());
        }
        kind
    };
    let fields: Vec<String> = list.iter().map(field).collect();
    format!("({})", fields.join(","))
}

fn type_of(entry: &Value, named: bool) -> String {
    let name = entry["type"].as_str().unwrap();
    match name.strip_prefix("tuple") {
        Some(array) => tuple(&entry["components"], named) + array,
        None => name.into(),
    }
}

/// Our structs by name, with their fields.
fn structs() -> Vec<(String, String)> {
    let fields = |text: std::borrow::Cow<'static, str>| {
        let (name, fields) = text.split_once('(').unwrap();
        (name.to_owned(), format!("({fields}"))
    };
    let rule = fields(Rule::eip712_root_type());
    let mut motion = fields(Motion::eip712_root_type());
    motion.1 = motion.1.replace("Rule rule", &format!("{} rule", rule.1));
    vec![
        rule,
        motion,
        fields(Ballot::eip712_root_type()),
        fields(Organisation::eip712_root_type()),
        fields(Entry::eip712_root_type()),
        fields(Node::eip712_root_type()),
        fields(ValidatorKey::eip712_root_type()),
        fields(Offence::eip712_root_type()),
        fields(Quota::eip712_root_type()),
        fields(Usage::eip712_root_type()),
        fields(Chain::eip712_root_type()),
        fields(Client::eip712_root_type()),
        fields(ForeignHeader::eip712_root_type()),
    ]
}

fn contract(name: &str) -> Declared {
    declared(match name {
        "Motions" => include_str!("../../../contracts/evm/artifacts/Motions.json"),
        "Organisations" => include_str!("../../../contracts/evm/artifacts/Organisations.json"),
        "Nodes" => include_str!("../../../contracts/evm/artifacts/Nodes.json"),
        "Permissions" => include_str!("../../../contracts/evm/artifacts/Permissions.json"),
        "Chains" => include_str!("../../../contracts/evm/artifacts/Chains.json"),
        "Facts" => include_str!("../../../contracts/evm/artifacts/Facts.json"),
        _ => include_str!("../../../contracts/evm/artifacts/Attestations.json"),
    })
}

fn check_selectors<I: SolInterface>(name: &str) {
    let declared = contract(name);
    let known: Vec<[u8; 4]> = declared
        .keys()
        .map(|signature| {
            alloy_primitives::keccak256(signature)[..4]
                .try_into()
                .unwrap()
        })
        .collect();
    for selector in I::selectors() {
        assert!(known.contains(&selector), "{name}: {selector:02x?}");
    }
}

fn check_result<C: SolCall>(name: &str) {
    let declared = contract(name);
    let result = declared.get(C::SIGNATURE);
    let result = result.unwrap_or_else(|| panic!("{name} has no {}", C::SIGNATURE));
    let mut ours = <C::ReturnTuple<'_> as SolType>::SOL_NAME.to_owned();
    for (name, fields) in structs() {
        for end in [")", "[]"] {
            ours = ours.replace(&format!("({name}{end}"), &format!("({fields}{end}"));
        }
    }
    assert_eq!(*result, ours, "{}", C::SIGNATURE);
}

#[test]
fn functions_are_those_of_the_contracts() {
    check_selectors::<Motions::MotionsCalls>("Motions");
    check_selectors::<Organisations::OrganisationsCalls>("Organisations");
    check_selectors::<Nodes::NodesCalls>("Nodes");
    check_selectors::<Permissions::PermissionsCalls>("Permissions");
    check_selectors::<Chains::ChainsCalls>("Chains");
    check_selectors::<Facts::FactsCalls>("Facts");
    check_selectors::<Attestations::AttestationsCalls>("Attestations");
}

#[test]
fn results_are_those_of_the_contracts() {
    check_result::<Motions::motionCountCall>("Motions");
    check_result::<Motions::motionOfCall>("Motions");
    check_result::<Motions::motionsCall>("Motions");
    check_result::<Motions::ballotsCall>("Motions");
    check_result::<Motions::ruleOfCall>("Motions");
    check_result::<Organisations::organisationCountCall>("Organisations");
    check_result::<Organisations::organisationsCall>("Organisations");
    check_result::<Organisations::historyLengthCall>("Organisations");
    check_result::<Organisations::historyOfCall>("Organisations");
    check_result::<Nodes::genesisHashCall>("Nodes");
    check_result::<Nodes::nodeCountCall>("Nodes");
    check_result::<Nodes::nodesCall>("Nodes");
    check_result::<Nodes::nodeByKeyCall>("Nodes");
    check_result::<Nodes::validatorKeyOfCall>("Nodes");
    check_result::<Nodes::offenceCountCall>("Nodes");
    check_result::<Nodes::offencesCall>("Nodes");
    check_result::<Nodes::possessionDigestCall>("Nodes");
    check_result::<Permissions::parametersCall>("Permissions");
    check_result::<Permissions::organisationPermissionsCall>("Permissions");
    check_result::<Permissions::accountOfCall>("Permissions");
    check_result::<Permissions::quotaOfCall>("Permissions");
    check_result::<Permissions::usageOfCall>("Permissions");
    check_result::<Permissions::periodEndCall>("Permissions");
    check_result::<Permissions::accountCountCall>("Permissions");
    check_result::<Permissions::accountsOfCall>("Permissions");
    check_result::<Chains::chainCountCall>("Chains");
    check_result::<Chains::chainsCall>("Chains");
    check_result::<Facts::clientCountCall>("Facts");
    check_result::<Facts::clientOfCall>("Facts");
    check_result::<Facts::clientsCall>("Facts");
    check_result::<Facts::statusOfCall>("Facts");
    check_result::<Facts::headerOfCall>("Facts");
    check_result::<Facts::factOfCall>("Facts");
    check_result::<Attestations::algorithmOfCall>("Attestations");
}

#[test]
fn events_are_those_of_the_contracts() {
    let check = |name: &str, signature: &str| {
        assert!(
            contract(name).contains_key(signature),
            "{name}: {signature}"
        );
    };
    check("Motions", Motions::MotionProposed::SIGNATURE);
    check("Nodes", Nodes::NodeRegistered::SIGNATURE);
    check("Chains", Chains::ChainRegistered::SIGNATURE);
    check("Facts", Facts::ClientOpened::SIGNATURE);
    check("Facts", Facts::HeaderAccepted::SIGNATURE);
    check("Facts", Facts::ClientFrozen::SIGNATURE);
    check("Facts", Facts::FactImported::SIGNATURE);
}
