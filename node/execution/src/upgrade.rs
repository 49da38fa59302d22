//! Upgrades: by which rules the next block is made, and how they change (SPEC §13.12).

use revm::Database as _;
use revm::context_interface::ContextTr;
use tbsi_governance::abi::UPGRADES;
use tbsi_governance::upgrades::{self, BlockRules, Planned};
use tbsi_types::{Address, Genesis, StateView, U256, ViewError};

use crate::environment::{BlockContext, Environment, Evm};
use crate::error::{ExecutionError, unreadable};
use crate::roster;

/// What a block on `view` obeys.
pub fn block_rules(
    view: &(impl StateView + ?Sized),
    genesis: &Genesis,
) -> Result<BlockRules, ViewError> {
    let mut read = |address: Address, slot: U256| view.storage(address, slot);
    upgrades::block_rules(&mut read, genesis)
}

/// An upgrade, as the contract has it on `view`; `None` if it has none with this number.
pub fn planned_upgrade(
    view: &(impl StateView + ?Sized),
    context: &BlockContext,
    number: u32,
) -> Result<Option<Planned>, ExecutionError> {
    let mut evm = Environment::new(context, view)?.evm(view);
    let answer = roster::ask(&mut evm, UPGRADES, upgrades::planned_call(number))?;
    Ok(answer.and_then(|answer| upgrades::planned(number, &answer)))
}

/// Whether an upgrade waits for the height after `number`, or was missed.
pub(crate) fn is_due<V: StateView + ?Sized>(
    evm: &mut Evm<'_, V>,
    number: u64,
) -> Result<bool, ExecutionError> {
    let overlay = evm.ctx.db_mut();
    let head = upgrades::head(&mut |address: Address, slot: U256| overlay.storage(address, slot));
    let waiting = head.map_err(unreadable)?.waiting;
    Ok(waiting.is_some_and(|it| it.height.0 <= number.saturating_add(1)))
}

/// Settles the upgrade that is due. Its contract decides whether it takes effect and changes what
/// is its own; code is put in place here, all of it or none.
pub(crate) fn settle<V: StateView + ?Sized>(evm: &mut Evm<'_, V>) -> Result<(), ExecutionError> {
    let Some(answer) = roster::tell(evm, UPGRADES, upgrades::settle_call())? else {
        return Ok(());
    };
    let (overlay, changes) = (evm.ctx.db_mut(), upgrades::code_changes(&answer));
    // The contract has asked the same just now; but its own code can be replaced, too.
    for change in &changes {
        let there = overlay.code_hash(change.source).map_err(unreadable)?;
        if !is_system(change.target) || there != Some(change.code_hash) {
            return Ok(());
        }
    }
    for change in changes {
        let set = overlay.set_code(change.target, change.code_hash);
        set.map_err(unreadable)?;
    }
    Ok(())
}

/// 0x…1000 to 0x…100A.
fn is_system(address: Address) -> bool {
    let first = tbsi_governance::abi::MOTIONS;
    (first..=tbsi_types::contracts::AUTHORISATIONS).contains(&address)
}
