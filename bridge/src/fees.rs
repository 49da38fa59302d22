//! What a transaction bids (EIP-1559). Pure.

use crate::record::{Attempt, U64Text};

/// What a transaction offers for each gas, wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bid {
    /// Most that is paid.
    pub fee_cap: u64,
    /// Of which the block's builder gets so much.
    pub tip: u64,
}

/// What gas costs at the moment, wei.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Market {
    /// Base fee of the next block, as far as the last one tells.
    pub base_fee: u64,
    /// A tip that suffices.
    pub tip: u64,
}

/// Limits that an operator sets, wei for each gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// No bid is higher.
    pub fee_cap_max: u64,
    /// No tip is lower, unless the limit above is.
    pub tip_min: u64,
}

/// The least that nodes take for a replacement is 10 % more; some ask for 12.5 %.
fn raised(fee: u64) -> u64 {
    fee.saturating_add(fee / 8).saturating_add(1)
}

/// The bid of a first attempt: it stays good while the base fee doubles. `None` if the market
/// is above the limit already.
pub fn first(market: Market, limits: Limits) -> Option<Bid> {
    let tip = market.tip.max(limits.tip_min);
    let now = market.base_fee.checked_add(tip)?;
    if now > limits.fee_cap_max {
        return None;
    }
    let fee_cap = now.saturating_add(market.base_fee).min(limits.fee_cap_max);
    Some(Bid { fee_cap, tip })
}

/// The bid of a replacement: both fees at least 12.5 % higher than `last`, and no lower than a
/// first attempt's. `None` if that is above the limit.
pub fn replacement(last: Bid, market: Market, limits: Limits) -> Option<Bid> {
    let estimate = first(market, limits)?;
    let bid = Bid {
        fee_cap: raised(last.fee_cap).max(estimate.fee_cap),
        tip: raised(last.tip).max(estimate.tip),
    };
    let fits = bid.fee_cap <= limits.fee_cap_max && bid.tip <= bid.fee_cap;
    fits.then_some(bid)
}

impl From<&Attempt> for Bid {
    fn from(attempt: &Attempt) -> Self {
        Self {
            fee_cap: attempt.fee_cap.0,
            tip: attempt.tip.0,
        }
    }
}

impl Bid {
    /// As records have it.
    pub fn text(self) -> (U64Text, U64Text) {
        (U64Text(self.fee_cap), U64Text(self.tip))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits {
        fee_cap_max: 1_000,
        tip_min: 2,
    };

    fn market(base_fee: u64, tip: u64) -> Market {
        Market { base_fee, tip }
    }

    #[test]
    fn t50_a_market_above_the_cap_gets_no_bid() {
        assert_eq!(
            first(market(100, 5), LIMITS),
            Some(Bid {
                fee_cap: 205,
                tip: 5
            })
        );
        let most = first(market(998, 0), LIMITS).unwrap();
        assert_eq!((most.fee_cap, most.tip), (1_000, 2));
        assert_eq!(first(market(999, 0), LIMITS), None);
        assert_eq!(first(market(u64::MAX, u64::MAX), LIMITS), None);
        let free = Limits {
            fee_cap_max: 0,
            tip_min: 0,
        };
        assert_eq!(first(market(0, 0), free), Some(Bid { fee_cap: 0, tip: 0 }));
        assert_eq!(
            replacement(Bid { fee_cap: 0, tip: 0 }, market(0, 0), free),
            None
        );
    }

    proptest! {
        #[test]
        fn t49_a_replacement_is_an_eighth_higher_in_both_fees_and_within_the_cap(
            cap in 0u64..u64::MAX, tip in 0u64..u64::MAX, base in 0u64..u64::MAX, most: u64,
        ) {
            let last = Bid { fee_cap: cap, tip: tip.min(cap) };
            let limits = Limits { fee_cap_max: most, tip_min: 0 };
            if let Some(bid) = replacement(last, market(base, 0), limits) {
                let eighth = |old: u64, new: u64| u128::from(new) * 8 >= u128::from(old) * 9;
                prop_assert!(eighth(last.fee_cap, bid.fee_cap) && bid.fee_cap > last.fee_cap);
                prop_assert!(eighth(last.tip, bid.tip) && bid.tip > last.tip);
                prop_assert!(bid.fee_cap <= most && bid.tip <= bid.fee_cap);
            }
        }
    }
}
