//! What a genesis file must be (SPEC §2).

use std::collections::BTreeSet;

use super::{Genesis, GenesisError};
use crate::limits::{
    EPOCH_SECONDS_MAX, GENESIS_ACCOUNTS_MAX, NODES_MAX, ORGANISATION_NAME_BYTES_MAX,
};
use crate::log::{NoteVerifier, SignatureType};

/// Integers above this are not exact in JSON (RFC 8785 §3.2.2.3).
const JSON_INTEGER_MAX: u64 = (1 << 53) - 1;
/// Above this wallets refuse a chain id (EIP-2294 and MetaMask's bound).
const CHAIN_ID_MAX: u64 = 4_503_599_627_370_476;
/// The only version so far.
const VERSION: u32 = 1;

impl Genesis {
    /// Checks every field; [`Genesis::parse`] has done so already.
    pub fn check(&self) -> Result<(), GenesisError> {
        self.check_numbers()?;
        self.check_governance()?;
        self.check_accounts()?;
        self.check_nodes()?;
        self.validator_set()?;
        self.check_log_keys()
    }

    fn check_numbers(&self) -> Result<(), GenesisError> {
        within(
            "version",
            self.version.into(),
            VERSION.into(),
            VERSION.into(),
        )?;
        within("chain_id", self.chain_id, 1, CHAIN_ID_MAX)?;
        within("time_ms", self.time_ms.0, 1, JSON_INTEGER_MAX)?;
        within(
            "block_gas_limit",
            self.block_gas_limit,
            1 << 24,
            10_000_000_000,
        )?;
        within(
            "accounts",
            self.accounts.len() as u64,
            0,
            GENESIS_ACCOUNTS_MAX as u64,
        )?;
        within("nodes", self.nodes.len() as u64, 1, NODES_MAX as u64)?;
        self.check_consensus()
    }

    fn check_consensus(&self) -> Result<(), GenesisError> {
        let consensus = &self.consensus;
        within(
            "consensus.timeout_propose_ms",
            consensus.timeout_propose_ms,
            10,
            600_000,
        )?;
        within(
            "consensus.timeout_vote_ms",
            consensus.timeout_vote_ms,
            10,
            600_000,
        )?;
        within(
            "consensus.timeout_delta_ms",
            consensus.timeout_delta_ms,
            1,
            600_000,
        )?;
        let interval = consensus.empty_block_interval_ms;
        within(
            "consensus.empty_block_interval_ms",
            interval,
            100,
            86_400_000,
        )?;
        within(
            "consensus.block_spacing_min_ms",
            consensus.block_spacing_min_ms,
            0,
            60_000,
        )?;
        within(
            "consensus.clock_drift_max_ms",
            consensus.clock_drift_max_ms,
            100,
            600_000,
        )?;
        // A block that comes within the time to propose it must be timely.
        within(
            "consensus.clock_lag_max_ms",
            consensus.clock_lag_max_ms(),
            consensus.timeout_propose_ms,
            600_000,
        )?;
        within(
            "consensus.map_period_ms",
            consensus.map_period_ms(),
            1_000,
            86_400_000,
        )
    }

    fn check_governance(&self) -> Result<(), GenesisError> {
        let Some(governance) = &self.governance else {
            return Ok(());
        };
        let seconds = u64::from(governance.period_seconds);
        within("governance.period_seconds", seconds, 1, 31_536_000)?;
        let seconds = u64::from(governance.epoch_seconds);
        within("governance.epoch_seconds", seconds, 0, EPOCH_SECONDS_MAX)?;
        let quotas = [governance.public_quota, governance.organisation_quota];
        for amount in quotas.iter().flat_map(|quota| [quota.gas, quota.leaves]) {
            within("governance quota", amount.unwrap_or(0), 0, JSON_INTEGER_MAX)?;
        }
        Ok(())
    }

    /// Storage belongs to contracts. An account that has it without code could be overwritten
    /// by a contract created at its address, which Ethereum forbids (EIP-7610).
    fn check_accounts(&self) -> Result<(), GenesisError> {
        for (address, account) in &self.accounts {
            if account.code.is_empty() && !account.storage.is_empty() {
                let field = format!("accounts.{address}.storage");
                let problem = "only an account with code can have storage".into();
                return Err(field_error(&field, problem));
            }
        }
        Ok(())
    }

    fn check_nodes(&self) -> Result<(), GenesisError> {
        for (id, organisation) in &self.organisations {
            if organisation.name_en.trim().is_empty() {
                let field = format!("organisations.{id}.name_en");
                return Err(field_error(&field, "a legal name is required".into()));
            }
            let names = [
                ("name_zh_tw", &organisation.name_zh_tw),
                ("name_en", &organisation.name_en),
            ];
            for (name, value) in names {
                if value.len() > ORGANISATION_NAME_BYTES_MAX {
                    let field = format!("organisations.{id}.{name}");
                    let size = value.len();
                    let problem = format!(
                        "{size} bytes of UTF-8 are more than {ORGANISATION_NAME_BYTES_MAX}; shorten it"
                    );
                    return Err(field_error(&field, problem));
                }
            }
        }
        let (mut names, mut peers) = (BTreeSet::new(), BTreeSet::new());
        for node in &self.nodes {
            let field = |name: &str| format!("nodes[{}].{name}", node.name);
            if node.name.trim().is_empty() || !names.insert(&node.name) {
                return Err(field_error(
                    &field("name"),
                    "must be unique and not empty".into(),
                ));
            }
            if !peers.insert(&node.peer_id) {
                let problem = format!("peer id {} appears twice", node.peer_id);
                return Err(field_error(&field("peer_id"), problem));
            }
            if !self.organisations.contains_key(&node.organisation) {
                let problem = format!("`{}` is not listed in organisations", node.organisation);
                return Err(field_error(&field("organisation"), problem));
            }
            let power = node
                .validator
                .as_ref()
                .map_or(1, |validator| validator.power);
            if power == 0 || power > JSON_INTEGER_MAX {
                let problem = format!("{power} is outside 1..={JSON_INTEGER_MAX}");
                return Err(field_error(&field("validator.power"), problem));
            }
        }
        Ok(())
    }

    /// Usable keys, each of one node: what a key signs names nobody else.
    fn check_log_keys(&self) -> Result<(), GenesisError> {
        let mut keys = BTreeSet::new();
        for node in &self.nodes {
            let entry = node.validator.as_ref();
            let Some(key) = entry.and_then(|entry| entry.log_key.as_ref()) else {
                continue;
            };
            NoteVerifier::new("key", SignatureType::Cosignature, key).map_err(|source| {
                GenesisError::LogKey {
                    node: node.name.clone(),
                    source,
                }
            })?;
            if !keys.insert(key) {
                let field = format!("nodes[{}].validator.log_key", node.name);
                return Err(field_error(&field, format!("{key} appears twice")));
            }
        }
        Ok(())
    }
}

fn within(field: &str, value: u64, min: u64, max: u64) -> Result<(), GenesisError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    let problem = format!("{value} is outside {min}..={max}");
    Err(field_error(field, problem))
}

fn field_error(field: &str, problem: String) -> GenesisError {
    GenesisError::Field {
        field: field.into(),
        problem,
    }
}
