//! A call that executes without becoming a transaction (`eth_call`, `eth_estimateGas`).

use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, Bytes, U256};

/// What to execute on top of a block's state. Fees do not exist (SPEC §5.2), nonces are not
/// checked.
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
