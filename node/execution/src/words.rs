//! go-ethereum's words for what went wrong: wallets and libraries match on them.

use revm::context::TxEnv;
use revm::context_interface::result::{HaltReason, InvalidTransaction};
use revm::context_interface::transaction::Transaction as _;
use revm::primitives::eip3860::MAX_INITCODE_SIZE;

use crate::gate::Refused;

pub(crate) const TYPE_NOT_SUPPORTED: &str = "transaction type not supported";
pub(crate) const SET_CODE_CREATE: &str = "EIP-7702 transaction cannot be used to create contract";
pub(crate) const OUT_OF_GAS: &str = "out of gas";

/// Why a transaction may not be in the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) reason: String,
    pub(crate) chance: Chance,
}

/// When what was refused may be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chance {
    /// By no later state of this chain.
    Never,
    /// By a state that something else has changed.
    Later,
    /// By the next block: it is not the transaction's fault, but that an earlier one of its
    /// sender is missing, or that its organisation's reserve is taken.
    NotYet,
    /// It was not refused: whoever builds the block stopped it.
    Stopped,
}

impl Refusal {
    pub(crate) fn new(error: &InvalidTransaction, tx: &TxEnv) -> Self {
        use InvalidTransaction as E;
        let chance = if matches!(error, E::NonceTooHigh { .. }) {
            Chance::NotYet
        } else if matches!(error, E::LackOfFundForMaxFee { .. }) {
            Chance::Later
        } else {
            Chance::Never
        };
        Self {
            reason: invalid(error, tx),
            chance,
        }
    }

    /// It ran for longer than it may.
    pub(crate) fn stopped() -> Self {
        Self {
            reason: "execution was stopped".into(),
            chance: Chance::Stopped,
        }
    }

    pub(crate) fn permanent(reason: &str) -> Self {
        Self {
            reason: reason.into(),
            chance: Chance::Never,
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self {
            reason: refused.denied.to_string(),
            chance: if refused.waits {
                Chance::NotYet
            } else {
                Chance::Later
            },
        }
    }
}

/// Why revm refuses a transaction before executing it.
fn invalid(error: &InvalidTransaction, tx: &TxEnv) -> String {
    use InvalidTransaction as E;
    let sender = tx.caller();
    match error {
        E::NonceTooLow { tx, state } => {
            format!("nonce too low: address {sender}, tx: {tx} state: {state}")
        }
        E::NonceTooHigh { tx, state } => {
            format!("nonce too high: address {sender}, tx: {tx} state: {state}")
        }
        E::NonceOverflowInTransaction => {
            format!("nonce has max value: address {sender}, nonce: {}", u64::MAX)
        }
        E::LackOfFundForMaxFee { fee, balance } => format!(
            "insufficient funds for gas * price + value: \
             address {sender} have {balance} want {fee}"
        ),
        E::RejectCallerWithCode => format!("sender not an eoa: address {sender}"),
        E::CallGasCostMoreThanGasLimit {
            initial_gas,
            gas_limit,
        } => format!("intrinsic gas too low: have {gas_limit}, want {initial_gas}"),
        E::GasFloorMoreThanGasLimit {
            gas_floor,
            gas_limit,
        } => {
            format!("insufficient gas for floor data gas cost: have {gas_limit}, want {gas_floor}")
        }
        E::TxGasLimitGreaterThanCap { gas_limit, cap } => {
            format!("transaction gas limit too high (cap: {cap}, tx: {gas_limit})")
        }
        E::CallerGasLimitMoreThanBlock => "exceeds block gas limit".into(),
        E::CreateInitCodeSizeLimit => {
            let (size, limit) = (tx.data.len(), MAX_INITCODE_SIZE);
            format!("max initcode size exceeded: code size {size}, limit {limit}")
        }
        E::OverflowPaymentInTransaction => {
            "insufficient funds for gas * price + value: required balance exceeds 256 bits".into()
        }
        E::GasPriceLessThanBasefee => "max fee per gas less than block base fee".into(),
        E::PriorityFeeGreaterThanMaxFee => {
            "max priority fee per gas higher than max fee per gas".into()
        }
        E::InvalidChainId => "invalid chain id for signer".into(),
        E::MissingChainId => "invalid chain id for signer: the transaction names none".into(),
        E::EmptyAuthorizationList => "EIP-7702 transaction with empty auth list".into(),
        E::AuthorizationListInvalidFields => "EIP-7702 transaction with invalid fields".into(),
        E::BlobGasPriceGreaterThanMax { .. } => {
            "max fee per blob gas less than block blob gas fee".into()
        }
        E::EmptyBlobs => "blob transaction missing blob hashes".into(),
        E::BlobCreateTransaction => "blob transaction of type create".into(),
        E::TooManyBlobs { .. } => "blob transaction has too many blobs".into(),
        E::BlobVersionNotSupported => "blob transaction with an invalid hash version".into(),
        E::AccessListNotSupported
        | E::MaxFeePerBlobGasNotSupported
        | E::BlobVersionedHashesNotSupported
        | E::AuthorizationListNotSupported
        | E::Eip2930NotSupported
        | E::Eip1559NotSupported
        | E::Eip4844NotSupported
        | E::Eip7702NotSupported
        | E::Eip7873NotSupported
        | E::Eip7873MissingTarget => TYPE_NOT_SUPPORTED.into(),
        E::Str(words) => words.to_string(),
    }
}

/// Why execution stopped and took all gas.
pub(crate) fn halted(reason: &HaltReason) -> String {
    let words = match reason {
        HaltReason::OutOfGas(_) => OUT_OF_GAS,
        HaltReason::OpcodeNotFound | HaltReason::NotActivated => "invalid opcode",
        HaltReason::InvalidFEOpcode => "invalid opcode: INVALID",
        HaltReason::InvalidJump => "invalid jump destination",
        HaltReason::StackUnderflow => "stack underflow",
        HaltReason::StackOverflow => "stack limit reached 1024 (1023)",
        HaltReason::OutOfOffset => "return data out of bounds",
        HaltReason::CreateCollision => "contract address collision",
        HaltReason::PrecompileError => "precompiled contract refused its input",
        HaltReason::PrecompileErrorWithContext(words) => words,
        HaltReason::NonceOverflow => "nonce uint64 overflow",
        HaltReason::CreateContractSizeLimit => "max code size exceeded",
        HaltReason::CreateContractStartingWithEF => "invalid code: must not begin with 0xef",
        HaltReason::CreateInitCodeSizeLimit => "max initcode size exceeded",
        HaltReason::StateChangeDuringStaticCall | HaltReason::CallNotAllowedInsideStatic => {
            "write protection"
        }
        HaltReason::OverflowPayment | HaltReason::OutOfFunds => "insufficient balance for transfer",
        HaltReason::CallTooDeep => "max call depth exceeded",
    };
    words.into()
}
