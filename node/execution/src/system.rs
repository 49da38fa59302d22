//! Contracts that every network of this version has from genesis.

use std::collections::BTreeMap;

use alloy_primitives::{Address, Bytes};
use serde::Deserialize;
use tbsi_types::genesis::GenesisAccount;
use tbsi_types::log::ATTESTATIONS;

/// Made from contracts/evm/src by contracts/evm/tools/artifact.mjs.
const ATTESTATIONS_ARTIFACT: &str =
    include_str!("../../../contracts/evm/artifacts/Attestations.json");

/// The system contracts as accounts of a genesis file, by address (SPEC §2.1). They are written
/// into the file, so that its hash binds their code and anybody can read it there.
pub fn system_accounts() -> BTreeMap<Address, GenesisAccount> {
    [(ATTESTATIONS, contract(ATTESTATIONS_ARTIFACT))].into()
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
