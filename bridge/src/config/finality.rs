//! From when on a block of the target cannot go away.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limits::DEPTH_MAX;

/// What makes a block final. Whatever rests on a block that is not is done again when it goes away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finality {
    /// Nodes say so, under the block tag `finalized`: Ethereum, TBSI.
    #[default]
    Finalized,
    /// The newest block is, whatever the chain's rules: for chains of one node. One that goes away
    /// takes what rested on it along.
    Latest,
    /// Validators of QBFT or IBFT 2.0 seal a block once and for all: Besu, GoQuorum. Others are
    /// refused.
    Instant,
    /// So many blocks on top of it.
    Depth(u64),
}

impl fmt::Display for Finality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finalized => f.write_str("finalized"),
            Self::Latest => f.write_str("latest"),
            Self::Instant => f.write_str("instant"),
            Self::Depth(blocks) => write!(f, "depth = {blocks}"),
        }
    }
}

impl FromStr for Finality {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "finalized" => Ok(Self::Finalized),
            "latest" => Ok(Self::Latest),
            "instant" => Ok(Self::Instant),
            number => match number.parse() {
                Ok(blocks) if (1..=DEPTH_MAX).contains(&blocks) => Ok(Self::Depth(blocks)),
                Ok(_) | Err(_) => Err(format!(
                    "`{text}` is none of finalized, latest, instant, or a number of blocks from 1 \
                     to {DEPTH_MAX}"
                )),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_are_read() {
        for (text, expected) in [
            ("finalized", Ok(Finality::Finalized)),
            ("latest", Ok(Finality::Latest)),
            ("instant", Ok(Finality::Instant)),
            ("12", Ok(Finality::Depth(12))),
            ("0", Err(())),
            ("100001", Err(())),
            ("Instant", Err(())),
            ("-1", Err(())),
        ] {
            let read = text.parse::<Finality>();
            assert_eq!(read.map_err(|_| ()), expected, "{text}");
        }
    }
}
