//! What a transaction must be before it executes, in whatever block: the one place that knows,
//! asked by a pool before it takes one and by a block before it runs one (SPEC §5.1).
//!
//! The gas that a transaction costs before its first instruction and the shape of its fields are
//! revm's own functions. The sender's nonce is not looked at here: a pool may wait for an
//! earlier one.

use revm::Database as _;
use revm::context::TxEnv;
use revm::context_interface::Cfg as _;
use revm::context_interface::cfg::gas_params::Eip2780TxInfo;
use revm::context_interface::result::InvalidTransaction;
use revm::handler::pre_execution::{calculate_caller_fee, validate_account_nonce_and_code};
use revm::handler::validation;
use revm::interpreter::InitialAndFloorGas;
use tbsi_types::{StateView, Transaction, ViewError};

use crate::environment::{BlockContext, Environment, Machine};
use crate::overlay::ReadError;
use crate::transaction::tx_env;
use crate::words::Refusal;

/// Why no block with this sender's account as it is can contain a transaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct Inadmissible {
    /// A stable word for metrics labels.
    pub kind: &'static str,
    /// In go-ethereum's words, with the numbers and a remedy.
    pub words: String,
}

/// Whether a block in the place of `context` on `view` could execute `transaction` once its
/// sender's nonce is due.
///
/// Not asked: the nonce's turn, permissions and quotas ([`crate::admission`]).
pub fn admissible(
    view: &(impl StateView + ?Sized),
    context: &BlockContext,
    transaction: &Transaction,
) -> Result<Result<(), Inadmissible>, ViewError> {
    let environment = Environment::new(context, view)?;
    let mut machine = environment.machine(view);
    machine.tx = tx_env(transaction, environment.rules.fees);
    let checked = match check(&mut machine) {
        Ok(_) => check_sender(&mut machine).map_err(|error| error.0)?,
        Err(refused) => Err(refused),
    };
    Ok(checked.map_err(|error| Inadmissible::new(&error, &machine.tx, context.gas_limit)))
}

/// What needs no account: types, chain id, gas limits, size of initcode, intrinsic gas, the
/// floor of calldata, and the nonce that nobody may have.
pub(crate) fn check<V: StateView + ?Sized>(
    machine: &mut Machine<'_, V>,
) -> Result<InitialAndFloorGas, InvalidTransaction> {
    let is_blob = machine.tx.tx_type == u8::from(alloy_consensus::TxType::Eip4844);
    if is_blob && machine.cfg.max_blobs_per_tx.is_none() {
        return Err(InvalidTransaction::Eip4844NotSupported);
    }
    let spec = *machine.cfg.spec();
    validation::validate_tx_env(&mut *machine, spec)?;
    let (tx, cfg) = (&machine.tx, &machine.cfg);
    let decomposed = cfg.is_amsterdam_eip2780_enabled().then(|| Eip2780TxInfo {
        value: tx.value,
        is_self_transfer: tx.kind.to() == Some(&tx.caller),
    });
    validation::validate_initial_tx_gas_with_gas_params(
        tx,
        spec,
        cfg.gas_params(),
        cfg.is_eip7623_disabled(),
        cfg.is_amsterdam_eip8037_enabled(),
        cfg.tx_gas_limit_cap(),
        decomposed,
    )
}

/// What execution asks of the sender's account beside its nonce: no code, and enough balance.
fn check_sender<V: StateView + ?Sized>(
    machine: &mut Machine<'_, V>,
) -> Result<Result<(), InvalidTransaction>, ReadError> {
    let overlay = &mut machine.journaled_state.database;
    let mut sender = overlay.basic(machine.tx.caller)?.unwrap_or_default();
    if sender.code.is_none() {
        sender.code = Some(overlay.code_by_hash(sender.code_hash)?);
    }
    let (tx, cfg) = (&machine.tx, &machine.cfg);
    let asked = validate_account_nonce_and_code(&sender, tx.nonce, cfg.is_eip3607_disabled(), true)
        .and_then(|()| calculate_caller_fee(sender.balance, tx, &machine.block, cfg));
    Ok(asked.map(|_| ()))
}

impl Inadmissible {
    fn new(error: &InvalidTransaction, tx: &TxEnv, block_gas: u64) -> Self {
        use InvalidTransaction as E;
        let words = Refusal::new(error, tx).reason;
        // revm has many more, which a transaction that was parsed cannot meet.
        #[expect(clippy::wildcard_enum_match_arm, reason = "all others need no remedy")]
        let (kind, remedy) = match error {
            E::CallGasCostMoreThanGasLimit { initial_gas, .. } => (
                "intrinsic_gas",
                format!("; sign with a gas limit of {initial_gas} or more"),
            ),
            E::GasFloorMoreThanGasLimit { gas_floor, .. } => (
                "floor_gas",
                format!("; sign with a gas limit of {gas_floor} or more (EIP-7623)"),
            ),
            E::CreateInitCodeSizeLimit => (
                "initcode_size",
                "; make the contract smaller, or split it".into(),
            ),
            E::CallerGasLimitMoreThanBlock => (
                "block_gas_limit",
                format!(": transaction {}, limit {block_gas}", tx.gas_limit),
            ),
            E::TxGasLimitGreaterThanCap { .. } => ("gas_cap", "; split the work".into()),
            E::RejectCallerWithCode => (
                "sender_code",
                "; the account is a contract, for which nobody signs".into(),
            ),
            E::LackOfFundForMaxFee { .. } => ("insufficient_funds", String::new()),
            _ => ("invalid", String::new()),
        };
        Self {
            kind,
            words: words + &remedy,
        }
    }
}
