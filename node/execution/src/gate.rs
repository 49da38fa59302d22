//! Who may put a transaction into a block, and how much of it (SPEC §13.4).

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use revm::Database;
use tbsi_governance::standing::{
    self, Amounts, Denied, Parameters, Permissions, Standing, within_quota,
};
use tbsi_types::log::ATTESTATIONS;
use tbsi_types::{StateView, Transaction};

use crate::overlay::{Overlay, ReadError};

/// What an organisation may use in the running period, and has used.
struct Account {
    limit: Amounts,
    /// In the period, before this block.
    before: Amounts,
    /// In this block.
    here: Amounts,
}

impl Account {
    fn used(&self) -> Amounts {
        Amounts {
            gas: self.before.gas.saturating_add(self.here.gas),
            leaves: self.before.leaves.saturating_add(self.here.leaves),
        }
    }
}

/// Permissions and quotas during one block.
pub(crate) struct Gate {
    parameters: Parameters,
    period: u64,
    lifts_at: u64,
    organisations: BTreeMap<u32, Account>,
}

/// A transaction that may be executed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admitted {
    sender: Address,
    standing: Standing,
}

impl Gate {
    /// For a block at `seconds` of block time.
    pub(crate) fn open<V: StateView + ?Sized>(
        overlay: &mut Overlay<'_, V>,
        seconds: u64,
    ) -> Result<Self, ReadError> {
        let parameters = standing::parameters(&mut reader(overlay))?;
        Ok(Self {
            parameters,
            period: parameters.period(seconds),
            lifts_at: parameters.next_period_at(seconds),
            organisations: BTreeMap::new(),
        })
    }

    /// What is known before execution: permissions, and that the gas asked for is left.
    pub(crate) fn admit<V: StateView + ?Sized>(
        &mut self,
        overlay: &mut Overlay<'_, V>,
        transaction: &Transaction,
    ) -> Result<Result<Admitted, Denied>, ReadError> {
        let (sender, envelope) = (transaction.sender(), transaction.envelope());
        let mut read = reader(overlay);
        let standing = standing::standing(&mut read, &self.parameters, sender)?;
        let admitted = Admitted { sender, standing };
        for needed in needed(envelope) {
            if let Err(denied) = admitted.require(needed) {
                return Ok(Err(denied));
            }
        }
        let organisation = standing.organisation;
        if !self.organisations.contains_key(&organisation) {
            let account = Account {
                limit: standing::quota(&mut read, organisation)?,
                before: standing::usage(&mut read, organisation, self.period)?,
                here: Amounts { gas: 0, leaves: 0 },
            };
            self.organisations.insert(organisation, account);
        }
        use alloy_consensus::Transaction as _;
        let asked = Amounts {
            gas: envelope.gas_limit(),
            leaves: 0,
        };
        Ok(self.within(organisation, asked).map(|()| admitted))
    }

    /// What is known after it: leaves, which need a permission of their own. Counts both.
    pub(crate) fn settle(&mut self, admitted: &Admitted, used: Amounts) -> Result<(), Denied> {
        if used.leaves > 0 {
            admitted.require(Permissions::ATTEST)?;
        }
        let organisation = admitted.standing.organisation;
        self.within(organisation, used)?;
        if let Some(account) = self.organisations.get_mut(&organisation) {
            account.here.gas = account.here.gas.saturating_add(used.gas);
            account.here.leaves = account.here.leaves.saturating_add(used.leaves);
        }
        Ok(())
    }

    fn within(&self, organisation: u32, asked: Amounts) -> Result<(), Denied> {
        let Some(account) = self.organisations.get(&organisation) else {
            return Ok(());
        };
        let used = account.used();
        within_quota(organisation, used, account.limit, asked, self.lifts_at)
    }

    /// Number, gas and leaves of each organisation that used any.
    pub(crate) fn used(&self) -> Vec<(u32, u64, u64)> {
        let here =
            |(number, account): (&u32, &Account)| (*number, account.here.gas, account.here.leaves);
        let used = self.organisations.iter().map(here);
        used.filter(|(_, gas, leaves)| gas + leaves > 0).collect()
    }
}

impl Admitted {
    fn require(&self, needed: Permissions) -> Result<(), Denied> {
        if self.standing.permissions.contains(needed) {
            return Ok(());
        }
        Err(Denied::permission(self.sender, &self.standing, needed))
    }
}

/// What the envelope alone shows. A contract that attests for its caller is seen afterwards.
fn needed(envelope: &tbsi_types::TxEnvelope) -> impl Iterator<Item = Permissions> {
    use alloy_consensus::Transaction as _;
    let to = envelope.to();
    [
        Some(Permissions::SEND),
        to.is_none().then_some(Permissions::DEPLOY),
        (to == Some(ATTESTATIONS)).then_some(Permissions::ATTEST),
    ]
    .into_iter()
    .flatten()
}

/// Why a transaction of `transaction`'s sender could not be in a block at `seconds` on `view`:
/// what a pool asks before it takes one.
pub fn admission(
    view: &(impl StateView + ?Sized),
    seconds: u64,
    transaction: &Transaction,
) -> Result<Result<(), Denied>, tbsi_types::ViewError> {
    let mut overlay = Overlay::new(view, None);
    let admit = |overlay: &mut Overlay<'_, _>| {
        if !is_governed(overlay)? {
            return Ok(Ok(()));
        }
        let mut gate = Gate::open(overlay, seconds)?;
        Ok(gate.admit(overlay, transaction)?.map(|_| ()))
    };
    admit(&mut overlay).map_err(|error: ReadError| error.0)
}

/// Whether the chain has the governance contracts; one without is open to everybody, and its
/// validators stay those of genesis.
pub(crate) fn is_governed<V: StateView + ?Sized>(
    overlay: &mut Overlay<'_, V>,
) -> Result<bool, ReadError> {
    let account = overlay.basic(tbsi_governance::abi::NODES)?;
    Ok(account.is_some_and(|account| account.code_hash != alloy_primitives::KECCAK256_EMPTY))
}

fn reader<'a, 'v, V: StateView + ?Sized>(
    overlay: &'a mut Overlay<'v, V>,
) -> impl FnMut(Address, U256) -> Result<U256, ReadError> + use<'a, 'v, V> {
    |address, slot| overlay.storage(address, slot)
}
