//! Contracts that every network of this version has from genesis.

use std::collections::BTreeMap;

use alloy_primitives::{Address, Bytes};
use serde::Deserialize;
use tbsi_governance::abi::{CHAINS, FACTS, MOTIONS, NODES, ORGANISATIONS, PERMISSIONS};
use tbsi_types::contracts::{AUTHORISATIONS, EQUIVOCATIONS, UPGRADES};
use tbsi_types::genesis::GenesisAccount;
use tbsi_types::log::{ATTESTATIONS, OUTBOX};

/// Made from contracts/evm/src by contracts/evm/tools/artifact.mjs.
macro_rules! artifact {
    ($name:literal) => {
        include_str!(concat!("../../../contracts/evm/artifacts/", $name, ".json"))
    };
}

/// The system contracts as accounts of a genesis file, by address (SPEC §2.1). They are written
/// into the file, so that its hash binds their code and anybody can read it there. Those of
/// governance come with `governed`, and belong to a file with the section `governance`.
pub fn system_accounts(governed: bool) -> BTreeMap<Address, GenesisAccount> {
    let mut contracts = vec![
        (ATTESTATIONS, artifact!("Attestations")),
        (OUTBOX, artifact!("Outbox")),
    ];
    if governed {
        contracts.extend([
            (MOTIONS, artifact!("Motions")),
            (ORGANISATIONS, artifact!("Organisations")),
            (NODES, artifact!("Nodes")),
            (PERMISSIONS, artifact!("Permissions")),
            (CHAINS, artifact!("Chains")),
            (FACTS, artifact!("Facts")),
            (EQUIVOCATIONS, artifact!("Equivocations")),
            (UPGRADES, artifact!("Upgrades")),
            (AUTHORISATIONS, artifact!("Authorisations")),
        ]);
    }
    let account = |(address, artifact)| (address, contract(artifact));
    contracts.into_iter().map(account).collect()
}

fn contract(artifact: &str) -> GenesisAccount {
    #[derive(Deserialize)]
    struct Artifact {
        #[serde(rename = "deployedBytecode")]
        deployed_bytecode: Bytes,
    }
    let artifact: Artifact =
        serde_json::from_str(artifact).expect("the compiled artifact is JSON with its code");
    GenesisAccount {
        // As a contract that was deployed has (EIP-161).
        nonce: 1,
        code: artifact.deployed_bytecode,
        ..GenesisAccount::default()
    }
}
