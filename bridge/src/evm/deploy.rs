//! The creation code of a light client (SPEC §14).

use alloy_primitives::{Address, Bytes, U256, hex};
use alloy_sol_types::SolValue;
use serde_json::Value;
use tbsi_bindings::bridge::{Policy, Trust};
use tbsi_types::{ChainIdentity, Checkpoint, NamedValidators};

use super::encode::validator_set;

const ARTIFACT: &str = include_str!("../../../contracts/evm/artifacts/LightClient.json");
const INBOX: &str = include_str!("../../../contracts/evm/artifacts/Inbox.json");

/// Seconds between the proposal of a recovery and the recovery.
const RECOVERY_DELAY_S: u64 = 7 * 86_400;

/// What a light client begins with.
#[derive(Clone, Copy, Debug)]
pub struct Beginning<'a> {
    /// The network.
    pub chain: ChainIdentity,
    /// A checkpoint that the deployer has verified.
    pub checkpoint: &'a Checkpoint,
    /// The set that it names as the next one.
    pub validators: &'a NamedValidators,
    /// Seconds for which a checkpoint is a base for the next.
    pub trust_period_s: u64,
    /// Who may pause; the zero address if nobody.
    pub guardian: Address,
}

/// Creation code and arguments. Without council and cold keys it cannot be recovered once it is
/// frozen or expired, and anybody may relay; whoever wants more deploys it with Solidity's tools.
pub fn creation_code(beginning: &Beginning<'_>) -> Bytes {
    let trust = Trust {
        chainId: beginning.chain.chain_id,
        genesisHash: beginning.chain.genesis_hash,
        checkpoint: beginning.checkpoint.encode().to_vec().into(),
        validatorSet: validator_set(beginning.validators),
        trustPeriod: U256::from(beginning.trust_period_s),
    };
    let policy = Policy {
        guardian: beginning.guardian,
        council: vec![],
        councilThreshold: U256::ZERO,
        coldKeys: vec![],
        coldThreshold: U256::ZERO,
        recoveryDelay: U256::from(RECOVERY_DELAY_S),
        relayers: vec![],
        grace: U256::ZERO,
        strict: false,
    };
    let mut code = bytecode(ARTIFACT);
    code.extend_from_slice(&(trust, policy).abi_encode_params());
    code.into()
}

/// Creation code of an inbox that believes `light_client`, on the chain that it is deployed on.
pub fn inbox_creation_code(light_client: Address) -> Bytes {
    let mut code = bytecode(INBOX);
    code.extend_from_slice(&light_client.abi_encode());
    code.into()
}

fn bytecode(artifact: &str) -> Vec<u8> {
    let artifact: Value = serde_json::from_str(artifact).expect("the artifact is JSON");
    let code = artifact["bytecode"]
        .as_str()
        .expect("the artifact has creation code");
    hex::decode(code).expect("creation code is hex")
}
