//! Which network something belongs to.

use alloy_primitives::{B256, hex};

/// What every signature binds: one network, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainIdentity {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Hash of the genesis file.
    pub genesis_hash: B256,
}

impl ChainIdentity {
    /// The attestation log's name in notes: `tbsi/<chain id>/<first 8 bytes of the genesis hash
    /// in hex>` (SPEC §9.6).
    pub fn log_origin(&self) -> String {
        let network = hex::encode(&self.genesis_hash[..8]);
        format!("tbsi/{}/{network}", self.chain_id)
    }
}
