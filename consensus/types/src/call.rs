//! A call that executes without becoming a transaction (`eth_call`, `eth_estimateGas`).

use std::collections::BTreeMap;

use alloy_eips::eip2930::AccessList;
use alloy_eips::eip4895::Withdrawal;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, B256, Bytes, U256};

/// What to execute on top of a block's state. Nonces are not checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallRequest {
    /// Caller.
    pub from: Address,
    /// Callee; `None` creates a contract.
    pub to: Option<Address>,
    /// Units of value sent along.
    pub value: U256,
    /// Calldata or init code.
    pub input: Bytes,
    /// Gas allowance; `None` is the node's cap.
    pub gas: Option<u64>,
    /// EIP-2930 list.
    pub access_list: AccessList,
    /// EIP-7702 authorizations.
    pub authorizations: Vec<SignedAuthorization>,
    /// What it offers for gas. TBSI takes nothing (SPEC §5.2); where fees are charged, which only
    /// conformance tests do, it is charged.
    pub bid: CallBid,
}

/// What a transaction offers for a unit of gas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallBid {
    /// At most.
    pub max_fee_per_gas: u128,
    /// Of that, above the base fee (EIP-1559); `None` is all of it.
    pub max_priority_fee_per_gas: Option<u128>,
}

/// What a call takes to be other than it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallOverrides {
    /// Accounts.
    pub state: StateOverrides,
    /// The block that it runs in.
    pub block: BlockOverrides,
}

/// Accounts that are taken to be other than they are.
pub type StateOverrides = BTreeMap<Address, AccountOverride>;

/// One account; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountOverride {
    /// Transactions sent.
    pub nonce: Option<u64>,
    /// Code. Where a precompile is, this takes its place.
    pub code: Option<Bytes>,
    /// Units of value.
    pub balance: Option<U256>,
    /// Storage.
    pub storage: StorageOverride,
    /// Where the precompile of this address is instead.
    pub move_precompile_to: Option<Address>,
}

/// An account's storage that is taken to be other than it is. It cannot be both: whoever asks for
/// both is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StorageOverride {
    /// As it is.
    #[default]
    Keep,
    /// These slots and no other.
    Replace(BTreeMap<U256, U256>),
    /// These slots, and all others as they are.
    Change(BTreeMap<U256, U256>),
}

/// The block that a call runs in; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockOverrides {
    /// Height.
    pub number: Option<u64>,
    /// Seconds.
    pub time: Option<u64>,
    /// Gas of all transactions.
    pub gas_limit: Option<u64>,
    /// COINBASE.
    pub fee_recipient: Option<Address>,
    /// PREVRANDAO.
    pub prev_randao: Option<B256>,
    /// BASEFEE.
    pub base_fee_per_gas: Option<u64>,
    /// BLOBBASEFEE.
    pub blob_base_fee: Option<u128>,
    /// BLOCKHASH of these heights.
    pub block_hashes: BTreeMap<u64, B256>,
    /// EIP-4788; of simulated blocks alone.
    pub beacon_root: Option<B256>,
    /// EIP-4895; of simulated blocks alone.
    pub withdrawals: Option<Vec<Withdrawal>>,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// Normally.
    Returned {
        /// Return data, or the created contract's code.
        output: Bytes,
        /// Gas used after refunds.
        gas_used: u64,
    },
    /// By REVERT.
    Reverted {
        /// Revert data.
        output: Bytes,
        /// Gas used.
        gas_used: u64,
    },
    /// By an exceptional halt (out of gas, invalid opcode ...), which consumes all gas.
    Halted {
        /// Reason in go-ethereum's words.
        reason: String,
        /// Gas used.
        gas_used: u64,
    },
    /// Not executed at all: the words of go-ethereum for why.
    Refused {
        /// For example `intrinsic gas too low: have 100, want 21000`.
        reason: String,
    },
}

/// What a call reads and writes (`eth_createAccessList`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accessed {
    /// Beside what every transaction has for nothing: its sender, its recipient, precompiles.
    pub list: AccessList,
    /// How the call ended with this list.
    pub outcome: CallOutcome,
}
