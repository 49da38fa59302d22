//! Who may put a transaction into a block, and how much of it (SPEC §13.4).

use std::collections::BTreeMap;
use std::collections::btree_map;

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, U256};
use revm::Database;
use tbsi_governance::reserve::{carries_out, reserved_for};
use tbsi_governance::standing::{
    self, Amounts, Denied, Parameters, Permissions, Standing, within_quota,
};
use tbsi_governance::upgrades;
use tbsi_types::log::{ATTESTATIONS, FACTS, GOVERNANCE, LeafCount, OUTBOX};
use tbsi_types::{StateView, Transaction};

use crate::overlay::{Overlay, ReadError};

/// What an organisation may use in the running period, and has used.
struct Usage {
    limit: Amounts,
    /// In the period, before this block.
    before: Amounts,
    /// In this block.
    here: Amounts,
    /// Whether a transaction of this block was its reserve.
    reserve_taken: bool,
}

impl Usage {
    fn used(&self) -> Amounts {
        Amounts {
            gas: self.before.gas.saturating_add(self.here.gas),
            leaves: self.before.leaves.saturating_add(self.here.leaves),
        }
    }
}

/// Permissions and quotas during one block.
pub(crate) struct Gate {
    /// Protocol version of the block.
    protocol: u32,
    parameters: Parameters,
    period: u64,
    lifts_at: u64,
    organisations: BTreeMap<u32, Usage>,
}

/// What the sender of one transaction may do with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    sender: Address,
    standing: Standing,
    limit: Amounts,
    /// Before the transaction.
    used: Amounts,
    lifts_at: u64,
    reserve: Reserve,
    /// Whether it carries out a motion: the leaves are not its sender's statements.
    carries_out: bool,
}

/// Of an organisation's calls of [`reserved_for`] in a block, the first is outside its quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reserve {
    /// The call is none of these, or its sender lacks the permission.
    None,
    /// Another one was the first.
    Taken,
    First,
}

/// Why a transaction is not executed.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) denied: Denied,
    /// Whether the next block's reserve is for it.
    pub(crate) waits: bool,
}

impl Gate {
    /// For a block at `seconds` of block time.
    pub(crate) fn open<V: StateView + ?Sized>(
        overlay: &mut Overlay<'_, V>,
        seconds: u64,
    ) -> Result<Self, ReadError> {
        let parameters = standing::parameters(&mut reader(overlay))?;
        let protocol = upgrades::head(&mut reader(overlay))?.protocol;
        Ok(Self {
            protocol,
            parameters,
            period: parameters.period(seconds),
            lifts_at: parameters.next_period_at(seconds),
            organisations: BTreeMap::new(),
        })
    }

    /// What the sender of `input` to `to` may do.
    fn bounds<V: StateView + ?Sized>(
        &mut self,
        overlay: &mut Overlay<'_, V>,
        sender: Address,
        to: Option<Address>,
        input: &[u8],
    ) -> Result<Bounds, ReadError> {
        let mut read = reader(overlay);
        let standing = standing::standing(&mut read, &self.parameters, sender)?;
        let organisation = standing.organisation;
        let usage = match self.organisations.entry(organisation) {
            btree_map::Entry::Occupied(entry) => entry.into_mut(),
            btree_map::Entry::Vacant(entry) => entry.insert(Usage {
                limit: standing::quota(&mut read, organisation)?,
                before: standing::usage(&mut read, organisation, self.period)?,
                here: Amounts { gas: 0, leaves: 0 },
                reserve_taken: false,
            }),
        };
        let protocol = self.protocol;
        let permission = to.and_then(|to| reserved_for(protocol, to, input));
        let reserve = match permission {
            Some(it) if !standing.permissions.contains(it) => Reserve::None,
            Some(_) if usage.reserve_taken => Reserve::Taken,
            Some(_) => Reserve::First,
            None => Reserve::None,
        };
        Ok(Bounds {
            sender,
            standing,
            limit: usage.limit,
            used: usage.used(),
            lifts_at: self.lifts_at,
            reserve,
            carries_out: to.is_some_and(|to| carries_out(to, input)),
        })
    }

    /// What is known before execution: permissions that the envelope shows to be needed, and
    /// that the gas asked for, and a leaf if the call is to make one, are left.
    pub(crate) fn admit<V: StateView + ?Sized>(
        &mut self,
        overlay: &mut Overlay<'_, V>,
        transaction: &Transaction,
    ) -> Result<Result<Bounds, Refused>, ReadError> {
        let envelope = transaction.envelope();
        let (to, input) = (envelope.to(), envelope.input());
        let bounds = self.bounds(overlay, transaction.sender(), to, input)?;
        let asked = Amounts {
            gas: envelope.gas_limit(),
            leaves: u64::from(!bounds.carries_out && to.is_some_and(makes_leaves)),
        };
        let admitted = bounds.permit(to).and_then(|()| bounds.within(asked));
        Ok(admitted.map(|()| bounds).map_err(|denied| Refused {
            waits: matches!(denied, Denied::Quota { .. }) && bounds.reserve == Reserve::Taken,
            denied,
        }))
    }

    /// Counts what an executed transaction used.
    pub(crate) fn charge(&mut self, bounds: &Bounds, used: Amounts) {
        let organisation = bounds.standing.organisation;
        if let Some(usage) = self.organisations.get_mut(&organisation) {
            usage.here.gas = usage.here.gas.saturating_add(used.gas);
            usage.here.leaves = usage.here.leaves.saturating_add(used.leaves);
            usage.reserve_taken |= bounds.reserve == Reserve::First;
        }
    }

    /// Number, gas and leaves of each organisation that used any.
    pub(crate) fn used(&self) -> Vec<(u32, u64, u64)> {
        let here = |(number, usage): (&u32, &Usage)| (*number, usage.here.gas, usage.here.leaves);
        let used = self.organisations.iter().map(here);
        used.filter(|(_, gas, leaves)| *gas > 0 || *leaves > 0)
            .collect()
    }
}

impl Bounds {
    fn require(&self, needed: Permissions) -> Result<(), Denied> {
        if self.standing.permissions.contains(needed) {
            return Ok(());
        }
        Err(Denied::permission(self.sender, &self.standing, needed))
    }

    /// What the recipient alone shows. What a contract does for its caller is seen later.
    fn permit(&self, to: Option<Address>) -> Result<(), Denied> {
        self.require(Permissions::SEND)?;
        match to {
            None => self.creation(),
            Some(ATTESTATIONS) => self.require(Permissions::ATTEST),
            Some(_) => Ok(()),
        }
    }

    /// Whether the transaction may create a contract.
    pub(crate) fn creation(&self) -> Result<(), Denied> {
        self.require(Permissions::DEPLOY)
    }

    /// Whether the transaction may make these leaves.
    pub(crate) fn leaves(&self, made: LeafCount) -> Result<(), Denied> {
        if self.carries_out {
            return Ok(());
        }
        if made.stated > 0 {
            self.require(Permissions::ATTEST)?;
        }
        self.within(Amounts {
            gas: 0,
            leaves: made.all,
        })
    }

    fn within(&self, asked: Amounts) -> Result<(), Denied> {
        if self.reserve == Reserve::First {
            return Ok(());
        }
        let organisation = self.standing.organisation;
        within_quota(organisation, self.used, self.limit, asked, self.lifts_at)
    }
}

/// Whether what a contract does becomes leaves (SPEC §9.4).
fn makes_leaves(contract: Address) -> bool {
    [ATTESTATIONS, OUTBOX, FACTS].contains(&contract) || GOVERNANCE.contains(&contract)
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
        let admitted = gate.admit(overlay, transaction)?;
        Ok(admitted.map(|_| ()).map_err(|refused| refused.denied))
    };
    admit(&mut overlay).map_err(|error: ReadError| error.0)
}

/// What a call from `sender` may do at `seconds` of block time, as if it were a transaction.
/// Nobody can sign for the zero address: a call from it is nobody's, and is not bound.
pub(crate) fn bounds_of_call<V: StateView + ?Sized>(
    overlay: &mut Overlay<'_, V>,
    seconds: u64,
    sender: Address,
    to: Option<Address>,
    input: &[u8],
) -> Result<Option<Bounds>, ReadError> {
    if sender == Address::ZERO || !is_governed(overlay)? {
        return Ok(None);
    }
    let mut gate = Gate::open(overlay, seconds)?;
    gate.bounds(overlay, sender, to, input).map(Some)
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
