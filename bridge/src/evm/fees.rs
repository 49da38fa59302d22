//! What a transaction bids: two fees (EIP-1559), or on chains with older rules one price. Pure.

use super::Attempt;
use crate::config::EvmConfig;
use crate::record::U64Text;

/// What a transaction offers for each gas, wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bid {
    /// Most that is paid.
    pub fee_cap: u64,
    /// Of which the block's builder gets so much.
    pub tip: u64,
    /// As one price, for a transaction of type 0; both are the same then.
    pub legacy: bool,
}

/// What gas costs at the moment, wei.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Market {
    /// Base fee of the next block, as far as the last one tells.
    pub base_fee: u64,
    /// A tip that suffices; the whole price where there is no base fee.
    pub tip: u64,
    /// Blocks have no base fee: the chain's rules are before London, and know one price.
    pub legacy: bool,
}

/// Limits that an operator sets, wei for each gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// No bid is higher.
    pub fee_cap_max: u64,
    /// No tip is lower, unless the limit above is.
    pub tip_min: u64,
}

impl Limits {
    /// Those of a configuration.
    pub fn of(config: &EvmConfig) -> Self {
        Self {
            fee_cap_max: config.fees.fee_cap_wei,
            tip_min: config.fees.tip_min_wei,
        }
    }
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
    let legacy = market.legacy;
    Some(Bid {
        fee_cap,
        tip: if legacy { fee_cap } else { tip },
        legacy,
    })
}

/// The bid of a replacement: both fees at least 12.5 % higher than `last`, and no lower than a
/// first attempt's. `None` if that is above the limit.
pub fn replacement(last: Bid, market: Market, limits: Limits) -> Option<Bid> {
    let estimate = first(market, limits)?;
    let bid = Bid {
        fee_cap: raised(last.fee_cap).max(estimate.fee_cap),
        tip: raised(last.tip).max(estimate.tip),
        legacy: estimate.legacy,
    };
    let fits = bid.fee_cap <= limits.fee_cap_max && bid.tip <= bid.fee_cap;
    fits.then_some(bid)
}

impl From<&Attempt> for Bid {
    fn from(attempt: &Attempt) -> Self {
        Self {
            fee_cap: attempt.fee_cap.0,
            tip: attempt.tip.0,
            // What is sent again has the type that it had.
            legacy: false,
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
        Market {
            base_fee,
            tip,
            legacy: false,
        }
    }

    fn bid(fee_cap: u64, tip: u64) -> Bid {
        Bid {
            fee_cap,
            tip,
            legacy: false,
        }
    }

    #[test]
    fn t50_a_market_above_the_cap_gets_no_bid() {
        assert_eq!(first(market(100, 5), LIMITS), Some(bid(205, 5)));
        let most = first(market(998, 0), LIMITS).unwrap();
        assert_eq!((most.fee_cap, most.tip), (1_000, 2));
        assert_eq!(first(market(999, 0), LIMITS), None);
        assert_eq!(first(market(u64::MAX, u64::MAX), LIMITS), None);
        let free = Limits {
            fee_cap_max: 0,
            tip_min: 0,
        };
        assert_eq!(first(market(0, 0), free), Some(bid(0, 0)));
        assert_eq!(replacement(bid(0, 0), market(0, 0), free), None);
    }

    #[test]
    fn where_there_is_no_base_fee_there_is_one_price() {
        let market = |tip| Market {
            tip,
            legacy: true,
            ..Market::default()
        };
        let price = |fee| Bid {
            fee_cap: fee,
            tip: fee,
            legacy: true,
        };
        assert_eq!(first(market(7), LIMITS), Some(price(7)));
        assert_eq!(first(market(0), LIMITS), Some(price(2)));
        assert_eq!(first(market(1_001), LIMITS), None);
        let raised = replacement(price(80), market(7), LIMITS);
        assert_eq!(raised, Some(price(91)));
        assert_eq!(
            replacement(price(80), market(500), LIMITS),
            Some(price(500))
        );
        assert_eq!(replacement(price(999), market(7), LIMITS), None);
    }

    proptest! {
        #[test]
        fn t49_a_replacement_is_an_eighth_higher_in_both_fees_and_within_the_cap(
            cap in 0u64..u64::MAX, tip in 0u64..u64::MAX, base in 0u64..u64::MAX, most: u64,
        ) {
            let last = bid(cap, tip.min(cap));
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
