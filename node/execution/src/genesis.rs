//! The state of block 0.

use std::collections::BTreeMap;

use alloy_eips::eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use revm::SystemCallEvm;
use revm::context_interface::ContextTr;
use revm::context_interface::result::ExecutionResult;
use tbsi_governance::founding::{self, FoundingError};
use tbsi_types::genesis::GenesisAccount;
use tbsi_types::{Account, AccountChange, Genesis, Height, StateDiff, StateView, ViewError};

use crate::environment::{BlockContext, Environment};
use crate::error::{ExecutionError, fatal};

/// Why a genesis file has no state.
#[derive(Debug, thiserror::Error)]
pub enum GenesisStateError {
    /// A field that the governance contracts cannot take.
    #[error(transparent)]
    Founding(#[from] FoundingError),
    /// A governance contract refuses what the file says.
    #[error("genesis file: the contract {contract} refuses {what}: {words}")]
    Refused {
        /// What the call was about.
        what: String,
        /// The contract.
        contract: Address,
        /// How the call ended, with its revert data.
        words: String,
    },
    /// revm failed in a way that no file can cause.
    #[error("execute the founding calls")]
    Execution(#[from] ExecutionError),
}

/// The accounts of the genesis file and the EIP-2935 history contract, as a change of the
/// empty state; on a chain that governs itself, after the founding calls (SPEC §13.1). The
/// history contract is part of the protocol: it replaces an entry of the file at its address.
/// Empty accounts (EIP-161) and zero slots do not exist and are left out.
pub fn genesis_diff(genesis: &Genesis) -> Result<StateDiff, GenesisStateError> {
    let mut diff = accounts(genesis);
    let calls = founding::calls(genesis)?;
    if calls.is_empty() {
        return Ok(diff);
    }
    let founded = {
        let context = BlockContext {
            chain_id: genesis.chain_id,
            genesis_hash: B256::ZERO,
            height: Height::GENESIS,
            time: genesis.time_ms,
            beneficiary: Address::ZERO,
            gas_limit: genesis.block_gas_limit,
            parent_hash: B256::ZERO,
        };
        let view = Written(&diff);
        let mut evm = Environment::new(&context, &view)
            .map_err(ExecutionError::from)?
            .evm(&view);
        for call in calls {
            let called = evm.system_call(call.to, call.input).map_err(fatal)?;
            if !called.result.is_success() {
                return Err(GenesisStateError::Refused {
                    what: call.what,
                    contract: call.to,
                    words: words(&called.result),
                });
            }
            let kept = evm.ctx.db_mut().commit(called.state);
            kept.map_err(|error| ExecutionError::View(error.0))?;
        }
        evm.ctx.db_mut().diff()
    };
    for (address, change) in founded.accounts {
        let entry = diff.accounts.entry(address).or_default();
        entry.account = change.account;
        entry.storage.extend(change.storage);
    }
    Ok(diff)
}

pub(crate) fn words(result: &ExecutionResult) -> String {
    match result {
        ExecutionResult::Revert { output, .. } => format!("revert {output}"),
        ExecutionResult::Halt { .. } | ExecutionResult::Success { .. } => result.to_string(),
    }
}

fn accounts(genesis: &Genesis) -> StateDiff {
    let history = GenesisAccount {
        nonce: 1,
        code: HISTORY_STORAGE_CODE.clone(),
        ..GenesisAccount::default()
    };
    let accounts = genesis
        .accounts
        .iter()
        .map(|(address, account)| (*address, account))
        .filter(|(address, _)| *address != HISTORY_STORAGE_ADDRESS)
        .chain([(HISTORY_STORAGE_ADDRESS, &history)]);
    let mut diff = StateDiff::default();
    for (address, entry) in accounts {
        let account = Account {
            nonce: entry.nonce,
            balance: entry.balance,
            code_hash: keccak256(&entry.code),
        };
        if account.is_empty() {
            continue;
        }
        if !entry.code.is_empty() {
            diff.codes.insert(account.code_hash, entry.code.clone());
        }
        let storage: BTreeMap<_, _> = entry
            .storage
            .iter()
            .filter(|(_, value)| !value.is_zero())
            .map(|(slot, value)| (*slot, *value))
            .collect();
        let change = AccountChange {
            account: Some(account),
            storage_wiped: false,
            storage,
        };
        diff.accounts.insert(address, change);
    }
    diff
}

/// The state that a change of the empty state makes.
pub(crate) struct Written<'a>(pub(crate) &'a StateDiff);

impl StateView for Written<'_> {
    fn account(&self, address: Address) -> Result<Option<Account>, ViewError> {
        let change = self.0.accounts.get(&address);
        Ok(change.and_then(|change| change.account))
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, ViewError> {
        Ok(self.0.codes.get(&code_hash).cloned().unwrap_or_default())
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, ViewError> {
        let change = self.0.accounts.get(&address);
        let value = change.and_then(|change| change.storage.get(&slot));
        Ok(value.copied().unwrap_or_default())
    }

    fn block_hash(&self, _: u64) -> Result<B256, ViewError> {
        Ok(B256::ZERO)
    }
}
